"""Move a department over: import partitions, groups and memberships from a running ScoDoc."""

import contextlib
import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from groupsvc.cli.runtime import OPERATOR, console, open_units, run
from groupsvc.cli.scodoc_copy import CopiedRow, SemesterCopy
from groupsvc.cli.scodoc_source import ScodocSource, SourcePartition, open_source
from groupsvc.core.transactions import TransactionRunner
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import InvalidError
from groupsvc.import_export.tables import defuse

SHOWN = 20  # refused rows on the terminal
REFUSED = 3  # exit code: some rows were refused
REPORT = ("formsemestre", "partition", "group", "student", "result", "code")

Told = list[tuple[int, CopiedRow]]


class _UndoneError(Exception):
    """Ends a unit of work that was only to show what would come of it."""


def import_scodoc(
    url: Annotated[str, typer.Argument(help="Address of the ScoDoc, as https://scodoc.example.")],
    formsemestres: Annotated[
        list[str],
        typer.Argument(metavar="ID=COURSE_KEY...", help="Which formsemestre goes to which course."),
    ],
    user: Annotated[str, typer.Option(help="Login of a ScoDoc user who has ScoView.")],
    password: Annotated[
        str,
        typer.Option(
            envvar="GROUPSVC_SCODOC_PASSWORD",
            show_envvar=True,
            prompt=True,
            hide_input=True,
            help="His password; asked for when it is not given.",
        ),
    ],
    department: Annotated[
        str | None,
        typer.Option(help="Acronym there, for a user who has no role in all departments."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="A CSV file to write with the answer to every row.")
    ] = None,
) -> None:
    """Import partitions, groups and memberships from a running ScoDoc.

    The courses must be there with their users enrolled, who are recognised by NIP, INE or
    username. Exit code 0: every membership is in; 3: some were refused; 2: nothing is done.
    """
    if not url.startswith(("https://", "http://")):
        raise InvalidError("the address begins with https:// or http://")
    targets = [_target(each) for each in formsemestres]
    told = run(_import(url, user, password, department, targets, dry_run=dry_run))
    if report is not None:
        _write_report(report, told)
    _show(told, report)
    if any(row.result == "refused" for _, row in told):
        raise typer.Exit(REFUSED)


def _target(text: str) -> tuple[int, str]:
    number, equals, key = text.partition("=")
    if not (number.isascii() and number.isdigit() and equals and key):
        raise InvalidError("name formsemestres as ID=COURSE_KEY, for instance 12=BUT-INFO-S1")
    return int(number), key


async def _import(
    url: str,
    user: str,
    password: str,
    department: str | None,
    targets: Sequence[tuple[int, str]],
    *,
    dry_run: bool,
) -> Told:
    async with open_source(url, user, password, department) as source:
        read = [(number, key, await _read(source, number)) for number, key in targets]
    told: Told = []
    async with open_units() as opened:
        for number, key, partitions in read:
            rows = await _write(opened, key, partitions, dry_run=dry_run)
            told += [(number, row) for row in rows]
    return told


async def _read(source: ScodocSource, formsemestre_id: int) -> list[SourcePartition]:
    partitions = await source.partitions(formsemestre_id)
    known = await source.students(formsemestre_id)
    groups = [group for partition in partitions for group in partition.groups.values()]
    with Progress(console=console, transient=True) as progress:
        for group in progress.track(groups, description=f"formsemestre {formsemestre_id}"):
            listed = await source.students_of(group)
            group.students = [known.get(each.id, each) for each in listed]
    return partitions


async def _write(
    opened: TransactionRunner, key: str, partitions: Sequence[SourcePartition], *, dry_run: bool
) -> list[CopiedRow]:
    """One transaction for a formsemestre: all of it is in, but for the rows that are refused."""
    rows: list[CopiedRow] = []

    async def work(uow: UnitOfWork) -> None:
        uow.context.actor = OPERATOR.subject
        rows[:] = await SemesterCopy(uow, OPERATOR).write(key, partitions)
        if dry_run:
            raise _UndoneError

    with contextlib.suppress(_UndoneError):
        await opened.run("cli", work)
    return rows


def _write_report(path: Path, told: Told) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(REPORT)
        for number, row in told:
            cells = (row.partition, row.group, row.student, row.result, row.code or "")
            writer.writerow([number, *map(defuse, cells)])


def _show(told: Told, report: Path | None) -> None:
    counts = Counter(row.result for _, row in told)
    summary = ", ".join(f"{count} {result}" for result, count in sorted(counts.items()))
    typer.echo(f"memberships: {summary or 'none'}")
    refused = [(number, row) for number, row in told if row.result == "refused"]
    for number, row in refused[:SHOWN]:
        typer.echo(f"{number}: {row.partition} {row.group}: {row.student}: {row.code}")
    if len(refused) > SHOWN:
        hint = f"see {report}" if report else "use --report FILE.csv to see all"
        typer.echo(f"and {len(refused) - SHOWN} more refused rows: {hint}")
