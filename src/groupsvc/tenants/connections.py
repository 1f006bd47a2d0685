"""Connections of a process to the databases of many institutions: so many and no more."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

from asyncpg import InvalidCatalogNameError
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry
from typing_extensions import override

from groupsvc.db.connect import Connection
from groupsvc.db.engine import Open
from groupsvc.db.pool import ConnectionLimiter, ConnectionPool
from groupsvc.db.pooled import PooledConnection, PooledSession
from groupsvc.recorder import SILENT, Recorder

# Seconds until another connection is taken from whoever would go on using it.
BETWEEN: Final = 0.05


class Budget:
    """Whoever opens a connection gets a place first, first come first served.

    When there is none, idle connections are closed, those of the institution first that has been
    quiet for longest (``find_pools`` has them in this order); and those that are put back, while
    somebody waits.
    """

    def __init__(
        self, places: int, timeout: float, find_pools: Callable[[], Iterable["SharedPool"]]
    ) -> None:
        self.limiter = ConnectionLimiter(places, timeout)
        self._find_pools = find_pools
        self._closing = 0
        self._taken = 0.0

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for a connection more than are being closed."""
        return self.limiter.waiting > self._closing

    def may_take(self) -> bool:
        """Whether a connection may be taken from a pool that would go on using it: not all the
        time, or all would be busy connecting.
        """
        now = asyncio.get_running_loop().time()
        if now - self._taken < BETWEEN:
            return False
        self._taken = now
        return True

    async def enter(self) -> None:
        """Raises TimeoutError when no place becomes free."""
        if self.limiter.in_use >= self.limiter.slots:
            self._close_one()
        await self.limiter.enter()

    def leave(self, *, moved: bool = True) -> None:
        self._closing = max(0, self._closing - 1)
        self.limiter.leave(moved=moved)

    def close_idle(self) -> None:
        """Connections may have been put back past their pool."""
        while self.is_wanted and self._close_one():
            pass

    def _close_one(self) -> bool:
        return any(pool.close_idle() for pool in self._find_pools())

    def expect(self) -> None:
        """A connection is about to be closed."""
        self._closing += 1

    def close(self, connection: PooledConnection) -> None:
        if not connection.driver.is_closed():
            self.expect()
        connection.driver.terminate()
        connection.discard()


class SharedPool(ConnectionPool):
    """A pool whose idle connections are closed when other institutions need their places."""

    def __init__(
        self,
        engine: AsyncEngine,
        name: str = "requests",
        recorder: Recorder = SILENT,
        *,
        budget: Budget,
        patience: float | None = None,
    ) -> None:
        super().__init__(engine, name, recorder, patience=patience)
        self._budget = budget
        # What rests in the pool of the engine, which has entries without a connection, too.
        self._resting = set[ConnectionPoolEntry]()
        event.listen(engine.sync_engine, "checkin", self._rest)
        event.listen(engine.sync_engine, "checkout", self._wake)

    def close_idle(self) -> bool:
        """One of them, if there is any."""
        while self._idle:
            connection = self._idle.pop()
            is_open = not connection.driver.is_closed()
            self._budget.close(connection)
            if is_open:
                return True
        while self._resting:
            entry = self._resting.pop()
            driver: Any = entry.driver_connection
            if driver is not None and not driver.is_closed():
                self._budget.expect()
                entry.invalidate()
                return True
        return False

    def close_all_idle(self) -> None:
        while self.close_idle():
            pass

    def _rest(self, connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        if connection is not None:
            self._resting.add(entry)

    def _wake(self, _connection: object, entry: ConnectionPoolEntry, _proxy: object) -> None:
        self._resting.discard(entry)

    @override
    def _drop(self, _: object = None, *, spoiled: bool = False) -> None:
        if not spoiled:
            self._resting.clear()  # closed by the engine
        super()._drop(spoiled=spoiled)

    def _must_close(self, connection: PooledConnection) -> bool:
        if connection.spoiled or connection.driver.is_closed():
            return False
        if connection.generation != self._generation:
            return True
        budget = self._budget
        return budget.is_wanted and (not self.limiter.waiting or budget.may_take())

    @override
    def release(self, connection: PooledConnection) -> None:
        if not self._must_close(connection):
            super().release(connection)
            return
        try:
            self._budget.close(connection)
        finally:
            self.limiter.leave()

    @override
    async def close_session(self, held: PooledSession) -> None:
        if not self._must_close(held.connection):
            await super().close_session(held)
            return
        # What was not committed is rolled back by the server.
        try:
            self._budget.close(held.connection)
        finally:
            self.limiter.leave()


def within(budget: Budget, tenant: str) -> Callable[[Open], Open]:
    """Open connections within a budget, and to the database of that institution only."""

    def wrap(open_connection: Open) -> Open:
        async def connect(**options: Any) -> Connection:
            await budget.enter()
            try:
                connection = await open_connection(**options)
                try:
                    await _refuse_other(connection, tenant)
                except BaseException:
                    connection.terminate()
                    raise
            except BaseException:
                budget.leave(moved=False)
                raise
            connection.add_termination_listener(lambda _: budget.leave())
            return connection

        return connect

    return wrap


async def _refuse_other(connection: Connection, tenant: str) -> None:
    """Raises InvalidCatalogNameError: an institution is never served with the data of another."""
    rows = await connection.fetch("SELECT name FROM institution")
    if [row["name"] for row in rows] != [tenant]:
        raise InvalidCatalogNameError("the database is that of another institution, or of none")
