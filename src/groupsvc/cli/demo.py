"""Load the demo institution."""

from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from groupsvc.cli.institution import tables
from groupsvc.cli.progress import Meter
from groupsvc.cli.runtime import OPERATOR, open_units, run
from groupsvc.cli.tables import Summary, find_tables
from groupsvc.cli.transfer import import_tables
from groupsvc.core.courses.service import CourseService
from groupsvc.core.transactions import TransactionRunner
from groupsvc.core.unit_of_work import UnitOfWork


def demo() -> None:
    """Load a made-up institution into an empty database: 4 courses, 300 students."""
    loaded = run(_load())
    typer.echo("loaded" if loaded else "there are courses already: nothing was loaded")


async def _load() -> bool:
    async with open_units() as opened:
        return await load_demo(opened)


async def load_demo(units: TransactionRunner) -> bool:
    """Answers whether it was loaded; a database that has courses is left alone."""
    if await units.run("cli", _has_courses, reading=True):
        return False
    with TemporaryDirectory(prefix="groupsvc-demo-") as directory:
        for kind, text in tables().items():
            (Path(directory) / f"{kind}.csv").write_text(text, encoding="utf-8")
        files = find_tables([Path(directory)], None)
        with Meter(sum(table.rows for table in files)) as meter:
            await import_tables(units, files, Summary(meter, None))
    return True


async def _has_courses(uow: UnitOfWork) -> bool:
    page = await CourseService(uow, OPERATOR).page(department=None, limit=1)
    return bool(page.items)
