"""Tables in and out of the database."""

import gc
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, BinaryIO

import typer

from groupsvc.cli.progress import Meter
from groupsvc.cli.runtime import OPERATOR, open_units, run
from groupsvc.cli.tables import Summary, TableFile, find_tables, usable
from groupsvc.core.courses.service import CourseService
from groupsvc.core.transactions import TransactionRunner
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.import_export.exports import Export, ExportService
from groupsvc.import_export.imports import ImportService, Pending, batches
from groupsvc.import_export.kinds import KINDS, Kind
from groupsvc.import_export.results import RowAnswer
from groupsvc.import_export.tables import Row

Taken = tuple[list[RowAnswer], Pending]
Step = Callable[[ImportService], Awaitable[Taken]]

REFUSED = 3  # exit code: some rows were refused


class Separator(StrEnum):
    AUTO = "auto"
    COMMA = ","
    SEMICOLON = ";"
    TAB = "tab"

    def character(self) -> str | None:
        return {"auto": None, "tab": "\t"}.get(self.value, self.value)


def import_(
    paths: Annotated[
        list[Path], typer.Argument(help="CSV files, or directories whose .csv files are meant.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    create: Annotated[
        bool, typer.Option("--create", help="Make groups and partitions that are missing.")
    ] = False,
    separator: Annotated[
        Separator, typer.Option(help="Between cells; the header tells by default.")
    ] = Separator.AUTO,
    report: Annotated[
        Path | None, typer.Option(help="A CSV file to write with the answer to every row.")
    ] = None,
) -> None:
    """Import tables of courses, rosters, structures and assignments, told apart by their header.

    Exit code 0: every row is in; 3: some were refused; 2: a file cannot be used, nothing is done.
    """
    tables = find_tables(paths, separator.character())
    # The program itself is there to stay: looking for garbage in it over and over takes a while.
    gc.freeze()
    with Meter(sum(table.rows for table in tables)) as meter:
        summary = Summary(meter, report)
        try:
            run(_import(tables, summary, create=create, dry_run=dry_run))
        finally:
            summary.close()
    summary.show()
    if summary.refused:
        raise typer.Exit(REFUSED)


def export(
    directory: Annotated[Path, typer.Argument(help="Where to write; made when it is not there.")],
    department: Annotated[
        str | None, typer.Option(help="Only this department, by acronym.")
    ] = None,
    course: Annotated[str | None, typer.Option(help="Only this course, by key.")] = None,
) -> None:
    """Write courses.csv, roster.csv, structure.csv and assignments.csv, of one moment all four."""
    with usable(directory):
        directory.mkdir(parents=True, exist_ok=True)
    with Meter(None) as meter, TemporaryDirectory(dir=directory, prefix=".export-") as made:
        run(_export(Path(made), meter, department=department, course=course))
        for kind in KINDS:
            (Path(made) / f"{kind.name}.csv").replace(directory / f"{kind.name}.csv")
    typer.echo(f"written to {directory}: {', '.join(f'{kind.name}.csv' for kind in KINDS)}")


async def _import(
    tables: Sequence[TableFile], summary: Summary, *, create: bool, dry_run: bool
) -> None:
    async with open_units() as units:
        await import_tables(units, tables, summary, create=create, dry_run=dry_run)


async def import_tables(
    units: TransactionRunner,
    tables: Sequence[TableFile],
    summary: Summary,
    *,
    create: bool = False,
    dry_run: bool = False,
) -> None:
    """Import tables in order and commit every batch; a dry run does all of it and undoes it."""

    async def commit(step: Step) -> Taken:
        return await units.run("cli", lambda uow: step(_imports(uow)))

    async def rehearse(uow: UnitOfWork) -> None:
        imports = _imports(uow)
        summary.begin()
        async with uow.savepoint(rollback=True):
            await _import_all(tables, lambda step: step(imports), summary, create=create)

    if dry_run:
        await units.run("cli", rehearse)
    else:
        await _import_all(tables, commit, summary, create=create)


async def _import_all(
    tables: Sequence[TableFile],
    do: Callable[[Step], Awaitable[Taken]],
    summary: Summary,
    *,
    create: bool,
) -> None:
    pending = Pending()
    for kind, files in groupby(tables, key=lambda table: table.kind):
        for table in files:
            async for batch in batches(table.read()):
                answers, pending = await do(_take(kind, batch, pending, create=create))
                summary.tell(table, answers)
        if pending.closing:
            _, pending = await do(_close(pending))
    if pending.locks:
        await do(_lock(pending))


def _take(kind: Kind, batch: Sequence[Row], pending: Pending, *, create: bool) -> Step:
    async def step(imports: ImportService) -> Taken:
        return await imports.take(kind, batch, pending, create=create)

    return step


def _close(pending: Pending) -> Step:
    async def step(imports: ImportService) -> Taken:
        return [], await imports.close(pending)

    return step


def _lock(pending: Pending) -> Step:
    async def step(imports: ImportService) -> Taken:
        return [], await imports.lock(pending)

    return step


def _imports(uow: UnitOfWork) -> ImportService:
    uow.context.actor = OPERATOR.subject
    return ImportService(uow, OPERATOR)


async def _export(
    directory: Path, meter: Meter, *, department: str | None, course: str | None
) -> None:
    async def work(uow: UnitOfWork) -> None:
        meter.reset()
        await uow.begin(snapshot=True)
        course_id = None
        if course is not None:
            course_id = (await CourseService(uow, OPERATOR).read_key(course)).data["id"]
        exports = ExportService(uow, OPERATOR)
        extent = await exports.extent(department=department, course_id=course_id)
        for kind in KINDS:
            await _write(exports, Export(kind, extent), directory, meter)

    async with open_units() as units:
        await units.run("cli", work, reading=True)


async def _write(exports: ExportService, export: Export, directory: Path, meter: Meter) -> None:
    with _created(directory / f"{export.kind.name}.csv") as file:
        while not export.is_done:
            page = await exports.next_page(export)
            file.write(page)
            meter.advance(page.count(b"\n"))


def _created(path: Path) -> BinaryIO:
    return path.open("wb")
