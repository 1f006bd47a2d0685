"""The command that imports formsemestres from a running ScoDoc."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer

from groupsvc.cli.progress import Meter
from groupsvc.cli.remote_import import Copy, import_copies, make_client
from groupsvc.cli.report import DryRun, Report, ReportFile
from groupsvc.cli.scodoc_copy import copy_semester
from groupsvc.cli.scodoc_move import move_semester
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
    new_ids: Annotated[
        bool,
        typer.Option(
            "--new-ids",
            help="Keep none of the ids: import into courses and of students that are here.",
        ),
    ] = False,
    dry_run: DryRun = False,
    report: ReportFile = None,
) -> None:
    """Import formsemestres from a running ScoDoc, with the ids of all that is in them.

    What is missing here is made: department, course, students, partitions, groups. Students are
    identified by NIP, INE or username. Exit code 0: all is written; 3: some rows were refused; 2:
    nothing was done, for instance because an id is that of something else here.
    """
    targets = [_target(each) for each in formsemestres]
    with Report(COLUMNS, report) as results:
        reading = _read(url, (user, password), department, targets, new_ids=new_ids)
        import_copies(asyncio.run(reading), results, dry_run=dry_run)


def _target(text: str) -> tuple[int, str]:
    number, equals, key = text.partition("=")
    if not (number.isascii() and number.isdigit() and equals and key):
        raise InvalidError("name formsemestres as ID=COURSE_KEY, for instance 12=BUT-INFO-S1")
    return int(number), key


async def _read(
    url: str,
    login: tuple[str, str],
    department: str | None,
    targets: Sequence[tuple[int, str]],
    *,
    new_ids: bool,
) -> list[tuple[int, Copy]]:
    copies: list[tuple[int, Copy]] = []
    async with make_client(url, "a ScoDoc") as client:
        source = ScodocSource(client, department)
        async with source.logged_in(*login):
            with Meter(None) as meter:
                for number, key in targets:
                    copy: Copy
                    if new_ids:
                        partitions = await source.partitions(number, None, meter.advance)
                        copy = partial(copy_semester, key, partitions)
                    else:
                        semester = await source.semester(number, meter.advance)
                        copy = partial(move_semester, key, semester)
                    copies.append((number, copy))
    return copies
