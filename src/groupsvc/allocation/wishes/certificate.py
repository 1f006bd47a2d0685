"""A proof that no assignment costs less: one price for each group. No solver is asked.

Whatever the prices, the sum of everyone's cheapest choice after prices, with what the bounds of
groups give back, is never more than the cost of any assignment (duality). Prices that reach the
cost of an assignment prove that it is optimal.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from groupsvc.allocation.instance import FAR
from groupsvc.allocation.wishes.choices import Choices


@dataclass(frozen=True, slots=True)
class Branch:
    """Optional groups that are taken to be open or empty, with prices, or without: impossible."""

    opened: frozenset[int]
    closed: frozenset[int]
    prices: tuple[int, ...] | None


def lower_bound(
    choices: Choices, prices: Sequence[int], least: Sequence[int], most: Sequence[int]
) -> int:
    """No assignment within ``least`` and ``most`` costs less than this, whatever the prices."""
    price = np.array(prices, np.int64)
    cheapest = np.full(choices.count, FAR * FAR, np.int64)
    np.minimum.at(cheapest, choices.person, choices.cost - price[choices.group])
    for number, groups in enumerate(choices.pools):
        inside = choices.pool == number
        pooled = choices.pool_cost[inside] - (price[groups].max() if len(groups) else 0)
        cheapest[inside] = np.minimum(cheapest[inside], pooled)
    back = sum(
        each * (least[group] if each >= 0 else most[group]) for group, each in enumerate(prices)
    )
    return int(cheapest.sum()) + back


def bounds_in(
    branch: Branch, least: Sequence[int], most: Sequence[int], optional: Sequence[bool]
) -> tuple[list[int], list[int]]:
    """Least and most of each group in a branch; what is not decided may be empty."""
    low = [
        need if (not may or at in branch.opened) else 0
        for at, (need, may) in enumerate(zip(least, optional, strict=True))
    ]
    high = [0 if at in branch.closed else each for at, each in enumerate(most)]
    return low, high


def cover(branches: Sequence[Branch]) -> bool:
    """Whether each way to open and close groups falls in one of them."""
    if not branches:
        return False
    undecided = branches[0].opened | branches[0].closed
    if not undecided:
        return True
    group = min(undecided)
    return all(
        cover(
            [
                Branch(each.opened - {group}, each.closed - {group}, each.prices)
                for each in branches
                if group not in (each.closed if opened else each.opened)
            ]
        )
        for opened in (True, False)
    )
