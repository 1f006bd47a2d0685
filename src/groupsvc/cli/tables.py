"""CSV files to import: which table each one holds."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from groupsvc.domain.errors import InvalidError
from groupsvc.import_export.columns import Kind
from groupsvc.import_export.headers import fit, kind_of, renamed
from groupsvc.import_export.kinds import KINDS
from groupsvc.import_export.tables import Row, UnusableTableError, as_text, read_table


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file that has been read to its end once.

    ``columns`` are those that it calls something else.
    """

    path: Path
    kind: Kind
    columns: Mapping[str, str]
    rows: int
    separator: str | None

    def read(self) -> Iterator[Row]:
        with as_text(self.path.open("rb")) as text:
            yield from fit(read_table(text, self.separator), self.kind).rows


def find_tables(paths: Iterable[Path], separator: str | None) -> list[TableFile]:
    """Return the tables in files and directories, in the order in which they are imported.

    Raises InvalidError, which names the file that cannot be used.
    """
    files = [file for path in paths for file in _files(path)]
    tables = [_examine(file, separator) for file in dict.fromkeys(files)]
    return sorted(tables, key=lambda table: KINDS.index(table.kind))


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.iterdir() if each.suffix.lower() == ".csv")
    if not found:
        raise InvalidError(f"{path}: there is no .csv file in this directory")
    return found


def _examine(path: Path, separator: str | None) -> TableFile:
    with usable(path), as_text(path.open("rb")) as text:
        table = read_table(text, separator)
        kind = kind_of(table.header)
        columns = renamed(table.header, kind)
        rows = sum(1 for _ in fit(table, kind).rows)
        return TableFile(path, kind, columns, rows, separator)


@contextmanager
def usable(path: Path) -> Generator[None]:
    """Raise InvalidError with the path of a file that cannot be used."""
    try:
        yield
    except UnusableTableError as error:
        raise InvalidError(f"{path}: {error.message}") from error
    except OSError as error:
        raise InvalidError(f"{path}: {error.strerror}") from error
