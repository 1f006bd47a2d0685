"""What a body holds, to be read as often as it is asked for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import IO, Any, Final

from groupsvc.import_export.beside import Beside
from groupsvc.import_export.columns import Kind
from groupsvc.import_export.foreign.oneroster import NAME, Bundle, bundle_in
from groupsvc.import_export.headers import HeaderError, Understood, rows_of, understand
from groupsvc.import_export.raw_rows import UnusableTableError
from groupsvc.import_export.tables import Form, Row, Table, read_table

MOST_OF_TABLE: Final = 1_048_576


def bounded(rows: Iterable[Row]) -> Iterator[Row]:
    """Raises UnusableTableError for more rows than spreadsheets have."""
    for count, row in enumerate(rows):
        if count == MOST_OF_TABLE:
            raise UnusableTableError(f"the table has more than {MOST_OF_TABLE} rows", row.line)
        yield row


class JsonUpload:
    """Rows of JSON: each has the columns that it wants."""

    uniform = False

    def __init__(self, kind: Kind, rows: Sequence[Mapping[str, str]]) -> None:
        self.kind = kind
        self._rows = rows

    def read(self) -> Iterator[Row]:
        return (Row(place, cells) for place, cells in enumerate(self._rows, start=1))

    def told(self) -> dict[str, Any]:
        return {}


class TableUpload:
    """A table that is read as its rows are asked for, and anew when they are asked for again."""

    uniform = True

    def __init__(self, kind: Kind, spool: IO[bytes], form: Form, beside: Beside) -> None:
        self.kind = kind
        self._spool, self._form = spool, form
        self._table = self._open()
        self._understood = _understand(self._table, kind, beside)
        self._is_unread = True

    def read(self) -> Iterator[Row]:
        if not self._is_unread:
            self._table = self._open()
        self._is_unread = False
        yield from bounded(rows_of(self._table, self._understood.parts[0]))

    def told(self) -> dict[str, Any]:
        """What the table is and how it was read, where that is not one of ours as it stands."""
        understood, table = self._understood, self._table
        said = {
            "format": understood.format and understood.format.name,
            "columns": understood.columns,
            "ignored": understood.ignored,
            "encoding": table.encoding,
            "mended": [asdict(mended) for mended in table.mendings.told()],
        }
        return {name: value for name, value in said.items() if value}

    def _open(self) -> Table:
        self._spool.seek(0)
        return read_table(self._spool, self._form)


class BundleUpload:
    """The files of an archive that have something of the kind."""

    uniform = False

    def __init__(self, kind: Kind, bundle: Bundle) -> None:
        self.kind = kind
        self._bundle = bundle

    def read(self) -> Iterator[Row]:
        for source in self._bundle.sources:
            if source.kind is self.kind:
                with self._bundle.table(source.file) as table:
                    yield from bounded(self._bundle.rows(source, table))

    def told(self) -> dict[str, Any]:
        """How its files were read, those included to which others refer."""
        opened = self._bundle.opened
        encodings = dict.fromkeys(each.encoding for each in opened.values() if each.encoding)
        mended = [
            {"file": file, **asdict(each)}
            for file, table in opened.items()
            for each in table.mendings.told()
        ]
        said = {"format": NAME, "encoding": ", ".join(encodings), "mended": mended}
        return {name: value for name, value in said.items() if value}


Upload = JsonUpload | TableUpload | BundleUpload


def table_upload(kind: Kind, spool: IO[bytes], form: Form, beside: Beside) -> Upload:
    """Raises UnusableTableError, and InvalidError for parameters that mean nothing here."""
    bundle = bundle_in(spool, form, beside.department)
    if bundle is not None:
        beside.refuse_for_bundle(form)
        return BundleUpload(kind, bundle)
    beside.refuse_for_other_files()
    return TableUpload(kind, spool, beside.form(form), beside)


def _understand(table: Table, kind: Kind, beside: Beside) -> Understood:
    """Raises UnusableTableError, which names the parameters that help."""
    try:
        understood = understand(table.header, beside, kind)
    except HeaderError as error:
        error.add_advice(", ".join(error.options))
        raise
    for name, theirs in beside.columns.items():
        if name not in understood.mapped:
            raise UnusableTableError(f"there is no column called {theirs}", 1)
    return understood
