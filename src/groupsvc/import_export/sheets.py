"""The rows of a sheet as the library parses them, with constant memory.

Its own loop over a sheet remembers the attributes of every row, makes up the rows that are left
out, and does not tell an empty cell from a formula whose value nobody stored.
"""

from collections.abc import Iterator
from typing import Any, Final

from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

FORMULA: Final = "f"


class _Parser(WorkSheetParser):
    def parse_row(self, row: Any) -> Any:
        for name in [name for name in row.attrib if name != "r"]:
            del row.attrib[name]
        return super().parse_row(row)

    def parse_cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)  # pyright: ignore[reportUnknownMemberType]
        if cell["value"] is None and element.find(FORMULA_TAG) is not None:
            cell["data_type"] = FORMULA
        return cell


def rows_of(sheet: Any) -> Iterator[tuple[int, list[ReadOnlyCell]]]:
    """Rows of a read-only sheet by their numbers; empty ones may be left out, and so may cells.

    As openpyxl reads them itself, which has no public way to put in a parser of one's own.
    """
    book = sheet.parent
    with sheet._get_source() as source:  # noqa: SLF001
        parser = _Parser(
            source,
            sheet._shared_strings,  # noqa: SLF001
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,  # noqa: SLF001
            timedelta_formats=book._timedelta_formats,  # noqa: SLF001
        )
        for number, cells in parser.parse():
            yield number, [ReadOnlyCell(sheet, **cell) for cell in cells]
