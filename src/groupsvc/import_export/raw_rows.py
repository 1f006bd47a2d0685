"""Rows as a file has them, and why a file is no table."""

from typing import Final, NamedTuple

from groupsvc.domain.errors import InvalidError

# Characters of one row. The limit of the csv module is one for the process and below a row that
# deserves its own answer; this one bounds what an unclosed quote can swallow.
LONGEST_ROW: Final = 2_097_152


class UnusableTableError(InvalidError):
    """The file as a whole cannot be read as a table. ``line`` is among the facts."""

    code = "unusable_table"

    def __init__(self, message: str, line: int) -> None:
        super().__init__(f"line {line}: {message}", line=line)


class RawRow(NamedTuple):
    """``line`` is where it starts, ``fault`` what is wrong with its form."""

    line: int
    cells: list[str]
    fault: str | None = None
