"""Files to import: which tables each one brings."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from groupsvc.domain.errors import InvalidError
from groupsvc.import_export.beside import FILLED, NOTHING_BESIDE, Beside
from groupsvc.import_export.columns import Kind
from groupsvc.import_export.foreign.oneroster import TITLE, Bundle, Source, bundle_in
from groupsvc.import_export.headers import HeaderError, Understood, rows_of, understand
from groupsvc.import_export.kinds import KINDS
from groupsvc.import_export.mended import Mended
from groupsvc.import_export.parts import BoundPart
from groupsvc.import_export.raw_rows import UnusableTableError
from groupsvc.import_export.tables import Form, Row, Table, read_table

ENDINGS: Final = (".csv", ".tsv", ".xlsx")


class Separator(StrEnum):
    AUTO = "auto"
    COMMA = ","
    SEMICOLON = ";"
    TAB = "tab"

    def character(self) -> str | None:
        return {"auto": None, "tab": "\t"}.get(self.value, self.value)


@dataclass(frozen=True, slots=True)
class TableFile:
    """What a file brings of one kind of table, read to its end once.

    ``columns`` are those that it calls something else, ``notes`` what else is to be said of it.
    ``encoding`` is told unless it is UTF-8. Of several tables in a file the first tells all.
    """

    path: Path
    kind: Kind
    read: Callable[[], Iterator[Row]]
    rows: int = 0
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    encoding: str | None = None
    mended: Sequence[Mended] = ()
    notes: Sequence[str] = ()
    uniform: bool = True


def find_tables(
    paths: Iterable[Path], form: Form, beside: Beside = NOTHING_BESIDE
) -> list[TableFile]:
    """Return the tables in files and directories, in the order in which they are imported.

    Raises InvalidError, which names the file that cannot be used.
    """
    files = [file for path in paths for file in _files(path)]
    unmapped = dict(beside.columns)
    tables: list[TableFile] = []
    if files and all(map(_is_bundle, files)):
        beside.refuse_for_bundle(form)
    for file in dict.fromkeys(files):
        found, mapped = _examine(file, form, beside)
        tables += found
        for name in mapped:
            unmapped.pop(name, None)
    if unmapped:
        names = ", ".join(unmapped.values())
        raise InvalidError(f"no file has a column called {names}")
    return sorted(tables, key=lambda table: KINDS.index(table.kind))


def _files(path: Path) -> list[Path]:
    if not path.is_dir() or _is_bundle(path):
        return [path]
    found = sorted(each for each in path.iterdir() if _is_table(each))
    if not found:
        raise InvalidError(f"{path}: there is no {' or '.join(ENDINGS)} file in this directory")
    return found


def _is_bundle(path: Path) -> bool:
    with usable(path):
        return bundle_in(path, Form(), None) is not None


def _is_table(path: Path) -> bool:
    """Spreadsheet programs keep a file of another content beside the one that is open."""
    return path.suffix.lower() in ENDINGS and not path.name.startswith("~$")


def _examine(path: Path, form: Form, beside: Beside) -> tuple[list[TableFile], Iterable[str]]:
    with usable(path):
        bundle = bundle_in(path, form, beside.department)
        if bundle is not None:
            return _tables_of(bundle, path), ()
    beside.refuse_for_other_files()
    form = replace(beside.form(form), is_workbook=path.suffix.lower() == ".xlsx")
    with usable(path), path.open("rb") as stream:
        table = read_table(stream, form)
        understood = understand(table.header, beside)
        first, *others = understood.parts
        tables = [_read(path, form, first, table)]
        for part in others:
            with path.open("rb") as again:
                tables.append(_read(path, form, part, read_table(again, form)))
    columns: Mapping[str, str] = understood.columns if understood.format is None else {}
    tables[0] = replace(
        tables[0],
        columns=columns,
        encoding=table.encoding,
        mended=table.mendings.told(),
        notes=_notes(understood, tables),
    )
    return tables, understood.mapped


def _read(path: Path, form: Form, part: BoundPart, table: Table) -> TableFile:
    def read() -> Iterator[Row]:
        with path.open("rb") as stream:
            yield from rows_of(read_table(stream, form), part)

    return TableFile(path, part.kind, read, sum(1 for _ in rows_of(table, part)))


def _tables_of(bundle: Bundle, path: Path) -> list[TableFile]:
    tables: list[TableFile] = []
    for source in bundle.sources:

        def read(source: Source = source) -> Iterator[Row]:
            with bundle.table(source.file) as table:
                yield from bundle.rows(source, table)

        told = any(table.path.name == source.file for table in tables)
        with bundle.table(source.file) as table:
            rows = sum(1 for _ in bundle.rows(source, table))
            mended = () if told else table.mendings.told()
            encoding = None if told else table.encoding
        file = path / source.file
        tables.append(TableFile(file, source.kind, read, rows, encoding=encoding, mended=mended))
    brought = ", ".join(f"{each.kind.name} {each.rows} of {each.path.name}" for each in tables)
    tables[0] = replace(tables[0], notes=[f"read as {TITLE}; rows of {brought}"])
    return tables


def _notes(understood: Understood, tables: Sequence[TableFile]) -> list[str]:
    """What is brought where, and what is not."""
    notes: list[str] = []
    if understood.format is not None or len(tables) > 1:
        title = understood.format.title if understood.format is not None else "persons and groups"
        brought = ", ".join(f"{table.kind.name} {table.rows}" for table in tables)
        notes.append(f"read as {title}; rows of {brought}")
    if understood.can_enroll:
        notes.append("it enrolls nobody; --enroll does")
    if understood.ignored:
        notes.append(f"not read: {', '.join(understood.ignored)}")
    for name, missing in understood.left_out.items():
        options = dict.fromkeys(f"--{FILLED.get(column, 'map')}" for column in missing)
        notes.append(f"no {name} without {', '.join(missing)}; {', '.join(options)} may help")
    return notes


@contextmanager
def usable(path: Path) -> Generator[None]:
    """Raise InvalidError with the path of a file that cannot be used."""
    try:
        yield
    except HeaderError as error:
        error.add_advice(", ".join(f"--{option}" for option in error.options))
        raise InvalidError(f"{path}: {error.message}") from error
    except UnusableTableError as error:
        raise InvalidError(f"{path}: {error.message}") from error
    except OSError as error:
        raise InvalidError(f"{path}: {error.strerror}") from error
