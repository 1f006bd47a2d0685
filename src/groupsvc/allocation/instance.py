"""A problem in numbers: participants and groups by index, who may be where and for what reason."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

from groupsvc.allocation.problem import Group, Participant, Problem, ProblemError
from groupsvc.allocation.rules import (
    Apart,
    Balance,
    Cluster,
    MeetNew,
    NeverAlone,
    Quota,
    Spread,
    Stay,
    Together,
    Wishes,
)
from groupsvc.allocation.wishes.ranks import OTHERS, ranks_of

PINNED: Final = "pinned"
ELIGIBLE: Final = "eligibility"
WISHED: Final = "wishes"
ANYWHERE: Final = "anywhere"
# A rank that nobody gives.
FAR: Final = 1 << 30
_NEVER_HARD: Final = {
    "stay": "only_unassigned keeps all who have a group",
    "wishes": "the aim limit says what must be met",
}


class Instance:
    """Participants are sorted by id: their order in the problem has no meaning."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.people = sorted(problem.participants, key=lambda each: each.id)
        self.groups = problem.groups
        _index("/participants", [each.id for each in problem.participants])
        self.person = {each.id: at for at, each in enumerate(self.people)}
        self.group = _index("/groups", [each.id for each in self.groups])
        self.least = [each.min for each in self.groups]
        self.most = [len(self.people) if each.max is None else each.max for each in self.groups]
        for at, each in enumerate(self.groups):
            if each.max is not None and each.max < each.min:
                raise ProblemError(f"/groups/{at}", "the maximum is below the minimum")
        self.wishes = self._wishes()
        self.pinned = self._pinned()
        self._may_be: dict[int | None, list[tuple[tuple[int, ...], str]]] = {}
        self._refuse_unknown()

    def _wishes(self) -> Wishes | None:
        found = [rule for rule in self.problem.rules if isinstance(rule, Wishes)]
        if len(found) > 1:
            raise ProblemError("/rules", "there is more than one rule about wishes")
        if found and (found[0].limit is None) is (found[0].aim == "limit"):
            raise ProblemError("/rules", "a limit is for the aim of that name, which needs it")
        return found[0] if found else None

    def _pinned(self) -> dict[int, int]:
        pins = dict(self.problem.pins)
        if self.problem.only_unassigned:
            held = {each.id: each.current for each in self.people if each.current is not None}
            pins = held | pins
        return {
            self._person(f"/pins/{who}", who): self._group(f"/pins/{who}", where)
            for who, where in pins.items()
        }

    def _refuse_unknown(self) -> None:
        ranked = self.wishes is not None and self.wishes.scale == "ranks"
        for at, each in enumerate(self.problem.participants):
            place = f"/participants/{at}"
            if not each.wishes.keys() <= self.group.keys():
                wished = min(each.wishes.keys() - self.group.keys())
                raise ProblemError(f"{place}/wishes/{wished}", f"there is no group {wished}")
            if each.current is not None:
                self._group(f"{place}/current", each.current)
            if ranked and 0 in each.wishes.values():
                raise ProblemError(f"{place}/wishes", "ranks begin at 1")
        self._refuse_unknown_in_rules()

    def _refuse_unknown_in_rules(self) -> None:
        attributes = {name for each in self.people for name in each.attributes}
        numbers = {name for each in self.people for name in each.numbers}
        for at, group in enumerate(self.groups):
            for name in group.eligible:
                _known(f"/groups/{at}/eligible", name, attributes)
        for at, rule in enumerate(self.problem.rules):
            if isinstance(rule, Stay | Wishes) and rule.hard:
                raise ProblemError(f"/rules/{at}/hard", _NEVER_HARD[rule.kind])
            if isinstance(rule, Spread | Cluster | NeverAlone | Quota):
                _known(f"/rules/{at}/attribute", rule.attribute, attributes)
            if isinstance(rule, Balance):
                _known(f"/rules/{at}/number", rule.number, numbers)
                self._refuse_missing(at, rule.number)
            if isinstance(rule, Quota) and rule.most is not None and rule.most < rule.least:
                raise ProblemError(f"/rules/{at}", "the most is below the least")
            self._refuse_strangers(at, rule)

    def _refuse_missing(self, at: int, number: str) -> None:
        for each in self.people:
            if number not in each.numbers:
                raise ProblemError(f"/rules/{at}/number", f"{each.id} has no {number}")

    def _refuse_strangers(self, at: int, rule: object) -> None:
        # Who has left may still be among the past.
        if isinstance(rule, Together):
            self.indices(f"/rules/{at}/parties", rule.parties)
        elif isinstance(rule, Apart):
            self.indices(f"/rules/{at}/sets", rule.sets)

    def indices(self, place: str, sets: Iterable[Sequence[str]]) -> list[list[int]]:
        return [
            sorted({self._person(f"{place}/{at}", who) for who in each})
            for at, each in enumerate(sets)
        ]

    def past(self, rule: MeetNew) -> list[list[int]]:
        """Groups of then, of those who are still here."""
        return [
            sorted({self.person[who] for who in met if who in self.person}) for met in rule.past
        ]

    def _person(self, place: str, who: str) -> int:
        if who not in self.person:
            raise ProblemError(place, f"there is no participant {who}")
        return self.person[who]

    def _group(self, place: str, which: str) -> int:
        if which not in self.group:
            raise ProblemError(place, f"there is no group {which}")
        return self.group[which]

    @cached_property
    def ranks(self) -> list[dict[int, int]]:
        """The rank of each group that a participant wished for, and of others at ``OTHERS``."""
        return [ranks_of(self.wishes, each, self.group) for each in self.people]

    @cached_property
    def current(self) -> list[int | None]:
        return [None if each.current is None else self.group[each.current] for each in self.people]

    @cached_property
    def eligible_classes(self) -> dict[tuple[int, ...], frozenset[int]]:
        """Each set of groups that somebody is eligible for, in the order of the participants."""
        return {groups: frozenset(groups) for groups in dict.fromkeys(self.eligible)}

    @cached_property
    def eligible(self) -> list[tuple[int, ...]]:
        """The groups that the attributes of each allow."""
        everywhere = tuple(range(len(self.groups)))
        named = sorted({name for group in self.groups for name in group.eligible})
        found: dict[tuple[str | None, ...], tuple[int, ...]] = {}
        answer: list[tuple[int, ...]] = []
        for each in self.people:
            values = tuple(each.attributes.get(name) for name in named)
            if values not in found:
                found[values] = tuple(at for at in everywhere if admits(self.groups[at], each))
            answer.append(found[values])
        return answer

    def may_be(self, at: int, limit: int | None = None) -> tuple[tuple[int, ...], str]:
        """The groups that a participant may be in, and what narrows them most."""
        if limit not in self._may_be:
            self._may_be[limit] = [self._places(who, limit) for who in range(len(self.people))]
        return self._may_be[limit][at]

    def _places(self, at: int, limit: int | None) -> tuple[tuple[int, ...], str]:
        if at in self.pinned:
            return (self.pinned[at],), PINNED
        eligible, ranks = self.eligible[at], self.ranks[at]
        others = ranks.get(OTHERS, 0 if not ranks else FAR)
        if self.wishes and others > (FAR - 1 if limit is None else limit):
            wished = [group for group, rank in ranks.items() if limit is None or rank <= limit]
            inside = self.eligible_classes[eligible]
            narrowed = tuple(
                sorted(group for group in wished if group != OTHERS and group in inside)
            )
            if len(narrowed) < len(eligible):
                return narrowed, WISHED
        return eligible, ELIGIBLE if len(eligible) < len(self.groups) else ANYWHERE


def rank_in(ranks: dict[int, int], group: int) -> int | None:
    """Nobody who wished for nothing is disappointed."""
    return ranks.get(group, ranks.get(OTHERS)) if ranks else 0


def admits(group: Group, participant: Participant) -> bool:
    return all(
        participant.attributes.get(name) in values for name, values in group.eligible.items()
    )


def _index(place: str, names: list[str]) -> dict[str, int]:
    index: dict[str, int] = {}
    for at, name in enumerate(names):
        if name in index:
            raise ProblemError(f"{place}/{at}/id", f"{name} is there twice")
        index[name] = at
    return index


def _known(place: str, name: str, known: set[str]) -> None:
    if name not in known:
        raise ProblemError(place, f"no participant has {name}")
