"""How a table is declared: its columns, each with its reader and with what an empty cell means.

Header, rows of CSV and of JSON, documentation and export follow from the declaration.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Literal

from groupsvc.import_export.cells import Reader, missing

Name = Literal["courses", "roster", "structure", "assignments"]
Cells = Mapping[str, str]
Values = dict[str, Any]


class Empty(Enum):
    """What an empty cell means. A column that is not there changes nothing."""

    REFUSED = auto()  # in every row the cell must be filled
    KEEPS = auto()  # what is stored stays
    CLEARS = auto()  # what is stored becomes null
    BLANKS = auto()  # what is stored becomes the empty text


@dataclass(frozen=True, slots=True)
class Column:
    """``needed`` columns must be in the header, ``read_only`` ones are exported and never read.

    ``stored`` is the name of the value, if it is not that of the column.
    """

    name: str
    read: Reader
    empty: Empty = Empty.KEEPS
    needed: bool = False
    read_only: bool = False
    stored: str = ""

    def value(self, cells: Cells, values: Values) -> None:
        """Put into ``values`` what the cell says."""
        text = cells.get(self.name)
        found = self.read(self.name, text) if text else None
        if found is not None:
            values[self.stored or self.name] = found
        elif self.empty is Empty.REFUSED:
            raise missing(self.name)
        elif text is not None and self.empty is not Empty.KEEPS:
            values[self.stored or self.name] = None if self.empty is Empty.CLEARS else ""


def no_check(_cells: Cells, _values: Values) -> None:
    """For tables whose columns do not depend on one another."""


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of table. Its columns are in the order in which they are read and exported.

    ``check`` is about several columns of a row at once: it sees the cells and the values.
    """

    name: Name
    declared: tuple[Column, ...]
    check: Callable[[Cells, Values], None] = no_check
    columns: tuple[str, ...] = field(init=False)
    required: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        needed = (column.name for column in self.declared if column.needed)
        object.__setattr__(self, "columns", tuple(column.name for column in self.declared))
        object.__setattr__(self, "required", frozenset(needed))

    def fits(self, header: Collection[str]) -> bool:
        return self.required <= set(header) <= set(self.columns)

    def read(self, cells: Cells) -> Values:
        """The values of a row. Raises InvalidError for the first that cannot be read."""
        values: Values = {}
        for column in self.declared:
            if not column.read_only:
                column.value(cells, values)
        self.check(cells, values)
        return values
