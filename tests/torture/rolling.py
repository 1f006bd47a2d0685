"""A migration under the program before it, and every migration up and down while others write.

`make torture` runs this.
"""

import asyncio
import itertools
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from time import monotonic

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from groupsvc.db import migrate
from groupsvc.db.connect import parse_url
from groupsvc.db.engine import make_engine
from groupsvc.db.failures import LOCKED, sqlstate
from groupsvc.settings import Settings
from tests.test_migrations import REVISIONS, ROOT
from tests.torture.cluster import Cluster, url_of
from tests.torture.conftest import MakeCluster, MakeService
from tests.torture.load import PAUSE, make_partition, writing
from tests.waiting import until

FIRST = "0003"  # from there on all rules hold
# A service refuses what takes longer.
LONGEST_STATEMENT = Settings().statement_timeout
READER = 2 * LONGEST_STATEMENT  # seconds
SETTINGS = Settings(command_timeout=300, statement_timeout=300)
FILLED = """
    INSERT INTO departments (acronym) VALUES ('D');
    INSERT INTO users (department_id, username, sort_key)
    SELECT d.id, 'u' || n, 'u' || n FROM departments d, generate_series(1, 20000) n;
    INSERT INTO courses (department_id, key)
    SELECT d.id, 'c' || n FROM departments d, generate_series(1, 20) n;
    INSERT INTO enrollments (course_id, user_id)
    SELECT c.id, u.id FROM courses c JOIN users u ON u.id % 4 = c.id % 4;
    INSERT INTO partitions (course_id, kind, name, position)
    SELECT id, 'ordinary', 'TD', 1 FROM courses;
    INSERT INTO groups (course_id, partition_id, name, position)
    SELECT course_id, id, 'G' || n, n FROM partitions, generate_series(1, 20) n WHERE name = 'TD';
    INSERT INTO memberships (course_id, partition_id, user_id, group_id)
    SELECT e.course_id, p.id, e.user_id, g.id
    FROM enrollments e JOIN partitions p ON p.course_id = e.course_id AND p.name = 'TD'
    JOIN groups g ON g.partition_id = p.id AND g.position = 1 + e.user_id % 20;
"""


def files_at(commit: str) -> set[str]:
    listed = git("ls-tree", "--name-only", commit, "alembic/versions/").split()
    return {Path(name).name for name in listed}


def git(*arguments: str) -> str:
    command = ("git", "-C", str(ROOT), *arguments)
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


@pytest.fixture
def program_before(place: Path) -> Path:
    """The program as it was before the last migration came."""
    if not (ROOT / ".git").exists():
        pytest.skip("there is no history here")
    wanted = {path.name for path in (ROOT / "alembic/versions").glob("*_*_*.py")}
    wanted -= {name for name in wanted if name.split("_")[1] == REVISIONS[-1]}
    for commit in git("rev-list", "-500", "HEAD").split():
        if files_at(commit) == wanted:
            packed, folder = place / "before.tar", place / "before"
            git("archive", "-o", str(packed), commit, "src", "alembic")
            folder.mkdir()
            subprocess.run(("tar", "-xf", str(packed), "-C", str(folder)), check=True)
            return folder / "src"
    pytest.skip("no commit has all migrations but the last")


def to(revision: str, cluster: Cluster, way: str) -> None:
    """As an operator goes there."""
    command = (sys.executable, "-m", "alembic", way, revision)
    environment = {"GROUPSVC_DATABASE_URL": cluster.url, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


async def test_the_program_before_serves_while_the_last_migration_comes_and_goes(
    make_cluster: MakeCluster, make_service: MakeService, program_before: Path
) -> None:
    cluster = make_cluster("primary").create().start()
    await asyncio.to_thread(to, REVISIONS[-2], cluster, "upgrade")
    partition = await make_partition(cluster)
    old = make_service(cluster.url, workers=1, source=program_before)
    new = make_service(cluster.url, workers=1)
    await old.start().ready()
    async with writing(old, partition, clients=4) as before:
        await before.acknowledges(50)
        await asyncio.to_thread(new.migrate)
        await before.acknowledges(50)
        await new.start().ready()
        async with writing(new, partition, clients=4) as after:
            await after.acknowledges(50)
        new.kill()
        await asyncio.to_thread(to, REVISIONS[-2], cluster, "downgrade")
        await before.acknowledges(50)
    for load in (before, after):
        await load.check(cluster)
        assert (load.unknown, load.refused) == (0, 0)


MOVE = """
UPDATE memberships m SET group_id = g.id FROM groups g
WHERE m.user_id = (SELECT (random() * 4900)::integer * 4 + $1)
  AND g.partition_id = m.partition_id AND g.id <> m.group_id
  AND g.position = (SELECT 1 + (random() * 19)::integer)
"""


@asynccontextmanager
async def moving(
    cluster: Cluster, clients: int = 2
) -> AsyncIterator[tuple[list[float], list[asyncio.Task[None]]]]:
    """Move users between groups again and again, however the columns beside are called."""
    took: list[float] = []
    stop = False

    async def move(number: int) -> None:
        connection = await asyncpg.connect(url_of(cluster), statement_cache_size=0)
        while not stop:
            began = monotonic()
            while True:
                with suppress(asyncpg.DeadlockDetectedError):  # which a service runs again
                    await connection.execute(MOVE, number)
                    break
            took.append(monotonic() - began)
            await asyncio.sleep(PAUSE)
        await connection.close()

    tasks = [asyncio.create_task(move(number)) for number in range(clients)]
    try:
        yield took, tasks
    finally:
        stop = True
        await asyncio.gather(*tasks)


async def until_done(go: Callable[[], Awaitable[None]]) -> int:
    """As an operator would, who is told that tables were in use all the time."""
    for tries in itertools.count(1):
        try:
            await go()
        except DBAPIError as error:
            if sqlstate(error) != LOCKED or tries == 5:
                raise
        else:
            return tries
    raise AssertionError


async def test_every_migration_goes_up_and_down_while_others_write(
    make_cluster: MakeCluster,
) -> None:
    cluster = make_cluster("primary").create().start()
    engine = make_engine(parse_url(cluster.url), SETTINGS)
    await migrate.upgrade(engine, FIRST)
    for statement in FILLED.split(";")[:-1]:
        await cluster.ask(statement)
    up = REVISIONS[REVISIONS.index(FIRST) + 1 :]
    down, slowest = [FIRST, *up[:-1]][::-1], 0.0
    async with moving(cluster) as (took, writers):
        for revision, go in (
            *((each, migrate.upgrade) for each in up),
            *((each, migrate.downgrade) for each in down),
        ):
            took.clear()
            began = monotonic()
            tries = await until_done(partial(go, engine, revision))
            lasted, seen = monotonic() - began, len(took)

            async def has_gone_on(least: int = seen + 8) -> bool:
                assert not any(each.done() for each in writers)
                return len(took) >= least

            await until(has_gone_on)
            print(f"to {revision}: {lasted:.2f} s in {tries}, slowest write {max(took):.2f} s")
            slowest = max(slowest, *took)
    await engine.dispose()
    print(f"{len(up)} migrations up and down, slowest write {slowest:.2f} s")
    assert slowest < LONGEST_STATEMENT
    assert await cluster.ask("SELECT version_num FROM alembic_version") == [(FIRST,)]


async def go_up(cluster: Cluster) -> None:
    """Release by release: what one holds until its end, the next one does not wait for."""
    engine = make_engine(parse_url(cluster.url), SETTINGS)
    for revision in REVISIONS[REVISIONS.index(FIRST) + 1 :]:
        await until_done(partial(migrate.upgrade, engine, revision))
    await engine.dispose()


async def wait_for_the_table(cluster: Cluster) -> None:
    await cluster.ask("ALTER TABLE memberships ADD COLUMN anything integer")


@pytest.mark.parametrize("change", [go_up, wait_for_the_table], ids=["drill", "control"])
async def test_a_migration_behind_a_long_reader_holds_up_no_writer(
    make_cluster: MakeCluster, change: Callable[[Cluster], Awaitable[None]]
) -> None:
    cluster = make_cluster("primary").create().start()
    engine = make_engine(parse_url(cluster.url), SETTINGS)
    await migrate.upgrade(engine, FIRST)
    await engine.dispose()
    for statement in FILLED.split(";")[:-1]:
        await cluster.ask(statement)
    reader = await asyncpg.connect(url_of(cluster))
    async with moving(cluster) as (took, _):
        async with reader.transaction():
            await reader.execute("LOCK TABLE memberships, groups, courses IN ACCESS SHARE MODE")
            changing = asyncio.create_task(change(cluster))
            await asyncio.sleep(READER)
            assert not changing.done()
        await changing
    await reader.close()
    print(f"slowest write behind a reader of {READER} s: {max(took):.2f} s")
    assert (max(took) < LONGEST_STATEMENT) is (change is go_up)
