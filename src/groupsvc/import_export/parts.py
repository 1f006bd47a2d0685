"""How the rows of a file become rows of our tables, by declaration."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from groupsvc.import_export.columns import Kind, plain
from groupsvc.import_export.lines import Line
from groupsvc.import_export.tables import UNIT, Row

# In a row whose partition is the one that has the group: all groups of its cell.
AMONG: Final = "groups"
Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Take:
    """The first of several columns that has something in it; with ``join`` all of them.

    ``words`` are ours by theirs, ``marks`` are characters before a value that are none of it, and
    a value counts only ``where`` it is one of this column.
    """

    names: tuple[str, ...]
    join: bool = False
    words: Mapping[str, str] = field(default_factory=dict[str, str])
    marks: str = ""
    where: Callable[[str], bool] | None = None

    @property
    def is_plain(self) -> bool:
        return len(self.names) == 1 and not (self.join or self.words or self.marks or self.where)

    def within(self, keys: Collection[str]) -> "Take | None":
        """Of the columns that a file has, by their plain names."""
        names = tuple(dict.fromkeys(key for key in map(plain, self.names) if key in keys))
        return replace(self, names=names) if names else None

    def __call__(self, cells: Cells) -> str:
        filled = [text for name in self.names if (text := cells[name]) and not text.isspace()]
        text = "".join(filled) if self.join else (filled or ("",))[0]
        if self.marks:
            text = text.lstrip(self.marks)
        if self.words:
            text = self.words.get(plain(text), text)
        return text if self.where is None or self.where(text) else ""


def take(*names: str) -> Take:
    return Take(names)


def joined(*names: str) -> Take:
    return Take(names, join=True)


@dataclass(frozen=True, eq=False)
class Part:
    """What a file brings of one kind of table.

    ``several`` are the names of a column that holds several things, and what stands between them.
    ``spread`` are the columns of a file each other column of which is a partition. An
    ``is_optional`` part is left out when something is missing, one that ``enrolls`` when that is
    not asked for.
    """

    kind: Kind
    columns: Mapping[str, Take]
    several: tuple[tuple[str, ...], str] | None = None
    spread: tuple[str, ...] = ()
    is_optional: bool = False
    enrolls: bool = False


@dataclass(frozen=True, slots=True)
class BoundPart:
    """A part of a file with a certain header.

    ``fills`` are values of our columns where the file has nothing, ``several`` is the key of a
    column with what stands between its values, and ``spread`` are names of partitions by keys.
    """

    kind: Kind
    takes: Mapping[str, Take]
    fills: Mapping[str, str]
    several: tuple[str, str] | None = None
    spread: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def finds_partitions(self) -> bool:
        """Whether the partition of a row is looked for by the name of the group."""
        return self.several is not None and self.several[0] in self._names_of("group")

    @property
    def is_plain(self) -> bool:
        """Whether the rows are those of the file, once its columns have our names."""
        is_plain = all(each.is_plain for each in self.takes.values())
        return (
            is_plain
            and len(self.used) == len(self.takes)
            and not (self.fills or self.several or self.spread)
        )

    @property
    def names(self) -> set[str]:
        """Our columns that its rows have."""
        spread = ("partition", "group") if self.spread else ()
        found = ("partition",) if self.finds_partitions else ()
        return {*self.takes, *self.fills, *spread, *found}

    @property
    def used(self) -> set[str]:
        """The columns of the file that are read, by their keys."""
        return self.spread.keys() | {key for each in self.takes.values() for key in each.names}

    def missing(self) -> list[str]:
        return self.kind.missing(self.names)

    def rows(self, row: Row) -> Iterator[Row]:
        """Our rows for one whose cells go by the keys of their columns."""
        if row.fault is not None:
            yield row
        elif self.spread:
            for nth, (key, name) in enumerate(self.spread.items()):
                cells = {**self._cells(row.cells), "partition": name, "group": row.cells[key]}
                yield Row(Line(row.line, nth), cells)
        elif self.several is not None:
            yield from self._each_of_several(row, *self.several)
        else:
            yield Row(row.line, self._cells(row.cells))

    def _each_of_several(self, row: Row, key: str, separator: str) -> Iterator[Row]:
        texts = [text.strip() for text in row.cells[key].split(separator)]
        found = list(dict.fromkeys(text for text in texts if text))
        among = {AMONG: UNIT.join(found)} if self.finds_partitions else {}
        for nth, text in enumerate(found):
            cells = self._cells({**row.cells, key: text})
            yield Row(Line(row.line, nth), cells | among)

    def _cells(self, given: Cells) -> dict[str, str]:
        cells = {
            name: text
            for name, read in self.takes.items()
            # What stands in another of our columns does not empty this one.
            if (text := read(given)) or read.where is None
        }
        for name, value in self.fills.items():
            cells[name] = cells.get(name) or value
        return cells

    def _names_of(self, column: str) -> tuple[str, ...]:
        return self.takes[column].names if column in self.takes else ()
