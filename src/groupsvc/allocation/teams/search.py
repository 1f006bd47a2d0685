"""Annealed swaps and moves. The same seed takes the same steps on every machine: all is counted in
whole numbers, and steps bound a search, not seconds.
"""

import hashlib
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from groupsvc.allocation.teams.board import Board, Key
from groupsvc.allocation.teams.measures import WHOLE

STEPS_BETWEEN_LOOKS: Final = 512
STEPS_BETWEEN_HOT: Final = 128
# Of a search: the rest takes only what is no worse, the first rule first.
ANNEALED: Final = (4, 5)
HOTTEST: Final = 4 * WHOLE
# How much worse a step may be, in parts of the temperature: as often as by Boltzmann.
_TOLERANCE: Final = [round(-1024 * math.log((at + 0.5) / 1024)) for at in range(1024)]

# Told now and then: steps, the best key so far, its assignment. Returns whether to go on.
Watch = Callable[[int, Key, list[int]], bool]


@dataclass(frozen=True, slots=True)
class Found:
    key: Key
    assignment: list[int]
    steps: int
    whole: bool


def steps_for(people: int) -> int:
    return max(10_000, 100 * people)


def seed_of(seed: int, start: int) -> int:
    """Starts are independent, and the same whoever runs them."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{start}".encode()).digest()[:8])


class Search:
    def __init__(self, board: Board, start: int) -> None:
        self._board = board
        self._draw = random.Random(seed_of(board.instance.problem.seed, start)).random  # noqa: S311
        self._units, self._allowed = board.units, board.unit_allowed
        self._allowed_set = [frozenset(each) for each in board.unit_allowed]
        self._least, self._most = board.instance.least, board.instance.most
        self._optional = [group.optional for group in board.instance.groups]
        # Who is pinned is never drawn.
        self._movable = [at for at, to in enumerate(self._allowed) if len(to) > 1]
        self._drawn_to = board.drawn_to
        self._where = [0] * len(self._units)
        self._inside: list[list[int]] = [[] for _ in self._most]  # units
        self._members: list[list[int]] = [[] for _ in self._most]
        self._hot: list[int] = []
        self._fill()
        self._keys = [board.of(at, each) for at, each in enumerate(self._members)]
        self._energies = [self._energy(key) for key in self._keys]
        self._key = board.key(self._members)
        self._best, self._best_key = self._assignment(), self._key
        self._lowest = self._total = sum(self._energies)

    def _energy(self, key: Key) -> int:
        energy = 0
        for weight, part in zip(self._board.weights, key, strict=True):
            energy += weight * part
        return energy

    def _fill(self) -> None:
        """The least free first, and large units before small ones, where most places are left."""
        drawn = [self._draw() for _ in self._units]
        order = sorted(
            range(len(self._units)),
            key=lambda at: (len(self._allowed[at]), -len(self._units[at]), drawn[at]),
        )
        closed = self._closed()
        for at in order:
            size = len(self._units[at])
            group = min(self._allowed[at], key=lambda each: self._fullness(each, size, closed))
            self._where[at] = group
            self._inside[group].append(at)
            self._members[group] += self._units[at]

    def _closed(self) -> set[int]:
        """Optional groups that this start leaves empty: as many as it likes and can do without."""
        spare = sum(self._most) - len(self._board.instance.people)
        closed: set[int] = set()
        optional = [at for at, may in enumerate(self._optional) if may]
        drawn = {at: self._draw() for at in optional}
        for at in sorted(optional, key=drawn.__getitem__):
            if self._most[at] <= spare and self._draw() < 0.5:
                closed.add(at)
                spare -= self._most[at]
        return closed

    def _fullness(
        self, group: int, size: int, closed: set[int]
    ) -> tuple[bool, bool, bool, float, float]:
        taken = len(self._members[group])
        least, most = self._least[group], self._most[group]
        over, enough = taken + size > most, taken >= least
        return (over, group in closed, enough, taken / most, self._draw())

    def _assignment(self) -> list[int]:
        assignment = [0] * len(self._board.instance.people)
        for group, members in enumerate(self._members):
            for who in members:
                assignment[who] = group
        return assignment

    def run(self, steps: int, watch: Watch, until: int | None = None) -> Found:
        """So many steps; ``until`` ends after fewer, as a search did that was stopped there."""
        annealed = steps * ANNEALED[0] // ANNEALED[1]
        last = steps if until is None else min(until, steps)
        step = 0
        while step < last and any(self._best_key) and self._movable:
            if step % STEPS_BETWEEN_LOOKS == 0 and not watch(step, self._best_key, self._best):
                return Found(self._best_key, self._best, step, whole=False)
            if step % STEPS_BETWEEN_HOT == 0:
                self._look()
            if step < annealed:
                left = annealed - step
                self._step(HOTTEST * left * left // (annealed * annealed))
            else:
                if step == annealed:
                    self._return_to_best()
                self._step(None)
            step += 1
        return Found(self._best_key, self._best, step, whole=until is None)

    def _step(self, temperature: int | None) -> None:
        """One swap or move; without a temperature, only one that is no worse, rule by rule."""
        draw, where = self._draw, self._where
        unit = self._any_unit()
        if draw() < 0.5:
            if self._hot and draw() < 0.6:
                inside = self._inside[self._hot[int(draw() * len(self._hot))]]
                unit = inside[int(draw() * len(inside))] if inside else unit
            else:
                # Of three, the one whose group has most to gain.
                for other in (self._any_unit(), self._any_unit()):
                    if self._energies[where[other]] > self._energies[where[unit]]:
                        unit = other
        source, allowed = where[unit], self._allowed[unit]
        drawn_to = self._drawn_to[unit]
        if drawn_to and draw() < 0.5:
            mate = drawn_to[int(draw() * len(drawn_to))]
            target = where[mate] if mate >= 0 else -1 - mate
        else:
            target = allowed[int(draw() * len(allowed))]
        if target == source or target not in self._allowed_set[unit]:
            return
        partner = self._partner(unit, source, target)
        if partner is None:
            return
        back = self._units[partner] if partner >= 0 else []
        out = self._units[unit]
        of_source = [who for who in self._members[source] if who not in out] + back
        of_target = [who for who in self._members[target] if who not in back] + out
        self._judge(unit, partner, (source, of_source), (target, of_target), temperature)

    def _any_unit(self) -> int:
        return self._movable[int(self._draw() * len(self._movable))]

    def _look(self) -> None:
        """Groups that break what can be kept: late in a search there are few among many."""
        counted = self._board.counted
        self._hot = [
            group
            for group, key in enumerate(self._keys)
            if any(part > 0 and whole for part, whole in zip(key, counted, strict=True))
        ]

    def _partner(self, unit: int, source: int, target: int) -> int | None:
        """A unit to swap with, -1 for a move, None if neither keeps the sizes.

        While hard rules are broken, what is broken decides, sizes like the others.
        """
        size = len(self._units[unit])
        inside = self._inside[target]
        if self._fits(source, -size) and self._fits(target, size):
            if not inside or self._draw() < 0.5:
                return -1
        elif not inside:
            return None
        partner = inside[int(self._draw() * len(inside))]
        if source not in self._allowed_set[partner]:
            return None
        grows = size - len(self._units[partner])
        if grows and not (self._fits(source, -grows) and self._fits(target, grows)):
            return None
        return partner

    def _fits(self, group: int, more: int) -> bool:
        size = len(self._members[group]) + more
        if self._key[0] or self._least[group] <= size <= self._most[group]:
            return True
        return size == 0 and self._optional[group]

    def _judge(
        self,
        unit: int,
        partner: int,
        source: tuple[int, list[int]],
        target: tuple[int, list[int]],
        temperature: int | None,
    ) -> None:
        board, keys = self._board, self._keys
        (a, of_a), (b, of_b) = source, target
        key_a, key_b = board.of(a, of_a), board.of(b, of_b)
        energy_a, energy_b = self._energy(key_a), self._energy(key_b)
        rise = energy_a + energy_b - self._energies[a] - self._energies[b]
        if temperature is None:
            before = [x + y for x, y in zip(keys[a], keys[b], strict=True)]
            if [x + y for x, y in zip(key_a, key_b, strict=True)] > before:
                return
        elif rise > 0 and rise * 1024 > temperature * _TOLERANCE[int(self._draw() * 1024)]:
            return
        self._key = tuple(
            [
                whole - x - y + p + q
                for whole, x, y, p, q in zip(self._key, keys[a], keys[b], key_a, key_b, strict=True)
            ]
        )
        self._total += rise
        self._members[a], self._members[b] = of_a, of_b
        keys[a], keys[b] = key_a, key_b
        self._energies[a], self._energies[b] = energy_a, energy_b
        self._carry(unit, a, b)
        if partner >= 0:
            self._carry(partner, b, a)
        better = self._key < self._best_key
        if better if temperature is None else self._total < self._lowest or better:
            self._keep(better)

    def _carry(self, unit: int, source: int, target: int) -> None:
        self._inside[source].remove(unit)
        self._inside[target].append(unit)
        self._where[unit] = target

    def _keep(self, better: bool) -> None:
        self._lowest = min(self._lowest, self._total)
        if better:
            self._best, self._best_key = self._assignment(), self._key

    def _return_to_best(self) -> None:
        for inside in self._inside:
            inside.clear()
        for at, unit in enumerate(self._units):
            self._where[at] = self._best[unit[0]]
            self._inside[self._where[at]].append(at)
        self._members = self._board.members(self._best)
        self._keys = [self._board.of(at, each) for at, each in enumerate(self._members)]
        self._energies = [self._energy(key) for key in self._keys]
        self._key, self._total = self._best_key, sum(self._energies)
