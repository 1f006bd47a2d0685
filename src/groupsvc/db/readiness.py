"""Is the database there, and at the revision that this program needs?"""

import asyncio
import time
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.db import migrate

SECONDS_KEPT = 1.0
SECONDS_ALLOWED = 1.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """``checks`` says ``ok`` or what is wrong, in words that are fit for anyone to read."""

    ready: bool
    checks: dict[str, str]


# A standby, or a server on which writes are switched off.
READ_ONLY = text("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean")


async def _is_read_only(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        return bool(await connection.scalar(READ_ONLY))


class DatabaseCheck:
    """Asks at most once a second, however often it is asked."""

    def __init__(self, engine: AsyncEngine, *, embedded: bool) -> None:
        self._engine = engine
        self._kind = "embedded" if embedded else "configured"
        self._head = migrate.head()
        self._answer: Readiness | None = None
        self._asked = 0.0
        self._asking = asyncio.Lock()

    async def check(self) -> Readiness:
        async with self._asking:
            if self._answer is None or time.monotonic() - self._asked > SECONDS_KEPT:
                self._answer = await self._ask()
                self._asked = time.monotonic()
            return self._answer

    async def _ask(self) -> Readiness:
        try:
            async with asyncio.timeout(SECONDS_ALLOWED):
                revision = await migrate.current(self._engine)
                read_only = await _is_read_only(self._engine)
        except (SQLAlchemyError, OSError, TimeoutError):
            return self._answered("not reachable", "unknown")
        if read_only:
            return self._answered("read-only", "ok" if revision == self._head else "unknown")
        if revision == self._head:
            return self._answered("ok", "ok")
        return self._answered("ok", f"at {revision or 'none'}, needs {self._head}")

    def _answered(self, database: str, migrations: str) -> Readiness:
        checks = {
            "database": database,
            "migrations": migrations,
            "server": self._kind,
        }
        return Readiness(database == migrations == "ok", checks)
