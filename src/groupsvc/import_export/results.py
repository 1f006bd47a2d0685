"""What became of each row, and the loop that no bad row leaves."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from groupsvc.domain.errors import GroupsvcError, InvalidError
from groupsvc.import_export.columns import Kind, Values
from groupsvc.import_export.tables import Row

Result = Literal["created", "updated", "unchanged", "refused", "assigned", "moved", "removed"]

ReadRow = tuple[int, Values | GroupsvcError]  # line, and what is in it

CHANGES: Final[tuple[Result, ...]] = ("created", "updated")


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """``code`` and ``message`` say why a row was refused."""

    line: int
    result: Result
    code: str | None = None
    message: str | None = None


def read_rows(rows: Iterable[Row], kind: Kind) -> list[ReadRow]:
    """Read every row by itself. What cannot be read stays with its row."""
    found: list[ReadRow] = []
    for row in rows:
        try:
            if row.fault is not None:
                raise InvalidError(row.fault, code="malformed_row")
            found.append((row.line, kind.read(row.cells)))
        except GroupsvcError as error:
            found.append((row.line, error))
    return found


def decide_rows(rows: Iterable[ReadRow], decide: Callable[[Values], Result]) -> list[RowAnswer]:
    """Decide row after row. What ``decide`` refuses is the answer to that row alone."""
    answers: list[RowAnswer] = []
    for line, value in rows:
        if isinstance(value, GroupsvcError):
            answers.append(refused(line, value))
            continue
        try:
            answers.append(RowAnswer(line, decide(value)))
        except GroupsvcError as error:
            answers.append(refused(line, error))
    return answers


def greater(one: Result, other: Result) -> Result:
    """What became of a row that is about two things."""
    for result in CHANGES:
        if result in (one, other):
            return result
    return "unchanged"


def refused(line: int, why: GroupsvcError) -> RowAnswer:
    return RowAnswer(line, "refused", why.code, why.message)


def readable(rows: Sequence[ReadRow]) -> list[Values]:
    return [value for _, value in rows if not isinstance(value, GroupsvcError)]
