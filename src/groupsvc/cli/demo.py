"""The command that loads the demo institution."""

from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from groupsvc.cli.institution import (
    ACCOUNT,
    CONTENT,
    COURSES,
    EDITOR_GRANTS,
    GRANTS,
    SECRET,
    tables,
)
from groupsvc.cli.progress import Meter
from groupsvc.cli.report import Report
from groupsvc.cli.runtime import OPERATOR, OperatorRunner, open_and_run
from groupsvc.cli.tables import find_tables
from groupsvc.cli.transfer import import_tables
from groupsvc.core.accounts.service import AccountService
from groupsvc.core.cohorts.service import CohortService
from groupsvc.core.courses.service import CourseService
from groupsvc.core.relocation.service import FIRST_OWN_ID, RelocationService
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.http.editor import DEMO_ACCOUNT
from groupsvc.import_export.options import Options
from groupsvc.import_export.tables import Form
from groupsvc.settings import Settings


def demo() -> None:
    """Load a made-up institution into an empty database: 4 courses, 300 students."""
    loaded = open_and_run(load_demo)
    typer.echo("loaded" if loaded else "there are courses already: nothing was loaded")


async def load_demo(runner: OperatorRunner) -> bool:
    """Return whether it was loaded: a database that has courses is not changed."""
    if await runner.run(_has_courses, reading=True):
        return False
    # Small ids, as those of an institution that has moved over: they are easier to type.
    await runner.run(partial(_number_from, first=1))
    try:
        await _load_tables(runner)
        await runner.run(_give_cohorts)
        await runner.run(_give_dates)
    finally:
        await runner.run(partial(_number_from, first=FIRST_OWN_ID))
    if Settings().env == "development":
        await runner.run(_make_accounts)
    return True


async def _load_tables(runner: OperatorRunner) -> None:
    with TemporaryDirectory(prefix="groupsvc-demo-") as directory:
        for kind, text in tables().items():
            (Path(directory) / f"{kind}.csv").write_text(text, encoding="utf-8")
        files = find_tables([Path(directory)], Form())
        # Nothing is there that could go. To weigh the rows first would use up ids.
        options = Options(accept=frozenset({"large"}))
        with Meter(sum(table.rows for table in files)) as meter:
            await import_tables(files, Report((), None), meter, options, runner)


async def _number_from(uow: UnitOfWork, *, first: int) -> None:
    await RelocationService(uow, OPERATOR).number_from(first)


async def _has_courses(uow: UnitOfWork) -> bool:
    return bool((await CourseService(uow, OPERATOR).page(department=None, limit=1)).items)


async def _give_cohorts(uow: UnitOfWork) -> None:
    """Turn on the cohorts that came with the structure, for content of a learning platform."""
    cohorts = CohortService(uow, OPERATOR)
    course_id = (await cohorts.find_settings(next(iter(COURSES)))).course.course_id
    await cohorts.configure(course_id, is_cohorted=True, random_assignment="balanced")
    await cohorts.declare_content(
        course_id,
        CONTENT,
        name="Content",
        scheme="cohort",
        description="",
        is_active=True,
        groups=[{"id": 1, "name": "Beginners"}, {"id": 2, "name": "Experienced"}],
    )


async def _give_dates(uow: UnitOfWork) -> None:
    """The courses take place this year: readers of another dialect ask for present ones."""
    service, year = CourseService(uow, OPERATOR), date.today().year
    dates = {"starts_on": f"{year - 1}-09-01", "ends_on": f"{year + 1}-08-31"}
    for key, (department, title, _) in COURSES.items():
        await service.declare(key, department=department, title=title, details=dates)


async def _make_accounts(uow: UnitOfWork) -> None:
    accounts = AccountService(uow, OPERATOR)
    await accounts.declare(ACCOUNT, grants=GRANTS, secret=SECRET)
    name, secret = DEMO_ACCOUNT
    await accounts.declare(name, grants=EDITOR_GRANTS, secret=secret)
