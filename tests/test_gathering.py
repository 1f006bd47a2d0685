"""Calls of one statement that leave as one: what each of them gets, and what it does to the others.

Each call tells when its transaction began, which is the same for those that went together.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.db.failures import Failure, classify
from groupsvc.db.gathering import Gatherer
from groupsvc.db.statements import GatheredStatement, Statement
from groupsvc.domain.errors import UnavailableError
from groupsvc.settings import Settings
from tests.conftest import SQL, MakeDatabase
from tests.pools import MakeOwnPool, OwnPool, own_pools
from tests.waiting import until

LOCK = 816
ROWS = """SELECT :n::bigint AS n, now() AS began, 1 / (:n::bigint - 8) AS refused,
    CASE WHEN :n::bigint = 7 THEN pg_sleep(60) END,
    pg_advisory_xact_lock_shared(816)"""
READ = Statement("read", "read", ROWS, may_be_gathered=True)
WRITE = Statement(
    "write",
    "checked write",
    """INSERT INTO gathered_rows SELECT :n::bigint FROM pg_advisory_xact_lock_shared(816)
    WHERE :access_version::uuid IS NULL RETURNING n, now() AS began""",
    may_be_gathered=True,
)
WRITE.gathered = GatheredStatement(
    WRITE,
    """WITH call AS MATERIALIZED (
        SELECT call.* FROM pg_advisory_xact_lock_shared(816),
            unnest(:n::bigint[]) WITH ORDINALITY AS call (n, call)
        WHERE :access_version::uuid IS NULL),
    written AS (INSERT INTO gathered_rows SELECT n FROM call RETURNING n)
    SELECT n, now() AS began, call FROM written JOIN call USING (n)""",
    "n",
)
Tasks = list[asyncio.Task[Any]]


@pytest_asyncio.fixture
async def make(url: URL, settings: Settings, sql: SQL) -> AsyncIterator[MakeOwnPool]:
    async with own_pools(url, settings, sql) as make:
        yield make


@pytest_asyncio.fixture
async def own(make: MakeOwnPool) -> OwnPool:
    return make()


@pytest_asyncio.fixture
async def rows(sql: SQL) -> AsyncIterator[None]:
    await sql("CREATE TABLE gathered_rows (n bigint NOT NULL)")
    yield
    await sql("DROP TABLE gathered_rows")


def call(own: OwnPool, statement: Statement, *numbers: int, version: Any = None) -> Tasks:
    made: Tasks = []
    for number in numbers:
        given = {"n": number, "access_version": version}
        arguments = [given[name] for name in statement.names]
        made.append(asyncio.create_task(own.pool.gather(statement, arguments)))
    return made


@asynccontextmanager
async def held_up(
    own: OwnPool, engine: AsyncEngine, statement: Statement, version: Any = None
) -> AsyncIterator[Tasks]:
    """As many as may be under way; they end when the block ends, and those that wait leave."""
    async with engine.connect() as holder:
        await holder.exec_driver_sql(f"SELECT pg_advisory_lock({LOCK})")
        try:
            first = call(own, statement, *range(100, 100 + Gatherer.FEW), version=version)
            await waiting_for_lock(own.sql, Gatherer.FEW)
            yield first
        finally:
            await holder.exec_driver_sql(f"SELECT pg_advisory_unlock({LOCK})")


async def waiting_for_lock(sql: SQL, count: int) -> Sequence[int]:
    async def look() -> Sequence[int] | None:
        found = await sql(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event = 'advisory'"
        )
        return [pid for (pid,) in found] if len(found) == count else None

    return await until(look)  # type: ignore[return-value]


def began(answers: Sequence[Any]) -> set[Any]:
    return {rows[0].began for rows in answers}


@pytest.mark.parametrize("statement", [READ, WRITE], ids=["read", "write"])
async def test_calls_that_wait_leave_as_one_and_each_gets_its_own(
    own: OwnPool, engine: AsyncEngine, rows: None, statement: Statement
) -> None:
    async with held_up(own, engine, statement) as first:
        later = call(own, statement, 5, 3, 1)
    each_alone, together = await asyncio.gather(*first), await asyncio.gather(*later)
    assert [[row.n for row in found] for found in together] == [[5], [3], [1]]
    assert len(began(together)) == 1
    assert len(began(each_alone)) == len(each_alone)


async def test_more_than_go_together_leave_without_waiting(
    own: OwnPool, engine: AsyncEngine
) -> None:
    async with held_up(own, engine, READ) as first:
        later = call(own, READ, *range(200, 200 + Gatherer.MOST + 1))
        await waiting_for_lock(own.sql, Gatherer.FEW + 1)
    together = await asyncio.gather(*later)
    assert len(began(together[: Gatherer.MOST])) == 1
    assert len(began(together)) == 2
    await asyncio.gather(*first)


async def test_a_lone_call_is_sent_as_it_stands(own: OwnPool) -> None:
    told = Statement("told", "read", "SELECT current_query() AS query", may_be_gathered=True)
    for _ in range(3):
        assert [row.query for row in await own.pool.gather(told, [])] == [told.query]


@pytest.mark.parametrize("statement", [READ, WRITE], ids=["read", "write"])
async def test_whoever_goes_away_leaves_the_others_alone(
    own: OwnPool, engine: AsyncEngine, sql: SQL, rows: None, statement: Statement
) -> None:
    """One while it waits for its turn, another when the statement is on its way."""
    async with held_up(own, engine, statement) as first:
        gone, *later = call(own, statement, 1, 2, 3, 4)
        await asyncio.sleep(0)
        gone.cancel()
        first[0].cancel()
        await waiting_for_lock(sql, Gatherer.FEW + 1)
        later[0].cancel()
    assert [found[0].n for found in await asyncio.gather(*later[1:])] == [3, 4]
    await asyncio.gather(*first, gone, later[0], return_exceptions=True)
    assert gone.cancelled()
    assert later[0].cancelled()
    if statement is WRITE:
        assert (1,) not in await sql("SELECT n FROM gathered_rows")
    assert own.pool.limiter.in_use == 0


async def test_one_that_is_refused_is_refused_by_itself(own: OwnPool, engine: AsyncEngine) -> None:
    async with held_up(own, engine, READ) as first:
        later = call(own, READ, 1, 8, 3)
    one, refused, three = await asyncio.gather(*later, return_exceptions=True)
    assert isinstance(refused, asyncpg.DivisionByZeroError)
    assert (one[0].n, three[0].n) == (1, 3)
    assert len(began([one, three])) == 2
    await asyncio.gather(*first)


async def test_one_that_takes_too_long_is_cancelled_by_itself(make: MakeOwnPool) -> None:
    own = make(statement_timeout=1)
    calls = call(own, READ, *range(100, 100 + Gatherer.FEW), 1, 7, 3)
    *_, one, slow, three = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(slow, asyncpg.QueryCanceledError)
    assert (one[0].n, three[0].n) == (1, 3)


async def test_one_of_a_kind_goes_with_the_next(
    own: OwnPool, engine: AsyncEngine, rows: None
) -> None:
    """Two writes of one row never go together."""
    async with held_up(own, engine, WRITE) as first:
        later = call(own, WRITE, 1, 2, 1, 3)
    answers = await asyncio.gather(*later)
    assert [found[0].n for found in answers] == [1, 2, 1, 3]
    assert answers[0][0].began != answers[2][0].began
    assert len(began([answers[0], answers[1], answers[3]])) == 1
    await asyncio.gather(*first)


@pytest.mark.parametrize("statement", [READ, WRITE], ids=["read", "write"])
async def test_a_connection_that_breaks_is_the_end_of_all_of_them(
    own: OwnPool, engine: AsyncEngine, sql: SQL, rows: None, statement: Statement
) -> None:
    """What became of a write nobody knows: it is not sent again."""
    sent: Tasks = []
    async with held_up(own, engine, statement) as first:
        sent = call(own, statement, 1, 2, 3)
        await own.end(*await waiting_for_lock(sql, Gatherer.FEW))
        await asyncio.gather(*first, return_exceptions=True)
        await own.end(*await waiting_for_lock(sql, 1))
        failed = await asyncio.gather(*sent, return_exceptions=True)
    assert [classify(error) for error in failed] == [Failure.LOST] * 3  # type: ignore[arg-type]
    assert await sql("SELECT n FROM gathered_rows") == []
    assert own.pool.limiter.in_use == 0


async def test_its_callers_are_told_that_it_is_not_known(
    own: OwnPool, engine: AsyncEngine, sql: SQL, rows: None
) -> None:
    async def work(uow: UnitOfWork) -> None:
        await uow.connection.execute(WRITE, {"n": 1})

    async with held_up(own, engine, WRITE) as first:
        waiting = asyncio.create_task(own.unit(work))
        other = call(own, WRITE, 2)
        await asyncio.sleep(0)
        await own.end(*await waiting_for_lock(sql, Gatherer.FEW))
        await own.end(*await waiting_for_lock(sql, 1))
        with pytest.raises(UnavailableError):
            await waiting
    await asyncio.gather(*first, *other, return_exceptions=True)
    assert await sql("SELECT n FROM gathered_rows") == []


async def test_whoever_waits_for_a_connection_is_refused_as_ever(make: MakeOwnPool) -> None:
    own = make(pool_size=1, pool_timeout=0.1)
    asleep, _ = await own.asleep()
    failed = await asyncio.gather(*call(own, READ, *range(100, 110)), return_exceptions=True)
    assert {type(error) for error in failed} == {TimeoutError}
    asleep.cancel()
    await asyncio.gather(asleep, return_exceptions=True)
    answers = await asyncio.gather(*call(own, READ, *range(100, 110)))
    assert [found[0].n for found in answers] == list(range(100, 110))


async def test_a_pool_answers_its_own(
    make_database: MakeDatabase, settings: Settings, sql: SQL, own: OwnPool
) -> None:
    where = Statement(
        "where", "read", "SELECT :n::bigint AS n, current_database() AS place", may_be_gathered=True
    )
    url = await make_database()
    async with own_pools(url, settings, sql) as make_other:
        other = make_other()
        calls = [each for n in range(20) for each in call(own, where, n) + call(other, where, n)]
        places = [found[0].place for found in await asyncio.gather(*calls)]
    ((here,),) = await sql("SELECT current_database()")
    assert places == [here, url.database] * 20


async def test_a_token_that_has_changed_is_told_to_its_own_callers(
    own: OwnPool, engine: AsyncEngine, sql: SQL
) -> None:
    checked = READ.with_token_check
    assert checked is not None
    ((known,),) = await sql("SELECT version FROM access_version")
    ((other,),) = await sql("SELECT gen_random_uuid()")
    async with held_up(own, engine, checked, known) as first:
        later = call(own, checked, 1, 2, version=known) + call(own, checked, 3, version=other)
    one, two, three = await asyncio.gather(*later)
    assert (one[0].n, two[0].n, three) == (1, 2, [])
    await asyncio.gather(*first)


async def test_arrays_arrive_as_they_are(own: OwnPool) -> None:
    texts = Statement(
        "texts", "read", "SELECT :texts::text[] AS texts, now() AS began", may_be_gathered=True
    )
    given = [["a", 'b"c', "d\\e", "f,g", "{h}", " ", "", "NULL", "\u00e9\n"], [], None, ["i"]] * 3
    answers = await asyncio.gather(*(own.pool.gather(texts, [each]) for each in given))
    assert [found[0].texts for found in answers] == given
    assert len(began(answers)) == Gatherer.FEW + 1
