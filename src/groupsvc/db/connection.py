"""A unit of work's way to the database.

A statement that stands alone goes to the executor; from ``begin`` on there is a session.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from groupsvc.db.constraints import broken_constraints
from groupsvc.db.count_cache import CountCache
from groupsvc.db.engine import Sessions
from groupsvc.db.executor import FOUND
from groupsvc.db.statements import TOKENS, SqlFile, Statement

SQL: Final = SqlFile(__file__)

TRANSACTION: Final[dict[str, Any]] = {"isolation_level": "READ COMMITTED"}
SNAPSHOT: Final[dict[str, Any]] = {"isolation_level": "REPEATABLE READ"}


class StaleTokenError(Exception):
    """The caller's token no longer stands for what it did: begin again, and remember nothing."""


class CachedToken(NamedTuple):
    """A token and whom it stood for when it was last looked up."""

    digest: bytes
    bearer: str


@dataclass(slots=True)
class Context:
    """Who is acting, for the change log. ``cause`` tells apart what the rows alone do not.

    ``remembered`` is what has yet to be confirmed of the caller, with the first statement that can
    do so; ``use_cached_token`` is false when that has failed.
    """

    actor: str = "anonymous"
    request_id: str = ""
    cause: str = ""
    cached_token: CachedToken | None = None
    use_cached_token: bool = True

    def parameters(self) -> dict[str, str]:
        return {"actor": self.actor, "request_id": self.request_id, "cause": self.cause}


class Connection:
    def __init__(self, sessions: Sessions, context: Context) -> None:
        self._sessions = sessions
        self._context = context
        self._session: AsyncSession | None = None

    @property
    def count_cache(self) -> CountCache | None:
        """What has been counted before; None in a transaction, which sees what others do not."""
        return self._sessions.count_cache if self._session is None else None

    async def execute(self, statement: Statement, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """The rows of a statement; none for one that returns no rows.

        Raises StaleTokenError, and what a broken constraint means.
        """
        with broken_constraints():
            if self._session is None:
                return await self._alone(statement, parameters)
            return await self._together(statement, parameters)

    async def _together(self, statement: Statement, parameters: Mapping[str, Any]) -> Sequence[Any]:
        connection = await (await self.session()).connection()
        arguments = tuple(statement.arguments(parameters))
        result = await connection.exec_driver_sql(statement.query, arguments)
        return result.all() if result.returns_rows else ()

    async def _alone(self, statement: Statement, parameters: Mapping[str, Any]) -> Sequence[Any]:
        cached = self._context.cached_token
        with_token_check = statement.with_token_check if cached is not None else None
        if cached is None or with_token_check is None:
            await self.confirm()
            return await self._sessions.executor.fetch(
                statement.query, statement.arguments(parameters)
            )
        known = {"bearer_digest": cached.digest, "bearer": cached.bearer}
        arguments = with_token_check.arguments({**parameters, **known})
        rows = await self._sessions.executor.fetch(with_token_check.query, arguments)
        self._context.cached_token = None
        if not rows:
            raise StaleTokenError
        return () if rows[0].get(FOUND, True) is None else rows

    async def confirm(self) -> None:
        """Make sure of a caller who is only remembered. Raises StaleTokenError."""
        cached = self._context.cached_token
        if cached is None:
            return
        self._context.cached_token = None
        rows = await self.execute(TOKENS.holder, {"bearer_digest": cached.digest})
        if not rows or rows[0].is_expired or rows[0].bearer != cached.bearer:
            raise StaleTokenError

    async def session(self) -> AsyncSession:
        """The session of this unit of work, which ``close`` ends."""
        if self._session is None:
            await self.confirm()
            await self._sessions.limiter.enter()
            self._session = self._sessions.open()
        return self._session

    async def begin(self, *, snapshot: bool) -> None:
        session = await self.session()
        await session.commit()
        await session.connection(execution_options=SNAPSHOT if snapshot else TRANSACTION)
        await self.act()

    async def act(self) -> None:
        """Tell the triggers who is acting and why, for this transaction."""
        await self._together(SQL.act, self._context.parameters())

    async def close(self) -> None:
        """Put the connection back. What was not committed is undone."""
        session, self._session = self._session, None
        if session is None:
            return
        try:
            async with session:
                pass
        finally:
            self._sessions.limiter.leave()
