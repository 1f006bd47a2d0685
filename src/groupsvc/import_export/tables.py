"""Tables from institutions: texts with separators and workbooks, read through one interface.

Rows are handed on as they come. What is put right on the way is counted; a cell that is written
with a guard comes back as it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import IO, Final

from groupsvc.domain.errors import GroupsvcError
from groupsvc.import_export import guards
from groupsvc.import_export.columns import Values
from groupsvc.import_export.delimited import read_delimited
from groupsvc.import_export.encodings import UTF_8, encoding_of, shown
from groupsvc.import_export.mended import Mending, Mendings
from groupsvc.import_export.raw_rows import RawRow, UnusableTableError
from groupsvc.import_export.workbook_limits import is_workbook

_BYTE_ORDER_MARK = "\ufeff"
REST: Final = "..."  # after the last of the columns that are told: all cells that follow
UNIT: Final = "\x1f"  # between these


@dataclass(slots=True)
class Row:
    """A data row: its cells by column, or what is wrong with its form.

    ``line`` is where it starts; the header is line 1. ``ahead`` is what was read of it beforehand.
    A row ``has_ids`` when what it calls courses and departments are ids, which nothing looks like.
    """

    line: int
    cells: Mapping[str, str] = field(default_factory=dict[str, str])
    fault: str | None = None
    ahead: Values | GroupsvcError | None = field(default=None, compare=False, repr=False)
    has_ids: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """What is known of a table before it is read: of a text its separator and its encoding (a key
    of ``LABELS``), of a workbook its sheet, and its ``columns`` when it has no header.
    ``is_workbook`` is what it is called, if anything."""

    separator: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    is_workbook: bool | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A header and the rows below it, which can be read once.

    ``given`` is the header as it stands in the file. ``encoding`` is told unless it is UTF-8.
    """

    header: tuple[str, ...]
    given: Sequence[str]
    reader: Iterator[RawRow]
    mendings: Mendings
    encoding: str | None = None

    @property
    def rows(self) -> Iterator[Row]:
        return _Rows(self).read()


def read_table(stream: IO[bytes], form: Form | None = None) -> Table:
    """Read the header, and the rows as they are asked for. The stream can be rewound.

    Raises UnusableTableError here for the header, and from the rows for what makes all that
    follows doubtful.
    """
    form, mendings, encoding = form or Form(), Mendings(), UTF_8
    if is_workbook(stream):
        if form.is_workbook is False:
            mendings.add(Mending.WORKBOOK, 1)
        # The library is large, and a server that reads no workbook does without it.
        from groupsvc.import_export.workbooks import read_workbook

        reader = read_workbook(stream, form.sheet, mendings)
    else:
        if form.is_workbook:
            mendings.add(Mending.TEXT, 1)
        encoding = encoding_of(stream, form.encoding)
        reader = read_delimited(stream, encoding, form.separator, mendings, least=len(form.columns))
    first = next(reader)
    if first.fault is not None:
        raise UnusableTableError(first.fault, first.line)
    told = None if encoding.startswith(UTF_8) else shown(encoding)
    if form.columns:
        return _without_header(form.columns, first, reader, mendings, told)
    given = _without_empty_end(first, 1, mendings)
    header = tuple(map(_tidy, given))
    untidy = sum(one != other for one, other in zip(header, given, strict=True))
    if untidy:
        mendings.add(Mending.HEADER_SPACES, first.line, untidy)
    return Table(header, given, reader, mendings, told)


def with_rest(table: Table) -> Table:
    """The table with all cells from the last column on in that one."""
    width = len(table.given)
    return replace(table, reader=_folded(table.reader, width))


def _folded(reader: Iterator[RawRow], width: int) -> Iterator[RawRow]:
    for row in reader:
        rest = UNIT.join(cell for cell in row.cells[width - 1 :] if cell.strip())
        yield row._replace(cells=[*row.cells[: width - 1], rest]) if row.cells else row


def _without_header(
    columns: tuple[str, ...],
    first: RawRow,
    reader: Iterator[RawRow],
    mendings: Mendings,
    encoding: str | None,
) -> Table:
    header = tuple(column.removesuffix(REST) for column in columns)
    table = Table(header, header, chain((first,), reader), mendings, encoding)
    if columns[-1].endswith(REST):
        return with_rest(table)
    if len(first.cells) != len(columns):
        raise UnusableTableError(
            f"there are {len(first.cells)} cells where {len(columns)} columns are named", first.line
        )
    return table


class _Rows:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._names = frozenset(table.given) - {""}
        self._mendings = table.mendings

    def read(self) -> Iterator[Row]:
        header = self._table.header
        width = len(header)
        for row in self._table.reader:
            line, cells, fault = row
            if fault is not None:
                yield Row(line, fault=fault)
                continue
            text = "".join(cells)
            if not text or text.isspace():
                self._mendings.add(Mending.EMPTY_ROWS, line)
                continue
            if len(cells) > width:
                cells = _without_empty_end(row, width, self._mendings)
            marked = cells[0].startswith(_BYTE_ORDER_MARK)
            if marked:
                cells = [_first_cell(cells[0]), *cells[1:]]
            if cells[0] in self._names and self._is_header(line, cells, marked=marked):
                continue
            if marked:
                self._mendings.add(Mending.BYTE_ORDER_MARK, line)
            if guards.SUSPECT.search(text):
                cells = [self._mend(line, cell) for cell in cells]
            if len(cells) == width:
                yield Row(line, dict(zip(header, cells, strict=True)))
            else:
                yield Row(line, fault=f"there are {len(cells)} cells where the header has {width}")

    def _mend(self, line: int, cell: str) -> str:
        restored = guards.restore(cell)
        if restored != cell:
            return restored
        whole = guards.without_line_breaks(cell)
        if whole != cell:
            self._mendings.add(Mending.LINE_BREAKS, line)
        bare = guards.without_quotes(whole)
        if bare != whole:
            self._mendings.add(Mending.QUOTES, line)
        return bare

    def _is_header(self, line: int, cells: list[str], *, marked: bool) -> bool:
        """Whether the row is the header once more, as where two files were joined.

        Raises UnusableTableError for a header of other columns or of another order: what follows
        it would be misread.
        """
        if cells == [*self._table.given]:
            self._mendings.add(Mending.REPEATED_HEADER, line)
            return True
        if marked or (len(cells) > 1 and self._names == frozenset(cells)):
            raise UnusableTableError("another header begins here", line)
        return False


def _tidy(name: str) -> str:
    """Without marks and with single spaces; a no-break space is one."""
    return " ".join(guards.restore(name).replace(_BYTE_ORDER_MARK, " ").split())


def _first_cell(cell: str) -> str:
    """Without the mark, which kept the csv module from seeing quotes."""
    bare = cell.lstrip(_BYTE_ORDER_MARK)
    quoted = len(bare) > 1 and bare[0] == bare[-1] == '"'
    return bare[1:-1].replace('""', '"') if quoted else bare


def _without_empty_end(row: RawRow, width: int, mendings: Mendings) -> list[str]:
    """The cells without those at the end that are empty and beyond the width."""
    end = len(row.cells)
    while end > width and not row.cells[end - 1].strip():
        end -= 1
    if end < len(row.cells):
        mendings.add(Mending.EMPTY_COLUMNS, row.line)
    return row.cells[:end]
