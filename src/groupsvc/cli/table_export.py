"""The command that exports tables."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer

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
from groupsvc.import_export.shapes.declared import BY_NAME, ShapeName
from groupsvc.import_export.shapes.service import Elsewhere
from groupsvc.import_export.writing import TextWriter, WorkbookWriter, Writer

WITH_AS: Final = "--partition, --course-name, --partition-name and --mode"


def export(
    directory: Annotated[Path, typer.Argument(help="Where to write; created when missing.")],
    department: Annotated[
        str | None, typer.Option(help="Only this department, by acronym.")
    ] = None,
    course: Annotated[str | None, typer.Option(help="Only this course, by key.")] = None,
    separator: Annotated[
        Separator, typer.Option(help="Between cells; a comma by default.")
    ] = Separator.AUTO,
    marked: Annotated[
        bool, typer.Option("--bom", help="Begin with a byte order mark, for spreadsheets.")
    ] = False,
    workbook: Annotated[
        bool, typer.Option("--xlsx", help="Write .xlsx workbooks instead of CSV.")
    ] = False,
    shape: Annotated[
        ShapeName | None,
        typer.Option("--as", help="Instead, a file that another system imports; needs --course."),
    ] = None,
    partition: Annotated[
        str | None, typer.Option(help="With --as: the partition, if the course has several.")
    ] = None,
    course_name: Annotated[
        str | None,
        typer.Option(help="With --as: what the other system calls the course; by default its key."),
    ] = None,
    partition_name: Annotated[
        str | None,
        typer.Option(help="With --as: what the other system calls the partition."),
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(help="With --as openedx-teams: how users are enrolled; audit by default."),
    ] = None,
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
    with usable(directory):
        directory.mkdir(parents=True, exist_ok=True)
    names = [f"{kind.name}.{'xlsx' if workbook else 'csv'}" for kind in KINDS]
    with Meter(None) as meter, TemporaryDirectory(dir=directory, prefix=".export-") as made:

        def make_writer(kind: Kind) -> Writer:
            if workbook:
                return WorkbookWriter(kind.name)
            return TextWriter(separator.character() or ",", marked=marked)

        paths = [Path(made) / name for name in names]
        work = partial(_export, paths, make_writer, meter, department=department, course=course)
        run_unit(work, reading=True)
        for name in names:
            (Path(made) / name).replace(directory / name)
    typer.echo(f"written to {directory}: {', '.join(names)}")


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
