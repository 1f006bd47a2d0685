"""How a table is declared: its columns, each with its reader and with what an empty cell means.

Header, rows, documentation and export follow from the declaration.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Literal

from groupsvc.domain.names import without_case_and_accents
from groupsvc.domain.principal import Permission
from groupsvc.import_export.cells import Reader, missing

Name = Literal[
    "courses",
    "roster",
    "structure",
    "assignments",
    "preassignments",
    "content_groups",
    "roles",
]
Cells = Mapping[str, str]
Values = dict[str, Any]


class Empty(Enum):
    """What an empty cell means where it is to clear; elsewhere what is stored stays."""

    REFUSED = auto()  # in every row the cell must be filled
    KEEPS = auto()  # what is stored stays all the same
    CLEARS = auto()  # what is stored becomes null
    BLANKS = auto()  # what is stored becomes the empty text


@dataclass(frozen=True, slots=True)
class Column:
    """``needed`` columns must be in the header, ``read_only`` ones are exported and never read.

    ``is_order`` is of one that says what to do: it is never exported.

    ``stored`` is the name of the value, if it is not that of the column. ``aliases`` are what
    other systems call it, in any spelling that ``plain`` makes the same.
    """

    name: str
    read: Reader
    empty: Empty = Empty.KEEPS
    needed: bool = False
    read_only: bool = False
    is_order: bool = False
    stored: str = ""
    aliases: tuple[str, ...] = ()

    def value(self, cells: Cells, values: Values, *, clears: bool) -> None:
        """Put into ``values`` what the cell says; an empty one may clear."""
        text = cells.get(self.name)
        found = self.read(self.name, text) if text else None
        if found is not None:
            values[self.stored or self.name] = found
        elif self.empty is Empty.REFUSED:
            raise missing(self.name)
        elif clears and text is not None and self.empty is not Empty.KEEPS:
            values[self.stored or self.name] = None if self.empty is Empty.CLEARS else ""


def plain(name: str) -> str:
    """A name of a header in one spelling: ``E-Mail Adresse`` is ``emailadresse``."""
    bare = "".join(filter(str.isalnum, without_case_and_accents(name)))
    return bare or name


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
    ``check`` is about several columns of a row at once: it sees the cells and the values. Of the
    columns ``one_of`` a header has one at least.
    """

    name: Name
    declared: tuple[Column, ...]
    sources: tuple[Source, ...]
    check: Callable[[Cells, Values], None] = no_check
    permission: Permission = Permission.GROUPS_READ
    one_of: tuple[str, ...] = ()
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

    @property
    def exported(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.declared if not column.is_order)

    def missing(self, names: Container[str]) -> list[str]:
        """Columns that a header with these names lacks."""
        lacking = [name for name in self.columns if name in self.required and name not in names]
        if self.one_of and not any(name in names for name in self.one_of):
            lacking.append(" or ".join(self.one_of))
        return lacking

    def named(self, header: Sequence[str]) -> tuple[str, ...]:
        """The header in the names of the columns; what names none of them stays as it is."""
        return tuple(self.names.get(plain(name), name) for name in header)

    def read(self, cells: Cells, *, clears: bool = False) -> Values:
        """The values of a row. Raises InvalidError for the first that cannot be read."""
        values: Values = {}
        for column in self.declared:
            if not column.read_only:
                column.value(cells, values, clears=clears)
        self.check(cells, values)
        return values
