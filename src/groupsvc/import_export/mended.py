"""What was put right while a table was read."""

from dataclasses import dataclass
from enum import StrEnum


class Mending(StrEnum):
    """Kinds of it, each with the words in which it is told."""

    words: str

    def __new__(cls, value: str, words: str) -> "Mending":
        member = str.__new__(cls, value)
        member._value_ = value
        member.words = words
        return member

    WORKBOOK = "workbook", "read as the workbook that it is"
    TEXT = "text", "read as a text: it is no workbook"
    OTHER_SHEETS = "other_sheets", "another sheet is not read"
    SEPARATOR_LINE = "separator_line", "the separator is the one that the first line names"
    HEADER_SPACES = "header_spaces", "spaces or marks in the name of a column are taken away"
    EMPTY_COLUMNS = "empty_columns", "empty cells after the last column are left out"
    EMPTY_ROWS = "empty_rows", "a row of empty cells is left out"
    REPEATED_HEADER = "repeated_header", "the header is there again and left out"
    BYTE_ORDER_MARK = "byte_order_mark", "a byte order mark before a row is taken away"
    LINE_BREAKS = "line_breaks", "line breaks in a cell become a space"
    QUOTES = "quotes", "quotes or an apostrophe around a value are taken away"


@dataclass(slots=True)
class Mended:
    """How often one thing was put right, and the line where first."""

    kind: Mending
    line: int
    count: int = 0

    def __str__(self) -> str:
        return self.kind.words if self.count == 1 else f"{self.kind.words}, {self.count} times"


class Mendings:
    """They grow while the rows are read."""

    def __init__(self) -> None:
        self._found: dict[Mending, Mended] = {}

    def add(self, kind: Mending, line: int, count: int = 1) -> None:
        self._found.setdefault(kind, Mended(kind, line)).count += count

    def told(self) -> list[Mended]:
        return sorted(self._found.values(), key=lambda mended: mended.line)
