"""Is the database there, and at the revision that this program needs?"""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.db import revision
from groupsvc.db.failures import POOLED, remedy, sqlstate

_log = logging.getLogger(__name__)
SECONDS_KEPT = 1.0
SECONDS_ALLOWED = 1.0
SECONDS_OF_A_LOOK = 6.0  # all hosts are given up before


@dataclass(frozen=True, slots=True)
class Readiness:
    """``checks`` says ``ok`` or what is wrong, in words that are fit for anyone to read."""

    ready: bool
    checks: dict[str, str]


# A standby, or a server on which writes are switched off; what becomes of commits in a crash.
FACTS = text("""
    SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only,
           CASE WHEN current_setting('synchronous_commit') = 'off' THEN 'not durable'
                WHEN current_setting('synchronous_commit') <> 'local'
                     AND current_setting('synchronous_standby_names') <> ''
                THEN 'durable, on a standby too' ELSE 'durable' END AS commits
""")
LOST = "not durable"


async def _facts(engine: AsyncEngine) -> Any:
    async with engine.connect() as connection:
        return (await connection.execute(FACTS)).one()


class DatabaseCheck:
    """Looks at most once a second, however often it is asked.

    A look that takes longer than somebody waits for an answer goes on, and the next one is told
    what came of it: a host that does not answer has to be left before another one is asked.
    When it is ``strict``, a database that loses what it has acknowledged is not ready.
    """

    def __init__(self, engine: AsyncEngine, *, embedded: bool, strict: bool) -> None:
        self._engine, self._strict = engine, strict
        self._is_durable = True
        self._look: asyncio.Task[tuple[revision.Found, Any]] | None = None
        self._kind = "embedded" if embedded else "configured"
        self._answer: Readiness | None = None
        self._asked = 0.0
        self._asking = asyncio.Lock()

    async def check(self) -> Readiness:
        async with self._asking:
            if self._answer is None or time.monotonic() - self._asked > SECONDS_KEPT:
                self._answer = await self._ask()
                self._asked = time.monotonic()
            return self._answer

    async def aclose(self) -> None:
        if self._look is not None:
            self._look.cancel()
            await asyncio.wait((self._look,))

    async def _ask(self) -> Readiness:
        if self._look is None:
            self._look = asyncio.create_task(self._look_at_it(), name="groupsvc readiness")
        look = self._look
        await asyncio.wait((look,), timeout=SECONDS_ALLOWED)
        if not look.done():
            return self._answered("not reachable", "unknown", "unknown")
        self._look = None
        try:
            found, facts = look.result()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            told = remedy(error)
            if told is None:
                return self._answered("not reachable", "unknown", "unknown")
            _log.error("the database cannot be used: %s", told)
            word = "behind a pooler" if sqlstate(error) == POOLED else "cannot be used"
            return self._answered(word, "unknown", "unknown")
        self._tell(is_durable=facts.commits != LOST)
        if facts.read_only:
            return self._answered("read-only", "ok" if found.fits else "unknown", facts.commits)
        needs = f"at {found.revision or 'none'}, needs {revision.head()}"
        return self._answered("ok", "ok" if found.fits else needs, facts.commits)

    async def _look_at_it(self) -> tuple[revision.Found, Any]:
        async with asyncio.timeout(SECONDS_OF_A_LOOK):
            return await revision.find(self._engine), await _facts(self._engine)

    def _tell(self, *, is_durable: bool) -> None:
        if self._is_durable and not is_durable:
            _log.error(
                "a crash of the database would lose what it has acknowledged: "
                "`ALTER ROLE ... SET synchronous_commit = on` for the role that serves"
            )
        self._is_durable = is_durable

    def _answered(self, database: str, migrations: str, commits: str) -> Readiness:
        checks = {
            "database": database,
            "migrations": migrations,
            "commits": commits,
            "server": self._kind,
        }
        is_fine = database == migrations == "ok" and not (self._strict and commits == LOST)
        return Readiness(is_fine, checks)
