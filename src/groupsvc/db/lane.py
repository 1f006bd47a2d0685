"""The short way to the database: one statement that stands alone, without a session around it.

It takes a connection out of the engine's own pool and hands the statement to the driver. So it
costs one round trip and little else; but nothing here may be part of a transaction.
"""

import asyncio
from collections.abc import Generator, Sequence
from typing import Any, Final

import asyncpg
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

READ_ONLY: Final = "25006"


class Row(asyncpg.Record):
    """A row whose columns are attributes, as those of SQLAlchemy are."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def _asdict(self) -> dict[str, Any]:
        return dict(self.items())


class Connecting:
    """Connects when it is awaited; a coroutine would complain where it never is, as in `_idle`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._arguments, self._options = arguments, options

    def __await__(self) -> Generator[Any, Any, Any]:
        return asyncpg.connect(*self._arguments, **self._options).__await__()


class Admission:
    """As many at a time as there are connections, first come first served.

    Without it, whoever comes when a connection is put back would overtake those who wait.
    """

    def __init__(self, slots: int, timeout: float) -> None:
        self._slots = asyncio.Semaphore(slots)
        self._timeout = timeout

    async def enter(self) -> None:
        """Raises TimeoutError when none becomes free in time."""
        if self._slots.locked():
            async with asyncio.timeout(self._timeout):
                await self._slots.acquire()
        else:
            await self._slots.acquire()

    def leave(self) -> None:
        self._slots.release()


class Lane:
    """Statements straight to the driver, on connections of an engine in AUTOCOMMIT."""

    def __init__(self, engine: AsyncEngine, admission: Admission) -> None:
        self._engine = engine
        self._admission = admission

    async def fetch(self, query: str, arguments: Sequence[Any]) -> list[Row]:
        """Run a statement. Raises what the driver raises, TimeoutError and OSError."""
        await self._admission.enter()
        try:
            connection = await self._connect()
            try:
                rows: list[Row] = await _driver(connection).fetch(
                    query, *arguments, record_class=Row
                )
            except asyncpg.PostgresError as error:
                await self._after(error, connection)
                raise
            except ValueError:
                # An argument that the driver cannot send.
                raise
            except BaseException:
                # It broke, or was left in the middle of an answer.
                connection.invalidate()
                raise
            finally:
                connection.close()
            return rows
        finally:
            self._admission.leave()

    async def _connect(self) -> PoolProxiedConnection:
        pool: Any = self._engine.sync_engine.pool
        for _ in range(pool.size() + 1):
            connection = _idle(pool) or await self._open()
            if not _driver(connection).is_closed():
                return connection
            connection.invalidate()
            connection.close()
        raise asyncpg.ConnectionDoesNotExistError("every connection was closed")

    async def _open(self) -> PoolProxiedConnection:
        """Through the engine, which wraps what goes wrong."""
        return (await greenlet_spawn(self._engine.sync_engine.connect)).connection

    async def _after(self, error: asyncpg.PostgresError, connection: PoolProxiedConnection) -> None:
        if _driver(connection).is_closed():
            connection.invalidate()
        if error.sqlstate == READ_ONLY:
            # After a failover, open connections may lead to what is a standby now: drop all.
            connection.invalidate()
            await self._engine.dispose()


def _idle(pool: Any) -> PoolProxiedConnection | None:
    """A connection that is open, which costs a tenth of asking for it in a greenlet."""
    if not pool.checkedin():
        return None
    try:
        connection: PoolProxiedConnection = pool.connect()
    except MissingGreenlet:
        # It was put back broken, and must be opened anew.
        return None
    return connection


def _driver(connection: PoolProxiedConnection) -> Any:
    return connection.driver_connection
