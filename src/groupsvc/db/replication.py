"""How far the logs of a primary and of its standbys are.

All is known of a moment that is past, by the clock of this process alone: whoever is said to have
something had it by then.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast
from uuid import UUID

from asyncpg import InterfaceError, PostgresError
from asyncpg.exceptions import InternalClientError

T = TypeVar("T")

LATEST: Final = 2**64 - 1  # no standby is so far
_PATIENCE: Final = 1.0  # seconds for a look
_POSITION: Final = re.compile(r"([0-9A-F]{1,8})/([0-9A-F]{1,8})", re.IGNORECASE)
ERRORS: Final = (OSError, TimeoutError, PostgresError, InterfaceError, InternalClientError)

_OF_PRIMARY: Final = """
SELECT pg_current_wal_insert_lsn()::text AS inserted, pg_current_wal_flush_lsn()::text AS flushed,
       left(pg_walfile_name(pg_current_wal_flush_lsn()), 8) AS timeline, version
FROM access_version
"""
# The timeline that it follows is told at once to whoever may read statistics, and to others after
# a while. One that has not followed a failover yet may be ahead of the new primary.
_OF_STANDBY: Final = """
SELECT pg_last_wal_replay_lsn()::text AS replayed, lpad(upper(to_hex(greatest(
           (SELECT timeline_id FROM pg_control_checkpoint()),
           (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
           (SELECT received_tli FROM pg_stat_wal_receiver)))), 8, '0') AS timeline
WHERE pg_is_in_recovery()
"""


def parse_position(text: str | None) -> int:
    """A position of the log as PostgreSQL writes it; what is none is at its very end."""
    if text is None:
        return 0
    found = _POSITION.fullmatch(text)
    return int(found[1], 16) << 32 | int(found[2], 16) if found else LATEST


def format_position(position: int) -> str:
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


class Moment(NamedTuple):
    """How far the primary is. All that was acknowledged before ``at`` is ``flushed``."""

    at: float
    inserted: int
    flushed: int
    timeline: str
    version: UUID


NEVER: Final = Moment(0.0, 0, 0, "", UUID(int=0))


class Line:
    """A connection that is opened again after it has broken."""

    def __init__(self, connect: Callable[[], Awaitable[Any]]) -> None:
        self._connect = connect
        self._connection: Any = None

    @property
    def is_open(self) -> bool:
        return self._connection is not None and not self._connection.is_closed()

    async def ask(self, query: str) -> Mapping[str, Any] | None:
        try:
            if not self.is_open:  # which has limits of its own, for several hosts
                self._connection = await self._connect()
            async with asyncio.timeout(_PATIENCE):
                row: Mapping[str, Any] | None = await self._connection.fetchrow(query)
        except BaseException:
            self.close()
            raise
        return row

    def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()


class Shared(Generic[T]):
    """A question whose answer is of now, or a little later: those who ask at a time share it.

    Raises one of ``ERRORS``.
    """

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._turn = asyncio.Lock()
        self._begun = self._answered = 0
        self._failure: Exception | None = None
        self._answer: T | None = None

    async def __call__(self) -> T:
        before = self._begun
        async with self._turn:
            if self._answered <= before:
                self._begun += 1
                self._failure = None
                try:
                    self._answer = await self._ask()
                except ERRORS as error:
                    self._failure = error
                self._answered = self._begun
            if self._failure is not None:
                raise OSError("the server does not answer") from self._failure
            return cast("T", self._answer)


class Primary:
    def __init__(self, line: Line) -> None:
        self.line = line
        self.last = NEVER
        self.look = Shared(self._look)

    async def _look(self) -> Moment:
        at = time.monotonic()
        row = await self.line.ask(_OF_PRIMARY)
        if row is None:
            raise OSError("the database is not migrated")
        inserted, flushed = parse_position(row["inserted"]), parse_position(row["flushed"])
        self.last = Moment(at, inserted, flushed, row["timeline"], row["version"])
        return self.last


class Standby:
    """It has all up to ``replayed``, and all that was acknowledged before ``fresh_at``."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.replayed = 0
        self.fresh_at = float("-inf")
        self._timeline = ""
        self._ask = Shared(partial(line.ask, _OF_STANDBY))

    def has(self, position: int, since: float) -> bool:
        # When it starts again it may be behind itself, and then all its connections have ended.
        return self.fresh_at >= since and self.replayed >= position and self.line.is_open

    async def look(self, moments: Sequence[Moment]) -> None:
        """Compare with how far the primary was, the newest moment last."""
        row = None
        if not self.line.is_open:
            self._forget()
        with suppress(*ERRORS):
            row = await self._ask()
        if row is None or not moments or row["timeline"] != moments[-1].timeline:
            self._forget()
            return
        self._timeline, self.replayed = row["timeline"], parse_position(row["replayed"])
        for moment in reversed(moments):
            if moment.flushed <= self.replayed and moment.timeline == row["timeline"]:
                self.fresh_at = moment.at
                return

    async def position(self) -> int:
        """Nothing that has been read of it by now is newer."""
        try:
            row = await self._ask()
        except ERRORS:
            return LATEST
        if row is None or row["timeline"] != self._timeline:
            return LATEST
        # Known at once: what follows a page is to be read of the same standby.
        self.replayed = max(self.replayed, parse_position(row["replayed"]))
        return self.replayed

    def _forget(self) -> None:
        self._timeline, self.replayed, self.fresh_at = "", 0, float("-inf")
