"""Rows of a structure: what each tells of a partition and of a group."""

from dataclasses import dataclass
from typing import Any, Final

from groupsvc.domain.errors import InvalidError
from groupsvc.import_export import cells
from groupsvc.import_export.cells import Cells

KINDS: Final = ("ordinary", "tracks", "cohorts", "default")
ASSIGNMENT_TYPES: Final = ("manual", "random")
LONGEST_NAME: Final = 255
MOST_PLACES: Final = 1_000_000
LEAST_POSITION: Final = -(2**63)
# Of content groups: other systems number them as they like.
LEAST_ID: Final = -(2**63)
# Leaves room for what comes to be appended later.
LAST_POSITION: Final = 2**62
OF_GROUPS: Final = (
    "group_position",
    "capacity",
    "timetable_id",
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
        for column in ("groups_editable", "show_in_lists", "show_rank_on_report")
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
    kept = {
        "position": _position(row, "group_position"),
        "assignment_type": cells.choice(row, "assignment_type", ASSIGNMENT_TYPES),
    }
    values: dict[str, Any] = {name: value for name, value in kept.items() if value is not None}
    if "capacity" in row:
        values["capacity"] = cells.number(row, "capacity", least=0, most=MOST_PLACES)
    if "timetable_id" in row:
        values["timetable_id"] = cells.verbatim(row, "timetable_id", longest=LONGEST_NAME) or None
    link = [cells.number(row, column, least=LEAST_ID) for column in OF_GROUPS[-2:]]
    if (link[0] is None) != (link[1] is None):
        raise cells.invalid("content_group_id", "and content_partition_id go together")
    if "content_group_id" in row and "content_partition_id" in row:
        values["content_partition_id"], values["content_group_id"] = link
    return values


def _position(row: Cells, column: str) -> int | None:
    return cells.number(row, column, least=LEAST_POSITION, most=LAST_POSITION)
