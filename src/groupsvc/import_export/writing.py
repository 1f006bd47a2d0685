"""Tables for institutions: as text, or as a workbook.

What a spreadsheet would take for a formula is written with a guard, which reading takes away.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import IO, Final, Protocol

from groupsvc.import_export.guards import defuse
from groupsvc.import_export.workbook_limits import EXACT

_BYTE_ORDER_MARK: Final = "\ufeff"
# What XML cannot hold or would change, and what would be read as an escape.
_UNSAFE: Final = re.compile("[\x01-\x08\x0b\x0c\r\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


class Writer(Protocol):
    """Takes rows, header first, and gives what of them can be sent already."""

    def add(self, rows: Iterable[Sequence[object]]) -> bytes: ...

    def finish(self, file: IO[bytes]) -> None:
        """Write what could not be given before."""
        ...


class TextWriter:
    """CSV. Flags are ``true`` and ``false``, what is missing is empty.

    Texts are not ``guarded`` for a reader that would take the guard for a part of them.
    """

    def __init__(self, separator: str = ",", *, marked: bool = False, guarded: bool = True) -> None:
        self._separator = separator
        self._text = defuse if guarded else str
        self._mark = _BYTE_ORDER_MARK if marked else ""

    def add(self, rows: Iterable[Sequence[object]]) -> bytes:
        text = io.StringIO(newline="")
        text.write(self._mark)
        self._mark = ""
        csv.writer(text, delimiter=self._separator).writerows(map(self._cell, row) for row in rows)
        return text.getvalue().encode()

    def finish(self, file: IO[bytes]) -> None:
        """All is given."""

    def _cell(self, value: object) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        return self._text(str(value))


class WorkbookWriter:
    """A workbook of one sheet, whose rows are on disk until it is finished."""

    def __init__(self, title: str) -> None:
        # The library is large, and a server that writes no workbook does without it.
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell

        self._make_cell = WriteOnlyCell
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet(title)

    def add(self, rows: Iterable[Sequence[object]]) -> bytes:
        for row in rows:
            self._sheet.append([self._cell(value) for value in row])
        return b""

    def finish(self, file: IO[bytes]) -> None:
        self._book.save(file)

    def _cell(self, value: object) -> object:
        if value is None or (isinstance(value, int) and abs(value) < EXACT):
            return value
        text = _UNSAFE.sub(lambda found: f"_x{ord(found[0]):04X}_", defuse(str(value)))
        if text[:1] != "#":
            return text
        # Left to itself, the library makes an error of a text like #N/A.
        cell = self._make_cell(self._sheet, text)
        cell.data_type = "s"
        return cell
