"""How a table is declared: its columns, each with its reader and with what an empty cell means.

Header, rows, documentation and export follow from the declaration.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Literal

from groupsvc.domain.principal import Permission
from groupsvc.import_export.cells import Reader, missing

Name = Literal["courses", "roster", "structure", "assignments", "roles"]
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

    ``stored`` is the name of the value, if it is not that of the column. ``aliases`` are what
    other systems call it, as ``plain`` makes them.
    """

    name: str
    read: Reader
    empty: Empty = Empty.KEEPS
    needed: bool = False
    read_only: bool = False
    stored: str = ""
    aliases: tuple[str, ...] = ()

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


def plain(name: str) -> str:
    """A name of a header in one spelling: ``E-Mail address`` is ``e_mail_address``."""
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())


def no_check(_cells: Cells, _values: Values) -> None:
    """For tables whose columns do not depend on one another."""


@dataclass(frozen=True, slots=True)
class Source:
    """A statement that an export reads page by page.

    ``key`` are the columns of a row that the next page is after, by their parameters, and
    ``first`` what the first page is after.
    """

    statement: str
    key: Mapping[str, str]
    first: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of table. Its columns are in the order in which they are read and exported.

    ``sources`` follow one another in an export, for which the caller needs ``permission``.
    ``check`` is about several columns of a row at once: it sees the cells and the values.
    """

    name: Name
    declared: tuple[Column, ...]
    sources: tuple[Source, ...]
    check: Callable[[Cells, Values], None] = no_check
    permission: Permission = Permission.GROUPS_READ
    columns: tuple[str, ...] = field(init=False)
    required: frozenset[str] = field(init=False)
    names: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        needed = (column.name for column in self.declared if column.needed)
        names = {
            plain(name): column.name
            for column in self.declared
            for name in (column.name, *column.aliases)
        }
        object.__setattr__(self, "columns", tuple(column.name for column in self.declared))
        object.__setattr__(self, "required", frozenset(needed))
        object.__setattr__(self, "names", names)

    def named(self, header: Sequence[str]) -> tuple[str, ...]:
        """The header in the names of the columns; what names none of them stays as it is."""
        return tuple(self.names.get(plain(name), name) for name in header)

    def read(self, cells: Cells) -> Values:
        """The values of a row. Raises InvalidError for the first that cannot be read."""
        values: Values = {}
        for column in self.declared:
            if not column.read_only:
                column.value(cells, values)
        self.check(cells, values)
        return values
