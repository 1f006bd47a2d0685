"""What is a workbook, and what one may take to read: a small file may unpack to a large one."""

import re
from typing import IO, Final
from zipfile import ZipFile, ZipInfo

from groupsvc.import_export.raw_rows import UnusableTableError

# A spreadsheet keeps fifteen digits of a number; what has more has lost some.
EXACT: Final = 10**15
MOST_ROWS: Final = 1_048_576  # as many as spreadsheets have
_ZIP: Final = b"PK\x03\x04"
_OLD: Final = b"\xd0\xcf\x11\xe0"
_SHEET: Final = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_MOST_OF_SHEETS: Final = 536_870_912
_MOST_OF_STRINGS: Final = 33_554_432
_MOST_OF_PART: Final = 4_194_304
_MOST_PARTS: Final = 2_000
# Of what lies between two rows: the row itself, or all that follows the last.
_LONGEST_ROW: Final = 4_194_304
_CHUNK: Final = 262_144
_ROW: Final = re.compile(rb"<(?:\w+:)?row[\s>/]")
_LONGEST_TAG: Final = 64


def is_workbook(stream: IO[bytes]) -> bool:
    """Whether the stream, which is left at its start, is one that can be read.

    Raises UnusableTableError for one of the old form.
    """
    start = stream.read(4)
    stream.seek(0)
    if start == _OLD:
        raise UnusableTableError(
            "this is a workbook of the old form or with a password: save it as .xlsx without one", 1
        )
    return start == _ZIP


def check_parts(archive: ZipFile) -> None:
    """Raises UnusableTableError for a workbook that is too large.

    No part is unpacked to more than it claims.
    """
    parts = archive.infolist()
    sheets = [part for part in parts if _SHEET.fullmatch(part.filename)]
    others = [part for part in parts if part not in sheets and _is_read(part)]
    if (
        len(parts) > _MOST_PARTS
        or sum(part.file_size for part in sheets) > _MOST_OF_SHEETS
        or any(part.file_size > _allowed(part) for part in others)
    ):
        raise _too_large()
    for sheet in sheets:
        _check_rows(archive, sheet)


def _check_rows(archive: ZipFile, sheet: ZipInfo) -> None:
    since_row, rest = 0, b""
    with archive.open(sheet) as part:
        while chunk := part.read(_CHUNK):
            text = rest + chunk
            at = max((found.start() for found in _ROW.finditer(text)), default=None)
            since_row = since_row + len(chunk) if at is None else len(text) - at
            if since_row > _LONGEST_ROW:
                raise _too_large()
            rest = text[-_LONGEST_TAG:]


def _is_read(part: ZipInfo) -> bool:
    """Pictures are not."""
    return part.filename.lower().endswith((".xml", ".rels", ".vml"))


def _allowed(part: ZipInfo) -> int:
    is_strings = part.filename.lower().endswith("sharedstrings.xml")
    return _MOST_OF_STRINGS if is_strings else _MOST_OF_PART


def _too_large() -> UnusableTableError:
    return UnusableTableError("the workbook is too large once it is unpacked", 1)
