"""Tables as CSV text: read from institutions, written for them.

Reading takes UTF-8 with or without a byte order mark, the separators ``,`` ``;`` and tab, and any
line ending; rows are handed on as they come. Writing defuses what a spreadsheet would take for a
formula, and reading takes exactly that back.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import BinaryIO, Final, TextIO

from groupsvc.domain.errors import InvalidError

SEPARATORS: Final = (",", ";", "\t")
# Characters of one row. The limit of the csv module is one for the process and below a row that
# deserves its own answer; this one bounds what an unclosed quote can swallow.
LONGEST_ROW: Final = 2_097_152
csv.field_size_limit(LONGEST_ROW)

# What spreadsheets run when a cell starts with it; the wide forms count as their narrow ones.
TRIGGERS: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


class UnusableTableError(InvalidError):
    """The text as a whole cannot be read as a table. ``line`` is among the facts."""

    code = "unusable_table"

    def __init__(self, message: str, line: int) -> None:
        super().__init__(f"line {line}: {message}", line=line)


@dataclass(frozen=True, slots=True)
class Row:
    """A data row: its cells by column, or what is wrong with its form.

    ``line`` is where it starts; the header is line 1.
    """

    line: int
    cells: Mapping[str, str] = field(default_factory=dict[str, str])
    fault: str | None = None


class _Lines:
    """Lines of a stream with their endings, each one fit to be stored."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._length = 0
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_ROW)
        if not line:
            raise StopIteration
        self.number += 1
        self._length += len(line)
        if self._length >= LONGEST_ROW:
            raise UnusableTableError("the row is too long, or a quote is not closed", self.number)
        if not line.isascii() and not _is_encodable(line):
            raise UnusableTableError("this is not UTF-8", self.number)
        if "\x00" in line:
            raise UnusableTableError("there is a NUL character", self.number)
        return line

    def begin_row(self) -> None:
        self._length = 0


@dataclass(frozen=True, slots=True)
class Table:
    """A header and the rows below it, which can be read once."""

    header: tuple[str, ...]
    reader: Iterator[list[str]]
    lines: _Lines

    def __post_init__(self) -> None:
        if len(set(self.header)) != len(self.header):
            raise UnusableTableError("the header names a column twice", 1)

    @property
    def rows(self) -> Iterator[Row]:
        return _rows(self.reader, self.lines, self.header)


def as_text(stream: BinaryIO) -> TextIO:
    """Bytes as ``read_table`` takes them; closing the one closes the other."""
    # What is no UTF-8 comes out as lone surrogates, which tell the line.
    return io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")


def read_table(text: TextIO, separator: str | None = None) -> Table:
    """Read the header, and the rows as they are asked for.

    Raises UnusableTableError here for the header, and from the rows for what makes all that
    follows doubtful: no UTF-8, NUL, a quote that is not closed.
    """
    lines = _Lines(text)
    first = next(lines, "")
    if not first.strip("\r\n"):
        raise UnusableTableError("there is no header", 1)
    reader = csv.reader(
        chain((first,), lines), delimiter=separator or _separator(first), strict=True
    )
    try:
        header = tuple(next(reader))
    except csv.Error:
        raise UnusableTableError("the quotes of the header do not match", 1) from None
    return Table(header, reader, lines)


def write_rows(rows: Iterable[Sequence[object]]) -> bytes:
    """Rows as CSV. Flags are ``true`` and ``false``, what is missing is empty."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(map(_cell, row) for row in rows)
    return text.getvalue().encode()


def defuse(text: str) -> str:
    """Quote what a spreadsheet would run, and what looks as if it had been quoted like that."""
    return f"'{text}" if text.lstrip("'")[:1] in TRIGGERS else text


def restore(text: str) -> str:
    """Take back what ``defuse`` did."""
    return text[1:] if text[:1] == "'" and text.lstrip("'")[:1] in TRIGGERS else text


def _rows(reader: Iterator[list[str]], lines: _Lines, header: tuple[str, ...]) -> Iterator[Row]:
    width = len(header)
    while True:
        line = lines.number + 1
        lines.begin_row()
        try:
            cells = next(reader, None)
        except csv.Error:
            # Within one line it is this row alone; across lines nobody knows where rows begin.
            if lines.number > line:
                raise UnusableTableError("the quotes do not match from here on", line) from None
            yield Row(line, fault="the quotes do not match")
            continue
        if cells is None:
            return
        if len(cells) == width:
            yield Row(line, dict(zip(header, map(restore, cells), strict=True)))
        elif cells:
            yield Row(line, fault=f"there are {len(cells)} cells where the header has {width}")


def _separator(header: str) -> str:
    """Names of columns hold none of the separators, so the header tells."""
    found = [separator for separator in SEPARATORS if separator in header]
    if len(found) > 1:
        raise UnusableTableError("the header mixes separators", 1)
    return found[0] if found else ","


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return defuse(str(value))
