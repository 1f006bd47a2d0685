"""The command that exports tables."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import typer

from groupsvc.cli import export_options as given
from groupsvc.cli.progress import Meter
from groupsvc.cli.runtime import OPERATOR, run_unit
from groupsvc.cli.shaped_export import export_shape
from groupsvc.cli.tables import Separator, usable
from groupsvc.core.courses.service import CourseService
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import InvalidError
from groupsvc.import_export.columns import Kind
from groupsvc.import_export.exports import Export, ExportService
from groupsvc.import_export.kinds import KINDS
from groupsvc.import_export.shapes.declared import BY_NAME
from groupsvc.import_export.shapes.service import Elsewhere
from groupsvc.import_export.writing import TextWriter, WorkbookWriter, Writer

WITH_AS: Final = "--partition, --course-name, --partition-name and --mode"


def export(
    directory: given.Directory,
    department: given.OfDepartment = None,
    course: given.OfCourse = None,
    separator: given.Between = Separator.AUTO,
    marked: given.Marked = False,
    workbook: given.AsWorkbook = False,
    shape: given.Shape = None,
    partition: given.OfPartition = None,
    course_name: given.CourseName = None,
    partition_name: given.PartitionName = None,
    mode: given.EnrollmentMode = None,
) -> None:
    """Write all tables as .csv files, or .xlsx, from one snapshot."""
    if shape is not None:
        if course is None or department or marked or workbook or separator is not Separator.AUTO:
            raise InvalidError(f"--as needs --course, and goes with {WITH_AS}")
        elsewhere = Elsewhere(course_name, partition_name, mode)
        export_shape(directory, BY_NAME[shape], course, partition, elsewhere)
        return
    if any(each is not None for each in (partition, course_name, partition_name, mode)):
        raise InvalidError(f"{WITH_AS} go with --as")
    make_writer = _workbook if workbook else partial(_text, separator, marked=marked)
    names = [f"{kind.name}.{'xlsx' if workbook else 'csv'}" for kind in KINDS]
    _export_tables(directory, names, make_writer, department=department, course=course)
    typer.echo(f"written to {directory}: {', '.join(names)}")


def _workbook(kind: Kind) -> Writer:
    return WorkbookWriter(kind.name)


def _text(separator: Separator, _kind: Kind, *, marked: bool) -> Writer:
    return TextWriter(separator.character() or ",", marked=marked)


def _export_tables(
    directory: Path,
    names: Sequence[str],
    make_writer: Callable[[Kind], Writer],
    *,
    department: str | None,
    course: str | None,
) -> None:
    """Files get their names when all of them are there."""
    with usable(directory):
        directory.mkdir(parents=True, exist_ok=True)
    with Meter(None) as meter, TemporaryDirectory(dir=directory, prefix=".export-") as made:
        paths = [Path(made) / name for name in names]
        work = partial(_export, paths, make_writer, meter, department=department, course=course)
        run_unit(work, reading=True)
        for name in names:
            (Path(made) / name).replace(directory / name)


async def _export(
    paths: Sequence[Path],
    make_writer: Callable[[Kind], Writer],
    meter: Meter,
    uow: UnitOfWork,
    *,
    department: str | None,
    course: str | None,
) -> None:
    """May be tried again: writers begin anew each time."""
    meter.reset()
    await uow.begin(snapshot=True)
    course_id = None
    if course is not None:
        course_id = (await CourseService(uow, OPERATOR).read_key(course)).data["id"]
    exports = ExportService(uow, OPERATOR)
    for kind, path in zip(KINDS, paths, strict=True):
        writer = make_writer(kind)
        extent = await exports.extent(kind, department=department, course_id=course_id)
        export = Export(kind, extent)
        with path.open("wb") as file:
            while not export.is_done:
                page = await exports.next_page(export)
                file.write(writer.add(page))
                meter.advance(len(page))
            writer.finish(file)
