"""What a batch of a structure would do: decided row by row, before anything is written.

Pure: the state comes in, the answers go out. A row sees what the rows before it have done.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any, Final

from groupsvc.auth.principal import Permission
from groupsvc.errors import ConflictError, FullError, InvalidError, NotEditableError
from groupsvc.repositories.transfer.courses import KnownCourse
from groupsvc.repositories.transfer.structure import GroupState, PartitionState
from groupsvc.services.transfer import cells
from groupsvc.services.transfer.answers import Result
from groupsvc.services.transfer.cells import Cells
from groupsvc.services.transfer.places import Courses, Rights

KINDS: Final = ("ordinary", "tracks", "cohorts", "default")
ASSIGNMENT_TYPES: Final = ("manual", "random")
LONGEST_NAME: Final = 255
MOST_PLACES: Final = 1_000_000
LEAST_POSITION: Final = -(2**63)
# Leaves room for what comes to be appended later.
LAST_POSITION: Final = 2**62
OF_GROUPS: Final = (
    "group_position",
    "capacity",
    "edt_id",
    "assignment_type",
    "content_partition_id",
    "content_group_id",
)


@dataclass(frozen=True, slots=True)
class StructureRow:
    """``partition_values`` and ``group_values`` hold what the row tells; no group is none."""

    course_key: str
    partition: str
    kind: str | None
    partition_values: dict[str, Any]
    group: str | None
    group_values: dict[str, Any]


def read_row(row: Cells) -> StructureRow:
    group = cells.optional_name(row, "group", longest=LONGEST_NAME)
    if group is None and any(row.get(column) for column in OF_GROUPS):
        raise InvalidError("group is empty", code="missing_value")
    flags = {
        column: cells.flag(row, column)
        for column in ("groups_editable", "show_in_lists", "bul_show_rank")
    }
    values = {"position": _position(row, "position"), **flags}
    return StructureRow(
        cells.name(row, "course_key", longest=LONGEST_NAME),
        cells.name(row, "partition", longest=LONGEST_NAME),
        cells.choice(row, "kind", KINDS),
        {column: value for column, value in values.items() if value is not None},
        group,
        _read_group(row),
    )


def _read_group(row: Cells) -> dict[str, Any]:
    """A position or type that is left empty stays as it is; anything else is cleared."""
    values: dict[str, Any] = {}
    for column, value in (
        ("position", _position(row, "group_position")),
        ("assignment_type", cells.choice(row, "assignment_type", ASSIGNMENT_TYPES)),
    ):
        if value is not None:
            values[column] = value
    if "capacity" in row:
        values["capacity"] = cells.number(row, "capacity", least=0, most=MOST_PLACES)
    if "edt_id" in row:
        values["edt_id"] = cells.verbatim(row, "edt_id", longest=LONGEST_NAME) or None
    link = [cells.number(row, column, least=0) for column in OF_GROUPS[-2:]]
    if (link[0] is None) != (link[1] is None):
        raise cells.invalid("content_group_id", "and content_partition_id go together")
    if "content_group_id" in row and "content_partition_id" in row:
        values["content_partition_id"], values["content_group_id"] = link
    return values


def _position(row: Cells, column: str) -> int | None:
    return cells.number(row, column, least=LEAST_POSITION, most=LAST_POSITION)


@dataclass(slots=True)
class PartitionDraft:
    """A partition while rows are decided.

    ``stored`` is what the database holds, or is about to. Where groups may still be created
    although they may not be edited when all is done, ``open`` and ``now.groups_editable`` differ.
    """

    now: PartitionState
    open: bool
    is_new: bool = False
    changed: bool = False
    last_position: int = 0
