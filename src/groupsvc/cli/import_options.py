"""What may be said beside the tables that are imported."""

from pathlib import Path
from typing import Annotated

import typer

from groupsvc.cli.tables import Separator
from groupsvc.import_export.dangers import DANGERS
from groupsvc.import_export.foreign.formats import BY_NAME
from groupsvc.import_export.options import EmptyCells, Order

Paths = Annotated[
    list[Path], typer.Argument(help="CSV files, .xlsx workbooks, or directories with such files.")
]
Create = Annotated[bool, typer.Option("--create", help="Create missing partitions and groups.")]
Between = Annotated[Separator, typer.Option(help="Between cells; by default the header shows it.")]
Accept = Annotated[
    str,
    typer.Option(
        help=f"Do what is refused otherwise, with commas between: {', '.join(DANGERS)}.",
        metavar="LIST",
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(help="Of files without a byte order mark, such as windows-1252 or utf-8."),
]
Sheet = Annotated[
    str | None, typer.Option(help="Of workbooks; by default the first that is not hidden.")
]
Empty = Annotated[
    EmptyCells, typer.Option(help="What empty cells do: keep what is there, or clear it.")
]
Only = Annotated[
    bool, typer.Option("--only", help="Take others out of the groups that the assignments name.")
]
WithdrawMissing = Annotated[
    bool,
    typer.Option(
        "--withdraw-missing",
        help="Withdraw who is active in the courses of the rosters and not in them.",
    ),
]
OrderOfGroups = Annotated[
    Order, typer.Option(help="Of groups that are created: that of the file, or natural by name.")
]
AllOrNothing = Annotated[
    bool, typer.Option("--all-or-nothing", help="Write nothing when anything is refused.")
]
CourseOfRows = Annotated[
    str | None, typer.Option(help="The course of all rows of files that name none, by key.")
]
PartitionOfRows = Annotated[
    str | None, typer.Option(help="The partition of all rows of files that name none.")
]
DepartmentOfRows = Annotated[
    str | None, typer.Option(help="The department of all rows of files that name none.")
]
Mapped = Annotated[
    list[str] | None,
    typer.Option("--map", help="Which column is which: email=Mail,group=Section.", metavar="MAP"),
]
Columns = Annotated[
    str, typer.Option(help="Of files without a header, with commas between.", metavar="LIST")
]
FormatName = Annotated[
    str | None,
    typer.Option(
        "--format", help=f"Of another system, if its header does not tell: {', '.join(BY_NAME)}."
    ),
]
Enroll = Annotated[
    bool, typer.Option("--enroll", help="Enroll the persons in lists of groups of other systems.")
]
