"""How a unit of work reaches the database, and what every repository shares."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError

from groupsvc.db.constraints import raise_refusal
from groupsvc.db.count_cache import CountCache
from groupsvc.db.failures import driver_error
from groupsvc.db.pool import FOUND, ConnectionPool, PooledSession
from groupsvc.db.statements import TOKENS, SqlFile, Statement
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.principal import GrantScope

SQL: Final = SqlFile(__file__)
ORDINARY: Final = "READ COMMITTED"
SNAPSHOT: Final = "REPEATABLE READ"
NO_TOKEN: Final = {"bearer_key": None, "bearer": None}


class StaleTokenError(Exception):
    """The caller's token no longer stands for what it did: begin again, and trust no cache."""


class CachedToken(NamedTuple):
    """Whom a token stood for when that was last looked up.

    ``key`` finds them again: the digest of a token of ours, or who a signed token names.
    """

    key: bytes
    bearer: str

    def parameters(self) -> dict[str, Any]:
        return {"bearer_key": self.key, "bearer": self.bearer}


@dataclass(slots=True)
class Context:
    """Who is acting, for the change log. ``cause`` tells apart what the rows alone do not.

    ``cached_token`` is what has yet to be confirmed of the caller, with the first statement that
    can do so; ``use_cached_token`` is false when that has failed.
    """

    actor: str = "anonymous"
    request_id: str = ""
    cause: str = ""
    cached_token: CachedToken | None = None
    use_cached_token: bool = True

    def parameters(self) -> dict[str, str]:
        return {"actor": self.actor, "request_id": self.request_id, "cause": self.cause}


class Connection:
    """A statement stands alone until ``begin``; what follows is one transaction until ``close``."""

    def __init__(self, pool: ConnectionPool, context: Context) -> None:
        self._pool = pool
        self._context = context
        self._held: PooledSession | None = None

    @property
    def count_cache(self) -> CountCache | None:
        """What has been counted before; None in a transaction, which sees what others do not."""
        return self._pool.counts if self._held is None else None

    async def execute(self, statement: Statement, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """The rows of a statement; none for one that returns no rows.

        Raises StaleTokenError, and what a broken constraint means.
        """
        token = self._context.cached_token
        if statement.kind == "checked write" or token is not None:
            checked = statement.with_token_check if token is not None else None
            if token is not None and checked is not None:
                return await self._checked(checked, {**parameters, **token.parameters()})
            await self.confirm()
            parameters = {**parameters, **NO_TOKEN}
        return await self._send(statement, parameters)

    async def _send(self, statement: Statement, parameters: Mapping[str, Any]) -> Sequence[Any]:
        arguments = [parameters[name] for name in statement.names]
        try:
            return await self._pool.fetch(
                statement.query, arguments, self._held.connection if self._held else None
            )
        except PostgresError as error:
            raise_refusal(error)
            raise

    async def _checked(self, statement: Statement, parameters: Mapping[str, Any]) -> Sequence[Any]:
        rows = await self._send(statement, parameters)
        self._context.cached_token = None
        if not rows:
            raise StaleTokenError
        nothing: bool = rows[0].get(FOUND, True) is None
        return () if nothing else rows

    async def confirm(self) -> None:
        """Make sure of a caller whose token is cached. Raises StaleTokenError."""
        token, self._context.cached_token = self._context.cached_token, None
        if token is None:
            return
        rows = await self._send(TOKENS.holder, token.parameters())
        if not rows or rows[0].is_expired or rows[0].bearer != token.bearer:
            raise StaleTokenError

    async def begin(self, *, snapshot: bool) -> None:
        if self._held is not None:
            await self.commit()
            await self.close()
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
