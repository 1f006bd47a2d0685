"""The command that imports cohorts, their members and the course team from a running Open edX."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer

from groupsvc.cli.openedx_copy import copy_course
from groupsvc.cli.openedx_source import OpenedxSource
from groupsvc.cli.progress import Meter
from groupsvc.cli.remote_import import Copy, import_copies, make_client
from groupsvc.cli.report import DryRun, Report, ReportFile
from groupsvc.domain.errors import InvalidError
from groupsvc.domain.roles import Role

COLUMNS = ("course", "cohort", "user", "result", "code")
SCHEMES = ("Bearer", "JWT")


def import_openedx(
    url: Annotated[str, typer.Argument(help="Address of the LMS, as https://lms.example.")],
    courses: Annotated[
        list[str], typer.Argument(metavar="COURSE_KEY...", help="The keys of the courses.")
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
    scheme: Annotated[str, typer.Option(help="The type of the token: Bearer or JWT.")] = "Bearer",
    department: Annotated[
        str | None,
        typer.Option(help="Acronym of the department in which missing courses and users are made."),
    ] = None,
    dry_run: DryRun = False,
    report: ReportFile = None,
) -> None:
    """Import courses from a running Open edX: cohort settings, cohorts, links, members and team.

    Users are identified by username, then by e-mail address. Preassigned e-mail addresses cannot be
    read there. The team becomes the one that the course has there; a role that the platform does
    not tell stays as it is. Exit code 0: all is written; 3: some was refused; 2: nothing was done.
    """
    if scheme not in SCHEMES:
        raise InvalidError("the scheme is Bearer or JWT")
    with Report(COLUMNS, report) as results:
        copies = asyncio.run(_read(url, f"{scheme} {token}", courses, department))
        import_copies(copies, results, dry_run=dry_run)


async def _read(
    url: str, authorization: str, keys: Sequence[str], department: str | None
) -> list[tuple[str, Copy]]:
    async with make_client(url, "an Open edX", authorization=authorization) as client:
        source = OpenedxSource(client)
        with Meter(None) as meter:
            courses = {key: await source.course(key, meter.advance) for key in keys}
    for key, course in courses.items():
        if untold := ", ".join(sorted(frozenset(Role) - course.team.known)):
            line = f"{key}: the platform does not tell who has these roles: {untold}"
            typer.echo(line, err=True)
    return [(key, partial(copy_course, key, courses[key], department)) for key in keys]
