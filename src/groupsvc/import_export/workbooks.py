"""Rows of a workbook: a sheet of an ``.xlsx`` file, each cell as the text that it shows."""

import re
import warnings
from collections.abc import Container, Iterator, Sequence
from datetime import datetime, time
from typing import IO, Any, Final
from zipfile import ZipFile

from openpyxl import load_workbook
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.workbook.workbook import Workbook

from groupsvc.import_export.columns import plain
from groupsvc.import_export.mended import Mending, Mendings
from groupsvc.import_export.raw_rows import RawRow, UnusableTableError
from groupsvc.import_export.sheets import FORMULA, rows_of
from groupsvc.import_export.workbook_limits import EXACT, MOST_ROWS, check_parts

# Columns in which a date is one: elsewhere a spreadsheet has made it of something else.
DAYS: Final = frozenset(("startson", "endson"))
_ZEROS: Final = re.compile(r"0+")
_ESCAPED: Final = re.compile(r"_x(00[01][0-9A-Fa-f]|005[Ff]|[Ff]{3}[EFef])_")
# Of styles and rules that are not read here.
warnings.filterwarnings("ignore", category=UserWarning, module=r"openpyxl\.")


def read_workbook(stream: IO[bytes], sheet: str | None, mendings: Mendings) -> Iterator[RawRow]:
    """The first row of a sheet and those below it, as they are asked for; empty rows are none.

    Rows have at least as many cells as the first one. Raises UnusableTableError for what is no
    workbook or none of a size that fits.
    """
    line = 1
    try:
        for row in _rows(stream, sheet, mendings):
            line = row.line
            yield row
    except UnusableTableError:
        raise
    # The library raises whatever its parts raise: on XML, on the archive, on a missing member.
    except Exception as error:
        raise UnusableTableError("this workbook cannot be read", line) from error


def _rows(stream: IO[bytes], sheet: str | None, mendings: Mendings) -> Iterator[RawRow]:
    with ZipFile(stream) as archive:
        _refuse_others(archive)
        check_parts(archive)
    book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    width = last = 0
    days: frozenset[int] = frozenset()
    for line, cells in rows_of(_sheet(book, sheet, mendings)):
        if not last < line <= MOST_ROWS:
            raise UnusableTableError(f"rows go up from 1 to at most {MOST_ROWS}", last + 1)
        last = line
        try:
            texts = _texts(cells, days)
        except ValueError as error:
            yield RawRow(line, [], str(error))
            continue
        if not width and not texts:
            continue
        if not width:
            days = frozenset(at for at, name in enumerate(texts, start=1) if plain(name) in DAYS)
            if line > 1:
                mendings.add(Mending.EMPTY_ROWS, 1, line - 1)
        width = width or len(texts)
        if texts:
            yield RawRow(line, texts + [""] * (width - len(texts)))
    if not width:
        raise UnusableTableError("there is no header", 1)


def _refuse_others(archive: ZipFile) -> None:
    names = frozenset(archive.namelist())
    if "[Content_Types].xml" in names:
        return
    if "mimetype" in names and archive.read("mimetype").startswith(b"application/vnd.oasis."):
        raise UnusableTableError("this is an OpenDocument file: save it as .xlsx or CSV", 1)
    raise UnusableTableError("this archive is neither a workbook nor a bundle of OneRoster", 1)


def _sheet(book: Workbook, name: str | None, mendings: Mendings) -> Any:
    """The sheet of that name, or the first that is not hidden."""
    sheets = book.worksheets
    seen = [sheet for sheet in sheets if sheet.sheet_state == "visible"] or sheets
    if name is not None:
        seen = [sheet for sheet in sheets if sheet.title.casefold() == name.casefold()]
    if not seen:
        titles = ", ".join(sheet.title for sheet in sheets)
        raise UnusableTableError(f"there is no such sheet; there are {titles}", 1)
    if name is None and len(seen) > 1:
        mendings.add(Mending.OTHER_SHEETS, 1, len(seen) - 1)
    return seen[0]


def _texts(cells: Sequence[ReadOnlyCell], days: Container[int]) -> list[str]:
    """Without the empty cells at the end. Raises ValueError for what cannot be read as a text."""
    texts: list[str] = []
    for cell in cells:
        text = _day(cell) if cell.column in days else _text(cell)
        if text:
            texts += [""] * (cell.column - 1 - len(texts))
            texts.append(text)
    return texts


def _day(cell: ReadOnlyCell) -> str:
    value = cell.value
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return _text(cell)


def _text(cell: ReadOnlyCell) -> str:
    value = cell.value
    if cell.data_type == FORMULA:
        raise ValueError(f"the formula in {cell.coordinate} has no value stored with it")
    if value is None:
        return ""
    if isinstance(value, str) and cell.data_type == "s":
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value) if "_x" in value else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value, cell)
    what = "an error" if cell.data_type == "e" else "a date or a time"
    raise ValueError(f"the cell {cell.coordinate} holds {what}")


def _number(value: float, cell: ReadOnlyCell) -> str:
    """With the zeros that its format puts before it, and without decimals if they are zeros."""
    if isinstance(value, float):
        if abs(value) >= EXACT:
            raise ValueError(f"the number in {cell.coordinate} has lost digits: make it a text")
        if not value.is_integer():
            return repr(value)
    digits = str(int(value))
    shown = cell.number_format
    return digits.zfill(len(shown)) if _ZEROS.fullmatch(shown) else digits
