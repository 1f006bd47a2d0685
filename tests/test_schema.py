"""The schema that is written down for readers is the one to which the migrations lead."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import URL

import groupsvc
from groupsvc.db import migrate
from groupsvc.db.engine import make_engine
from groupsvc.settings import Settings
from tests.conftest import MakeDatabase

FILES = sorted((Path(groupsvc.__file__).parent / "sql" / "schema").glob("*.sql"))

# What each kind of object is, by its name; the version table of the migrations is left aside.
CATALOG = {
    "table": """
        SELECT c.relname, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity,
               c.relreplident, c.reloptions, c.reltablespace, c.relacl::text, a.amname
        FROM pg_class c LEFT JOIN pg_am a ON a.oid = c.relam
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind NOT IN ('i', 'S')
          AND c.relname <> 'alembic_version'
    """,
    "column": """
        SELECT c.relname, a.attname, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum),
               format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
               l.collname, a.attstorage, a.attcompression, a.attstattarget,
               -- PostgreSQL 15.20 keeps a value of its own among them, another in each table.
               ARRAY(SELECT each FROM unnest(a.attoptions) each WHERE each NOT LIKE 'pg_attver=%'),
               pg_get_expr(d.adbin, d.adrelid)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        LEFT JOIN pg_collation l ON l.oid = a.attcollation
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
          AND c.relname <> 'alembic_version' AND a.attnum > 0 AND NOT a.attisdropped
    """,
    "constraint": """
        SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid),
               convalidated, condeferrable, condeferred, connoinherit
        FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
          AND conrelid::regclass::text <> 'alembic_version'
    """,
    "index": """
        SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), i.indisunique,
               i.indisprimary, i.indnullsnotdistinct, i.indisvalid, i.indisclustered, c.reloptions
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE c.relnamespace = 'public'::regnamespace
          AND i.indrelid::regclass::text <> 'alembic_version'
    """,
    "function": """
        SELECT p.oid::regprocedure::text, pg_get_function_arguments(p.oid),
               pg_get_function_result(p.oid), l.lanname, p.prokind, p.provolatile, p.proisstrict,
               p.prosecdef, p.proleakproof, p.proparallel, p.procost, p.prorows, p.proconfig,
               p.proacl::text, p.prosrc
        FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
        WHERE p.pronamespace = 'public'::regnamespace
    """,
    "view": """
        SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'
    """,
    "trigger": """
        SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), tgenabled
        FROM pg_trigger WHERE NOT tgisinternal
    """,
    "sequence": """
        SELECT sequencename, data_type::text, start_value, min_value, max_value, increment_by,
               cycle, cache_size
        FROM pg_sequences WHERE schemaname = 'public'
    """,
    "comment": """
        SELECT pg_describe_object(classoid, objoid, objsubid), description FROM pg_description
        WHERE (classoid = 'pg_class'::regclass AND objoid IN (
                  SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace
                  AND relname <> 'alembic_version'))
           OR (classoid = 'pg_proc'::regclass AND objoid IN (
                  SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace))
           OR classoid IN ('pg_constraint'::regclass, 'pg_trigger'::regclass)
    """,
    "type": """
        SELECT t.oid::regtype::text, t.typtype FROM pg_type t
        LEFT JOIN pg_class c ON c.oid = t.typrelid
        WHERE t.typnamespace = 'public'::regnamespace AND t.typelem = 0
          AND c.relname IS DISTINCT FROM 'alembic_version'
    """,
    "extension": "SELECT extname FROM pg_extension",
}

Catalog = set[tuple[Any, ...]]


def without_layout(source: str) -> str:
    """A function as the database reads it: comments and line breaks are for people."""
    return " ".join(re.sub("--.*", "", source).split())


def frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def dsn(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


async def catalog(connection: Any) -> Catalog:
    """Everything that is in a database, each object with its kind and all that it is."""
    found: Catalog = set()
    for kind, query in CATALOG.items():
        for row in await connection.fetch(query):
            *rest, last = (frozen(value) for value in row)
            found.add((kind, *rest, without_layout(last) if kind == "function" else last))
    return found


async def load(connection: Any, files: Iterable[Path]) -> None:
    for path in files:
        await connection.execute(path.read_text(encoding="utf-8"))


@pytest_asyncio.fixture(scope="module")
async def migrated(make_database: MakeDatabase, settings: Settings) -> Catalog:
    url = await make_database()
    engine = make_engine(url, settings)
    await migrate.upgrade(engine)
    await engine.dispose()
    connection = await asyncpg.connect(dsn(url))
    try:
        return await catalog(connection)
    finally:
        await connection.close()


@pytest_asyncio.fixture(scope="module")
async def written_down(make_database: MakeDatabase) -> Any:
    """A connection to a database that was made from the files."""
    connection = await asyncpg.connect(dsn(await make_database()))
    await load(connection, FILES)
    yield connection
    await connection.close()


async def test_the_files_are_what_the_migrations_lead_to(
    migrated: Catalog, written_down: Any
) -> None:
    found = await catalog(written_down)
    assert found - migrated == set()
    assert migrated - found == set()
    # All kinds that there can be, but for comments and views: there are none in the database.
    assert {kind for kind, *_ in found} == set(CATALOG) - {"comment", "view"}


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE groups ALTER capacity TYPE bigint",
        "ALTER TABLE groups ALTER position DROP NOT NULL",
        "ALTER TABLE groups ALTER position SET DEFAULT 1",
        "ALTER TABLE groups ALTER id SET GENERATED ALWAYS",
        "ALTER TABLE groups RENAME timetable_id TO other",
        "ALTER TABLE groups ADD other text",
        'ALTER TABLE groups ALTER timetable_id TYPE text COLLATE "POSIX"',
        "ALTER TABLE groups SET (fillfactor = 90)",
        "ALTER TABLE groups DROP CONSTRAINT ck_groups_capacity",
        "ALTER TABLE groups RENAME CONSTRAINT ck_groups_capacity TO other",
        "ALTER TABLE memberships ALTER CONSTRAINT fk_memberships_user DEFERRABLE",
        "DROP INDEX uq_users_email",
        "CREATE INDEX other ON groups (name)",
        "ALTER TABLE groups DISABLE TRIGGER a_rules",
        "DROP TRIGGER z_log ON grants",
        "ALTER FUNCTION check_group() STABLE",
        "ALTER FUNCTION check_group() SECURITY DEFINER",
        "ALTER FUNCTION check_group() SET search_path = public",
        "CREATE OR REPLACE FUNCTION leave_groups() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RETURN NULL; END $$",
        "CREATE FUNCTION refuse_locked(text) RETURNS void LANGUAGE sql AS ''",
        "ALTER TABLE groups ALTER id SET START 5",
        "COMMENT ON TABLE groups IS 'other'",
        "CREATE VIEW other AS SELECT 1 AS one",
        "CREATE TYPE other AS ENUM ('one')",
    ],
)
async def test_whatever_differs_is_seen(migrated: Catalog, written_down: Any, change: str) -> None:
    transaction = written_down.transaction()
    await transaction.start()
    try:
        await written_down.execute(change)
        assert await catalog(written_down) != migrated
    finally:
        await transaction.rollback()


async def test_every_refusal_of_a_trigger_has_its_rule_in_plain_words() -> None:
    """Each function that raises is introduced by the rule that it stands for."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    parts = re.findall(
        r"((?:^--[^\n]*\n)*)^CREATE FUNCTION (\w+)(.*?)^END \$\$;", text, re.MULTILINE | re.DOTALL
    )
    assert [
        name for words, name, body in parts if "RAISE" in body and "-- Rule: " not in words
    ] == []
    assert len([name for _, name, body in parts if "RAISE" in body]) == 10


# What lies below a course: roles and grants may be in one, and in other places.
BELOW = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
  AND a.attname = 'course_id' AND a.attnotnull
"""
KEYS = """
SELECT c.relname, k.relname, array_agg(a.attname::text)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class k ON k.oid = i.indexrelid
JOIN pg_attribute a ON a.attrelid = i.indexrelid
WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace GROUP BY 1, 2
"""
REFERENCES = """
SELECT r.conrelid::regclass::text, r.confrelid::regclass::text, r.conname::text,
       (SELECT array_agg(a.attname::text) FROM pg_attribute a
        WHERE a.attrelid = r.conrelid AND a.attnum = ANY (r.conkey))
FROM pg_constraint r WHERE r.contype = 'f' AND r.connamespace = 'public'::regnamespace
"""


async def test_keys_of_what_lies_below_a_course_hold_the_course(written_down: Any) -> None:
    """So that a course could live on a server of its own."""
    below = {name for (name,) in await written_down.fetch(BELOW)}
    keys = [
        (table, key)
        for table, key, columns in await written_down.fetch(KEYS)
        if table in below and "course_id" not in columns
    ]
    references = [
        (table, name)
        for table, other, name, columns in await written_down.fetch(REFERENCES)
        if table in below and other in below and "course_id" not in columns
    ]
    assert (keys, references) == ([], [])
    assert len(below) > 5
