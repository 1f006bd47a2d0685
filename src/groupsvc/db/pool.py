"""The one way to the driver: connections out of the engine's pool, and statements on them.

SQLAlchemy opens connections, and its sessions begin and end transactions; statements go straight to
asyncpg, since a result and a greenlet would cost as much as the statement.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, cast

import asyncpg
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from groupsvc.db.count_cache import CountCache
from groupsvc.db.failures import AWAY, READ_ONLY

FOUND: Final = "found"  # a column that says whether there is a row, and is none of its own
TICKS: Final = 20  # in the seconds that a queue may stand still


class Row(asyncpg.Record):
    """A row whose columns are attributes."""

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


@dataclass(slots=True)
class PooledConnection:
    """``pooled`` is SQLAlchemy's, ``driver`` is asyncpg's. A spoiled one is not used again."""

    pooled: PoolProxiedConnection
    driver: Any
    generation: int
    spoiled: bool = False

    def discard(self) -> None:
        if self.pooled.is_valid:  # SQLAlchemy may have found out before
            self.pooled.invalidate()
        self.pooled.close()


@dataclass(frozen=True, slots=True)
class PooledSession:
    """A session of one transaction, and the connection on which it is."""

    session: AsyncSession
    connection: PooledConnection


class ConnectionPool:
    """Connections of an engine in AUTOCOMMIT, and what has been counted there.

    Connections that have served stay here. One is always left in the pool, for whoever asks the
    engine directly.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        pool: Any = engine.sync_engine.pool
        self.limiter = ConnectionLimiter(pool.size(), pool.timeout())
        self.counts = CountCache()
        self._engine = engine
        self._idle: list[PooledConnection] = []
        self._most_idle = pool.size() - 1
        self._generation = 0
        event.listen(engine.sync_engine, "engine_disposed", self._drop)

    async def fetch(
        self, query: str, arguments: Sequence[Any], held: PooledConnection | None = None
    ) -> list[Row]:
        """The rows of a statement; without a connection that is held it stands alone.

        Raises what the driver raises, TimeoutError and OSError.
        """
        connection = held or await self.acquire()
        try:
            fetched = connection.driver.fetch(query, *arguments, record_class=Row)
            return cast("list[Row]", await fetched)
        except BaseException as error:
            await self._look_at(error, connection)
            raise
        finally:
            if held is None:
                self.release(connection)

    async def open_session(self, isolation_level: str) -> PooledSession:
        """A session for a transaction, which ``close_session`` ends."""
        await self.limiter.enter()
        try:
            while True:
                held = await self._connected(isolation_level)
                if not held.connection.driver.is_closed():
                    return held
                held.connection.discard()
        except BaseException:
            self.limiter.leave()
            raise

    async def _connected(self, isolation_level: str) -> PooledSession:
        if self._idle:  # makes room in the engine's pool
            self._idle.pop().pooled.close()
        session = AsyncSession(self._engine, autoflush=False)
        try:
            options = {"isolation_level": isolation_level}
            connection = await session.connection(execution_options=options)
            pooled = await connection.get_raw_connection()
        except BaseException:
            await session.close()
            raise
        driver = pooled.driver_connection
        return PooledSession(session, PooledConnection(pooled, driver, self._generation))

    async def close_session(self, held: PooledSession) -> None:
        """Roll back what was not committed, and put the connection back."""
        try:
            if not held.connection.spoiled:
                await held.session.close()
        except BaseException as error:
            held.connection.spoiled = True
            # A connection that breaks now has rolled back by itself.
            if not isinstance(error, (DBAPIError, OSError)):
                raise
        finally:
            if held.connection.spoiled:
                held.connection.discard()
            self.limiter.leave()

    async def acquire(self) -> PooledConnection:
        await self.limiter.enter()
        try:
            while True:
                connection = self._idle.pop() if self._idle else await self._open()
                if not connection.driver.is_closed():
                    return connection
                connection.discard()
        except BaseException:
            self.limiter.leave()
            raise

    def release(self, connection: PooledConnection) -> None:
        try:
            if connection.spoiled or connection.generation != self._generation:
                # Nobody else would ever close one whose pool is gone.
                connection.discard()
            elif not connection.pooled.is_valid or len(self._idle) >= self._most_idle:
                connection.pooled.close()
            else:
                self._idle.append(connection)
        finally:
            self.limiter.leave()

    async def _look_at(self, error: BaseException, connection: PooledConnection) -> None:
        """After a refusal the connection is as good as it was.

        Else it broke, or was left in the middle of an answer.
        """
        state = getattr(error, "sqlstate", None)
        refused = isinstance(error, (asyncpg.PostgresError, ValueError))
        connection.spoiled = connection.spoiled or state in AWAY or not refused
        if state == READ_ONLY:
            # After a failover, open connections may lead to what is a standby now.
            await self._engine.dispose()

    async def _open(self) -> PooledConnection:
        """Through the engine, which wraps what goes wrong."""
        connection = await greenlet_spawn(self._engine.sync_engine.connect)
        pooled = connection.connection
        return PooledConnection(pooled, pooled.driver_connection, self._generation)

    def _drop(self, _: object) -> None:
        self._generation += 1
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.discard()
