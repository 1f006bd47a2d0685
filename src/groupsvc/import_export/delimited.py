"""Rows of a text whose cells are separated: CSV, TSV."""

import csv
import io
import re
from collections.abc import Generator, Iterator
from contextlib import suppress
from itertools import chain
from typing import IO, Final, TextIO

from groupsvc.import_export.encodings import shown
from groupsvc.import_export.mended import Mending, Mendings
from groupsvc.import_export.raw_rows import LONGEST_ROW, RawRow, UnusableTableError

SEPARATORS: Final = (",", ";", "\t")
_RARE: Final = "|"
_EMPTY: Final = f"{''.join(SEPARATORS)}{_RARE} \r\n"
_SEPARATOR_LINE: Final = re.compile(r'"?sep=([,;\t|])"?[,;\t|]*', re.IGNORECASE)
csv.field_size_limit(LONGEST_ROW)


class _Lines:
    """Lines of a stream with their endings, each one fit to be stored."""

    def __init__(self, text: TextIO, encoding: str) -> None:
        self._text = text
        self._encoding = shown(encoding)
        self._length = 0
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = self._text.readline(LONGEST_ROW)
        except UnicodeError:
            raise self._undecodable(self.number + 1) from None
        if not line:
            raise StopIteration
        self.number += 1
        self._length += len(line)
        if self._length >= LONGEST_ROW:
            raise UnusableTableError("the row is too long, or a quote is not closed", self.number)
        if not line.isascii() and not _is_encodable(line):
            raise self._undecodable(self.number)
        if "\x00" in line:
            raise UnusableTableError("there is a NUL character", self.number)
        return line

    def begin_row(self) -> None:
        self._length = 0

    def _undecodable(self, line: int) -> UnusableTableError:
        return UnusableTableError(f"this is not {self._encoding}", line)


def read_delimited(
    stream: IO[bytes],
    encoding: str,
    separator: str | None,
    mendings: Mendings,
    *,
    least: int = 0,
) -> Generator[RawRow]:
    """The header and the rows below it, as they are asked for; blank lines are none.

    Of a file without a header, rows have ``least`` cells or more.

    Raises UnusableTableError for what makes all that follows doubtful: bytes of another encoding,
    NUL, a quote that is not closed.
    """
    # What does not fit the encoding comes out as lone surrogates, which tell the line.
    text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
    try:
        yield from _with_header(_Lines(text, encoding), separator, mendings, least)
    finally:
        with suppress(ValueError):  # The stream is closed by whoever opened it, maybe before.
            text.detach()


def _with_header(
    lines: _Lines, separator: str | None, mendings: Mendings, least: int
) -> Generator[RawRow]:
    first = next(lines, "")
    named = _SEPARATOR_LINE.fullmatch(first.strip("\r\n "))
    if named:
        mendings.add(Mending.SEPARATOR_LINE, 1)
        separator = separator or named[1]
        first = next(lines, "")
    while first and not first.strip(_EMPTY):
        mendings.add(Mending.EMPTY_ROWS, lines.number)
        lines.begin_row()
        first = next(lines, "")
    if not first:
        raise UnusableTableError("there is no header", lines.number or 1)
    start = lines.number
    reader = csv.reader(
        chain((first,), lines), delimiter=separator or _separator(first, start, least), strict=True
    )
    try:
        yield RawRow(start, next(reader))
    except csv.Error:
        raise UnusableTableError("the quotes of the header do not match", start) from None
    yield from _rows(reader, lines)


def _rows(reader: Iterator[list[str]], lines: _Lines) -> Iterator[RawRow]:
    while True:
        line = lines.number + 1
        lines.begin_row()
        try:
            cells = next(reader, None)
        except csv.Error:
            # Within one line it is this row alone; across lines nobody knows where rows begin.
            if lines.number > line:
                raise UnusableTableError("the quotes do not match from here on", line) from None
            yield RawRow(line, [], "the quotes do not match")
            continue
        if cells is None:
            return
        if cells:
            yield RawRow(line, cells)


def _separator(header: str, line: int, least: int) -> str:
    """Names of columns hold none of the separators, so the header tells; of a row without one, how
    often it has to be there."""
    often = max(1, least - 1)
    found = [separator for separator in SEPARATORS if header.count(separator) >= often]
    if len(found) > 1:
        raise UnusableTableError("the header mixes separators", line)
    if not found and header.count(_RARE) >= often:
        return _RARE
    return found[0] if found else ","


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
