"""The command that imports tables."""

import gc
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from groupsvc.cli import import_options as given
from groupsvc.cli.progress import Meter
from groupsvc.cli.report import DryRun, Report, ReportFile
from groupsvc.cli.runtime import OPERATOR, OperatorRunner, open_and_run
from groupsvc.cli.tables import Separator, TableFile, find_tables
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import InvalidError
from groupsvc.import_export.beside import Beside, column_map, column_names, known_format
from groupsvc.import_export.columns import Kind
from groupsvc.import_export.dangers import accepted
from groupsvc.import_export.encodings import LABELS
from groupsvc.import_export.imports import ImportService
from groupsvc.import_export.options import Options
from groupsvc.import_export.results import MissingAnswer, RowAnswer
from groupsvc.import_export.tables import Form
from groupsvc.import_export.whole_imports import TableImportService, import_in_steps

T = TypeVar("T")

COLUMNS = ("file", "line", "result", "code", "message")


def import_(
    paths: given.Paths,
    dry_run: DryRun = False,
    create: given.Create = False,
    separator: given.Between = Separator.AUTO,
    accept: given.Accept = "",
    encoding: given.Encoding = None,
    sheet: given.Sheet = None,
    empty: given.Empty = "keep",
    only: given.Only = False,
    withdraw_missing: given.WithdrawMissing = False,
    order: given.OrderOfGroups = "file",
    all_or_nothing: given.AllOrNothing = False,
    course: given.CourseOfRows = None,
    partition: given.PartitionOfRows = None,
    department: given.DepartmentOfRows = None,
    mapped: given.Mapped = None,
    columns: given.Columns = "",
    format_: given.FormatName = None,
    enroll: given.Enroll = False,
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
    _import(find_tables(paths, form, beside), options, report)


def _import(tables: Sequence[TableFile], options: Options, report: Path | None) -> None:
    gc.freeze()  # The objects of the program stay: collections need not visit them.
    with Meter(sum(table.rows for table in tables)) as meter, Report(COLUMNS, report) as results:
        open_and_run(partial(import_tables, tables, results, meter, options))
        for table in tables:
            _tell(table, results)
    results.finish(withheld=options.mode == "all_or_nothing")


def _known(encoding: str | None) -> str | None:
    if encoding is not None and encoding.lower() not in LABELS:
        raise InvalidError(f"{encoding} is none of the encodings {', '.join(LABELS)}")
    return encoding and encoding.lower()


def _tell(table: TableFile, report: Report) -> None:
    """How a file was read, where that is not as it stands."""
    for note in table.notes:
        report.note(f"{table.path}: {note}")
    for called, column in table.columns.items():
        report.note(f"{table.path}: the column {called} is read as {column}")
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
