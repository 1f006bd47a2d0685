"""Workbooks as people have them, and with parts that no spreadsheet program writes."""

import io
from collections.abc import Sequence
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook

SHEET = "xl/worksheets/sheet1.xml"


def workbook(rows: Sequence[Sequence[Any]], *others: str, hidden: str | None = None) -> bytes:
    """A sheet of the rows and others of one row; a cell may be a value and its number format."""
    book = Workbook()
    first = book.worksheets[0]
    first.title = "People"
    for line, row in enumerate(rows, 1):
        for place, given in enumerate(row, 1):
            value, shown = given if isinstance(given, tuple) else (given, None)
            cell = first.cell(line, place, value)
            if shown is not None:
                cell.number_format = shown
            if isinstance(value, str) and not value.startswith("="):
                cell.data_type = "s"
    for title in others:
        book.create_sheet(title).append(["username"])
    if hidden is not None:
        book[hidden].sheet_state = "hidden"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    """The workbook with another part, packed well."""
    file = io.BytesIO()
    with ZipFile(io.BytesIO(content)) as old, ZipFile(file, "w", ZIP_DEFLATED) as new:
        for each in old.namelist():
            if each != name:
                new.writestr(each, old.read(each))
        new.writestr(name, part)
    return file.getvalue()


def part_of(content: bytes, name: str = SHEET) -> bytes:
    with ZipFile(io.BytesIO(content)) as archive:
        return archive.read(name)
