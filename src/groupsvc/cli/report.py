"""The results of imported rows: counts, the first refusals, and a CSV file with every row."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Self, TextIO

import typer

from groupsvc.cli.tables import usable
from groupsvc.import_export.dangers import DANGERS
from groupsvc.import_export.guards import defuse
from groupsvc.import_export.waiting import UNDECIDED

SHOWN = 20  # refused rows on the terminal
READINGS = {
    "lookalike": "names that look alike",
    "damaged": "damaged numbers",
    "former_name": "former names",
    "reused_name": "names that others had before",
    "renamed": "keys, with new names",
    "never_here": "deletions of what was never here",
}
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
        self._readings: dict[str, Counter[str]] = {}
        self._dangers: dict[str, Counter[str]] = {}
        self._refusals: list[str] = []
        self._notes: list[str] = []
        self.clear()

    def clear(self) -> None:
        """Start again: what was reported so far has been rolled back."""
        self._counts.clear()
        self._readings.clear()
        self._dangers.clear()
        self._refusals.clear()
        if self._path is not None:
            self._close()
            with usable(self._path):
                self._file = self._path.open("w", encoding="utf-8", newline="")
            csv.writer(self._file).writerow(self._columns)

    def add(
        self,
        subject: str,
        result: str,
        cells: Sequence[object],
        refusal: str,
        code: str | None = None,
    ) -> None:
        """Count a row under its subject; a refused one is shown with the text ``refusal``.

        ``code`` says why it was refused, or how it was read: these are counted too.
        """
        self._counts.setdefault(subject, Counter())[result] += 1
        if code is not None:
            found = self._dangers if result == "refused" else self._readings
            found.setdefault(subject, Counter())[code] += 1
        if result == "refused" and len(self._refusals) < SHOWN:
            self._refusals.append(refusal)
        self._write(cells)

    def note(self, text: str, cells: Sequence[object] = ()) -> None:
        """Show a text about a whole file before the results; ``cells`` are a row of the file."""
        self._notes.append(text)
        if cells:
            self._write(cells)

    @property
    def refused(self) -> int:
        return sum(counts["refused"] for counts in self._counts.values())

    def finish(self, *, withheld: bool = False) -> None:
        """Print the results. Raises typer.Exit when rows were refused.

        With ``withheld`` nothing was written then.
        """
        for note in self._notes:
            typer.echo(note)
        for subject, counts in self._counts.items():
            results = ", ".join(f"{count} {result}" for result, count in sorted(counts.items()))
            typer.echo(f"{subject}: {results}")
            self._explain(subject)
        for line in self._refusals:
            typer.echo(line)
        refused = self.refused
        if refused > len(self._refusals):
            hint = f"see {self._path}" if self._path else "use --report FILE.csv to see all"
            typer.echo(f"and {refused - len(self._refusals)} more refused rows: {hint}")
        if refused and withheld:
            typer.echo("nothing is written: all or nothing was asked for")
        if refused:
            raise typer.Exit(REFUSED)

    def _explain(self, subject: str) -> None:
        """Say how rows were read, and how to do those that were refused as dangerous."""
        for code, count in sorted(self._readings.get(subject, Counter()).items()):
            typer.echo(f"{subject}: {count} by {READINGS.get(code, code)}")
        refused = self._dangers.get(subject, Counter())
        for danger in DANGERS:
            if refused[danger]:
                hint = f"--accept {danger} takes them"
                typer.echo(f"{subject}: {refused[danger]} refused as {danger}; {hint}")
        if refused[UNDECIDED]:
            typer.echo(
                f"{subject}: {refused[UNDECIDED]} not decided: too many rows wait for others"
            )

    def _write(self, cells: Sequence[object]) -> None:
        if self._file is not None:
            csv.writer(self._file).writerow([defuse(str(cell)) for cell in cells])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
