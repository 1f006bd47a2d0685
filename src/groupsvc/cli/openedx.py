"""Move courses over: import settings, cohorts, links and members from a running Open edX."""

import contextlib
import csv
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from groupsvc.cli.openedx_copy import CopiedRow, CourseCopy
from groupsvc.cli.openedx_source import SourceCourse, open_source
from groupsvc.cli.progress import Meter
from groupsvc.cli.runtime import OPERATOR, open_units, run
from groupsvc.core.transactions import TransactionRunner
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import InvalidError
from groupsvc.import_export.tables import defuse

SHOWN = 20  # refused rows on the terminal
REFUSED = 3  # exit code: some rows were refused
REPORT = ("course", "cohort", "user", "result", "code")
SCHEMES = ("Bearer", "JWT")

Told = list[tuple[str, CopiedRow]]


class _UndoneError(Exception):
    """Ends a unit of work that was only to show what would come of it."""


def import_openedx(
    url: Annotated[str, typer.Argument(help="Address of the LMS, as https://lms.example.")],
    courses: Annotated[
        list[str], typer.Argument(metavar="COURSE_KEY...", help="The courses, by their keys.")
    ],
    token: Annotated[
        str,
        typer.Option(
            envvar="GROUPSVC_OPENEDX_TOKEN",
            show_envvar=True,
            prompt=True,
            hide_input=True,
            help="A token of global staff or of staff of the courses.",
        ),
    ],
    scheme: Annotated[str, typer.Option(help="What the token is: Bearer or JWT.")] = "Bearer",
    department: Annotated[
        str | None,
        typer.Option(help="Acronym of a department in which what is missing is declared."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="A CSV file to write with the answer to every row.")
    ] = None,
) -> None:
    """Import cohorts from a running Open edX: settings, cohorts, content links and members.

    Users are recognised by username, then by e-mail address. Addresses that wait for their users
    cannot be read there. Exit code 0: every membership is in; 3: some were refused; 2: nothing is
    done.
    """
    if not url.startswith(("https://", "http://")):
        raise InvalidError("the address begins with https:// or http://")
    if scheme not in SCHEMES:
        raise InvalidError("the scheme is Bearer or JWT")
    told = run(_import(url, token, scheme, courses, department, dry_run=dry_run))
    if report is not None:
        _write_report(report, told)
    _show(told, report)
    if any(row.result == "refused" for _, row in told):
        raise typer.Exit(REFUSED)


async def _import(
    url: str,
    token: str,
    scheme: str,
    keys: list[str],
    department: str | None,
    *,
    dry_run: bool,
) -> Told:
    with Meter(None) as meter:
        async with open_source(url, token, scheme) as source:
            read = [(key, await source.course(key, meter.advance)) for key in keys]
    told: Told = []
    async with open_units() as opened:
        for key, course in read:
            rows = await _write(opened, key, course, department, dry_run=dry_run)
            told += [(key, row) for row in rows]
    return told


async def _write(
    opened: TransactionRunner,
    key: str,
    course: SourceCourse,
    department: str | None,
    *,
    dry_run: bool,
) -> list[CopiedRow]:
    """One transaction for a course: all of it is in, but for the rows that are refused."""
    rows: list[CopiedRow] = []

    async def work(uow: UnitOfWork) -> None:
        uow.context.actor = OPERATOR.subject
        await uow.begin()
        rows[:] = await CourseCopy(uow, OPERATOR, department).write(key, course)
        if dry_run:
            raise _UndoneError

    with contextlib.suppress(_UndoneError):
        await opened.run("cli", work)
    return rows


def _write_report(path: Path, told: Told) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(REPORT)
        for key, row in told:
            cells = (key, row.cohort, row.user, row.result, row.code or "")
            writer.writerow(map(defuse, cells))


def _show(told: Told, report: Path | None) -> None:
    counts = Counter(row.result for _, row in told)
    summary = ", ".join(f"{count} {result}" for result, count in sorted(counts.items()))
    typer.echo(f"memberships: {summary or 'none'}")
    refused = [(key, row) for key, row in told if row.result == "refused"]
    for key, row in refused[:SHOWN]:
        typer.echo(f"{key}: {row.cohort}: {row.user}: {row.code}")
    if len(refused) > SHOWN:
        hint = f"see {report}" if report else "use --report FILE.csv to see all"
        typer.echo(f"and {len(refused) - SHOWN} more refused rows: {hint}")
