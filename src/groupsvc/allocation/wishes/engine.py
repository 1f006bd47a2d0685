"""Wishes exactly: the flow of least cost, also where groups may stay empty or ranks are bounded."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from groupsvc.allocation.instance import Instance
from groupsvc.allocation.wishes.certificate import Branch, bounds_in, lower_bound
from groupsvc.allocation.wishes.choices import Choices, choices_of
from groupsvc.allocation.wishes.flow import prices_of, solve_flow

# So many ways to open and close optional groups are looked at; then the gap is told.
MOST_BRANCHES: Final = 2000
Stopped = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Placement:
    """``bound`` is a cost that nothing is below; at ``cost`` the placement is optimal."""

    assignment: list[int]
    cost: int
    bound: int
    limit: int | None
    branches: tuple[Branch, ...]


@dataclass(slots=True)
class _Best:
    assignment: list[int] | None = None
    cost: int = 0

    def beats(self, bound: int) -> bool:
        return self.assignment is not None and self.cost <= bound


def place(instance: Instance, stopped: Stopped, *, alone: bool = False) -> Placement | None:
    """The placement of least cost, or None if there is none; ``alone``: wishes only."""
    limit = instance.wishes.limit if instance.wishes else None
    if instance.wishes and instance.wishes.aim == "smallest":
        limit = smallest_limit(instance, stopped)
        if limit is None:
            return None
    return _branch(instance, choices_of(instance, limit, alone=alone), limit, stopped)


def smallest_limit(instance: Instance, stopped: Stopped) -> int | None:
    """The best rank within which there is a place for everyone."""
    ranks = sorted({rank for each in instance.ranks for rank in each.values()}) or [1]
    low, high = 0, len(ranks) - 1
    if not _feasible(instance, ranks[high], stopped):
        return None
    while low < high:
        middle = (low + high) // 2
        if _feasible(instance, ranks[middle], stopped):
            high = middle
        else:
            low = middle + 1
    return ranks[low]


def _feasible(instance: Instance, limit: int, stopped: Stopped) -> bool:
    choices = choices_of(instance, limit, alone=True).free()
    return _branch(instance, choices, limit, stopped, any_will_do=True) is not None


def _branch(
    instance: Instance,
    choices: Choices,
    limit: int | None,
    stopped: Stopped,
    *,
    any_will_do: bool = False,
) -> Placement | None:
    """Flows that let optional groups be small, until none is smaller than it may be."""
    if choices.leave_out:
        return None
    optional = [group.optional for group in instance.groups]
    best, leaves = _Best(), list[Branch]()
    waiting = [Branch(frozenset(), frozenset(), None)]
    bounds: list[int] = []
    looked_at = 0
    while waiting:
        branch = waiting.pop()
        looked_at += 1
        low, high = bounds_in(branch, instance.least, instance.most, optional)
        found = solve_flow(choices, low, high, instance.problem.seed)
        if found is None:
            leaves.append(branch)
            continue
        prices = prices_of(choices, found, low, high)
        bound = lower_bound(choices, prices, low, high)
        priced = Branch(branch.opened, branch.closed, prices)
        small = None if best.beats(bound) else _too_small(instance, found.tolist())
        if small is None:
            leaves.append(priced)
            bounds.append(bound)
            if not best.beats(bound):
                best = _Best(found.tolist(), bound)
            if any_will_do:
                break
        elif looked_at >= MOST_BRANCHES or stopped():
            leaves.append(priced)
            bounds.append(bound)
        else:
            waiting.append(Branch(branch.opened | {small}, branch.closed, None))
            waiting.append(Branch(branch.opened, branch.closed | {small}, None))
    if best.assignment is None:
        return None
    return Placement(best.assignment, best.cost, min(bounds), limit, tuple(leaves))


def _too_small(instance: Instance, assignment: list[int]) -> int | None:
    """The optional group that lacks most of its minimum."""
    taken = [0] * len(instance.groups)
    for group in assignment:
        taken[group] += 1
    lacking = [
        (need - have, at)
        for at, (need, have) in enumerate(zip(instance.least, taken, strict=True))
        if 0 < have < need
    ]
    return max(lacking)[1] if lacking else None
