"""Rows that are done once more when all others are in: they want what somebody else has so far.

That may yet be given away, by a row of another batch or by those who are taken out in the end.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar

from groupsvc.domain import rules
from groupsvc.import_export.reading import is_full
from groupsvc.import_export.results import RowAnswer
from groupsvc.import_export.tables import Row

FULL: Final = rules.group_full().code
LAST_RANDOM: Final = rules.last_random().code
# What only so many can have, for whom somebody else may make room, and what somebody else may do
# in their place.
TAKEN: Final = frozenset(
    {
        *(rules.name_taken("").code, "email_taken", "number_taken", "external_id_taken"),
        *(FULL, LAST_RANDOM),
    }
)
MOST_WAITING: Final = 10_000  # as many as are judged together
UNDECIDED: Final = "undecided"

S = TypeVar("S")


def is_taken(answers: Iterable[RowAnswer]) -> bool:
    return any(each.code in TAKEN for each in answers)


class Followers:
    """Tells rows that come after one that waits and are about the same.

    They are to be done after it once more: the last row counts.
    """

    def __init__(self) -> None:
        self._subjects: set[Hashable] = set()

    def __bool__(self) -> bool:
        return bool(self._subjects)

    def __contains__(self, answer: RowAnswer) -> bool:
        return not self._subjects.isdisjoint(answer.subjects)

    def add(self, answer: RowAnswer) -> None:
        self._subjects.update(answer.subjects)


def to_repeat(answers: Iterable[RowAnswer]) -> list[int]:
    """Places of those that are to be done once more."""
    followers, found = Followers(), list[int]()
    for at, answer in enumerate(answers):
        if answer.code in TAKEN or answer in followers:
            followers.add(answer)
            found.append(at)
    return found


@dataclass(frozen=True, slots=True)
class WaitingRow(Generic[S]):
    table: S
    row: Row
    answer: RowAnswer

    def repeated(self, answer: RowAnswer) -> RowAnswer:
        """The answer in the end, when it was done once more; those who had theirs keep it."""
        was_done = self.answer.result != "refused" and answer.result != "refused"
        return self.answer if was_done else replace(answer, line=self.row.line)


@dataclass(slots=True)
class Waiting(Generic[S]):
    """A table ``is_whole`` when one batch has all of it, which has been judged together then.

    What is ``for_lists`` waits all the same: for those who are taken out when all rows are in.
    """

    is_whole: bool
    for_lists: bool
    rows: list[WaitingRow[S]] = field(default_factory=list[WaitingRow[S]])
    followers: Followers = field(default_factory=Followers)
    _given_up: set[Hashable] = field(default_factory=set[Hashable])

    def keep(self, table: S, rows: Sequence[Row], answers: Sequence[RowAnswer]) -> list[RowAnswer]:
        """Returns the answers to rows that do not wait."""
        self.is_whole = self.is_whole and not is_full(rows)
        may_begin = self.for_lists or not self.is_whole
        done: list[RowAnswer] = []
        for row, answer in zip(rows, answers, strict=True):
            follows = answer in self.followers
            if not follows and not (may_begin and answer.code in TAKEN):
                done.append(answer)
            elif len(self.rows) < MOST_WAITING:
                self.followers.add(answer)
                self.rows.append(WaitingRow(table, row, answer))
            else:
                self._given_up.update(answer.subjects if follows else ())
                done.append(undecided(answer))
        return done

    def given_up(self) -> list[WaitingRow[S]]:
        """Takes away and returns those that cannot be done once more, as rows after them are not.

        They keep their answers.
        """
        found = [each for each in self.rows if not self._given_up.isdisjoint(each.answer.subjects)]
        if found:
            self.rows = [
                each for each in self.rows if self._given_up.isdisjoint(each.answer.subjects)
            ]
        return [replace(each, answer=undecided(each.answer)) for each in found]


def undecided(answer: RowAnswer) -> RowAnswer:
    """Of one too many: somebody may have made room, which nobody looks at any more."""
    if answer.code not in TAKEN:
        return answer
    why = f"more than {MOST_WAITING} rows wait for others, and this was not tried again"
    return replace(answer, code=UNDECIDED, message=f"{answer.message}; {why}")
