"""The one who reads the change log for all who follow it: one of each institution and process."""

import asyncio
import contextvars
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from groupsvc.core.accounts.authentication import Authenticator
from groupsvc.core.accounts.standing import Standings
from groupsvc.core.changes.channel import MOST_AT_ONCE, Memory
from groupsvc.core.changes.feed import FeedRepository, Line
from groupsvc.core.changes.horizon import PAUSE, Horizon
from groupsvc.core.changes.reader import End, Follower, Reader, Render
from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork
from groupsvc.domain.errors import ThrottledError, UnavailableError

T = TypeVar("T")

TASK: Final = "groupsvc live"
BATCH: Final = 500  # lines
SECONDS_TO_SETTLE: Final = 0.25
RECHECK: Final = 2.0  # seconds between two looks whether readers still may
TICK: Final = 1.0  # seconds between two looks whether somebody must hear something
LONGEST_PAUSE: Final = 2.0
EASY: Final = 10  # tails of a process that look as often as they should

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Crowd:
    """The tails of a process that are at work. Where there are many, each looks less often."""

    tails: int = 0

    def pause(self, poll: float) -> float:
        return poll * max(1.0, self.tails / EASY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """``poll`` seconds between two looks, ``quiet`` until a reader hears that this is still there;
    ``kept`` lines, and the ``most`` readers, those of one caller too.
    """

    poll: float
    quiet: float
    kept: int
    most: int
    most_of_caller: int


class Tail:
    """Reads what is settled while there are readers, and hands it to those who follow the course,
    as ``render`` makes it.

    Nothing is handed out that comes later than ``RECHECK`` seconds after a look at the permissions
    of all readers. ``context`` is that of its tasks.
    """

    def __init__(
        self,
        units: TransactionRunner,
        authenticator: Authenticator,
        terms: Terms,
        render: Render,
        crowd: Crowd,
    ) -> None:
        self._units, self.terms = units, terms
        self.horizon = Horizon(units)
        self.context = contextvars.Context()
        self.readers: set[Reader] = set()
        self._standings = Standings(units, authenticator)
        self._render, self._crowd = render, crowd
        self._of_caller = Counter[str]()
        self._memory = Memory(terms.kept)
        self._tasks: list[asyncio.Task[None]] = []
        self._handed: int = 0
        self._past: int = 0
        # Readers of courses that are gone, with the line up to which they are still told.
        self._parting: dict[Reader, int | None] = {}
        self._checked = float("-inf")
        self._is_closed = False

    @property
    def is_busy(self) -> bool:
        return bool(self.readers)

    def open(self, follower: Follower) -> Reader:
        """Somebody follows from now on, and is to ``leave``.

        Raises ThrottledError and UnavailableError when there are too many.
        """
        if self._of_caller[follower.subject] >= self.terms.most_of_caller:
            why = "there are as many streams of this caller as there may be"
            raise ThrottledError(why, code="too_many_streams", retry_after=int(self.terms.quiet))
        if len(self.readers) >= self.terms.most:
            raise UnavailableError("there are too many streams", retry_after=int(self.terms.quiet))
        if not self._tasks:
            self._handed, self._past = self.horizon.settled.seq, self.horizon.past
        channel = self._memory.channel(follower.course_id, self._handed)
        now = asyncio.get_running_loop().time()
        reader = Reader(follower, channel, self._read_history, self._render, now)
        self.readers.add(reader)
        channel.readers.add(reader)
        self._of_caller[follower.subject] += 1
        if self._is_closed:
            reader.end(End.STOPPING)
        elif not self._tasks:
            self._start()
        return reader

    def leave(self, reader: Reader) -> None:
        self.readers.discard(reader)
        self._parting.pop(reader, None)
        reader.channel.readers.discard(reader)
        if not reader.channel.readers:
            self._memory.forget(reader.channel)
        self._of_caller[reader.subject] -= 1
        if not self._of_caller[reader.subject]:
            del self._of_caller[reader.subject]

    def close(self) -> None:
        """End all readers at once, and those who come later."""
        self._is_closed = True
        self._end_all(End.STOPPING)

    async def stop(self) -> None:
        self.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    def _end_all(self, why: End) -> None:
        for reader in list(self.readers):
            reader.end(why)

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._crowd.tails += 1
        self._tasks = [
            loop.create_task(work, name=TASK, context=self.context)
            for work in (self._follow(), self._attend())
        ]
        self._tasks[0].add_done_callback(self._ended)

    def _ended(self, _: asyncio.Task[None]) -> None:
        self._crowd.tails -= 1
        self._tasks[1].cancel()
        self._tasks = []
        if self.readers and not self._is_closed:
            self._start()

    async def _follow(self) -> None:
        pause = self.terms.poll
        while self.readers:
            try:
                await self._round()
                pause = self._crowd.pause(self.terms.poll)
            except Exception as error:
                # The database is away: what is committed is still there later.
                if pause < LONGEST_PAUSE:
                    _log.warning("the change log cannot be followed just now", exc_info=error)
                pause = min(pause * 2, LONGEST_PAUSE)
            await asyncio.sleep(min(pause, 2 * PAUSE) if self.horizon.is_behind else pause)

    async def _round(self) -> None:
        await self._check_if_due()
        await self.horizon.look()
        settled = self.horizon.settled.seq
        for reader, until in self._parting.items():
            if until is None:
                self._parting[reader] = self.horizon.newest.seq
        if self.horizon.past != self._past:
            # What they have seen may not be so any more, nor what the channels keep.
            self._end_all(End.PAST)
            self._handed, self._past = settled, self.horizon.past
        while self._handed < settled:
            await self._check_if_due()
            await self._hand_on(settled)
        self._let_go()

    def _let_go(self) -> None:
        """End those who have been told how their course went."""
        for reader, until in list(self._parting.items()):
            if reader.ended is None and (until is None or until > self._handed):
                continue
            reader.end(End.COURSE)
            del self._parting[reader]

    async def _hand_on(self, settled: int) -> None:
        asked = frozenset(self._memory.channels)
        after = self._handed

        async def read(uow: UnitOfWork) -> Sequence[Line]:
            feed = uow.repository(FeedRepository)
            return await feed.lines(asked, after=after, until=settled, limit=BATCH)

        lines = await self._run(read)
        self._handed = lines[-1].seq if len(lines) == BATCH else settled
        moved = {self._memory.add(line, self._render(line)) for line in lines}
        for channel in list(self._memory.channels.values()):
            if channel.course_id not in asked:
                channel.since = max(channel.since, self._handed)
            if channel in moved or channel.course_id not in asked:
                channel.wake()

    async def _check_if_due(self) -> None:
        began = asyncio.get_running_loop().time()
        if began >= self._checked + RECHECK:
            await self._check()
            self._checked = began

    async def _check(self) -> None:
        """End the readers who may not read any more."""
        courses = frozenset(self._memory.channels)

        places = await self._run(lambda uow: uow.repository(FeedRepository).places(courses))
        readers = [each for each in self.readers if each.channel.course_id in courses]
        await self._standings.renew(readers, places.version)
        for reader in readers:
            place = places.courses.get(reader.channel.course_id)
            reader.refuse_if_lost(place)
            if place is None:
                self._parting.setdefault(reader, None)

    async def _read_history(self, course_id: int, after: int, until: int) -> Sequence[Line]:
        async def read(uow: UnitOfWork) -> Sequence[Line]:
            feed = uow.repository(FeedRepository)
            return await feed.course_lines(course_id, after=after, until=until, limit=MOST_AT_ONCE)

        return await self._run(read)

    async def _run(self, read: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        return await self._units.run("live", read, reading=True)

    async def _attend(self) -> None:
        """Have readers say that they are there, whatever the database does, and let go of those
        who have taken nothing for long.
        """
        loop = asyncio.get_running_loop()
        quiet = self.terms.quiet
        while True:
            await asyncio.sleep(min(TICK, quiet / 4))
            now = loop.time()
            for reader in list(self.readers):
                is_over = reader.ends_at is not None and now >= reader.ends_at
                if reader.sending_since is not None:
                    if now >= reader.sending_since + 2 * quiet:
                        reader.give_up()
                elif is_over or now >= reader.quiet_since + quiet:
                    reader.wake()
