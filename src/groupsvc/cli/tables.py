"""Tables in files: which kind each one is, and what became of its rows."""

import csv
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import typer

from groupsvc.cli.progress import Meter
from groupsvc.domain.errors import InvalidError
from groupsvc.import_export.kinds import KINDS, Kind, kind_of
from groupsvc.import_export.results import RowAnswer
from groupsvc.import_export.tables import Row, UnusableTableError, as_text, defuse, read_table

SHOWN = 20  # refused rows on the terminal
REPORT = ("file", "line", "result", "code", "message")


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file that can be read to its end."""

    path: Path
    kind: Kind
    rows: int
    separator: str | None

    def read(self) -> Iterator[Row]:
        with as_text(self.path.open("rb")) as text:
            yield from read_table(text, self.separator).rows


def find_tables(paths: Iterable[Path], separator: str | None) -> list[TableFile]:
    """The tables in files and directories, in the order in which they are imported.

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
        return TableFile(path, kind, sum(1 for _ in table.rows), separator)


@contextmanager
def usable(path: Path) -> Generator[None]:
    """Name the file that cannot be used. Raises InvalidError."""
    try:
        yield
    except UnusableTableError as error:
        raise InvalidError(f"{path}: {error.message}") from error
    except OSError as error:
        raise InvalidError(f"{path}: {error.strerror}") from error


class Summary:
    """What became of the rows: counts, the first that were refused, and all of them in a file."""

    def __init__(self, meter: Meter, report: Path | None) -> None:
        self._meter = meter
        self._path = report
        self._file: TextIO | None = None
        self._counts: dict[str, Counter[str]] = {}
        self._refused: list[str] = []
        self.begin()

    @property
    def refused(self) -> int:
        return sum(counts["refused"] for counts in self._counts.values())

    def begin(self) -> None:
        """Start over: what was told so far has been undone."""
        self._meter.reset()
        self._counts.clear()
        self._refused.clear()
        if self._path is not None:
            self.close()
            with usable(self._path):
                self._file = self._path.open("w", encoding="utf-8", newline="")
            csv.writer(self._file).writerow(REPORT)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def tell(self, table: TableFile, answers: Sequence[RowAnswer]) -> None:
        self._meter.advance(len(answers))
        counts = self._counts.setdefault(table.kind.name, Counter())
        counts.update(answer.result for answer in answers)
        for answer in answers:
            if answer.result == "refused" and len(self._refused) < SHOWN:
                self._refused.append(f"{table.path}:{answer.line}: {answer.code}: {answer.message}")
        if self._file is not None:
            csv.writer(self._file).writerows(_line(table, answer) for answer in answers)

    def show(self) -> None:
        for kind, counts in self._counts.items():
            told = ", ".join(f"{count} {result}" for result, count in sorted(counts.items()))
            typer.echo(f"{kind}: {told}")
        for line in self._refused:
            typer.echo(line)
        if self.refused > len(self._refused):
            hint = f"see {self._path}" if self._path else "use --report FILE.csv to see all"
            typer.echo(f"and {self.refused - len(self._refused)} more refused rows: {hint}")


def _line(table: TableFile, answer: RowAnswer) -> tuple[str, int, str, str, str]:
    return (
        defuse(str(table.path)),
        answer.line,
        answer.result,
        answer.code or "",
        answer.message or "",
    )
