"""The four kinds of tables, told apart by their header."""

from collections.abc import Collection
from typing import Final

from groupsvc.domain.errors import InvalidError
from groupsvc.domain.grants import is_name
from groupsvc.import_export.cells import (
    choice,
    email,
    flag,
    invalid,
    line,
    missing,
    name,
    number,
    verbatim,
)
from groupsvc.import_export.columns import Cells, Column, Empty, Kind, Values
from groupsvc.import_export.tables import UnusableTableError

ACRONYM: Final = name(64)
NAME: Final = name(255)
# Leaves room for what comes to be appended later.
POSITION: Final = number(-(2**63), 2**62)
OF_GROUPS: Final = (
    Column("group_position", POSITION, stored="position"),
    Column("capacity", number(0, 1_000_000), Empty.CLEARS),
    Column("timetable_id", verbatim(255), Empty.CLEARS),
    Column("assignment_type", choice("manual", "random")),
    Column("content_partition_id", number(-(2**63)), Empty.CLEARS),
    Column("content_group_id", number(-(2**63)), Empty.CLEARS),
)


def _acronym(column: str, text: str) -> str | None:
    found: str | None = ACRONYM(column, text)
    if found is not None and not is_name(found):
        raise InvalidError(f"{column}: an acronym must be printable", code="invalid_name")
    return found


def _check_course(_cells: Cells, values: Values) -> None:
    if "course_key" not in values and (values.get("title") or "is_locked" in values):
        raise missing("course_key")


def _check_place(_cells: Cells, values: Values) -> None:
    if "state" in values and "course_key" not in values:
        raise invalid("state", "needs a course_key")


def _check_group(cells: Cells, values: Values) -> None:
    if "group" not in values and any(cells.get(column.name) for column in OF_GROUPS):
        raise missing("group")
    link = ("content_partition_id", "content_group_id")
    if (values.get(link[0]) is None) != (values.get(link[1]) is None):
        raise invalid("content_group_id", "and content_partition_id go together")
    if not all(column in cells for column in link):
        for column in link:
            values.pop(column, None)


# In the order in which they are imported: each needs what the ones before it bring.
COURSES: Final = Kind(
    "courses",
    (
        Column("department", _acronym, Empty.REFUSED, needed=True),
        Column("department_name", verbatim(255)),
        Column("course_key", NAME, needed=True),
        Column("title", verbatim(1000), Empty.BLANKS),
        Column("is_locked", flag),
    ),
    _check_course,
)
ROSTER: Final = Kind(
    "roster",
    (
        Column("username", name(150), Empty.REFUSED, needed=True),
        Column("email", email(254), Empty.CLEARS),
        Column("family_name", line(255), Empty.BLANKS),
        Column("given_name", line(255), Empty.BLANKS),
        Column("usual_name", line(255), Empty.CLEARS),
        Column("civility", choice("M", "F", "X")),
        Column("student_number", line(64), Empty.CLEARS),
        Column("national_number", line(64), Empty.CLEARS),
        Column("department", ACRONYM),
        Column("is_active", flag),
        Column("course_key", NAME),
        Column("state", choice("active", "withdrawn", "defaulted")),
        Column("track", verbatim(255), read_only=True),
    ),
    _check_place,
)
STRUCTURE: Final = Kind(
    "structure",
    (
        Column("course_key", NAME, Empty.REFUSED, needed=True),
        Column("partition", NAME, Empty.REFUSED, needed=True),
        Column("kind", choice("ordinary", "tracks", "cohorts", "default")),
        Column("position", POSITION, stored="partition_position"),
        Column("groups_editable", flag),
        Column("show_in_lists", flag),
        Column("show_rank_on_report", flag),
        Column("group", NAME),
        *OF_GROUPS,
    ),
    _check_group,
)
ASSIGNMENTS: Final = Kind(
    "assignments",
    (
        Column("course_key", NAME, Empty.REFUSED, needed=True),
        Column("user", name(320), Empty.REFUSED, needed=True),
        Column("partition", NAME, Empty.REFUSED, needed=True),
        Column("group", NAME, needed=True),
    ),
)
KINDS: Final = (COURSES, ROSTER, STRUCTURE, ASSIGNMENTS)


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
