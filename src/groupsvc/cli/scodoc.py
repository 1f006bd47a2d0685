"""The command that imports partitions, groups and memberships from a running ScoDoc."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer

from groupsvc.cli.progress import Meter
from groupsvc.cli.remote_import import Copy, import_copies, make_client
from groupsvc.cli.report import DryRun, Report, ReportFile
from groupsvc.cli.scodoc_copy import copy_semester
from groupsvc.cli.scodoc_source import ScodocSource
from groupsvc.domain.errors import InvalidError

COLUMNS = ("formsemestre", "partition", "group", "student", "result", "code")


def import_scodoc(
    url: Annotated[str, typer.Argument(help="Address of the ScoDoc, as https://scodoc.example.")],
    formsemestres: Annotated[
        list[str],
        typer.Argument(metavar="ID=COURSE_KEY...", help="A formsemestre and its course here."),
    ],
    user: Annotated[str, typer.Option(help="Login of a ScoDoc user who has ScoView.")],
    password: Annotated[
        str,
        typer.Option(
            envvar="GROUPSVC_SCODOC_PASSWORD",
            show_envvar=True,
            prompt=True,
            hide_input=True,
            help="Their password; prompted for when it is not given.",
        ),
    ],
    department: Annotated[
        str | None,
        typer.Option(help="Acronym there, for a user whose role is in one department only."),
    ] = None,
    dry_run: DryRun = False,
    report: ReportFile = None,
) -> None:
    """Import partitions, groups and memberships from a running ScoDoc.

    The courses must exist, with their users enrolled, who are identified by NIP, INE or username.
    Exit code 0: every membership is written; 3: some were refused; 2: nothing was done.
    """
    targets = [_target(each) for each in formsemestres]
    with Report(COLUMNS, report) as results:
        copies = asyncio.run(_read(url, (user, password), department, targets))
        import_copies(copies, results, dry_run=dry_run)


def _target(text: str) -> tuple[int, str]:
    number, equals, key = text.partition("=")
    if not (number.isascii() and number.isdigit() and equals and key):
        raise InvalidError("name formsemestres as ID=COURSE_KEY, for instance 12=BUT-INFO-S1")
    return int(number), key


async def _read(
    url: str, login: tuple[str, str], department: str | None, targets: Sequence[tuple[int, str]]
) -> list[tuple[int, Copy]]:
    copies: list[tuple[int, Copy]] = []
    async with make_client(url, "a ScoDoc") as client:
        source = ScodocSource(client, department)
        async with source.logged_in(*login):
            with Meter(None) as meter:
                for number, key in targets:
                    partitions = await source.partitions(number, meter.advance)
                    copies.append((number, partial(copy_semester, key, partitions)))
    return copies
