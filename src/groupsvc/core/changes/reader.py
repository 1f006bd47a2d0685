"""One who follows the changes of a course."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from groupsvc.core.accounts.authentication import Standing
from groupsvc.core.changes.channel import MOST_AT_ONCE, Channel
from groupsvc.core.changes.feed import Line
from groupsvc.domain.principal import Permission, Place

# Lines of a course after a number, up to another.
ReadHistory = Callable[[int, int, int], Awaitable[Sequence[Line]]]
Render = Callable[[Line], bytes]


class End(StrEnum):
    """Why there will be no more; what can be resumed says so."""

    STOPPING = "stopping"  # of this process: others go on
    SLOW = "slow"
    OVER = "over"  # the time that was asked for
    TOKEN = "token_ended"  # noqa: S105 - no secret
    FORBIDDEN = "permission_lost"
    COURSE = "course_gone"
    PAST = "history_replaced"
    UNAVAILABLE = "unavailable"
    GONE = "reader_gone"


@dataclass(frozen=True, slots=True)
class Follower:
    """Who follows which course from where; ``seconds`` is None for as long as it goes.

    ``abort`` lets go of one who takes nothing.
    """

    token: str
    subject: str
    course_id: int
    after: int
    seconds: float | None = None
    abort: Callable[[], None] = lambda: None


class Reader:
    """What to send comes from ``next_part``, ``b""`` when it is time to show that one is there.

    Lines that the channel does not keep any more are read from the log: after a long time, or when
    much was changed at once. Who does not take what they were sent while the channel moves on is
    too slow.
    """

    __slots__ = (
        "_abort",
        "_history",
        "_is_live",
        "_render",
        "_waiter",
        "channel",
        "ended",
        "ends_at",
        "position",
        "quiet_since",
        "sending_since",
        "standing",
        "subject",
        "token",
    )

    def __init__(
        self, follower: Follower, channel: Channel, history: ReadHistory, render: Render, now: float
    ) -> None:
        self.token, self.subject = follower.token, follower.subject
        self.channel, self.position = channel, follower.after
        self.standing: Standing | None = None
        self.ended: End | None = None
        self.ends_at = now + follower.seconds if follower.seconds is not None else None
        self.quiet_since = now
        self.sending_since: float | None = None
        self._history, self._render, self._abort = history, render, follower.abort
        self._is_live = False
        self._waiter: asyncio.Future[None] | None = None

    def end(self, why: End) -> None:
        """The first reason counts."""
        if self.ended is None:
            self.ended = why
        self.wake()

    def give_up(self) -> None:
        self.end(End.GONE)
        self._abort()

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def refuse_if_lost(self, place: Place | None) -> None:
        """End it unless the caller may read the course in its place, if it still has one."""
        if self.standing is None:
            self.end(End.TOKEN)
        elif place is not None and not self.standing.principal.may(Permission.GROUPS_READ, place):
            self.end(End.FORBIDDEN)

    async def next_part(self, quiet: float) -> bytes | None:
        """What is to be sent now; None at the end. Nothing is sent for ``quiet`` seconds at most.

        Raises UnavailableError while old lines cannot be read.
        """
        loop = asyncio.get_running_loop()
        while True:
            # Of a course that is gone the last lines tell so.
            if self.ended not in (None, End.COURSE):
                return None
            part = await self._part()
            if part or self.ended is not None:
                return part or None
            now = loop.time()
            if self.ends_at is not None and now >= self.ends_at:
                self.end(End.OVER)
            elif now >= self.quiet_since + quiet:
                return b""
            else:
                await self._wait()

    async def _part(self) -> bytes:
        self._is_live = self.position >= self.channel.since
        if self._is_live:
            self.position, part = self.channel.after(self.position)
            return part
        until = self.channel.since
        lines = await self._history(self.channel.course_id, self.position, until)
        self.position = lines[-1].seq if len(lines) == MOST_AT_ONCE else max(until, self.position)
        return b"".join(map(self._render, lines))

    def begin_sending(self, now: float) -> None:
        self.sending_since = now

    def has_sent(self, now: float) -> None:
        self.quiet_since, self.sending_since = now, None
        if self._is_live and self.position < self.channel.since:
            self.end(End.SLOW)

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
