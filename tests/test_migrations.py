"""Migrations on empty databases of their own."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.db import migrate, revision
from groupsvc.db.engine import make_engine
from groupsvc.settings import Settings
from tests.conftest import MakeDatabase
from tests.waiting import until

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
REVISIONS = sorted(path.name[9:13] for path in (ROOT / "alembic" / "versions").glob("*.py"))

CATALOGUE = """
    SELECT 'column', table_name, column_name || ' ' || data_type || ' ' || is_nullable,
           concat(column_default, ' ', collation_name)
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
    UNION ALL
    SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT 'function', proname, pg_get_function_identity_arguments(oid), prosrc
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
    FROM pg_trigger WHERE NOT tgisinternal
    ORDER BY 1, 2, 3, 4
"""


@asynccontextmanager
async def engine_of(url: URL, settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(url, settings)
    try:
        yield engine
    finally:
        await engine.dispose()


async def catalogue(engine: AsyncEngine) -> list[Any]:
    """Everything that the migrations have made."""
    async with engine.connect() as connection:
        rows = await connection.execute(text(CATALOGUE))
        return [tuple(row) for row in rows if not str(row[1]).startswith("alembic_version")]


async def test_up_down_and_up_again_make_the_same(
    make_database: MakeDatabase, settings: Settings
) -> None:
    async with engine_of(await make_database(), settings) as engine:
        assert await migrate.current(engine) is None
        await migrate.upgrade(engine)
        assert await migrate.current(engine) == migrate.head() == REVISIONS[-1]
        whole = await catalogue(engine)
        assert {kind for kind, *_ in whole} == {
            "column",
            "constraint",
            "index",
            "function",
            "trigger",
        }
        await migrate.downgrade(engine)
        assert (await migrate.current(engine), await catalogue(engine)) == (None, [])
        await migrate.upgrade(engine)
        assert await catalogue(engine) == whole


async def test_each_step_is_undone_by_its_own(
    make_database: MakeDatabase, settings: Settings
) -> None:
    async with engine_of(await make_database(), settings) as engine:
        before = []
        for revision in REVISIONS:
            before.append(await catalogue(engine))
            await migrate.upgrade(engine, revision)
        for revision, expected in zip([*REVISIONS[:-1][::-1], "base"], before[::-1], strict=True):
            await migrate.downgrade(engine, revision)
            assert await catalogue(engine) == expected, f"down to {revision}"


@pytest.mark.parametrize(
    ("declared", "fits"), [(f'"{REVISIONS[-1]}"', True), ('"9998"', False), (None, False)]
)
async def test_a_program_may_go_on_when_a_migration_after_it_says_so(
    make_database: MakeDatabase,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    declared: str | None,
    fits: bool,
) -> None:
    scripts = shutil.copytree(ROOT / "alembic", tmp_path / "alembic")
    (scripts / "versions" / "20300101_9999_next.py").write_text(
        f'revision, down_revision = "9999", "{REVISIONS[-1]}"\n'
        f"oldest_program = {declared}\n"
        "def upgrade(): pass\ndef downgrade(): pass\n"
    )
    monkeypatch.setattr(migrate, "scripts", lambda: scripts)
    async with engine_of(await make_database(), settings) as engine:
        await migrate.upgrade(engine)
        found = await revision.find(engine)
        assert (found.revision, found.fits) == ("9999", fits)
        await migrate.downgrade(engine, REVISIONS[-1])
        assert await revision.find(engine) == (REVISIONS[-1], None)


async def test_a_migration_waits_for_a_table_and_holds_nobody_up(
    make_database: MakeDatabase, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "groupsvc.db.migrate")
    async with engine_of(await make_database(), settings) as engine:
        await migrate.upgrade(engine, "0021")
        async with engine.connect() as reader:
            await reader.execute(text("BEGIN"))
            await reader.execute(text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))
            migration = asyncio.create_task(migrate.upgrade(engine))

            async def is_waiting() -> bool:
                if migration.done():
                    await migration
                return "tried again" in caplog.text

            await until(is_waiting)
            await reader.execute(text("ROLLBACK"))
        await migration
        assert await migrate.current(engine) == REVISIONS[-1]


async def test_going_up_from_the_top_changes_nothing(
    make_database: MakeDatabase, settings: Settings
) -> None:
    async with engine_of(await make_database(), settings) as engine:
        await migrate.upgrade(engine)
        whole = await catalogue(engine)
        await migrate.upgrade(engine)
        assert await catalogue(engine) == whole


MEMBER = """
    INSERT INTO departments (id, acronym) VALUES (1, 'D');
    INSERT INTO users (id, department_id, username, sort_key) VALUES (1, 1, 'u', 'u');
    INSERT INTO courses (id, department_id, key) VALUES (1, 1, 'c');
    INSERT INTO partitions (course_id, id, name, position) VALUES (1, 1, 'TD "é"', 1);
    INSERT INTO groups (course_id, partition_id, id, name, position)
        VALUES (1, 1, 1, 'A', 1), (1, 1, 2, 'B', 2);
    INSERT INTO enrollments (course_id, user_id) VALUES (1, 1);
    INSERT INTO memberships (course_id, partition_id, user_id, group_id) VALUES (1, 1, 1, 1)
"""
PLACES = [
    {"group_id": n, "group_name": name, "partition_name": 'TD "é"'}
    for n, name in ((1, "A"), (2, "B"))
]


async def test_what_lines_of_the_log_say_is_the_same_before_and_after_a_migration(
    make_database: MakeDatabase, settings: Settings
) -> None:
    """Some are longer than others: each revision reads those of the other."""
    async with engine_of(await make_database(), settings) as engine:

        async def lines(what: str) -> list[Any]:
            query = text(f"SELECT {what} FROM changes WHERE kind LIKE 'membership.%' ORDER BY seq")
            async with engine.connect() as connection:
                return [tuple(row) for row in await connection.execute(query)]

        async def run(statements: str) -> None:
            async with engine.connect() as connection:
                for statement in statements.split(";"):
                    await connection.execute(text(statement))

        await migrate.upgrade(engine, "0025")
        await run(MEMBER)
        await migrate.upgrade(engine)
        await run("UPDATE memberships SET group_id = 2; DELETE FROM memberships")
        one, two = PLACES
        told = [(None, one), (one, two), (two, None)]
        assert await lines("told(before), told(after)") == told
        assert await lines("before, after") == [
            told[0],
            ([1, "A", 'TD "é"'], [2, "B", 'TD "é"']),
            ([2, "B", 'TD "é"'], None),
        ]
        await migrate.downgrade(engine, "0025")
        assert await lines("before, after") == told
        await migrate.upgrade(engine)
        assert await lines("told(before), told(after)") == told


async def test_a_step_that_fails_leaves_nothing_behind(
    make_database: MakeDatabase, settings: Settings
) -> None:
    async with engine_of(await make_database(), settings) as engine:
        async with engine.connect() as connection:
            await connection.execute(text("CREATE TABLE changes (already_here integer)"))
        before = await catalogue(engine)
        with pytest.raises(ProgrammingError, match="already exists"):
            await migrate.upgrade(engine)
        assert (await migrate.current(engine), await catalogue(engine)) == (None, before)


async def test_several_processes_at_once_take_turns(
    make_database: MakeDatabase, settings: Settings, engine: AsyncEngine
) -> None:
    url = await make_database()
    environment = {
        **os.environ,
        "GROUPSVC_DATABASE_URL": url.render_as_string(hide_password=False),
    }

    async def run(*command: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            str(BIN / command[0]),
            *command[1:],
            cwd=ROOT,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return process.returncode, output.decode()

    by_hand = ("alembic", "upgrade", "head")
    commands = [by_hand, ("groupsvc", "migrate"), by_hand]
    results = await asyncio.gather(*(run(*command) for command in commands))
    assert [code for code, _ in results] == [0] * 3, results
    async with engine_of(url, settings) as own:
        assert await catalogue(own) == await catalogue(engine)


async def test_a_database_that_was_never_migrated_is_not_ready(
    make_database: MakeDatabase, settings: Settings
) -> None:
    async with engine_of(await make_database(), settings) as engine:
        await migrate.upgrade(engine, REVISIONS[0])
        assert await migrate.current(engine) == REVISIONS[0]
