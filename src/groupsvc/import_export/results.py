"""What became of each row, and the loop that no bad row leaves."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Literal

from groupsvc.domain.errors import GroupsvcError, InvalidError
from groupsvc.import_export.columns import Kind, Values
from groupsvc.import_export.dangers import Note
from groupsvc.import_export.tables import Row

Result = Literal[
    "created",
    "updated",
    "unchanged",
    "refused",
    "assigned",
    "moved",
    "removed",
    "withdrawn",
    "reactivated",
    "erased",
]
Outcome = tuple[Result, ...]  # what became of a row: foremost, and besides

HAS_IDS: Final = "has_ids"  # said of a row besides its values
ReadRow = tuple[int, Values | GroupsvcError]  # line, and what is in it

# A row may be about two things. What is only updated is not told besides anything else.
FOREMOST: Final[tuple[Result, ...]] = ("created", "withdrawn", "erased", "reactivated", "updated")


@dataclass(slots=True)
class RowAnswer:
    """``code`` and ``message`` say why a row was refused, or how it was read.

    ``also`` is what it did besides its result; ``near`` is whom or what a refused one resembles.
    ``subjects`` are what it is about, where other rows about the same may have to wait for it.
    """

    line: int
    result: Result
    code: str | None = None
    message: str | None = None
    also: tuple[Result, ...] = ()
    near: tuple[str, ...] = ()
    subjects: tuple[Hashable, ...] = field(default=(), compare=False, repr=False)

    @property
    def results(self) -> Outcome:
        return (self.result, *self.also)


@dataclass(frozen=True, slots=True)
class MissingAnswer:
    """What became of somebody who was there and is not in the file."""

    course_key: str
    partition: str | None
    group: str | None
    user: str
    result: Result
    code: str | None = None
    message: str | None = None


def read_rows(rows: Iterable[Row], kind: Kind, *, clears: bool = False) -> list[ReadRow]:
    """Read every row by itself. What cannot be read stays with its row."""
    found: list[ReadRow] = []
    for row in rows:
        values = _read(row, kind, clears=clears) if row.ahead is None else row.ahead
        row.ahead = None  # What is made of the values may change them.
        found.append((row.line, values))
    return found


def read_ahead(rows: Iterable[Row], kind: Kind, *, clears: bool) -> None:
    """Do for ``read_rows`` what can be done before the rows have their turn."""
    for row in rows:
        row.ahead = _read(row, kind, clears=clears)


def _read(row: Row, kind: Kind, *, clears: bool) -> Values | GroupsvcError:
    try:
        if row.fault is not None:
            raise InvalidError(row.fault, code="malformed_row")
        values = kind.read(row.cells, clears=clears)
        return values | {HAS_IDS: True} if row.has_ids else values
    except GroupsvcError as error:
        return error


def decide_rows(rows: Iterable[ReadRow], decide: Callable[[Values], Outcome]) -> list[RowAnswer]:
    """Decide row after row. What ``decide`` refuses is the answer to that row alone."""
    answers: list[RowAnswer] = []
    for line, value in rows:
        if isinstance(value, GroupsvcError):
            answers.append(refused(line, value))
            continue
        try:
            answers.append(answered(line, decide(value)))
        except GroupsvcError as error:
            answers.append(refused(line, error))
    return answers


def noted(answers: Iterable[RowAnswer], notes: Mapping[int, Note]) -> list[RowAnswer]:
    """With what is to be said of rows that are done, by line."""
    return [
        replace(each, code=notes[each.line][0], message=notes[each.line][1])
        if each.line in notes and each.result != "refused"
        else each
        for each in answers
    ]


def outcome(one: Result, other: Result) -> Outcome:
    """What became of a row that is about two things."""
    results: list[Result] = [each for each in FOREMOST if each in (one, other)]
    besides: list[Result] = [each for each in results[1:] if each != "updated"]
    return (results[0], *besides) if results else ("unchanged",)


def compared(before: Any, after: Any) -> Result:
    """What becomes of one thing; both are records of the same kind, or there was none before."""
    if before == after:
        return "unchanged"
    if before is None:
        return "created"
    return "erased" if loses(before, after) else "updated"


def loses(before: Any, after: Any) -> bool:
    """Whether something that was known is not known any more."""
    return any(
        getattr(after, each.name) in (None, "") and getattr(before, each.name) not in (None, "")
        for each in fields(before)
    )


def answered(line: int, outcome: Outcome) -> RowAnswer:
    return RowAnswer(line, outcome[0], also=outcome[1:])


def refused(line: int, why: GroupsvcError) -> RowAnswer:
    near: Sequence[str] = why.facts.get("near", ())
    return RowAnswer(line, "refused", why.code, why.message, near=tuple(near))


def readable(rows: Sequence[ReadRow]) -> list[Values]:
    return [value for _, value in rows if not isinstance(value, GroupsvcError)]
