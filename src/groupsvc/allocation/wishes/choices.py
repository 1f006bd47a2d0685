"""What each participant may get and what it costs: all that a flow and its certificate know.

In columns: half a million wishes are a few arrays, and not as many objects.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groupsvc.allocation.instance import FAR, Instance
from groupsvc.allocation.rules import Stay, Wishes
from groupsvc.allocation.wishes.columns import WishColumns, wish_columns

Numbers: TypeAlias = NDArray[np.int64]
NOWHERE: Final = -1


@dataclass(frozen=True, slots=True)
class Choices:
    """Arc by arc: ``person`` may have ``group`` at ``cost``.

    Who may be in any group of a large set at one cost is of its ``pool``, at ``pool_cost``; a flow
    then needs one arc and not hundreds. ``pools`` are the groups of each set.
    """

    count: int
    person: Numbers
    group: Numbers
    cost: Numbers
    pool: Numbers
    pool_cost: Numbers
    pools: tuple[Numbers, ...]

    @property
    def leave_out(self) -> bool:
        """Whether somebody has no choice at all."""
        return bool(np.any((np.bincount(self.person, minlength=self.count) == 0) & (self.pool < 0)))

    def costs(self, assignment: Numbers) -> Numbers:
        """What each pays for their group; ``FAR`` if they may not have it."""
        costs = np.full(self.count, FAR * FAR, np.int64)
        taken = assignment[self.person] == self.group
        np.minimum.at(costs, self.person[taken], self.cost[taken])
        for number, groups in enumerate(self.pools):
            inside = np.flatnonzero((self.pool == number) & np.isin(assignment, groups))
            costs[inside] = np.minimum(costs[inside], self.pool_cost[inside])
        return costs

    def free(self) -> "Choices":
        """The same choices at no cost."""
        none, nothing = np.zeros_like(self.cost), np.zeros_like(self.pool_cost)
        return Choices(self.count, self.person, self.group, none, self.pool, nothing, self.pools)


def choices_of(instance: Instance, limit: int | None, *, alone: bool = False) -> Choices:
    """What each choice costs by wishes and, unless ``alone``, by the moves that it makes.

    The rule that comes first costs so much that nothing of the other outweighs it.
    """
    columns = wish_columns(instance)
    per_rank, per_move = (1, 0) if alone else _weights(instance, columns)
    most = FAR - 1 if limit is None else limit
    classes, admitted, pools = _eligibility(instance)
    pinned = _pins(instance)
    free = pinned == NOWHERE
    current = np.array([NOWHERE if at is None else at for at in instance.current], np.int64)
    pooled = free & (columns.others <= most)
    pool = np.where(pooled, classes, NOWHERE)
    moved = np.where(current == NOWHERE, 0, per_move)
    others_cost = _cost(instance, np.where(pooled, columns.others, 0)) * per_rank
    kept = free[columns.person] & (columns.rank <= most)
    kept &= admitted[classes[columns.person], columns.group]
    person, group = columns.person[kept], columns.group[kept]
    cost = _cost(instance, columns.rank[kept]) * per_rank + moved[person] * (
        group != current[person]
    )
    # Who would stay at the cost of any other group, and who is pinned, have an arc of their own.
    staying = np.flatnonzero(pooled & (current != NOWHERE) & admitted[classes, current])
    fixed = np.flatnonzero(~free)
    return Choices(
        len(instance.people),
        np.concatenate([person, staying, fixed]),
        np.concatenate([group, current[staying], pinned[fixed]]),
        np.concatenate(
            [cost, others_cost[staying], _pin_costs(instance, columns, pinned) * per_rank]
        ),
        pool,
        others_cost + moved,
        pools,
    )


def _pins(instance: Instance) -> Numbers:
    pinned = np.full(len(instance.people), NOWHERE, np.int64)
    for who, group in instance.pinned.items():
        pinned[who] = group
    return pinned


def _pin_costs(instance: Instance, columns: WishColumns, pinned: Numbers) -> Numbers:
    """A pin may lead where nobody wished to be: that costs what other groups do, or nothing."""
    ranks = np.where(columns.others < FAR, columns.others, 0)
    wished = columns.group == pinned[columns.person]
    ranks[columns.person[wished]] = columns.rank[wished]
    return _cost(instance, ranks[pinned != NOWHERE])


def _eligibility(instance: Instance) -> tuple[Numbers, NDArray[np.bool_], tuple[Numbers, ...]]:
    """The class of each participant, what each class admits by group, and its groups."""
    numbers = {groups: at for at, groups in enumerate(instance.eligible_classes)}
    classes = np.array([numbers[groups] for groups in instance.eligible], np.int64)
    admitted = np.zeros((len(numbers), len(instance.groups)), np.bool_)
    for groups, at in numbers.items():
        admitted[at, list(groups)] = True
    return classes, admitted, tuple(np.array(groups, np.int64) for groups in numbers)


def _weights(instance: Instance, columns: WishColumns) -> tuple[int, int]:
    """What a rank and what a move cost; the rule that is not there costs nothing."""
    kinds = [rule.kind for rule in instance.problem.rules if isinstance(rule, Stay | Wishes)]
    people = len(instance.people)
    if "stay" not in kinds:
        return 1, 0
    if kinds[0] == "stay":
        others = columns.others[columns.others < FAR]
        worst = _cost(instance, np.array([0, *columns.rank.tolist(), *others.tolist()])).max()
        return 1, people * int(worst) + 1
    return people + 1, 1


def _cost(instance: Instance, ranks: Numbers) -> Numbers:
    total = instance.wishes is not None and instance.wishes.aim == "total"
    return ranks if total else ranks * ranks
