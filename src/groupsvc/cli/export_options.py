"""What may be said about an export."""

from pathlib import Path
from typing import Annotated

import typer

from groupsvc.cli.tables import Separator
from groupsvc.import_export.shapes.declared import ShapeName

Directory = Annotated[Path, typer.Argument(help="Where to write; created when missing.")]
OfDepartment = Annotated[str | None, typer.Option(help="Only this department, by acronym.")]
OfCourse = Annotated[str | None, typer.Option(help="Only this course, by key.")]
Between = Annotated[Separator, typer.Option(help="Between cells; a comma by default.")]
Marked = Annotated[
    bool, typer.Option("--bom", help="Begin with a byte order mark, for spreadsheets.")
]
AsWorkbook = Annotated[bool, typer.Option("--xlsx", help="Write .xlsx workbooks instead of CSV.")]
Shape = Annotated[
    ShapeName | None,
    typer.Option("--as", help="Instead, a file that another system imports; needs --course."),
]
OfPartition = Annotated[
    str | None, typer.Option(help="With --as: the partition, if the course has several.")
]
CourseName = Annotated[
    str | None,
    typer.Option(help="With --as: what the other system calls the course; by default its key."),
]
PartitionName = Annotated[
    str | None, typer.Option(help="With --as: what the other system calls the partition.")
]
EnrollmentMode = Annotated[
    str | None,
    typer.Option(help="With --as openedx-teams: how users are enrolled; audit by default."),
]
