"""The four kinds of tables, told apart by their header."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from groupsvc.import_export.tables import UnusableTableError

Name = Literal["courses", "roster", "structure", "assignments"]


@dataclass(frozen=True, slots=True)
class Kind:
    """``columns`` in the order in which they are exported."""

    name: Name
    required: frozenset[str]
    columns: tuple[str, ...]

    def fits(self, header: Collection[str]) -> bool:
        return self.required <= set(header) <= set(self.columns)


# In the order in which they are imported: each needs what the ones before it bring.
KINDS: Final = (
    Kind(
        "courses",
        frozenset(("department", "course_key")),
        ("department", "department_name", "course_key", "title", "is_locked"),
    ),
    Kind(
        "roster",
        frozenset(("username",)),
        (
            *("username", "email", "family_name", "given_name", "usual_name", "civility"),
            *("student_number", "national_number", "department", "is_active"),
            *("course_key", "state", "track"),
        ),
    ),
    Kind(
        "structure",
        frozenset(("course_key", "partition")),
        (
            *("course_key", "partition", "kind", "position", "groups_editable"),
            *("show_in_lists", "show_rank_on_report", "group", "group_position", "capacity"),
            "timetable_id",
            *("assignment_type", "content_partition_id", "content_group_id"),
        ),
    ),
    Kind(
        "assignments",
        frozenset(("course_key", "user", "partition", "group")),
        ("course_key", "user", "partition", "group"),
    ),
)
COURSES, ROSTER, STRUCTURE, ASSIGNMENTS = KINDS


def kind_of(header: Collection[str]) -> Kind:
    """The kind of table that a header belongs to.

    Raises UnusableTableError when it belongs to none.
    """
    if not any(set(header) & set(kind.columns) for kind in KINDS):
        known = ", ".join(kind.name for kind in KINDS)
        raise UnusableTableError(f"the header is of none of the tables {known}", 1)
    nearest = max(KINDS, key=lambda kind: (kind.fits(header), len(set(header) & set(kind.columns))))
    check_header(nearest, header)
    return nearest


def check_header(kind: Kind, header: Collection[str]) -> None:
    """Raises UnusableTableError, which says what is missing or in the way."""
    missing = [name for name in kind.columns if name in kind.required - set(header)]
    if missing:
        raise UnusableTableError(
            f"a table of {kind.name} needs the columns {', '.join(missing)}", 1
        )
    unknown = [place for place, name in enumerate(header, 1) if name not in kind.columns]
    if unknown:
        raise UnusableTableError(
            f"a table of {kind.name} has no such column as its number "
            f"{', '.join(map(str, unknown))}; it has {', '.join(kind.columns)}",
            1,
        )
