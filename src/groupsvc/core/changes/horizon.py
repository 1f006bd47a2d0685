"""How far the change log is settled: below, nothing is still to be committed.

Numbers of lines are drawn before transactions commit. Whoever remembers the highest one that was
seen loses what a transaction that took longer adds below it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from groupsvc.core.changes.feed import BEGINNING, FeedRepository, Look, Position
from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork

PAUSE: Final = 0.01  # seconds until another look, while somebody writes


class Horizon:
    """Remembers who was writing when which line was the newest: once they are over, all lines up to
    it are there.

    What it remembers stays right however long nobody looks. ``past`` counts how often the log has
    turned out to be that of another past, as after the restoration of a backup.
    """

    def __init__(self, units: TransactionRunner) -> None:
        self._units = units
        self.settled, self.newest = BEGINNING, BEGINNING
        self.past = 0
        self._has_looked = False
        self._marks: deque[tuple[Position, frozenset[str]]] = deque()
        self._turn = asyncio.Lock()
        self._begun = self._done = 0

    @property
    def is_behind(self) -> bool:
        """Whether lines are seen that are not settled."""
        return bool(self._marks)

    async def settle(self, patience: float) -> Position:
        """How far it is once all that is committed by now is settled, or after so many seconds."""
        await self.look()
        wanted, loop = self.newest.seq, asyncio.get_running_loop()
        end = loop.time() + patience
        while self.settled.seq < wanted and loop.time() < end:
            await asyncio.sleep(PAUSE)
            await self.look()
        return self.settled

    async def look(self) -> None:
        """Look now, or share what those see who do so a little later. Raises UnavailableError."""
        before = self._begun
        async with self._turn:
            if self._done <= before:
                self._begun += 1
                self._see(await self._units.run("live", _look(self.settled), reading=True))
                self._done = self._begun

    def _see(self, look: Look) -> None:
        if not self._has_looked or not look.is_known:
            self.past += 1 if self._has_looked else 0
            self._has_looked = True
            self._marks.clear()
            self.settled = look.sealed
        self.newest = look.newest
        last = self._marks[-1][0] if self._marks else self.settled
        if look.newest.seq > last.seq:
            self._marks.append((look.newest, look.writers))
        known, self._marks = self._marks, deque()
        for position, held in known:
            left = held & look.writers
            if not left:
                self.settled = position
                self._marks.clear()
                continue
            if self._marks and self._marks[-1][1] == left:
                self._marks.pop()  # both are settled when the same ones are over
            self._marks.append((position, left))


def _look(anchor: Position) -> Callable[[UnitOfWork], Awaitable[Look]]:
    async def work(uow: UnitOfWork) -> Look:
        return await uow.repository(FeedRepository).look(anchor)

    return work
