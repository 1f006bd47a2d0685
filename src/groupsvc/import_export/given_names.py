"""Names that rows give, judged when all rows are in: they may be swapped, rotated and passed on.

Something goes by the name that it has so far, within its place; what is new goes by the one that it
is about to get, or by another that nothing has.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Set
from operator import itemgetter
from typing import Protocol, TypeVar

from groupsvc.domain.errors import GroupsvcError
from groupsvc.import_export.columns import Values
from groupsvc.import_export.results import Outcome, ReadRow, RowAnswer, answered, refused

Name = tuple[Hashable, ...]  # with the place in which there is one of it at most


class GivenNames:
    """``borne`` are the names that there are before the first row."""

    def __init__(self, borne: Iterable[Name] = ()) -> None:
        self._borne = set(borne)
        # What is given which names, in the order in which they were given last, by which lines.
        self._given: dict[Name, dict[Name, list[int]]] = {}

    def give(self, what: Name, name: Name, line: int) -> None:
        """Every row that gives a name is told, also one that gives the same as another before."""
        given = self._given.setdefault(what, {})
        lines = given.pop(name, [])
        lines.append(line)
        given[name] = lines

    def lost(self) -> dict[int, Name]:
        """Lines that give a name which something else has in the end, with that name.

        What had a name before keeps it; else it goes to the first row that gives it. What does not
        get another name falls back on the one that it was given before or had, which is judged
        again.
        """
        return _Judgement(self._borne, self._given).judge()


class _Judgement:
    """Who claims which names. Each name is given up once at most by each, so that this ends."""

    def __init__(self, borne: Set[Name], given: Mapping[Name, Mapping[Name, list[int]]]) -> None:
        self._borne = borne
        self._given = given
        self._wishes = {what: list(names) for what, names in given.items()}
        self._claims: dict[Name, list[tuple[int, Name]]] = {}
        self._pending = deque[Name]()

    def judge(self) -> dict[int, Name]:
        found: dict[int, Name] = {}
        for what in self._wishes:
            self._claim(what)
        while self._pending:
            name = self._pending.popleft()
            claims = self._claims[name]
            owner = min(claims, key=itemgetter(0))
            self._claims[name] = [each for each in claims if each is owner or not each[0]]
            losers = (what for rank, what in claims if (rank, what) != owner and rank)
            for what in losers:
                found |= dict.fromkeys(self._given[what][name], name)
                self._wishes[what].pop()
                self._claim(what)
        return found

    def _claim(self, what: Name) -> None:
        """Let something have the last name that it may still be given, or else its own."""
        wishes = self._wishes[what]
        if not wishes and what not in self._borne:
            return
        name = wishes[-1] if wishes else what
        keeps = name == what and what in self._borne
        rank = 0 if keeps else self._given[what][name][0]
        self._holders(name).append((rank, what))
        self._pending.append(name)

    def _holders(self, name: Name) -> list[tuple[int, Name]]:
        """With whatever has the name and is given no other."""
        if name not in self._claims:
            stays = name in self._borne and name not in self._given
            self._claims[name] = [(0, name)] if stays else []
        return self._claims[name]


class Plan(Protocol):
    """Decides rows; ``names`` are those that they give."""

    @property
    def names(self) -> GivenNames: ...

    def decide(self, row: Values, line: int, /) -> Outcome: ...

    def taken(self, name: Name, /) -> GroupsvcError:
        """Why a row cannot give a name."""
        ...


P = TypeVar("P", bound=Plan)


def decide_together(
    rows: Sequence[ReadRow],
    make_plan: Callable[[], P],
    judge: Callable[[P], Mapping[int, GroupsvcError]] = lambda _: {},
) -> tuple[P, list[RowAnswer]]:
    """Decide row after row, and all of them anew without those whose names are taken.

    Then ``judge`` finds, by line, what else stands against rows now that all of them are in.
    """
    while True:
        plan = make_plan()
        answers = [_decide(plan, line, row) for line, row in rows]
        taken = {line: plan.taken(name) for line, name in plan.names.lost().items()}
        against = taken or judge(plan)
        if not against:
            return plan, answers
        rows = [(line, against.get(line, row)) for line, row in rows]


def _decide(plan: Plan, line: int, row: Values | GroupsvcError) -> RowAnswer:
    if isinstance(row, GroupsvcError):
        return refused(line, row)
    try:
        return answered(line, plan.decide(row, line))
    except GroupsvcError as error:
        return refused(line, error)
