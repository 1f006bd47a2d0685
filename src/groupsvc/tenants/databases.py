"""Databases of institutions, for operators: made, migrated, closed to writers, closed to all.

What a server is told here holds for every process, whatever it has read of the list: nobody writes
where somebody copies, and nobody reads what has been left.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from groupsvc.db import migrate, revision
from groupsvc.db.connect import hosts_of
from groupsvc.db.engine import close_engine, make_engine
from groupsvc.db.failures import sqlstate
from groupsvc.db.revision import Found
from groupsvc.domain.errors import ConflictError
from groupsvc.settings import Settings

DUPLICATE = "42P04"
PATIENCE = {"command_timeout": 600.0, "statement_timeout": 600.0, "pool_size": 2}
SECONDS_TO_END = 5_000  # milliseconds that a session has to end

_OWNER = text("SELECT name FROM institution")
_CLAIM = text("INSERT INTO institution (name) VALUES (:name) ON CONFLICT DO NOTHING")
_TABLES = text("SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'public' ORDER BY 1")
_END_OTHERS = text(
    "SELECT pg_terminate_backend(pid, :wait) FROM pg_stat_activity"
    " WHERE datname = :database AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


class Databases:
    """``owner`` is the role that owns the databases, where it is not the one that serves."""

    def __init__(self, settings: Settings, owner: str | None = None) -> None:
        self._settings = settings.model_copy(update=PATIENCE)
        self._owner = owner

    def owned(self, url: URL) -> URL:
        """As the owner, whose password is that of PGPASSWORD or of a password file."""
        if len(hosts_of(url)) > 1:  # one that takes no writes may be the primary all the same
            url = url.update_query_dict({"target_session_attrs": "primary"})
        if self._owner is None or self._owner == url.username:
            return url
        return URL.create(
            url.drivername, self._owner, None, url.host, url.port, url.database, url.query
        )

    def served_by(self, url: URL) -> str | None:
        """The role that serves, if it is another one than the owner."""
        return url.username if self._owner not in (None, url.username) else None

    @asynccontextmanager
    async def connected(self, url: URL) -> AsyncGenerator[AsyncConnection]:
        engine = make_engine(self.owned(url), self._settings)
        try:
            async with engine.connect() as connection:
                yield connection
        finally:
            await close_engine(engine)

    async def create(self, url: URL) -> bool:
        """Whether it had not been there."""
        name = _quoted(url)
        async with self.connected(url.set(database="postgres")) as server:
            try:
                await server.exec_driver_sql(
                    f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"
                )
            except DBAPIError as error:
                if sqlstate(error) != DUPLICATE:
                    raise
                return False
        return True

    async def exists(self, url: URL) -> bool:
        async with self.connected(url.set(database="postgres")) as server:
            found = text("SELECT EXISTS (SELECT FROM pg_database WHERE datname = :name)")
            return bool(await server.scalar(found, {"name": url.database}))

    async def drop(self, url: URL) -> None:
        async with self.connected(url.set(database="postgres")) as server:
            await server.exec_driver_sql(f"DROP DATABASE IF EXISTS {_quoted(url)} WITH (FORCE)")

    async def migrate(self, url: URL) -> tuple[str | None, str | None]:
        """The revisions before and after."""
        engine = make_engine(self.owned(url), self._settings)
        service = self.served_by(url)
        try:
            before = await revision.find(engine)
            if not before.fits or service is not None:
                await migrate.upgrade(engine, service=service)
            return before.revision, await revision.current(engine)
        finally:
            await close_engine(engine)

    async def found(self, url: URL) -> Found:
        """The revision that it is at, and whether this program can work on it."""
        engine = make_engine(self.owned(url), self._settings)
        try:
            return await revision.find(engine)
        finally:
            await close_engine(engine)

    async def claim(self, url: URL, name: str) -> None:
        """Write down whose it is. Raises ConflictError when it is that of another."""
        async with self.connected(url) as connection:
            await connection.execute(_CLAIM, {"name": name})
            if await connection.scalar(_OWNER) != name:
                raise ConflictError(f"the database {url.database} is that of another institution")

    async def close_to_writers(self, url: URL) -> None:
        """Whoever connects from now on only reads, and whoever was connected is sent away."""
        await self._alter(url, "SET default_transaction_read_only = on")

    async def open_to_writers(self, url: URL) -> None:
        await self._alter(url, "RESET default_transaction_read_only")

    async def close(self, url: URL) -> None:
        """Nobody connects any more; it stays as it is until it is dropped."""
        await self._alter(url, "WITH ALLOW_CONNECTIONS false")

    async def _alter(self, url: URL, how: str) -> None:
        # From the next room: a database can neither close itself, nor open itself to writers.
        async with self.connected(url.set(database="postgres")) as server:
            await server.exec_driver_sql(f"ALTER DATABASE {_quoted(url)} {how}")
            await self._end_others(server, url)

    async def _end_others(self, connection: AsyncConnection, url: URL) -> None:
        """Raises ConflictError when somebody stays."""
        wait = {"wait": SECONDS_TO_END, "database": url.database}
        ended: Sequence[Any] = (await connection.execute(_END_OTHERS, wait)).scalars().all()
        if not all(ended):
            raise ConflictError(f"sessions on {url.database} do not end: try again")

    async def version(self, url: URL) -> int:
        """The major version of the server."""
        async with self.connected(url.set(database="postgres")) as server:
            return int(await server.scalar(text("SHOW server_version_num"))) // 10_000

    async def rows(self, url: URL) -> dict[str, int]:
        """How many there are in each table."""
        async with self.connected(url) as connection:
            tables = (await connection.execute(_TABLES)).scalars().all()
            return {
                table: int(await connection.scalar(text(f'SELECT count(*) FROM "{table}"')) or 0)
                for table in tables
            }


def _quoted(url: URL) -> str:
    return '"' + str(url.database).replace('"', '""') + '"'
