"""Exports of one partition in the shape that another system imports."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from groupsvc.cli.runtime import OPERATOR, run_unit
from groupsvc.cli.tables import usable
from groupsvc.core.courses.service import CourseService
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.import_export.shapes.declared import Shape
from groupsvc.import_export.shapes.service import Elsewhere, ShapeExport, ShapeService
from groupsvc.import_export.writing import TextWriter

SHOWN = 20  # people who are left out, on the terminal


def export_shape(
    directory: Path, shape: Shape, course: str, partition: str | None, elsewhere: Elsewhere
) -> None:
    with usable(directory):
        directory.mkdir(parents=True, exist_ok=True)
    name = f"{shape.name}.csv"
    left_out: list[tuple[str, str]] = []
    with TemporaryDirectory(dir=directory, prefix=".export-") as made:
        path = Path(made) / name
        export = run_unit(
            partial(_export, path, shape, left_out, course, partition, elsewhere), reading=True
        )
        size = path.stat().st_size
        path.replace(directory / name)
    typer.echo(f"written to {directory}: {name}")
    _tell(export, left_out, size)


async def _export(
    path: Path,
    shape: Shape,
    left_out: list[tuple[str, str]],
    course: str,
    partition: str | None,
    elsewhere: Elsewhere,
    uow: UnitOfWork,
) -> ShapeExport:
    left_out.clear()
    await uow.begin(snapshot=True)
    course_id = (await CourseService(uow, OPERATOR).read_key(course)).data["id"]
    shapes, writer = ShapeService(uow, OPERATOR), TextWriter(guarded=False)
    partition_id = await shapes.partition_meant(course_id, partition, shape)
    export = await shapes.begin(shape, partition_id, elsewhere)
    with path.open("wb") as file:
        while not export.is_done:
            file.write(writer.add(await shapes.next_page(export)))
            left_out += export.left_out
    return export


def _tell(export: ShapeExport, left_out: list[tuple[str, str]], size: int) -> None:
    for username, why in left_out[:SHOWN]:
        typer.echo(f"left out: {username}: {why}")
    if len(left_out) > SHOWN:
        typer.echo(f"and {len(left_out) - SHOWN} more are left out")
    for group in export.without_members:
        typer.echo(f"left out: the group {group}: nobody in it goes out")
    most = export.shape.most_bytes
    if most is not None and size > most:
        typer.echo(f"{export.shape.title} takes files of {most} bytes at most; this has {size}")
