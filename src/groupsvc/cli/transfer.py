"""The commands that import and export CSV tables."""

import gc
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from functools import partial
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Protocol, TypeVar

import typer

from groupsvc.cli.progress import Meter
from groupsvc.cli.report import DryRun, Report, ReportFile
from groupsvc.cli.runtime import OPERATOR, OperatorRunner, open_and_run, run_unit
from groupsvc.cli.tables import TableFile, find_tables, usable
from groupsvc.core.courses.service import CourseService
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.import_export.exports import Export, ExportService
from groupsvc.import_export.imports import ImportService, Pending, batches
from groupsvc.import_export.kinds import KINDS

T = TypeVar("T")

COLUMNS = ("file", "line", "result", "code", "message")


class Separator(StrEnum):
    AUTO = "auto"
    COMMA = ","
    SEMICOLON = ";"
    TAB = "tab"

    def character(self) -> str | None:
        return {"auto": None, "tab": "\t"}.get(self.value, self.value)


def import_(
    paths: Annotated[list[Path], typer.Argument(help="CSV files, or directories with .csv files.")],
    dry_run: DryRun = False,
    create: Annotated[
        bool, typer.Option("--create", help="Create missing partitions and groups.")
    ] = False,
    separator: Annotated[
        Separator, typer.Option(help="Between cells; by default the header shows it.")
    ] = Separator.AUTO,
    report: ReportFile = None,
) -> None:
    """Import tables of courses, rosters, structures, assignments and roles, identified by their
    header.

    Exit code 0: every row is written; 3: some were refused; 2: a file cannot be used and nothing
    was done.
    """
    tables = find_tables(paths, separator.character())
    gc.freeze()  # The objects of the program stay: collections need not visit them.
    with Meter(sum(table.rows for table in tables)) as meter, Report(COLUMNS, report) as results:
        work = partial(import_tables, tables, results, meter, create=create, dry_run=dry_run)
        open_and_run(work)
    for table in tables:
        for given, column in table.columns.items():
            typer.echo(f"{table.path}: the column {given} is read as {column}")
    results.finish()


def export(
    directory: Annotated[Path, typer.Argument(help="Where to write; created when missing.")],
    department: Annotated[
        str | None, typer.Option(help="Only this department, by acronym.")
    ] = None,
    course: Annotated[str | None, typer.Option(help="Only this course, by key.")] = None,
) -> None:
    """Write courses, roster, structure, assignments and roles as .csv files from one snapshot."""
    with usable(directory):
        directory.mkdir(parents=True, exist_ok=True)
    with Meter(None) as meter, TemporaryDirectory(dir=directory, prefix=".export-") as made:
        work = partial(_export, Path(made), meter, department=department, course=course)
        run_unit(work, reading=True)
        for kind in KINDS:
            (Path(made) / f"{kind.name}.csv").replace(directory / f"{kind.name}.csv")
    typer.echo(f"written to {directory}: {', '.join(f'{kind.name}.csv' for kind in KINDS)}")


class _Do(Protocol):
    """Runs a step of an import, in its own transaction or in that of a dry run."""

    async def __call__(self, step: Callable[[ImportService], Awaitable[T]], /) -> T: ...


async def import_tables(
    tables: Sequence[TableFile],
    report: Report,
    meter: Meter,
    runner: OperatorRunner,
    *,
    create: bool = False,
    dry_run: bool = False,
) -> None:
    """Import tables in order and commit every batch; a dry run does all of it and rolls it back."""

    async def commit(step: Callable[[ImportService], Awaitable[T]]) -> T:
        return await runner.run(lambda uow: step(ImportService(uow, OPERATOR)))

    async def rehearse(uow: UnitOfWork) -> None:
        async def do(step: Callable[[ImportService], Awaitable[T]]) -> T:
            return await step(ImportService(uow, OPERATOR))

        report.clear()
        meter.reset()
        await _import_all(do, tables, report, meter, create=create)

    if dry_run:
        await runner.run(rehearse, rollback=True)
    else:
        await _import_all(commit, tables, report, meter, create=create)


async def _import_all(
    do: _Do, tables: Sequence[TableFile], report: Report, meter: Meter, *, create: bool
) -> None:
    pending = Pending()
    for kind, files in groupby(tables, key=lambda table: table.kind):
        for table in files:
            async for rows in batches(table.read()):
                take = partial(
                    ImportService.import_batch, kind=kind, rows=rows, pending=pending, create=create
                )
                results, pending = await do(take)
                for row in results:
                    refusal = f"{table.path}:{row.line}: {row.code}: {row.message}"
                    cells = (table.path, row.line, row.result, row.code or "", row.message or "")
                    report.add(kind.name, row.result, cells, refusal)
                meter.advance(len(results))
        if pending.closing:
            pending = await do(partial(ImportService.close, pending=pending))
    if pending.locks:
        await do(partial(ImportService.lock, pending=pending))


async def _export(
    directory: Path, meter: Meter, uow: UnitOfWork, *, department: str | None, course: str | None
) -> None:
    meter.reset()
    await uow.begin(snapshot=True)
    course_id = None
    if course is not None:
        course_id = (await CourseService(uow, OPERATOR).read_key(course)).data["id"]
    exports = ExportService(uow, OPERATOR)
    for kind in KINDS:
        extent = await exports.extent(kind, department=department, course_id=course_id)
        export = Export(kind, extent)
        with (directory / f"{kind.name}.csv").open("wb") as file:
            while not export.is_done:
                page = await exports.next_page(export)
                file.write(page)
                meter.advance(page.count(b"\n"))
