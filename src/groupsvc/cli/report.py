"""The results of imported rows: counts, the first refusals, and a CSV file with every row."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Self, TextIO

import typer

from groupsvc.cli.tables import usable
from groupsvc.import_export.tables import defuse

SHOWN = 20  # refused rows on the terminal
REFUSED = 3  # exit code: some rows were refused

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Report what would be done and change nothing.")
]
ReportFile = Annotated[
    Path | None, typer.Option(help="A CSV file to write with the result of every row.")
]


class Report:
    """Collects results; as a context manager it closes the file at the end.

    Raises InvalidError when the file cannot be written.
    """

    def __init__(self, columns: Sequence[str], path: Path | None) -> None:
        self._columns, self._path = columns, path
        self._file: TextIO | None = None
        self._counts: dict[str, Counter[str]] = {}
        self._refusals: list[str] = []
        self.clear()

    def clear(self) -> None:
        """Start again: what was reported so far has been rolled back."""
        self._counts.clear()
        self._refusals.clear()
        if self._path is not None:
            self._close()
            with usable(self._path):
                self._file = self._path.open("w", encoding="utf-8", newline="")
            csv.writer(self._file).writerow(self._columns)

    def add(self, subject: str, result: str, cells: Sequence[object], refusal: str) -> None:
        """Count a row under its subject; a refused one is shown with the text ``refusal``."""
        self._counts.setdefault(subject, Counter())[result] += 1
        if result == "refused" and len(self._refusals) < SHOWN:
            self._refusals.append(refusal)
        if self._file is not None:
            csv.writer(self._file).writerow([defuse(str(cell)) for cell in cells])

    def finish(self) -> None:
        """Print the results. Raises typer.Exit when rows were refused."""
        for subject, counts in self._counts.items():
            results = ", ".join(f"{count} {result}" for result, count in sorted(counts.items()))
            typer.echo(f"{subject}: {results}")
        for line in self._refusals:
            typer.echo(line)
        refused = sum(counts["refused"] for counts in self._counts.values())
        if refused > len(self._refusals):
            hint = f"see {self._path}" if self._path else "use --report FILE.csv to see all"
            typer.echo(f"and {refused - len(self._refusals)} more refused rows: {hint}")
        if refused:
            raise typer.Exit(REFUSED)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
