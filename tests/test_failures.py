"""What the database does to us, provoked for real, and what becomes of the request."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from asyncpg import PostgresError, exceptions
from asyncpg.exceptions import InternalClientError
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from groupsvc.core.unit_of_work import MOST_TRIES, TransactionRunner, UnitOfWork
from groupsvc.db.engine import make_engine
from groupsvc.db.failures import Failure, classify, remedy
from groupsvc.db.pool import ConnectionPool
from groupsvc.db.statements import Statement
from groupsvc.domain.errors import UnavailableError
from groupsvc.settings import Settings
from tests.conftest import SQL

Provoke = Callable[["Trouble"], Awaitable[None]]


class Trouble:
    """A server to be troubled, with a table of two rows."""

    def __init__(self, url: URL, settings: Settings, sql: SQL) -> None:
        self.url, self.settings, self.sql = url, settings, sql

    @asynccontextmanager
    async def engine(self, **changes: Any) -> AsyncIterator[AsyncEngine]:
        engine = make_engine(self.url, self.settings.model_copy(update=changes))
        try:
            yield engine
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def connection(
        self, level: str = "READ COMMITTED", **changes: Any
    ) -> AsyncIterator[AsyncConnection]:
        async with self.engine(**changes) as engine, engine.connect() as connection:
            await connection.execution_options(isolation_level=level)
            yield connection

    async def kill(self, connection: AsyncConnection) -> None:
        """End the backend of a connection, and wait until it has ended."""
        ((pid,),) = await connection.execute(text("SELECT pg_backend_pid()"), {})
        await self.end(pid)

    async def end(self, pid: int) -> None:
        await self.sql("SELECT pg_terminate_backend(:pid, 10000)", pid=pid)


UPDATE = text("UPDATE troubles SET n = n + 1 WHERE id = :id")


def write(query: str) -> Statement:
    return Statement("trouble", "write", query)


INCREASE = write("UPDATE troubles SET n = n + 1 WHERE id = :id::bigint")


@pytest_asyncio.fixture(scope="module")
async def trouble(url: URL, settings: Settings, sql: SQL) -> AsyncIterator[Trouble]:
    await sql("CREATE TABLE troubles (id integer PRIMARY KEY, n integer)")
    await sql("INSERT INTO troubles SELECT id, 0 FROM generate_series(1, 2) id")
    yield Trouble(url, settings, sql)
    await sql("DROP TABLE troubles")


async def lose_a_race(trouble: Trouble) -> None:
    async with trouble.connection("REPEATABLE READ") as one:
        await one.execute(text("SELECT n FROM troubles"), {})
        await trouble.sql("UPDATE troubles SET n = n + 1 WHERE id = 1")
        await one.execute(UPDATE, {"id": 1})


async def run_into_a_deadlock(trouble: Trouble) -> None:
    async with trouble.connection() as one, trouble.connection() as two:
        for connection, row in ((one, 1), (two, 2)):
            await connection.execute(text("SET LOCAL deadlock_timeout = '10ms'"), {})
            await connection.execute(UPDATE, {"id": row})
        crossed = await asyncio.gather(
            one.execute(UPDATE, {"id": 2}),
            two.execute(UPDATE, {"id": 1}),
            return_exceptions=True,
        )
        (error,) = [each for each in crossed if isinstance(each, Exception)]
        raise error


async def wait_for_a_lock(trouble: Trouble) -> None:
    async with trouble.connection() as one, trouble.connection(lock_timeout=0.01) as two:
        await one.execute(UPDATE, {"id": 1})
        await two.execute(UPDATE, {"id": 1})


async def take_too_long(trouble: Trouble) -> None:
    async with trouble.connection(statement_timeout=0.01) as one:
        await one.execute(text("SELECT pg_sleep(60)"))


async def wait_for_an_answer(trouble: Trouble) -> None:
    async with trouble.connection(command_timeout=0.5) as one:
        await one.execute(text("SELECT pg_sleep(60)"))


async def be_idle_too_long(trouble: Trouble) -> None:
    async with trouble.connection() as one:
        await one.execute(text("SET LOCAL idle_in_transaction_session_timeout = '1ms'"))
        ((pid,),) = await one.execute(text("SELECT pg_backend_pid()"), {})
        while await trouble.sql("SELECT 1 FROM pg_stat_activity WHERE pid = :pid", pid=pid):
            pass
        await one.execute(UPDATE, {"id": 1})


async def use_a_dead_connection(trouble: Trouble) -> None:
    async with trouble.connection() as one:
        await trouble.kill(one)
        await one.execute(UPDATE, {"id": 1})


async def commit_on_a_dead_connection(trouble: Trouble) -> None:
    async with trouble.connection() as one:
        await one.execute(UPDATE, {"id": 1})
        await trouble.kill(one)
        await one.commit()


async def be_killed_while_running(trouble: Trouble) -> None:
    async with trouble.connection() as one:
        ((pid,),) = await one.execute(text("SELECT pg_backend_pid()"), {})
        running = asyncio.ensure_future(one.execute(text("SELECT pg_sleep(60)")))
        asleep = "SELECT 1 FROM pg_stat_activity WHERE pid = :pid AND wait_event = 'PgSleep'"
        while not await trouble.sql(asleep, pid=pid):
            pass
        await trouble.end(pid)
        await running


async def write_where_one_may_only_read(trouble: Trouble) -> None:
    async with trouble.connection() as one:
        await one.execute(text("SET TRANSACTION READ ONLY"))
        await one.execute(UPDATE, {"id": 1})


async def outlive_a_migration(trouble: Trouble) -> None:
    query = text("SELECT * FROM changing")
    async with trouble.connection("AUTOCOMMIT") as one:
        await one.execute(text("CREATE TABLE changing (a integer)"))
        try:
            await one.execute(query)
            await trouble.sql("ALTER TABLE changing ALTER a TYPE text")
            await one.execute(query)
        finally:
            await trouble.sql("DROP TABLE changing")


async def find_no_free_connection(trouble: Trouble) -> None:
    async with trouble.engine(pool_size=1, pool_timeout=0.01) as engine, engine.connect():
        await engine.connect()


async def be_one_too_many(trouble: Trouble) -> None:
    await trouble.sql("CREATE ROLE crowd LOGIN PASSWORD 'crowd' CONNECTION LIMIT 0")
    try:
        crowded = Trouble(
            trouble.url.set(username="crowd", password="crowd"), trouble.settings, trouble.sql
        )
        async with crowded.connection() as one:
            await one.execute(text("SELECT 1"), {})
    finally:
        await trouble.sql("DROP ROLE crowd")


async def find_a_standby_missing(trouble: Trouble) -> None:
    wanted = {"target_session_attrs": "standby"}
    engine = create_async_engine(trouble.url, connect_args=wanted)
    try:
        async with engine.connect() as one:
            await one.execute(text("SELECT 1"), {})
    finally:
        await engine.dispose()


async def find_nobody_there(trouble: Trouble) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        await _connect_to(trouble, closed.getsockname()[1])


async def find_somebody_silent(trouble: Trouble) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        await _connect_to(trouble, silent.getsockname()[1])


async def find_somebody_who_hangs_up(trouble: Trouble) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        await _connect_to(trouble, server.sockets[0].getsockname()[1])


async def find_somebody_who_is_starting(trouble: Trouble) -> None:
    async def not_yet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fields = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"
        writer.write(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(not_yet, "127.0.0.1", 0)
    async with server:
        await _connect_to(trouble, server.sockets[0].getsockname()[1])


async def _connect_to(trouble: Trouble, port: int) -> None:
    url = URL.create("postgresql+asyncpg", "postgres", host="127.0.0.1", port=port, database="x")
    elsewhere = Trouble(url, trouble.settings, trouble.sql)
    async with elsewhere.connection(connect_timeout=0.1) as one:
        await one.execute(text("SELECT 1"), {})


async def ask_for_nonsense(trouble: Trouble) -> None:
    await trouble.sql("SELECT FROM FROM")


async def miss_a_table(trouble: Trouble) -> None:
    await trouble.sql("SELECT 1 FROM nonsense")


async def miss_a_column(trouble: Trouble) -> None:
    await trouble.sql("SELECT nonsense FROM troubles")


async def miss_a_function(trouble: Trouble) -> None:
    await trouble.sql("SELECT nonsense()")


async def miss_the_database(trouble: Trouble) -> None:
    elsewhere = Trouble(trouble.url.set(database="nowhere"), trouble.settings, trouble.sql)
    async with elsewhere.connection() as one:
        await one.execute(text("SELECT 1"), {})


async def lack_a_privilege(trouble: Trouble) -> None:
    await trouble.sql("CREATE ROLE poor LOGIN PASSWORD 'poor'")
    try:
        own = trouble.url.set(username="poor", password="poor")
        poor = Trouble(own, trouble.settings, trouble.sql)
        async with poor.connection() as one:
            await one.execute(text("SELECT 1 FROM troubles"), {})
    finally:
        await trouble.sql("DROP ROLE poor")


async def fill_the_disk(trouble: Trouble) -> None:
    """As the server says it: there is no small disk here."""
    await trouble.sql("DO $$ BEGIN RAISE 'no space left' USING ERRCODE = '53100'; END $$")


async def lose_the_protocol(_: Trouble) -> None:
    raise InternalClientError("cannot switch to state 12; another operation is in progress")


async def break_a_constraint(trouble: Trouble) -> None:
    await trouble.sql("INSERT INTO troubles VALUES (1, 1)")


async def divide_by_zero(_: Trouble) -> None:
    raise ZeroDivisionError


TROUBLES: list[tuple[Provoke, Failure]] = [
    (lose_a_race, Failure.RETRY),
    (run_into_a_deadlock, Failure.RETRY),
    (outlive_a_migration, Failure.STALE),
    (use_a_dead_connection, Failure.LOST),
    (commit_on_a_dead_connection, Failure.LOST),
    (be_killed_while_running, Failure.LOST),
    (be_idle_too_long, Failure.LOST),
    (write_where_one_may_only_read, Failure.LOST),
    (be_one_too_many, Failure.LOST),
    (find_a_standby_missing, Failure.LOST),
    (find_nobody_there, Failure.LOST),
    (find_somebody_who_hangs_up, Failure.LOST),
    (find_somebody_who_is_starting, Failure.LOST),
    (wait_for_a_lock, Failure.BUSY),
    (take_too_long, Failure.BUSY),
    (wait_for_an_answer, Failure.BUSY),
    (find_no_free_connection, Failure.BUSY),
    (find_somebody_silent, Failure.BUSY),
    (lose_the_protocol, Failure.LOST),
    (miss_a_table, Failure.UNFIT),
    (miss_a_column, Failure.UNFIT),
    (miss_a_function, Failure.UNFIT),
    (miss_the_database, Failure.UNFIT),
    (lack_a_privilege, Failure.UNFIT),
    (fill_the_disk, Failure.UNFIT),
    (ask_for_nonsense, Failure.PERMANENT),
    (break_a_constraint, Failure.PERMANENT),
    (divide_by_zero, Failure.PERMANENT),
]


@pytest.mark.parametrize(
    ("provoke", "failure"), TROUBLES, ids=[provoke.__name__ for provoke, _ in TROUBLES]
)
async def test_a_failure_is_told_apart(
    trouble: Trouble, provoke: Provoke, failure: Failure
) -> None:
    with pytest.raises(Exception) as raised:
        await provoke(trouble)
    assert classify(raised.value) is failure, repr(raised.value)


# What PostgreSQL calls so is the server's trouble: connections, resources, what its operator does,
# its system; and that what was damaged, or took too long, can be told no better.
OF_THE_SERVER = (
    "08",
    "40001",
    "40P01",
    "53",
    "57",
    "58",
    "25P03",
    "25P04",
    "55P03",
    "XX001",
    "XX002",
)


@pytest.mark.parametrize(
    "state",
    sorted(
        {
            str(each.sqlstate)
            for each in vars(exceptions).values()
            if isinstance(each, type)
            and issubclass(each, PostgresError)
            and str(each.sqlstate).startswith(OF_THE_SERVER)
        }
    ),
)
def test_no_trouble_of_the_server_is_taken_for_a_bug(state: str) -> None:
    error = PostgresError.new({"C": state, "M": "made up"})
    failure = classify(error)
    assert failure is not Failure.PERMANENT
    assert (remedy(error) is not None) == (failure is Failure.UNFIT)


class Tries:
    """Work that is told which try it is."""

    def __init__(self, pool: ConnectionPool, work: Callable[[UnitOfWork, int], Awaitable[Any]]):
        self._units, self._work, self.count = TransactionRunner(pool), work, 0

    async def run(self, *, reading: bool = False) -> Any:
        async def once(uow: UnitOfWork) -> Any:
            self.count += 1
            return await self._work(uow, self.count)

        return await self._units.run("request", once, reading=reading)


async def value(sql: SQL, row: int = 1) -> int:
    ((n,),) = await sql("SELECT n FROM troubles WHERE id = :id", id=row)
    return n


async def pid_of(uow: UnitOfWork) -> int:
    ((pid,),) = await uow.connection.execute(write("SELECT pg_backend_pid()"), {})
    return pid


@pytest_asyncio.fixture
async def pool(trouble: Trouble) -> AsyncIterator[ConnectionPool]:
    async with trouble.engine() as engine:
        yield ConnectionPool(engine)


async def test_a_lost_race_is_run_again_until_it_is_won(
    trouble: Trouble, pool: ConnectionPool
) -> None:
    before = await value(trouble.sql)

    async def increase(uow: UnitOfWork, count: int) -> int:
        await uow.begin(snapshot=True)
        await uow.connection.execute(write("SELECT n FROM troubles"), {})
        if count < 4:
            await trouble.sql("UPDATE troubles SET n = n + 10 WHERE id = 1")
        await uow.connection.execute(INCREASE, {"id": 1})
        return count

    tries = Tries(pool, increase)
    assert (await tries.run(), tries.count) == (4, 4)
    assert await value(trouble.sql) == before + 31


async def test_a_race_that_is_always_lost_is_given_up(
    trouble: Trouble, pool: ConnectionPool
) -> None:
    async def lose(uow: UnitOfWork, _: int) -> None:
        await uow.begin(snapshot=True)
        await uow.connection.execute(write("SELECT n FROM troubles"), {})
        await trouble.sql("UPDATE troubles SET n = n + 1 WHERE id = 1")
        await uow.connection.execute(INCREASE, {"id": 1})

    tries = Tries(pool, lose)
    with pytest.raises(UnavailableError) as refused:
        await tries.run()
    assert (tries.count, refused.value.facts) == (MOST_TRIES, {"retry_after": 1})


async def test_units_that_lock_each_other_out_both_succeed(
    trouble: Trouble, pool: ConnectionPool
) -> None:
    before = [await value(trouble.sql, row) for row in (1, 2)]
    both = asyncio.Barrier(2)

    def crossing(first: int, second: int) -> Tries:
        async def update(uow: UnitOfWork, count: int) -> None:
            await uow.begin()
            await uow.connection.execute(write("SET LOCAL deadlock_timeout = '10ms'"), {})
            await uow.connection.execute(INCREASE, {"id": first})
            if count == 1:
                await both.wait()
            await uow.connection.execute(INCREASE, {"id": second})

        return Tries(pool, update)

    one, two = crossing(1, 2), crossing(2, 1)
    await asyncio.gather(one.run(), two.run())
    assert sorted((one.count, two.count)) == [1, 2]
    assert [await value(trouble.sql, row) for row in (1, 2)] == [n + 2 for n in before]


async def test_a_read_survives_the_end_of_its_backend(
    trouble: Trouble, pool: ConnectionPool
) -> None:
    async def read(uow: UnitOfWork, count: int) -> int:
        await uow.begin()
        if count == 1:
            await trouble.end(await pid_of(uow))
        ((one,),) = await uow.connection.execute(write("SELECT 1"), {})
        return one

    tries = Tries(pool, read)
    assert (await tries.run(reading=True), tries.count) == (1, 2)


async def test_a_read_survives_the_end_of_all_backends_that_are_waiting(
    trouble: Trouble, pool: ConnectionPool
) -> None:
    async def name_backend(uow: UnitOfWork, _: int) -> int:
        return await pid_of(uow)

    tries = Tries(pool, name_backend)
    ended = set(await asyncio.gather(*(tries.run(reading=True) for _ in range(5))))
    for pid in ended:
        await trouble.end(pid)
    assert await tries.run(reading=True) not in ended


async def test_what_was_not_committed_is_done_again(trouble: Trouble, pool: ConnectionPool) -> None:
    before = await value(trouble.sql)

    async def increase(uow: UnitOfWork, count: int) -> None:
        await uow.begin()
        await uow.connection.execute(INCREASE, {"id": 1})
        if count == 1:
            await trouble.end(await pid_of(uow))
        await uow.connection.execute(INCREASE, {"id": 1})

    tries = Tries(pool, increase)
    await tries.run()
    assert (tries.count, await value(trouble.sql)) == (2, before + 2)


async def test_what_may_have_been_committed_is_not(trouble: Trouble, pool: ConnectionPool) -> None:
    async def increase(uow: UnitOfWork, _: int) -> None:
        await uow.begin()
        await uow.connection.execute(INCREASE, {"id": 1})
        await trouble.end(await pid_of(uow))

    tries = Tries(pool, increase)
    with pytest.raises(UnavailableError):
        await tries.run()
    assert tries.count == 1


async def test_a_write_that_stands_alone_is_not_done_again(
    trouble: Trouble, pool: ConnectionPool
) -> None:
    async def end_itself(uow: UnitOfWork, _: int) -> None:
        await uow.connection.execute(write("SELECT pg_terminate_backend(pg_backend_pid())"), {})

    tries = Tries(pool, end_itself)
    with pytest.raises(UnavailableError):
        await tries.run()
    assert tries.count == 1


async def test_a_plan_that_is_stale_is_made_anew(trouble: Trouble, pool: ConnectionPool) -> None:
    query = Statement("changing", "read", "SELECT * FROM changing")
    await trouble.sql("CREATE TABLE changing (a integer)")

    async def read(uow: UnitOfWork, count: int) -> int:
        await uow.begin()
        await uow.connection.execute(query, {})
        if count == 1:
            # Its lock on the table ends with the transaction; the plan stays.
            await uow.connection.begin(snapshot=False)
            await trouble.sql("ALTER TABLE changing ALTER a TYPE text")
            await uow.connection.execute(query, {})
        return count

    try:
        assert await Tries(pool, read).run(reading=True) == 2
    finally:
        await trouble.sql("DROP TABLE changing")


async def test_a_server_that_takes_no_writes_any_more_is_left(trouble: Trouble) -> None:
    """After a failover, connections that are still open may lead to what is a standby now."""
    async with trouble.engine(pool_size=1) as engine:
        pool = ConnectionPool(engine)
        async with engine.connect() as demoted:
            await demoted.execute(text("SET default_transaction_read_only = on"))
        before = await value(trouble.sql)

        async def increase(uow: UnitOfWork, _: int) -> None:
            await uow.begin()
            await uow.connection.execute(INCREASE, {"id": 1})

        tries = Tries(pool, increase)
        await tries.run()
        assert (tries.count, await value(trouble.sql)) == (2, before + 1)


async def test_a_bug_is_not_hidden(pool: ConnectionPool) -> None:
    async def divide(_: UnitOfWork, __: int) -> float:
        return 1 / 0

    tries = Tries(pool, divide)
    with pytest.raises(ZeroDivisionError):
        await tries.run()
    assert tries.count == 1
