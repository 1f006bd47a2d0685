"""The kinds of tables."""

from typing import Final

from groupsvc.domain.errors import InvalidError
from groupsvc.domain.grants import is_name
from groupsvc.domain.principal import Permission
from groupsvc.domain.roles import Role
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
from groupsvc.import_export.columns import Cells, Column, Empty, Kind, Source, Values

COURSE: Final = ("course",)
PARTITION: Final = ("partition_name",)
GROUP: Final = ("group_name",)
LOGIN: Final = ("login", "user_name")
EMAIL: Final = ("e_mail", "mail", "email_address", "e_mail_address")
NUMBER: Final = ("student_id", "id_number")
ACRONYM: Final = name(64)
NAME: Final = name(255)
# Leaves room for what comes to be appended later.
POSITION: Final = number(-(2**63), 2**62)
FIRST_POSITION: Final = -(2**63)
OF_GROUPS: Final = (
    Column("group_position", POSITION, stored="position"),
    Column("capacity", number(0, 1_000_000), Empty.CLEARS, aliases=("places", "seats")),
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


def _check_role(cells: Cells, values: Values) -> None:
    """A role holds everywhere only where a table could have named a place and does not."""
    places = ("course_key", "department")
    if all(place in values for place in places):
        raise invalid("department", "and course_key do not go together")
    if not any(place in values for place in places) and not all(place in cells for place in places):
        raise missing(next((place for place in places if place in cells), places[0]))


# In the order in which they are imported: each needs what the ones before it bring.
COURSES: Final = Kind(
    "courses",
    (
        Column("department", _acronym, Empty.REFUSED, needed=True),
        Column("department_name", verbatim(255)),
        Column("course_key", NAME, needed=True, aliases=COURSE),
        Column("title", verbatim(1000), Empty.BLANKS, aliases=("course_title", "course_name")),
        Column("is_locked", flag, aliases=("locked",)),
    ),
    (
        Source("departments", {"after_key": "department"}, ("",)),
        Source("courses", {"after": "id"}, (0,)),
    ),
    _check_course,
)
ROSTER: Final = Kind(
    "roster",
    (
        Column("username", name(150), Empty.REFUSED, needed=True, aliases=LOGIN),
        Column("email", email(254), Empty.CLEARS, aliases=EMAIL),
        Column("family_name", line(255), Empty.BLANKS, aliases=("last_name", "surname")),
        Column("given_name", line(255), Empty.BLANKS, aliases=("first_name", "forename")),
        Column("usual_name", line(255), Empty.CLEARS),
        Column("civility", choice("M", "F", "X")),
        Column("student_number", line(64), Empty.CLEARS, aliases=NUMBER),
        Column("national_number", line(64), Empty.CLEARS, aliases=("national_id",)),
        Column("department", ACRONYM),
        Column("is_active", flag, aliases=("active",)),
        Column("course_key", NAME, aliases=COURSE),
        Column("state", choice("active", "withdrawn", "defaulted"), aliases=("enrollment_state",)),
        Column("track", verbatim(255), read_only=True),
    ),
    (Source("roster", {"after": "id"}, (0,)),),
    _check_place,
)
STRUCTURE: Final = Kind(
    "structure",
    (
        Column("course_key", NAME, Empty.REFUSED, needed=True, aliases=COURSE),
        Column("partition", NAME, Empty.REFUSED, needed=True, aliases=PARTITION),
        Column("kind", choice("ordinary", "tracks", "cohorts", "default")),
        Column("position", POSITION, stored="partition_position"),
        Column("groups_editable", flag),
        Column("show_in_lists", flag),
        Column("show_rank_on_report", flag),
        Column("group", NAME, aliases=GROUP),
        *OF_GROUPS,
    ),
    (
        Source(
            "structure",
            {"after": "course_id", "position": "position", "id": "id"},
            (0, FIRST_POSITION, 0),
        ),
    ),
    _check_group,
)
USER: Final = Column(
    "user",
    name(320),
    Empty.REFUSED,
    needed=True,
    # Whatever tells who is meant.
    aliases=("username", *LOGIN, "email", *EMAIL, "student_number", *NUMBER),
)
ASSIGNMENTS: Final = Kind(
    "assignments",
    (
        Column("course_key", NAME, Empty.REFUSED, needed=True, aliases=COURSE),
        USER,
        Column("partition", NAME, Empty.REFUSED, needed=True, aliases=PARTITION),
        Column("group", NAME, needed=True, aliases=GROUP),
    ),
    (
        Source(
            "assignments",
            {"after": "course_id", "partition_id": "partition_id", "user_id": "user_id"},
            (0, 0, 0),
        ),
    ),
)
ROLES: Final = Kind(
    "roles",
    (
        USER,
        Column("role", choice(*Role), needed=True),
        Column("department", ACRONYM),
        Column("course_key", NAME, aliases=COURSE),
    ),
    (
        Source(
            "roles",
            {
                "after": "user_id",
                "after_role": "role",
                "after_department": "department",
                "after_course": "course_key",
            },
            (0, "", "", ""),
        ),
    ),
    _check_role,
    Permission.ADMIN,
)
KINDS: Final = (COURSES, ROSTER, STRUCTURE, ASSIGNMENTS, ROLES)
