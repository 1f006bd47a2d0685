"""Tables that put users into cohorts: what is accepted, and the rows of it. Pure.

Checked in the order of docs/compat/openedx.md, "CSV upload".
The header is read as it stands: names are exact, other columns and the order do not matter.
"""

import csv
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from groupsvc.domain.errors import InvalidError

MOST_BYTES: Final = 2_000_000
ENDING: Final = ".csv"

WRONG_ENDING: Final = "The file must end with the extension '.csv'."
TOO_LARGE: Final = f"Maximum upload file size is {MOST_BYTES} bytes."
NO_COHORT: Final = "The file must contain a 'cohort' column containing cohort names."
NO_IDENTIFIER: Final = "The file must contain a 'username' column, an 'email' column, or both."


class UnusableUploadError(InvalidError):
    """The file as a whole is refused. ``wrong_file`` is a code of its own: name or size."""

    code = "unusable_upload"


@dataclass(frozen=True, slots=True)
class UploadRow:
    """An empty ``identifier`` or ``cohort`` is one that the row does not have."""

    identifier: str
    cohort: str


def check_file(name: str, size: int) -> None:
    """Raises UnusableUploadError with code ``wrong_file`` for the ending, then for the size."""
    if not name.lower().endswith(ENDING):
        raise UnusableUploadError(WRONG_ENDING, code="wrong_file")
    if size > MOST_BYTES:
        raise UnusableUploadError(TOO_LARGE, code="wrong_file")


def read_rows(content: bytes) -> Sequence[UploadRow]:
    """The rows of a table, top to bottom. A byte order mark and any line ends are fine.

    Raises UnusableUploadError for what is not UTF-8 and for a header that lacks a column.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableUploadError(str(error)) from error
    try:
        lines = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise UnusableUploadError(f"The file is not a table: {error}") from error
    header = lines[0] if lines else []
    if "cohort" not in header:
        raise UnusableUploadError(NO_COHORT)
    if "email" not in header and "username" not in header:
        raise UnusableUploadError(NO_IDENTIFIER)
    return [_row(dict(zip(header, cells, strict=False))) for cells in lines[1:] if cells]


def _row(cells: dict[str, str]) -> UploadRow:
    # In the form of stored names; spaces wrap_in_transaction it make it another name.
    cohort = unicodedata.normalize("NFC", cells.get("cohort") or "")
    return UploadRow(cells.get("email") or cells.get("username") or "", cohort)
