"""All wishes as columns: who, which group, at which rank."""

from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from groupsvc.allocation.instance import FAR, Instance


@dataclass(frozen=True, slots=True)
class WishColumns:
    """``others`` is the rank of groups that a participant did not wish for, ``FAR`` if refused."""

    person: NDArray[np.int64]
    group: NDArray[np.int64]
    rank: NDArray[np.int64]
    others: NDArray[np.int64]


def wish_columns(instance: Instance) -> WishColumns:
    """The same ranks as ``ranks_of`` gives, which tests compare."""
    count, wishes = len(instance.people), instance.wishes
    if wishes is None:
        none = np.zeros(0, np.int64)
        return WishColumns(none, none, none, np.zeros(count, np.int64))
    told = [each.wishes for each in instance.people]
    person = np.repeat(np.arange(count), [len(each) for each in told])
    names = chain.from_iterable(told)
    group = np.fromiter(map(instance.group.__getitem__, names), np.int64, len(person))
    values = chain.from_iterable(each.values() for each in told)
    rank = np.fromiter(values, np.int64, len(person))
    if wishes.scale == "points":
        best = np.zeros(count, np.int64)
        np.maximum.at(best, person, rank)
        rank = 1 + best[person] - rank
    elif wishes.scale == "approval":
        yes = rank > 0
        person, group = person[yes], group[yes]
        rank = np.ones(len(person), np.int64)
    worst = np.zeros(count, np.int64)
    np.maximum.at(worst, person, rank)
    others = np.where(worst == 0, 0, worst + 1 if wishes.outside else FAR)
    return WishColumns(person, group, rank, others)
