"""The one way to the driver: connections out of the engine's pool, and statements on them.

SQLAlchemy opens connections, and its sessions begin and end transactions; statements go straight to
asyncpg, since a result and a greenlet would cost as much as the statement.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final
from weakref import WeakValueDictionary

import asyncpg
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.util import greenlet_spawn

from groupsvc.db.count_cache import CountCache
from groupsvc.db.failures import AWAY, READ_ONLY
from groupsvc.db.gathering import Gatherers
from groupsvc.db.pooled import PooledConnection, PooledSession
from groupsvc.db.rows import Row
from groupsvc.db.statements import Statement
from groupsvc.recorder import SILENT, Recorder, round_trips

TICKS: Final = 20  # in the seconds that a queue may stand still


class ConnectionLimiter:
    """As many at a time as there are connections, first come first served.

    Without it, whoever comes when a connection is put back would overtake those who wait. They
    wait for as long as the queue moves, and are refused when nobody has put a good one back for
    ``timeout`` seconds. These are counted in ticks, of which a busy event loop skips some: it does
    not take its own delay for one of the database. ``waited`` is told how long somebody did.
    """

    def __init__(
        self, slots: int, timeout: float, waited: Callable[[float], None] | None = None
    ) -> None:
        self.free = self.slots = slots
        self._waited = waited
        self._period = timeout / TICKS
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()
        self._ticks = self._moved = 0
        self._ticker: asyncio.TimerHandle | None = None

    @property
    def in_use(self) -> int:
        return self.slots - self.free

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def enter(self) -> None:
        """Raises TimeoutError when the queue does not move."""
        if self.free:
            self.free -= 1
            return
        loop = asyncio.get_running_loop()
        began = loop.time()
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
        finally:
            if self._waited is not None:
                self._waited(loop.time() - began)

    def leave(self, *, moved: bool = True) -> None:
        """``moved`` is false when the connection was of no use: those who wait will fare alike."""
        if moved:
            self._moved = self._ticks
        while self._waiting:
            turn, _ = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1

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


class ConnectionPool:
    """Connections of an engine in AUTOCOMMIT, and what has been counted there.

    Connections that have served stay here. One is always left in the pool, for whoever asks the
    engine directly. Where statements may take long, a server that does not answer a short one
    within ``patience`` seconds is found out before.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        name: str = "requests",
        recorder: Recorder = SILENT,
        *,
        patience: float | None = None,
    ) -> None:
        pool: Any = engine.sync_engine.pool
        self.name = name
        waited = partial(recorder.waited, name)
        self.limiter = ConnectionLimiter(pool.size(), pool.timeout(), waited)
        self.counts = CountCache()
        self.turns = WeakValueDictionary[bytes, asyncio.Lock]()
        self._engine, self._patience = engine, patience
        self._gatherers = Gatherers(self)
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
        connection = held or self._at_hand() or await self.acquire()
        round_trips.get()[0] += 1
        try:
            rows: list[Row] = await connection.driver.fetch(query, *arguments, record_class=Row)
        except BaseException as error:
            await self._look_at(error, connection)
            raise
        else:
            return rows
        finally:
            if held is None:
                self.release(connection)

    async def gather(self, statement: Statement, arguments: Sequence[Any]) -> list[Row]:
        """The same of one that goes with others of its kind while a few are under way."""
        gatherer = self._gatherers[statement]
        if gatherer.under_way >= gatherer.FEW:
            rows = await gatherer.join(arguments)
            return await self.fetch(statement.query, arguments) if rows is None else rows
        gatherer.under_way += 1
        try:
            return await self.fetch(statement.query, arguments)
        finally:
            gatherer.under_way -= 1
            if gatherer.waiting:
                gatherer.go_on()

    async def open_session(self, isolation_level: str) -> PooledSession:
        """A session for a transaction, which ``close_session`` ends."""
        await self.limiter.enter()
        round_trips.get()[0] += 3  # its first statement, its beginning and its end
        try:
            while True:
                held = await self._connected(isolation_level)
                if await self._answers(held.connection):
                    return held
                held.connection.discard()
        except BaseException:
            self.limiter.leave(moved=False)
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
            self.limiter.leave(moved=not held.connection.spoiled)

    def _at_hand(self) -> PooledConnection | None:
        """What most calls find: a connection that has served before, and nobody who waits."""
        limiter = self.limiter
        if limiter.free and self._idle and self._patience is None:
            connection = self._idle.pop()
            if not connection.driver.is_closed():
                limiter.free -= 1
                return connection
            connection.discard()
        return None

    async def acquire(self) -> PooledConnection:
        await self.limiter.enter()
        try:
            while True:
                connection = self._idle.pop() if self._idle else await self._open()
                if await self._answers(connection):
                    return connection
                connection.discard()
        except BaseException:
            self.limiter.leave(moved=False)
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
            self.limiter.leave(moved=not connection.spoiled)

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
        elif isinstance(error, TimeoutError):
            # The server's own limits are shorter: it is frozen, or nothing reaches it any more.
            self._drop(spoiled=True)

    async def _answers(self, connection: PooledConnection) -> bool:
        if self._patience is not None and not connection.driver.is_closed():
            try:
                await connection.driver.execute("SELECT 1", timeout=self._patience)
            except BaseException as error:
                await self._look_at(error, connection)
                connection.discard()
                raise
        return not connection.driver.is_closed()

    async def _open(self) -> PooledConnection:
        """Through the engine, which wraps what goes wrong."""
        connection = await greenlet_spawn(self._engine.sync_engine.connect)
        pooled = connection.connection
        return PooledConnection(pooled, pooled.driver_connection, self._generation)

    def _drop(self, _: object = None, *, spoiled: bool = False) -> None:
        self._generation += 1
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.spoiled = spoiled
            connection.discard()
