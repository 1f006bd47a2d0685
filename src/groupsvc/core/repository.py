"""How a unit of work reaches the database, and what every repository shares."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError

from groupsvc.db.constraints import raise_refusal
from groupsvc.db.count_cache import CountCache
from groupsvc.db.failures import driver_error
from groupsvc.db.pool import ConnectionPool
from groupsvc.db.pooled import PooledSession
from groupsvc.db.rows import FOUND
from groupsvc.db.standbys import Standbys
from groupsvc.db.statements import SQL as STATEMENTS
from groupsvc.db.statements import WRITES, Kind, SqlFile, Statement
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.principal import GrantScope

SQL: Final = SqlFile(__file__)
ORDINARY: Final = "READ COMMITTED"
SNAPSHOT: Final = "REPEATABLE READ"


class StaleTokenError(Exception):
    """What tokens stand for has changed: begin again, and trust no cache."""


class NotOnStandbyError(Exception):
    """What has been read of a standby decides no write: begin again, on the primary."""


@dataclass(slots=True)
class Context:
    """Who is acting, for the change log. ``cause`` tells apart what the rows alone do not.

    ``client`` is the address of somebody who is yet to say who they are, which may be wrong so
    often as ``login_tries`` says.
    ``position`` is that of the log which a read must not be older than, whatever the caller wrote.
    ``sight`` is what the caller sees, unless that is everything.
    ``access_version`` is that of which the cached token of the caller was; it has yet to be
    confirmed, with the first statement that can do so. ``use_cached_token`` is false when that has
    failed.
    """

    actor: str = "anonymous"
    request_id: str = ""
    cause: str = ""
    client: str = ""
    login_tries: int = 30
    position: int = 0
    sight: Mapping[str, Any] | None = None
    access_version: UUID | None = None
    use_cached_token: bool = True

    def parameters(self) -> dict[str, str]:
        return {"actor": self.actor, "request_id": self.request_id, "cause": self.cause}


class Connection:
    """A statement stands alone until ``begin``; what follows is one transaction until ``close``.

    With ``standbys``, those that stand alone and change nothing go to one of them where it may
    answer. Nothing that ``wrote`` reads there.
    """

    def __init__(
        self, pool: ConnectionPool, context: Context, standbys: Standbys | None = None
    ) -> None:
        self._pool = pool
        self._context = context
        self._standbys = standbys
        self.standby: ConnectionPool | None = None
        self.wrote = False
        self._held: PooledSession | None = None

    @property
    def count_cache(self) -> CountCache | None:
        """What has been counted before; None in a transaction, which sees what others do not."""
        if self._held is not None:
            return None
        return (self._pool if self._standbys is None else self._pool_for("read")).counts

    def turn(self, key: bytes) -> asyncio.Lock:
        """Held by one unit of work of this process and database at a time."""
        return self._pool.turns.setdefault(key, asyncio.Lock())

    async def execute(self, statement: Statement, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """The rows of a statement; none for one that returns no rows.

        Raises StaleTokenError, and what a broken constraint means.
        """
        version, sight = self._context.access_version, self._context.sight
        if sight is not None and statement.kind == "placed read":
            statement, parameters = statement.in_sight, {**parameters, **sight}
        if statement.kind == "checked write" or version is not None:
            checked = statement.with_token_check if version is not None else None
            if checked is not None:
                return await self._checked(checked, {**parameters, "access_version": version})
            await self.confirm()
            parameters = {**parameters, "access_version": None}
        return await self._send(statement, parameters)

    async def _send(self, statement: Statement, parameters: Mapping[str, Any]) -> Sequence[Any]:
        arguments = [parameters[name] for name in statement.names]
        if statement.kind in WRITES:
            self.wrote = True
        try:
            pool = self._pool if self._standbys is None else self._pool_for(statement.kind)
            if self._held is not None:
                return await pool.fetch(statement.query, arguments, self._held.connection)
            if statement.may_be_gathered:
                return await pool.gather(statement, arguments)
            return await pool.fetch(statement.query, arguments)
        except PostgresError as error:
            raise_refusal(error)
            raise

    def _pool_for(self, kind: Kind) -> ConnectionPool:
        """The one place that decides what a standby answers: one for all that a request reads."""
        if kind in WRITES:
            self._leave_standby()
        if self._standbys is None or kind == "primary read":
            return self._pool
        if self.standby is None:
            context = self._context
            position = max(context.position, self._standbys.last_write(context.actor))
            self.standby = self._standbys.choose(position, context.access_version)
        if self.standby is None:
            self._standbys = None
            return self._pool
        return self.standby

    def _leave_standby(self) -> None:
        if self.standby is not None:
            raise NotOnStandbyError
        self._standbys = None

    async def _checked(self, statement: Statement, parameters: Mapping[str, Any]) -> Sequence[Any]:
        rows = await self._send(statement, parameters)
        self._context.access_version = None
        if not rows:
            raise StaleTokenError
        nothing: bool = rows[0].get(FOUND, True) is None
        return () if nothing else rows

    async def confirm(self) -> None:
        """Make sure of a caller whose token is cached. Raises StaleTokenError."""
        version, self._context.access_version = self._context.access_version, None
        if version is None:
            return
        if not await self._send(STATEMENTS.current_access, {"access_version": version}):
            raise StaleTokenError

    async def begin(self, *, snapshot: bool) -> None:
        if self._held is not None:
            await self.commit()
            await self.close()
        self._leave_standby()
        self.wrote = self.wrote or not snapshot
        await self.confirm()
        self._held = await self._pool.open_session(SNAPSHOT if snapshot else ORDINARY)
        arguments = self._context.parameters()
        # By the session, which so begins: what follows goes straight to the driver.
        connection = await self._held.session.connection()
        named = tuple(arguments[name] for name in SQL.act.names)
        await connection.exec_driver_sql(SQL.act.query, named)

    async def act(self) -> None:
        """Tell the triggers who is acting and why, for this transaction."""
        await self._send(SQL.act, self._context.parameters())

    @asynccontextmanager
    async def savepoint(self, *, rollback: bool) -> AsyncGenerator[None]:
        """A part of the transaction that is undone when it fails, or in any case."""
        assert self._held is not None
        # Of the connection: a session would not begin it before it sends something itself.
        part = await (await self._held.session.connection()).begin_nested()
        try:
            yield
        except Exception:
            if not self._held.connection.spoiled:
                await part.rollback()
            raise
        await (part.rollback() if rollback else part.commit())

    async def commit(self) -> None:
        """Raises what a constraint that is checked now means."""
        assert self._held is not None
        try:
            await self._held.session.commit()
        except DBAPIError as error:
            cause = driver_error(error)
            if isinstance(cause, PostgresError):
                raise_refusal(cause)
            raise

    async def close(self) -> None:
        """Put the connection back. What was not committed is undone."""
        held, self._held = self._held, None
        if held is not None:
            await self._pool.close_session(held)


def scope_parameters(scope: GrantScope) -> dict[str, Any]:
    return {
        "everywhere": scope.everywhere,
        "departments": list(scope.departments),
        "courses": list(scope.courses),
    }


class Repository:
    def __init__(self, connection: Connection, context: Context) -> None:
        self._connection = connection
        self._context = context

    async def _rows(self, statement: Statement, **parameters: Any) -> Sequence[Any]:
        return await self._connection.execute(statement, parameters)

    async def _row(self, statement: Statement, **parameters: Any) -> Any | None:
        rows = await self._connection.execute(statement, parameters)
        return rows[0] if rows else None

    async def _patch(
        self, statement: Statement, changes: Mapping[str, Any], **parameters: Any
    ) -> None:
        """For statements that merge ``:changes`` into a row."""
        await self._rows(statement, changes=json.dumps(changes), **parameters)

    async def _document(self, statement: Statement, **parameters: Any) -> JsonResource[Any] | None:
        """For statements that select ``department, course, body``."""
        row = await self._row(statement, **parameters)
        if row is None:
            return None
        department, course, body = row[0], row[1], row[2]
        return JsonResource(body.encode(), department, course)

    async def _page(
        self, statement: Statement, *, limit: int, key: Sequence[str], **parameters: Any
    ) -> Page:
        """For statements that select ``body`` and the columns of the key, ordered by them.

        One item more than the limit is asked for, to learn whether there is a next page.
        """
        rows = await self._rows(statement, **parameters, limit=limit + 1)
        return paged(rows, limit, key)


def paged(rows: Sequence[Any], limit: int, key: Sequence[str]) -> Page:
    """The first ``limit`` rows, and the key of the last of them when there are more."""
    items = [row.body for row in rows[:limit]]
    if len(rows) <= limit:
        return Page(items)
    last = rows[limit - 1]
    return Page(items, tuple(getattr(last, column) for column in key))
