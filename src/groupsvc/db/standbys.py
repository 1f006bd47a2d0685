"""Standbys that answer reads: which of them may, and whom."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Final
from uuid import UUID

from cachetools import TTLCache
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.db.connect import parse_host
from groupsvc.db.engine import close_engine, connector, make_engine
from groupsvc.db.pool import ConnectionPool
from groupsvc.db.replication import ERRORS, LATEST, Line, Moment, Primary, Standby
from groupsvc.recorder import Recorder
from groupsvc.settings import Settings

_log = logging.getLogger(__name__)

Look = Callable[[], Awaitable[None]]

_CALLERS: Final = 10_000
_PERIOD: Final = 0.25  # seconds between two looks
_OF_OTHER_HOSTS: Final = ("host", "port", "target_session_attrs")


class Standbys:
    """Looks at the primary and its standbys again and again, and chooses one for a read."""

    def __init__(self, url: URL, settings: Settings, recorder: Recorder) -> None:
        self._lag, self._recorder = settings.read_lag, recorder
        self._period = min(_PERIOD, self._lag / 4)
        self._primary = Primary(Line(connector(url, settings)))
        self._standbys: dict[str, Standby] = {}
        self.pools: dict[str, ConnectionPool] = {}
        self._engines: list[AsyncEngine] = []
        for number, host in enumerate(settings.read_hosts, 1):
            name, own = f"standby{number}", _of_host(url, host)
            self._engines.append(make_engine(own, settings))
            self.pools[name] = ConnectionPool(self._engines[-1], name, recorder)
            self._standbys[name] = Standby(Line(connector(own, settings)))
        self._moments: deque[Moment] = deque()
        self._written = TTLCache[str, int](_CALLERS, self._lag, timer=time.monotonic)
        self._able: frozenset[str] = frozenset()
        self._watches: list[asyncio.Task[None]] = []

    def start(self) -> None:
        looks: list[Look] = [self._look]
        looks += [partial(each.look, self._moments) for each in self._all]
        self._watches = [asyncio.create_task(self._watch(look)) for look in looks]

    async def stop(self) -> None:
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        for line in (self._primary.line, *(each.line for each in self._all)):
            line.close()
        await asyncio.gather(*map(close_engine, self._engines))

    def choose(self, position: int, version: UUID | None) -> ConnectionPool | None:
        """Where to read what is at least of that position; None when only the primary will do.

        Not for a caller who was known by another ``version`` of what tokens stand for: they may
        have been refused since.
        """
        if version is not None and version != self._primary.last.version:
            return None
        able = [self.pools[name] for name in self._names(position)]
        return min(able, key=_load) if able else None

    async def position(self, pool: ConnectionPool | None = None) -> int:
        """After all that was committed by now, or that could be read of a standby."""
        if pool is not None:
            return await self._standbys[pool.name].position()
        try:
            return (await self._primary.look()).inserted
        except ERRORS:
            return LATEST

    def remember(self, caller: str, position: int) -> None:
        """For as long as a standby may be behind."""
        self._written[caller] = position

    def last_write(self, caller: str) -> int:
        return self._written.get(caller, 0)

    @property
    def _all(self) -> Iterable[Standby]:
        return self._standbys.values()

    async def _watch(self, look: Look) -> None:
        """Each by itself: one that does not answer is not to hold up the others."""
        while True:
            with suppress(*ERRORS):
                await look()
            self._tell()
            await asyncio.sleep(self._period)

    async def _look(self) -> None:
        moment = await self._primary.look()
        self._moments.append(moment)
        while self._moments[0].at < moment.at - self._lag:
            self._moments.popleft()

    def _names(self, position: int) -> list[str]:
        since = time.monotonic() - self._lag
        return [name for name, each in self._standbys.items() if each.has(position, since)]

    def _tell(self) -> None:
        able, now = frozenset(self._names(0)), time.monotonic()
        for name, each in self._standbys.items():
            self._recorder.standby(name, now - each.fresh_at, answers=name in able)
        for name in sorted(able - self._able):
            _log.info("%s answers reads", name)
        for name in sorted(self._able - able):
            _log.warning("%s is away or too far behind: it answers no reads", name)
        self._able = able


def _load(pool: ConnectionPool) -> int:
    return pool.limiter.in_use + pool.limiter.waiting


def _of_host(url: URL, text: str) -> URL:
    host = parse_host(text)
    others = {name: url.query[name] for name in url.query if name not in _OF_OTHER_HOSTS}
    return url.set(host=host.name, port=host.port or 5432, query=others)
