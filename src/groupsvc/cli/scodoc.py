"""The command that imports partitions, groups and memberships from a running ScoDoc."""

from collections.abc import Sequence
from typing import Annotated

import typer

from groupsvc.cli.progress import Meter
from groupsvc.cli.remote_import import CopiedRow, Copy, import_copies, make_client
from groupsvc.cli.report import DryRun, Report, ReportFile
from groupsvc.cli.runtime import OPERATOR
from groupsvc.cli.scodoc_copy import SemesterCopy
from groupsvc.cli.scodoc_source import ScodocSource, SourcePartition
from groupsvc.core.unit_of_work import UnitOfWork
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
    client = make_client(url, "a ScoDoc")
    source = ScodocSource(client, department)

    async def read() -> list[tuple[int, Copy]]:
        async with client, source.logged_in(user, password):
            with Meter(None) as meter:
                return [
                    (number, _copy(key, await source.partitions(number, meter.advance)))
                    for number, key in targets
                ]

    import_copies(read, Report(COLUMNS, report), dry_run=dry_run)


def _target(text: str) -> tuple[int, str]:
    number, equals, key = text.partition("=")
    if not (number.isascii() and number.isdigit() and equals and key):
        raise InvalidError("name formsemestres as ID=COURSE_KEY, for instance 12=BUT-INFO-S1")
    return int(number), key


def _copy(key: str, partitions: Sequence[SourcePartition]) -> Copy:
    async def work(uow: UnitOfWork) -> list[CopiedRow]:
        return await SemesterCopy(uow, OPERATOR).write(key, partitions)

    return work
