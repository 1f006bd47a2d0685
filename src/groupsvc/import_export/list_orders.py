"""Where rows want partitions and groups to stand in their lists.

Lists are put in order when all rows are in: a row alone does not tell where the others go.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from groupsvc.domain.natural_order import natural_key


class List(NamedTuple):
    """The groups of a partition, or without one the partitions of a course."""

    course_id: int
    partition_id: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What rows ask of one list: places, counted from 1, and what goes by its name instead.

    Both are ids in the order of the rows.
    """

    places: Mapping[int, int] = field(default_factory=dict[int, int])
    by_name: frozenset[int] = frozenset()

    def __or__(self, other: "Wanted") -> "Wanted":
        return Wanted({**self.places, **other.places}, self.by_name | other.by_name)

    def arrange(self, names: Mapping[int, str]) -> list[int]:
        """The ids in their new order; ``names`` are in the present one."""
        return _placed(_by_name(list(names), names, self.by_name), self.places)


Orders = Mapping[List, Wanted]


def both(one: Orders, other: Orders) -> Orders:
    return {**one, **{key: one.get(key, Wanted()) | wanted for key, wanted in other.items()}}


def by_names(groups: Iterable[tuple[Sequence[int], int]]) -> Orders:
    """Groups, each with its course and partition, that go by their names."""
    found: dict[List, set[int]] = {}
    for place, group_id in groups:
        found.setdefault(List(*place), set()).add(group_id)
    return {of: Wanted(by_name=frozenset(ids)) for of, ids in found.items()}


def _by_name(ids: list[int], names: Mapping[int, str], named: frozenset[int]) -> list[int]:
    """Those that go by name share their places out anew, in natural order."""
    tidy = iter(sorted(named.intersection(ids), key=lambda each: natural_key(names[each])))
    return [next(tidy) if each in named else each for each in ids]


def _placed(ids: Sequence[int], places: Mapping[int, int]) -> list[int]:
    """Each where it wants to be, the first of equals first; the others keep their order around."""
    order = [each for each in ids if each not in places]
    known = frozenset(ids)
    least = 0
    for each in sorted(places, key=lambda each: places[each]):
        if each in known:
            least = max(min(places[each] - 1, len(order)), least)
            order.insert(least, each)
            least += 1
    return order
