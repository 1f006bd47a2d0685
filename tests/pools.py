"""An engine of a test, and a pool of its connections."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork
from groupsvc.db.engine import make_engine
from groupsvc.db.pool import ConnectionPool
from groupsvc.db.statements import Statement
from groupsvc.settings import Settings
from tests.conftest import SQL
from tests.waiting import until

PID = "SELECT pg_backend_pid() AS pid"
WHO, SLEEP = Statement("pid", "read", PID), "SELECT pg_sleep(60)"


@dataclass
class OwnPool:
    """An engine and its pool, for one test."""

    engine: AsyncEngine
    pool: ConnectionPool
    sql: SQL

    async def fetch(self, query: str = PID, *arguments: Any) -> Any:
        """The first value."""
        return (await self.pool.fetch(query, arguments))[0][0]

    async def together(self, count: int) -> set[int]:
        """Backends of as many statements at once."""
        return set(await asyncio.gather(*(self.fetch() for _ in range(count))))

    async def unit(self, work: Any, *, reading: bool = False) -> Any:
        return await TransactionRunner(self.pool).run("request", work, reading=reading)

    async def end(self, *pids: int) -> None:
        for pid in pids:
            await self.sql("SELECT pg_terminate_backend(:pid, 10000)", pid=pid)

    async def gone(self, *pids: int) -> None:
        gone = (
            "SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_stat_activity"
            " WHERE pid = ANY (CAST(:pids AS integer[])))"
        )
        await until(lambda: self.sql(gone, pids=list(pids)))

    async def asleep(self) -> "tuple[asyncio.Task[Any], int]":
        """A statement that does not end, once it runs."""
        pid = await self.fetch()
        task = asyncio.create_task(self.fetch(SLEEP))
        sleeps = "SELECT 1 FROM pg_stat_activity WHERE pid = :pid AND wait_event = 'PgSleep'"
        await until(lambda: self.sql(sleeps, pid=pid))
        return task, pid


MakeOwnPool = Callable[..., OwnPool]


@asynccontextmanager
async def own_pools(url: URL, settings: Settings, sql: SQL) -> AsyncIterator[MakeOwnPool]:
    made: list[OwnPool] = []

    def make(**changes: Any) -> OwnPool:
        engine = make_engine(url, settings.model_copy(update={"pool_size": 3, **changes}))
        made.append(OwnPool(engine, ConnectionPool(engine), sql))
        return made[-1]

    yield make
    for own in made:
        await own.engine.dispose()


async def who(uow: UnitOfWork) -> int:
    ((pid,),) = await uow.connection.execute(WHO, {})
    return pid
