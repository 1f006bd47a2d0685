"""Fills bounded places with classes of alike demands, and says where that cannot be: no solver."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Demand: TypeAlias = tuple[tuple[int, ...], int]  # where a class may go, how many it has


@dataclass(frozen=True, slots=True)
class Shortage:
    """``demands`` can only go to ``places``, which have ``missing`` too few."""

    demands: tuple[int, ...]
    places: tuple[int, ...]
    missing: int


class Transport:
    def __init__(self, demands: Sequence[Demand], room: Sequence[int]) -> None:
        self._demands, self._room = demands, list(room)
        self._taken: list[dict[int, int]] = [{} for _ in room]

    def shortage(self) -> Shortage | None:
        """None if everyone finds a place; otherwise a smallest set of places that lacks some."""
        left = [self._fill(at, count) for at, (_, count) in enumerate(self._demands)]
        for at, count in enumerate(left):
            if count and (reached := self._improve(at, count)) is not None:
                return self._smallest(reached)
        return None

    def _fill(self, at: int, count: int) -> int:
        for place in self._demands[at][0]:
            taken = min(count, self._room[place])
            if taken:
                self._move(at, place, taken)
                count -= taken
        return count

    def _move(self, at: int, place: int, count: int) -> None:
        self._room[place] -= count
        self._taken[place][at] = self._taken[place].get(at, 0) + count
        if not self._taken[place][at]:
            del self._taken[place][at]

    def _improve(self, start: int, count: int) -> set[int] | None:
        """Others make room along shortest paths; the places that were reached, if they cannot."""
        while count:
            came: dict[int, int] = {}  # place: the demand that would go there
            left: dict[int, int] = {start: -1}  # demand: the place that it would leave
            end = self._search(start, came, left)
            if end is None:
                return set(came)
            count -= self._push(end, count, came, left)
        return None

    def _search(self, start: int, came: dict[int, int], left: dict[int, int]) -> int | None:
        queue = deque([start])
        while queue:
            at = queue.popleft()
            for place in self._demands[at][0]:
                if place in came:
                    continue
                came[place] = at
                if self._room[place]:
                    return place
                for other in self._taken[place]:
                    if other not in left:
                        left[other] = place
                        queue.append(other)
        return None

    def _push(self, end: int, count: int, came: dict[int, int], left: dict[int, int]) -> int:
        steps: list[tuple[int, int, int]] = []  # who, to where, from where
        place, amount = end, min(count, self._room[end])
        while place != -1:
            who = came[place]
            steps.append((who, place, left[who]))
            if left[who] != -1:
                amount = min(amount, self._taken[left[who]][who])
            place = left[who]
        for who, to, source in steps:
            if source != -1:
                self._move(who, source, -amount)
            self._move(who, to, amount)
        return amount

    def _smallest(self, reached: set[int]) -> Shortage:
        room = [self._room[place] + sum(taken.values()) for place, taken in enumerate(self._taken)]
        kept = set(reached)
        for place in sorted(reached):
            if self._missing(kept - {place}, room) > 0:
                kept.discard(place)
        confined = tuple(
            at for at, (to, count) in enumerate(self._demands) if count and kept >= set(to)
        )
        return Shortage(confined, tuple(sorted(kept)), self._missing(kept, room))

    def _missing(self, places: set[int], room: list[int]) -> int:
        confined = sum(count for to, count in self._demands if places >= set(to))
        return confined - sum(room[place] for place in places)
