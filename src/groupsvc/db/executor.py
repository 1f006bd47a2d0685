"""The short way to the database: one statement that stands alone, without a session around it.

It takes a connection out of the engine's own pool and hands the statement to the driver. So it
costs one round trip and little else; but nothing here may be part of a transaction.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

import asyncpg
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from groupsvc.db.failures import AWAY

READ_ONLY: Final = "25006"
FOUND: Final = "found"  # a column that says whether there is a row, and is none of its own
TICKS: Final = 20  # in the seconds that a queue may stand still


class Row(asyncpg.Record):
    """A row whose columns are attributes, as those of SQLAlchemy are."""

    def __getattr__(self, name: str) -> Any:
        try:
            value = self[name]
        except KeyError:
            raise AttributeError(name) from None
        # From now on the class has it, which is several times as fast.
        setattr(Row, name, property(itemgetter(name)))
        return value

    def _asdict(self) -> dict[str, Any]:
        return {name: value for name, value in self.items() if name != FOUND}


class ConnectionLimiter:
    """As many at a time as there are connections, first come first served.

    Without it, whoever comes when a connection is put back would overtake those who wait. They
    wait for as long as the queue moves, and are refused when nobody has put a connection back for
    ``timeout`` seconds. These are counted in ticks, of which a busy event loop skips some: it does
    not take its own delay for one of the database.
    """

    def __init__(self, slots: int, timeout: float) -> None:
        self._free = slots
        self._period = timeout / TICKS
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()
        self._ticks = self._moved = 0
        self._ticker: asyncio.TimerHandle | None = None

    async def enter(self) -> None:
        """Raises TimeoutError when the queue does not move."""
        if self._free:
            self._free -= 1
            return
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append((turn, self._ticks))
        if self._ticker is None:
            self._ticker = loop.call_later(self._period, self._tick)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave()
            raise

    def leave(self) -> None:
        self._moved = self._ticks
        while self._waiting:
            turn, _ = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _tick(self) -> None:
        """Refuse those at the head of the queue who have seen it stand still for too long."""
        self._ticks += 1
        while self._waiting:
            turn, since = self._waiting[0]
            if not turn.done():
                if self._ticks - max(since, self._moved) <= TICKS:
                    self._ticker = asyncio.get_running_loop().call_later(self._period, self._tick)
                    return
                turn.set_exception(TimeoutError("no connection was put back in time"))
            self._waiting.popleft()
        self._ticker = None


class StatementExecutor:
    """Statements straight to the driver, on connections of an engine in AUTOCOMMIT.

    Connections that have served stay here, and not in the pool, until a session wants one.
    """

    def __init__(self, engine: AsyncEngine, limiter: ConnectionLimiter) -> None:
        self._engine = engine
        self._limiter = limiter
        self._kept: list[PoolProxiedConnection] = []
        self._disposals = 0
        # One is always left in the pool, for whoever asks it directly.
        pool: Any = engine.sync_engine.pool
        self._most = pool.size() - 1
        event.listen(engine.sync_engine, "engine_disposed", self._drop)

    async def fetch(self, query: str, arguments: Sequence[Any]) -> list[Row]:
        """Run a statement. Raises what the driver raises, TimeoutError and OSError."""
        await self._limiter.enter()
        try:
            connection = self._kept.pop() if self._kept else await self._open()
            driver: Any = connection.driver_connection
            if driver.is_closed():
                connection, driver = await self._replace(connection)
            disposals = self._disposals
            try:
                rows: list[Row] = await driver.fetch(query, *arguments, record_class=Row)
            except (asyncpg.PostgresError, ValueError) as error:
                state = getattr(error, "sqlstate", None)
                if state in AWAY:
                    _close(connection)
                else:
                    # The statement was refused; the connection is as good as it was.
                    self._put_back(connection, disposals)
                if state == READ_ONLY:
                    # After a failover, open connections may lead to what is a standby now.
                    await self._engine.dispose()
                raise
            except BaseException:
                # It broke, or was left in the middle of an answer.
                _close(connection)
                raise
            self._put_back(connection, disposals)
            return rows
        finally:
            self._limiter.leave()

    def give_back(self) -> None:
        """Let the pool have a connection that is kept here."""
        if self._kept:
            self._kept.pop().close()

    def _put_back(self, connection: PoolProxiedConnection, disposals: int) -> None:
        if disposals != self._disposals:
            # Its pool is gone, and nobody else would ever close it.
            _close(connection)
        elif not connection.is_valid or len(self._kept) >= self._most:
            connection.close()
        else:
            self._kept.append(connection)

    async def _replace(
        self, connection: PoolProxiedConnection
    ) -> tuple[PoolProxiedConnection, Any]:
        while True:
            _close(connection)
            connection = self._kept.pop() if self._kept else await self._open()
            driver: Any = connection.driver_connection
            if not driver.is_closed():
                return connection, driver

    async def _open(self) -> PoolProxiedConnection:
        """Through the engine, which wraps what goes wrong."""
        return (await greenlet_spawn(self._engine.sync_engine.connect)).connection

    def _drop(self, _: object) -> None:
        self._disposals += 1
        kept, self._kept = self._kept, []
        for connection in kept:
            _close(connection)


def _close(connection: PoolProxiedConnection) -> None:
    connection.invalidate()
    connection.close()
