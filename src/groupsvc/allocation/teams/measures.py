"""What breaks a rule in a group, in whole numbers: 0 where nothing does.

Rules add up over groups, so that a search asks again for the groups that have changed only.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Final

from groupsvc.allocation import rules
from groupsvc.allocation.instance import Instance
from groupsvc.allocation.wishes.ranks import OTHERS, cost_of

# How much a search makes of 1, so that rules of the same importance are comparable.
WHOLE: Final = 1000


class Measure(ABC):
    """``weight`` is what 1 counts in a search; ``constant`` is added once to the sum of groups."""

    weight = WHOLE
    constant = 0

    @abstractmethod
    def of(self, group: int, members: Sequence[int]) -> int:
        """What is broken in a group, which has a member at least."""


class Sets(Measure):
    """Pairs of a set in one group: as many as possible, or as few."""

    def __init__(self, sets: list[list[int]], people: int, *, wanted: bool) -> None:
        self.sets, self._sign = sets, -1 if wanted else 1
        self._of: list[tuple[int, ...]] = [()] * people
        for at, each in enumerate(sets):
            for who in each:
                self._of[who] += (at,)
        if wanted:
            self.constant = sum(len(each) * (len(each) - 1) // 2 for each in sets)

    def of(self, group: int, members: Sequence[int]) -> int:
        seen: dict[int, int] = {}
        pairs = 0
        for who in members:
            for each in self._of[who]:
                met = seen.get(each, 0)
                pairs += met
                seen[each] = met + 1
        return self._sign * pairs


class _Valued(Measure):
    """A rule about the value of an attribute; nobody's is None."""

    def __init__(self, instance: Instance, attribute: str) -> None:
        names = sorted(
            {each.attributes[attribute] for each in instance.people if attribute in each.attributes}
        )
        self.number = {name: at for at, name in enumerate(names)}
        self.values = [
            self.number.get(each.attributes.get(attribute, ""), -1) for each in instance.people
        ]

    def _count(self, members: Sequence[int]) -> dict[int, int]:
        values, counts = self.values, dict[int, int]()
        for who in members:
            value = values[who]
            if value >= 0:
                counts[value] = counts.get(value, 0) + 1
        return counts


class Spread(_Valued):
    """How far each value is from its share of the group, rounded either way."""

    def __init__(self, instance: Instance, rule: rules.Spread) -> None:
        super().__init__(instance, rule.attribute)
        self.totals = Counter(value for value in self.values if value >= 0)
        self.people = len(self.values)

    def of(self, group: int, members: Sequence[int]) -> int:
        counts, size = self._count(members), len(members)
        broken = 0
        for value, total in self.totals.items():
            share, rest = divmod(total * size, self.people)
            have = counts.get(value, 0)
            if have < share:
                broken += share - have
            elif have > share + (rest > 0):
                broken += have - share - (rest > 0)
        return broken


class Cluster(_Valued):
    def __init__(self, instance: Instance, rule: rules.Cluster) -> None:
        super().__init__(instance, rule.attribute)

    def of(self, group: int, members: Sequence[int]) -> int:
        counts = self._count(members)
        return sum(counts.values()) - max(counts.values(), default=0)


class NeverAlone(_Valued):
    def __init__(self, instance: Instance, rule: rules.NeverAlone) -> None:
        super().__init__(instance, rule.attribute)
        if rule.values:
            kept = {self.number[value] for value in rule.values if value in self.number}
            self.values = [value if value in kept else -1 for value in self.values]

    def of(self, group: int, members: Sequence[int]) -> int:
        if len(members) < 2:
            return 0
        return sum(count == 1 for count in self._count(members).values())


class Quota(_Valued):
    def __init__(self, instance: Instance, rule: rules.Quota) -> None:
        super().__init__(instance, rule.attribute)
        wanted = self.number.get(rule.value, -2)
        self.has = [int(value == wanted) for value in self.values]
        self.least, self.most = rule.least, rule.most

    def of(self, group: int, members: Sequence[int]) -> int:
        have = sum([self.has[who] for who in members])
        if have < self.least:
            return self.least - have
        return have - self.most if self.most is not None and have > self.most else 0


class Balance(Measure):
    """How far the mean of a group is from that of all, times its members.

    In thousandths of the range; of variances, the number is the squared distance from the mean.
    """

    weight = 1

    def __init__(self, instance: Instance, rule: rules.Balance) -> None:
        self.numbers = [each.numbers[rule.number] for each in instance.people]
        people = len(self.numbers)
        if rule.of == "variance":
            total = sum(self.numbers)
            self.numbers = [(people * number - total) ** 2 for number in self.numbers]
        self.people, self.total = people, sum(self.numbers)
        self.range = max(1, max(self.numbers) - min(self.numbers))
        self.tolerance = rule.tolerance
        self.unit = people * self.range

    def of(self, group: int, members: Sequence[int]) -> int:
        numbers, size = self.numbers, len(members)
        away = abs(self.people * sum([numbers[who] for who in members]) - size * self.total)
        return max(0, away * 1000 // self.unit - self.tolerance * size)


class Overlap(Measure):
    def __init__(self, instance: Instance, rule: rules.Overlap) -> None:
        self.free = [sum(1 << slot for slot in set(each.free)) for each in instance.people]
        self.slots = rule.slots

    def of(self, group: int, members: Sequence[int]) -> int:
        shared = -1
        for who in members:
            shared &= self.free[who]
        return max(0, self.slots - shared.bit_count())


class MeetNew(Measure):
    """Pairs that meet again, as often as they have met."""

    def __init__(self, instance: Instance, rule: rules.MeetNew) -> None:
        self.met: list[dict[int, int]] = [{} for _ in instance.people]
        for group in instance.past(rule):
            for who in group:
                for other in group:
                    if who != other:
                        self.met[who][other] = self.met[who].get(other, 0) + 1

    def of(self, group: int, members: Sequence[int]) -> int:
        pairs = 0
        for at, who in enumerate(members):
            met = self.met[who]
            if met:
                pairs += sum([met.get(other, 0) for other in members[:at]])
        return pairs


class Each(Measure):
    """What a group costs each of its members: wishes, or having left one's own group."""

    def __init__(self, costs: list[dict[int, int]], others: list[int], weight: int) -> None:
        self.costs, self.others, self.weight = costs, others, weight

    def cost(self, who: int, group: int) -> int:
        return self.costs[who].get(group, self.others[who])

    def of(self, group: int, members: Sequence[int]) -> int:
        return sum([self.costs[who].get(group, self.others[who]) for who in members])


def _wishes(instance: Instance, rule: rules.Wishes) -> Each:
    costs = [
        {group: cost_of(rule, rank) for group, rank in ranks.items() if group != OTHERS}
        for ranks in instance.ranks
    ]
    return Each(costs, [cost_of(rule, ranks.get(OTHERS, 0)) for ranks in instance.ranks], 100)


def _stay(instance: Instance) -> Each:
    costs = [{} if now is None else {now: 0} for now in instance.current]
    return Each(costs, [int(now is not None) for now in instance.current], WHOLE)


def measure_of(instance: Instance, rule: rules.Rule) -> Measure:  # noqa: C901 - a line for each rule
    people = len(instance.people)
    match rule:
        case rules.Together():
            return Sets(instance.indices("", rule.parties), people, wanted=True)
        case rules.Apart():
            return Sets(instance.indices("", rule.sets), people, wanted=False)
        case rules.Spread():
            return Spread(instance, rule)
        case rules.Cluster():
            return Cluster(instance, rule)
        case rules.NeverAlone():
            return NeverAlone(instance, rule)
        case rules.Quota():
            return Quota(instance, rule)
        case rules.Balance():
            return Balance(instance, rule)
        case rules.Overlap():
            return Overlap(instance, rule)
        case rules.MeetNew():
            return MeetNew(instance, rule)
        case rules.Wishes():
            return _wishes(instance, rule)
        case rules.Stay():
            return _stay(instance)
