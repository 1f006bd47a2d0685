"""The kinds of tables."""

from typing import Final

from groupsvc.domain.errors import InvalidError
from groupsvc.domain.grants import is_name
from groupsvc.domain.principal import Permission
from groupsvc.domain.roles import Role
from groupsvc.import_export.cells import (
    address,
    choice,
    choice_in_any_case,
    day,
    email,
    external_ids,
    flag,
    invalid,
    line,
    missing,
    name,
    names,
    number,
    record_key,
    verbatim,
)
from groupsvc.import_export.columns import Cells, Column, Empty, Kind, Source, Values

COURSE: Final = ("course", "cours", "Kurs", "curso", "corso")
PARTITION: Final = ("partition name",)
GROUP: Final = ("group name", "groupe", "Gruppe", "grupo", "gruppo", "groep")
LOGIN: Final = (
    *("login", "identifiant", "nom d'utilisateur", "Benutzername", "nombre de usuario"),
    *("nome utente", "gebruikersnaam"),
)
EMAIL: Final = (
    *("mail", "email address", "courriel", "adresse de courriel", "adresse mail", "adresse e-mail"),
    *("E-Mail-Adresse", "correo", "correo electrónico", "dirección de correo", "indirizzo email"),
    "e-mailadres",
)
NUMBER: Final = (
    *("student ID", "ID number", "numéro étudiant", "numéro d'étudiant", "Matrikelnummer"),
    *("número de estudiante", "matricola", "studentnummer"),
)
NATIONAL_NUMBER: Final = ("national ID", "INE")
FAMILY_NAME: Final = (
    *("last name", "surname", "nom", "nom de famille", "Nachname", "Familienname", "apellido"),
    *("apellidos", "cognome", "achternaam"),
)
GIVEN_NAME: Final = ("first name", "forename", "prénom", "Vorname", "nombre", "voornaam")
IDENTIFIERS: Final = ("username", "email", "student_number", "national_number")
ACRONYM: Final = name(64)
NAME: Final = name(255)
# Leaves room for what comes to be appended later.
POSITION: Final = number(-(2**63), 2**62)
FIRST_POSITION: Final = -(2**63)
KEY: Final = Column("key", record_key)
WITHDRAWN: Final = "withdrawn"
REMOVE: Final = "remove"
# What a row is for, where it is not to add.
ACTION: Final = Column("action", choice_in_any_case("add", REMOVE), is_order=True)
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
    of_course = (name for name in values if not name.startswith("department"))
    if "course_key" not in values and any(values[name] not in (None, "") for name in of_course):
        raise missing("course_key")


def _check_place(cells: Cells, values: Values) -> None:
    if not any(values.get(column) for column in IDENTIFIERS):
        raise missing(next((column for column in IDENTIFIERS if column in cells), "username"))
    if values.get("action") == REMOVE and values.setdefault("state", WITHDRAWN) != WITHDRAWN:
        raise invalid("state", "says otherwise than the action")
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


def _check_content(_cells: Cells, values: Values) -> None:
    if "content_group" in values and "content_group_id" not in values:
        raise missing("content_group_id")


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
        Column("department_name", verbatim(255), Empty.CLEARS),
        Column("course_key", NAME, needed=True, aliases=COURSE),
        Column("title", verbatim(1000), Empty.BLANKS, aliases=("course title", "course name")),
        Column("is_locked", flag, aliases=("locked",)),
        Column("starts_on", day, Empty.CLEARS),
        Column("ends_on", day, Empty.CLEARS),
        Column("programme", verbatim(255), Empty.CLEARS),
        Column("term", number(-(2**31), 2**31 - 1), Empty.CLEARS),
        Column("modality", verbatim(64), Empty.CLEARS),
        Column("is_cohorted", flag),
        Column("random_assignment", choice("uniform", "balanced")),
        Column("former_keys", names(255)),
        KEY,
    ),
    (
        Source("departments", {"after_key": "department"}, ("",)),
        Source("courses", {"after": "id"}, (0,)),
    ),
    _check_course,
)
USERNAME: Final = Column("username", name(150), aliases=LOGIN)
ROSTER: Final = Kind(
    "roster",
    (
        USERNAME,
        Column("email", email(254), Empty.CLEARS, aliases=EMAIL),
        Column("family_name", line(255), Empty.BLANKS, aliases=FAMILY_NAME),
        Column("given_name", line(255), Empty.BLANKS, aliases=GIVEN_NAME),
        Column("usual_name", line(255), Empty.CLEARS),
        Column("civility", choice("M", "F", "X")),
        Column("student_number", line(64), Empty.CLEARS, aliases=NUMBER),
        Column("national_number", line(64), Empty.CLEARS, aliases=NATIONAL_NUMBER),
        Column("department", ACRONYM),
        Column("is_active", flag, aliases=("active",)),
        Column("course_key", NAME, aliases=COURSE),
        Column("state", choice("active", WITHDRAWN, "defaulted"), aliases=("enrollment state",)),
        Column("track", verbatim(255), read_only=True),
        Column("is_retired", flag),
        Column("external_ids", external_ids),
        Column("former_names", names(320)),
        KEY,
        ACTION,
    ),
    (Source("roster", {"after": "id"}, (0,)),),
    _check_place,
    one_of=IDENTIFIERS,
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
        Column("partition_former_names", names(255)),
        Column("former_names", names(255)),
        Column("partition_key", record_key),
        KEY,
    ),
    (
        Source(
            "structure",
            {"after": "course_id", "position": "stored_position", "id": "id"},
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
    aliases=(
        *("utilisateur", "Benutzer", "usuario", "utente", "gebruiker"),
        *("username", *LOGIN, "email", *EMAIL),
        *("student_number", *NUMBER, "national_number", *NATIONAL_NUMBER),
    ),
)
ASSIGNMENTS: Final = Kind(
    "assignments",
    (
        Column("course_key", NAME, Empty.REFUSED, needed=True, aliases=COURSE),
        USER,
        Column("partition", NAME, Empty.REFUSED, needed=True, aliases=PARTITION),
        Column("group", NAME, Empty.CLEARS, needed=True, aliases=GROUP),
        ACTION,
    ),
    (
        Source(
            "assignments",
            {
                "after": "course_id",
                "position": "position",
                "partition_id": "partition_id",
                "user_id": "user_id",
            },
            (0, FIRST_POSITION, 0, 0),
        ),
    ),
)
PREASSIGNMENTS: Final = Kind(
    "preassignments",
    (
        Column("course_key", NAME, Empty.REFUSED, needed=True, aliases=COURSE),
        Column("partition", NAME, Empty.REFUSED, needed=True, aliases=PARTITION),
        Column("group", NAME, Empty.REFUSED, needed=True, aliases=GROUP),
        Column("waiting_email", address, Empty.REFUSED, needed=True),
    ),
    (Source("preassignments", {"after": "course_id", "id": "id"}, (0, 0)),),
)
CONTENT_GROUPS: Final = Kind(
    "content_groups",
    (
        Column("course_key", NAME, Empty.REFUSED, needed=True, aliases=COURSE),
        Column("content_partition_id", number(0), Empty.REFUSED, needed=True),
        Column("content_partition", verbatim(2000), Empty.BLANKS, needed=True),
        Column("scheme", verbatim(2000), Empty.BLANKS),
        Column("description", verbatim(2000), Empty.BLANKS),
        Column("is_active", flag),
        Column("content_group_id", number(0)),
        Column("content_group", verbatim(2000)),
    ),
    (
        Source(
            "content_groups",
            {"after": "course_id", "position": "position", "id": "content_partition_id"},
            (0, FIRST_POSITION, -1),
        ),
    ),
    _check_content,
)
ROLES: Final = Kind(
    "roles",
    (
        USER,
        Column("role", choice(*Role), Empty.CLEARS, needed=True),
        Column("department", ACRONYM),
        Column("course_key", NAME, aliases=COURSE),
        ACTION,
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
KINDS: Final = (
    COURSES,
    ROSTER,
    STRUCTURE,
    ASSIGNMENTS,
    PREASSIGNMENTS,
    CONTENT_GROUPS,
    ROLES,
)
