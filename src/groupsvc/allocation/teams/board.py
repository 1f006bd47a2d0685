"""All that a search asks of a problem of teams: units, where they may be, measures."""

from collections.abc import Sequence
from typing import Final, TypeAlias

from groupsvc.allocation.instance import Instance
from groupsvc.allocation.rules import Stay, Together
from groupsvc.allocation.teams.measures import WHOLE, Measure, measure_of
from groupsvc.allocation.wishes.ranks import OTHERS

Key: TypeAlias = tuple[int, ...]  # hard rules broken, then each soft rule
# A rule weighs so many times the next one while a search looks around.
RATIO: Final = 3


class Sizes(Measure):
    """Members that a group lacks or has too many of."""

    def __init__(self, instance: Instance) -> None:
        self.least, self.most = instance.least, instance.most

    def of(self, group: int, members: Sequence[int]) -> int:
        size = len(members)
        return max(self.least[group] - size, size - self.most[group], 0)


class Board:
    def __init__(self, instance: Instance, limit: int | None) -> None:
        self.instance = instance
        self.rules = instance.problem.rules
        self.measures = [measure_of(instance, rule) for rule in self.rules]
        self.allowed = [instance.may_be(at, limit)[0] for at in range(len(instance.people))]
        self.units = _units(instance)
        self._unit_of = {who: at for at, unit in enumerate(self.units) for who in unit}
        self._mates = _mates(instance)
        self._stays = any(isinstance(rule, Stay) for rule in self.rules)
        self.unit_allowed = [self._common(unit) for unit in self.units]
        hard = [m for m, rule in zip(self.measures, self.rules, strict=True) if rule.hard]
        self.drawn_to = [self._attractions(unit) for unit in self.units]
        self.hard: list[Measure] = [Sizes(instance), *hard]
        self.soft = [m for m, rule in zip(self.measures, self.rules, strict=True) if not rule.hard]
        count = len(self.soft)
        soft_weights = [each.weight * RATIO ** (count - at) for at, each in enumerate(self.soft, 1)]
        self.weights = [WHOLE * RATIO**count, *soft_weights]
        # Rules that a group keeps or breaks; of others, any group has something.
        self.counted = (True, *(measure.weight == WHOLE for measure in self.soft))
        self._empty = [
            least if least and not group.optional else 0
            for least, group in zip(instance.least, instance.groups, strict=True)
        ]
        self.constant: Key = (
            sum(measure.constant for measure in self.hard),
            *(measure.constant for measure in self.soft),
        )

    def _common(self, unit: list[int]) -> tuple[int, ...]:
        others = [set(self.allowed[at]) for at in unit[1:]]
        return tuple(at for at in self.allowed[unit[0]] if all(at in each for each in others))

    def _attractions(self, unit: list[int]) -> list[int]:
        """Where a unit would be better off: other units that it should be with, and as
        ``-1 - group`` the groups that it wishes for or comes from. Chance rarely finds these.
        """
        found: set[int] = set()
        for at in unit:
            found |= {self._unit_of[mate] for mate in self._mates.get(at, ())}
            found |= {-1 - group for group in self.instance.ranks[at] if group != OTHERS}
            current = self.instance.current[at]
            if self._stays and current is not None:
                found.add(-1 - current)
        return sorted(found - {self._unit_of[unit[0]]})

    def of(self, group: int, members: Sequence[int]) -> Key:
        """What a group breaks: hard rules together, then each soft one."""
        if not members:
            return (self._empty[group], *(0 for _ in self.soft))
        hard = 0
        for measure in self.hard:
            hard += measure.of(group, members)
        return (hard, *[measure.of(group, members) for measure in self.soft])

    def key(self, members: Sequence[Sequence[int]]) -> Key:
        groups = [self.of(group, each) for group, each in enumerate(members)]
        return tuple(map(sum, zip(self.constant, *groups, strict=True)))

    def members(self, assignment: Sequence[int]) -> list[list[int]]:
        members: list[list[int]] = [[] for _ in self.instance.groups]
        for who, group in enumerate(assignment):
            members[group].append(who)
        return members


def _mates(instance: Instance) -> dict[int, set[int]]:
    mates: dict[int, set[int]] = {}
    for rule in instance.problem.rules:
        if isinstance(rule, Together) and not rule.hard:
            for party in instance.indices("", rule.parties):
                for at in party:
                    mates.setdefault(at, set()).update(party)
    return mates


def _units(instance: Instance) -> list[list[int]]:
    """Hard parties whole, also those that share someone; everybody else alone."""
    leader = list(range(len(instance.people)))

    def find(at: int) -> int:
        while leader[at] != at:
            leader[at] = at = leader[leader[at]]
        return at

    for rule in instance.problem.rules:
        if isinstance(rule, Together) and rule.hard:
            for party in instance.indices("", rule.parties):
                for at in party[1:]:
                    leader[find(at)] = find(party[0])
    units: dict[int, list[int]] = {}
    for at in range(len(leader)):
        units.setdefault(find(at), []).append(at)
    return list(units.values())
