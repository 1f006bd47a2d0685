"""The command that imports tables."""

import gc
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from groupsvc.cli.progress import Meter
from groupsvc.cli.report import DryRun, Report, ReportFile
from groupsvc.cli.runtime import OPERATOR, OperatorRunner, open_and_run
from groupsvc.cli.tables import Separator, TableFile, find_tables
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import InvalidError
from groupsvc.import_export.beside import Beside, column_map, column_names, known_format
from groupsvc.import_export.columns import Kind
from groupsvc.import_export.dangers import DANGERS, accepted
from groupsvc.import_export.encodings import LABELS
from groupsvc.import_export.foreign.formats import BY_NAME
from groupsvc.import_export.imports import ImportService
from groupsvc.import_export.options import EmptyCells, Options, Order
from groupsvc.import_export.results import MissingAnswer, RowAnswer
from groupsvc.import_export.tables import Form
from groupsvc.import_export.whole_imports import TableImportService, import_in_steps

T = TypeVar("T")

COLUMNS = ("file", "line", "result", "code", "message")


def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(help="CSV files, .xlsx workbooks, or directories with such files."),
    ],
    dry_run: DryRun = False,
    create: Annotated[
        bool, typer.Option("--create", help="Create missing partitions and groups.")
    ] = False,
    separator: Annotated[
        Separator, typer.Option(help="Between cells; by default the header shows it.")
    ] = Separator.AUTO,
    accept: Annotated[
        str,
        typer.Option(
            help=f"Do what is refused otherwise, with commas between: {', '.join(DANGERS)}.",
            metavar="LIST",
        ),
    ] = "",
    encoding: Annotated[
        str | None,
        typer.Option(help="Of files without a byte order mark, such as windows-1252 or utf-8."),
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(help="Of workbooks; by default the first that is not hidden.")
    ] = None,
    empty: Annotated[
        EmptyCells, typer.Option(help="What empty cells do: keep what is there, or clear it.")
    ] = "keep",
    only: Annotated[
        bool,
        typer.Option("--only", help="Take others out of the groups that the assignments name."),
    ] = False,
    withdraw_missing: Annotated[
        bool,
        typer.Option(
            "--withdraw-missing",
            help="Withdraw who is active in the courses of the rosters and not in them.",
        ),
    ] = False,
    order: Annotated[
        Order,
        typer.Option(help="Of groups that are created: that of the file, or natural by name."),
    ] = "file",
    all_or_nothing: Annotated[
        bool, typer.Option("--all-or-nothing", help="Write nothing when anything is refused.")
    ] = False,
    course: Annotated[
        str | None, typer.Option(help="The course of all rows of files that name none, by key.")
    ] = None,
    partition: Annotated[
        str | None, typer.Option(help="The partition of all rows of files that name none.")
    ] = None,
    department: Annotated[
        str | None, typer.Option(help="The department of all rows of files that name none.")
    ] = None,
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map", help="Which column is which: email=Mail,group=Section.", metavar="MAP"
        ),
    ] = None,
    columns: Annotated[
        str, typer.Option(help="Of files without a header, with commas between.", metavar="LIST")
    ] = "",
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help=f"Of another system, if its header does not tell: {', '.join(BY_NAME)}.",
        ),
    ] = None,
    enroll: Annotated[
        bool,
        typer.Option("--enroll", help="Enroll the persons in lists of groups of other systems."),
    ] = False,
    report: ReportFile = None,
) -> None:
    """Import tables, as an export has them or with a part of the columns, and files of other
    systems, identified by their header.

    Exit code 0: every row is written; 3: some were refused; 2: a file cannot be used and nothing
    was done.
    """
    options = Options(
        create,
        accepted(accept),
        empty,
        only,
        withdraw_missing,
        "all_or_nothing" if all_or_nothing else "row_by_row",
        dry_run,
        order,
    )
    form = Form(separator.character(), _known(encoding), sheet, columns=column_names(columns))
    beside = Beside(
        course, partition, department, column_map(mapped or ()), known_format(format_), enroll
    )
    tables = find_tables(paths, form, beside)
    gc.freeze()  # The objects of the program stay: collections need not visit them.
    with Meter(sum(table.rows for table in tables)) as meter, Report(COLUMNS, report) as results:
        open_and_run(partial(import_tables, tables, results, meter, options))
        for table in tables:
            _tell(table, results)
    results.finish(withheld=all_or_nothing)


def _known(encoding: str | None) -> str | None:
    if encoding is not None and encoding.lower() not in LABELS:
        raise InvalidError(f"{encoding} is none of the encodings {', '.join(LABELS)}")
    return encoding and encoding.lower()


def _tell(table: TableFile, report: Report) -> None:
    """How a file was read, where that is not as it stands."""
    for note in table.notes:
        report.note(f"{table.path}: {note}")
    for given, column in table.columns.items():
        report.note(f"{table.path}: the column {given} is read as {column}")
    if table.encoding is not None:
        report.note(f"{table.path}: read as {table.encoding}")
    for mended in table.mended:
        report.note(
            f"{table.path}:{mended.line}: {mended}",
            (table.path, mended.line, "mended", mended.kind.value, mended),
        )


class _Answers:
    """Passes answers on to the report, with the file that they are about."""

    def __init__(self, report: Report, meter: Meter) -> None:
        self._report, self._meter = report, meter
        report.clear()
        meter.reset()

    @property
    def has_refused(self) -> bool:
        return self._report.refused > 0

    def add_rows(self, table: TableFile, answers: Sequence[RowAnswer]) -> None:
        for row in answers:
            said = f"{table.path}:{row.line}: {row.code}: {row.message}"
            cells = (table.path, row.line, row.result, row.code or "", row.message or "")
            self._report.add(table.kind.name, row.result, cells, said, row.code)
            for result in row.also:
                cells = (table.path, row.line, result, "", "")
                self._report.add(table.kind.name, result, cells, said)
        self._meter.advance(len(answers))

    def add_missing(self, kind: Kind, answers: Sequence[MissingAnswer]) -> None:
        for each in answers:
            place = " / ".join(filter(None, (each.course_key, each.partition, each.group)))
            who = f"{each.user} in {place}"
            said = f"{who}: {each.code}: {each.message}"
            message = f"{who}: {each.message or 'not in the file'}"
            cells = ("", "", each.result, each.code or "", message)
            self._report.add(kind.name, each.result, cells, said, each.code)


async def import_tables(
    tables: Sequence[TableFile],
    report: Report,
    meter: Meter,
    options: Options,
    runner: OperatorRunner,
) -> None:
    """Import tables in order and commit every batch.

    A dry run, and one that writes all or nothing, is one transaction.
    """

    async def commit(step: Callable[[ImportService], Awaitable[T]]) -> T:
        return await runner.run(lambda uow: step(ImportService(uow, OPERATOR)))

    async def at_once(uow: UnitOfWork) -> None:
        service = TableImportService(uow, OPERATOR)
        await service.run(tables, _Answers(report, meter), options)

    if options.dry_run or options.mode == "all_or_nothing":
        await runner.run(at_once)
    else:
        await import_in_steps(commit, tables, _Answers(report, meter), options)
