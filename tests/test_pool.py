"""The short own to the database: its connections, and what it does in trouble."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import URL, text

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.db.failures import Failure, classify
from groupsvc.db.statements import Statement
from groupsvc.domain.errors import UnavailableError
from groupsvc.domain.principal import GrantScope
from groupsvc.settings import Settings
from tests.conftest import SQL
from tests.pools import MakeOwnPool, OwnPool, own_pools, who

EVERYWHERE = GrantScope(everywhere=True, departments=(), courses=())
INCREASE = Statement(
    "increase", "write", "UPDATE pool_rows SET n = n + 1 WHERE id = :id::bigint RETURNING n"
)
READ_ONLY = "SELECT pg_backend_pid() FROM set_config('default_transaction_read_only', 'on', false)"


@pytest_asyncio.fixture
async def make(url: URL, settings: Settings, sql: SQL) -> AsyncIterator[MakeOwnPool]:
    async with own_pools(url, settings, sql) as make:
        yield make


@pytest.fixture
def own(make: MakeOwnPool) -> OwnPool:
    return make()


@pytest_asyncio.fixture
async def rows(sql: SQL) -> AsyncIterator[None]:
    await sql("CREATE TABLE pool_rows (id bigint PRIMARY KEY, n integer)")
    await sql("INSERT INTO pool_rows VALUES (1, 0)")
    yield
    await sql("DROP TABLE pool_rows")


async def increase(uow: UnitOfWork) -> int:
    ((n,),) = await uow.connection.execute(INCREASE, {"id": 1})
    return n


async def test_rows_are_the_same_in_a_transaction(own: OwnPool) -> None:
    query = Statement(
        "shapes", "read", "SELECT 1 AS one, CAST(NULL AS text) AS two, ARRAY[1, 2] AS three"
    )

    async def both(uow: UnitOfWork) -> list[Any]:
        alone = await uow.connection.execute(query, {})
        await uow.begin()
        return [alone, await uow.connection.execute(query, {})]

    for (row,) in await own.unit(both):
        assert (row.one, row.two, row.three, row[0], tuple(row)) == (
            (1, None, [1, 2], 1, (1, None, [1, 2]))
        )
        assert row._asdict() == {"one": 1, "two": None, "three": [1, 2]}
        with pytest.raises(AttributeError):
            _ = row.another


async def test_one_connection_serves_whoever_comes_alone(own: OwnPool) -> None:
    assert len({await own.fetch() for _ in range(5)}) == 1
    assert len(await own.together(20)) <= 3


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        ("SELECT 1 / 0", ()),
        ("SELECT nonsense", ()),
        ("INSERT INTO pool_rows VALUES (1, 1)", ()),
        ("SELECT CAST($1 AS integer)", (2**40,)),
        ("SELECT CAST($1 AS text)", ("\0",)),
        ("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(60)", ()),
    ],
)
async def test_a_refusal_costs_no_connection(
    own: OwnPool, rows: None, query: str, arguments: tuple[Any, ...]
) -> None:
    before = await own.fetch()
    with pytest.raises((asyncpg.PostgresError, ValueError)):
        await own.fetch(query, *arguments)
    assert await own.fetch() == before


@pytest.mark.parametrize("count", [1, 3])
async def test_dead_connections_are_replaced(own: OwnPool, count: int) -> None:
    dead = await own.together(count)
    await own.end(*dead)
    assert await own.unit(who, reading=True) not in dead
    assert not dead & await own.together(3)


async def test_a_write_that_was_not_sent_is_done_and_one_that_may_have_been_is_not_repeated(
    own: OwnPool, rows: None
) -> None:
    await own.end(await own.fetch())
    try:
        done = await own.unit(increase)
    except UnavailableError:
        done = 0
    assert await own.fetch("SELECT n FROM pool_rows") == done


async def test_the_end_of_a_backend_in_the_middle(own: OwnPool) -> None:
    others = await own.together(3)
    task, pid = await own.asleep()
    await own.end(pid)
    with pytest.raises(Exception) as raised:
        await task
    assert classify(raised.value) is Failure.LOST, repr(raised.value)
    # The very next ones do not meet it any more.
    assert await own.together(3) & others == others - {pid}


async def test_nothing_is_left_of_an_engine_that_is_disposed_of(own: OwnPool) -> None:
    before = await own.together(3)
    await own.engine.dispose()
    await own.gone(*before)
    assert not before & await own.together(3)


async def test_nor_of_what_was_running_meanwhile(own: OwnPool) -> None:
    pid = await own.fetch()
    async with own.engine.connect() as holder:
        await holder.execute(text("SELECT pg_advisory_lock(815)"))
        waiting = asyncio.create_task(own.fetch("SELECT pg_advisory_lock_shared(815)"))
        locked = "SELECT 1 FROM pg_stat_activity WHERE pid = :pid AND wait_event = 'advisory'"
        while not await own.sql(locked, pid=pid):
            pass
        await own.engine.dispose()
        await holder.execute(text("SELECT pg_advisory_unlock(815)"))
        await waiting
        await holder.invalidate()  # its pool is gone as well
    await own.gone(pid)
    assert await own.fetch() != pid


async def test_a_server_that_takes_no_writes_any_more_is_left(own: OwnPool, rows: None) -> None:
    demoted = await asyncio.gather(*(own.fetch(READ_ONLY) for _ in range(3)))
    assert len(set(demoted)) == 3
    with pytest.raises(UnavailableError):
        await own.unit(increase)
    await own.gone(*demoted)
    assert await own.unit(increase) == 1


async def test_a_plan_that_is_stale_is_made_anew(own: OwnPool, rows: None) -> None:
    whole = Statement("whole", "read", "SELECT * FROM pool_rows")

    async def read(uow: UnitOfWork) -> list[Any]:
        return [tuple(row) for row in await uow.connection.execute(whole, {})]

    assert await own.unit(read, reading=True) == [(1, 0)]
    await own.sql("ALTER TABLE pool_rows ALTER n TYPE text")
    assert await own.unit(read, reading=True) == [(1, "0")]
