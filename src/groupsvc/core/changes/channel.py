"""The last lines of courses that somebody follows, kept once for all who do."""

from bisect import bisect_right
from collections import deque
from typing import TYPE_CHECKING, Final

from groupsvc.core.changes.feed import Line

if TYPE_CHECKING:
    from groupsvc.core.changes.reader import Reader

MOST_AT_ONCE: Final = 200  # lines that a reader is given


class Channel:
    """What was changed in a course after ``since``, as bytes to be sent."""

    __slots__ = ("_lines", "_seqs", "course_id", "readers", "since")

    def __init__(self, course_id: int, since: int) -> None:
        self.course_id, self.since = course_id, since
        self.readers: set[Reader] = set()
        self._seqs: list[int] = []
        self._lines: list[bytes] = []

    def add(self, line: Line, text: bytes) -> None:
        self._seqs.append(line.seq)
        self._lines.append(text)

    def drop_oldest(self) -> None:
        if self._seqs:
            self.since = self._seqs.pop(0)
            del self._lines[0]

    def clear(self) -> None:
        self._seqs.clear()
        self._lines.clear()

    def after(self, seq: int) -> tuple[int, bytes]:
        """Some lines after that one, and the number of the last of them; no bytes for none."""
        first = bisect_right(self._seqs, seq)
        last = min(first + MOST_AT_ONCE, len(self._seqs))
        if first == last:
            return seq, b""
        return self._seqs[last - 1], b"".join(self._lines[first:last])

    def wake(self) -> None:
        for reader in self.readers:
            reader.wake()


class Memory:
    """All channels, which together keep so many lines at most."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.channels: dict[int, Channel] = {}
        self._order: deque[Channel] = deque()  # of their lines, oldest first

    def channel(self, course_id: int, since: int) -> Channel:
        found = self.channels.get(course_id)
        if found is None:
            found = self.channels[course_id] = Channel(course_id, since)
        return found

    def add(self, line: Line, text: bytes) -> Channel | None:
        """The channel that has it now; None when nobody follows the course any more."""
        channel = self.channels.get(line.course_id)
        if channel is None:
            return None
        channel.add(line, text)
        self._order.append(channel)
        if len(self._order) > self._most:
            self._order.popleft().drop_oldest()
        return channel

    def forget(self, channel: Channel) -> None:
        if self.channels.get(channel.course_id) is channel:
            del self.channels[channel.course_id]
        channel.clear()
