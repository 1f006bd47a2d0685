"""What a batch of a roster would do: decided row by row, before anything is written.

Pure: the state comes in, the answers go out. A row sees what the rows before it have done.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from groupsvc.domain.errors import ConflictError, ForbiddenError
from groupsvc.domain.principal import Permission
from groupsvc.import_export import cells
from groupsvc.import_export.cells import Cells
from groupsvc.import_export.places import Courses, Rights, unknown
from groupsvc.import_export.results import Result, greater
from groupsvc.import_export.sql.courses import KnownCourse
from groupsvc.import_export.sql.roster import Person

STATES: Final = ("active", "withdrawn", "defaulted")
CIVILITIES: Final = ("M", "F", "X")
LONGEST_USERNAME: Final = 150
LONGEST_KEY: Final = 255
LONGEST_ACRONYM: Final = 64
LONGEST_NAME: Final = 255
LONGEST_EMAIL: Final = 254
LONGEST_NUMBER: Final = 64
PERSONAL: Final = tuple(field.name for field in fields(Person) if field.name != "id")

UNIQUE: Final = {
    "email": ("email_taken", "another user has this e-mail address"),
    "student_number": ("number_taken", "another user of the department has this student number"),
    "national_number": ("number_taken", "another user of the department has this national number"),
}
Claim = tuple[str, str | None, str]  # column, department for numbers, value


@dataclass(frozen=True, slots=True)
class RosterRow:
    """``given`` holds what the row tells of the user himself."""

    username: str
    given: dict[str, Any]
    department: str | None
    course_key: str | None
    state: str | None


def read_row(row: Cells) -> RosterRow:
    given: dict[str, Any] = {}
    for column in ("family_name", "given_name"):
        _put(given, column, cells.line(row, column, longest=LONGEST_NAME))
    for column, longest in (
        ("usual_name", LONGEST_NAME),
        ("student_number", LONGEST_NUMBER),
        ("national_number", LONGEST_NUMBER),
    ):
        _put_or_clear(given, column, cells.line(row, column, longest=longest))
    _put_or_clear(given, "email", cells.email(row, "email", longest=LONGEST_EMAIL))
    _put(given, "civility", cells.choice(row, "civility", CIVILITIES))
    _put(given, "is_active", cells.flag(row, "is_active"))
    course_key = cells.optional_name(row, "course_key", longest=LONGEST_KEY)
    state = cells.choice(row, "state", STATES)
    if state is not None and course_key is None:
        raise cells.invalid("state", "needs a course_key")
    return RosterRow(
        cells.name(row, "username", longest=LONGEST_USERNAME),
        given,
        cells.optional_name(row, "department", longest=LONGEST_ACRONYM),
        course_key,
        state,
    )


def folded(email: str) -> str:
    """As the database compares addresses: the letters of ASCII in lower case, no others."""
    return email.lower() if email.isascii() else "".join(_lower(char) for char in email)


class RosterPlan:
    """``people`` and ``places`` are what has to be written: users, and (course id, username)."""

    def __init__(
        self,
        known: Iterable[Person],
        states: Mapping[tuple[int, str], str],
        departments: Mapping[str, str],
        courses: Courses,
        rights: Rights,
    ) -> None:
        self.people: dict[str, Person] = {}
        self.places: dict[tuple[int, str], str] = {}
        self.released: set[int] = set()
        self._now = {person.username: person for person in known}
        self._states = dict(states)
        self._departments = departments
        self._courses = courses
        self._rights = rights
        self._holders: dict[Claim, str] = {}
        for person in self._now.values():
            for claim in _claims(person):
                self._holders[claim] = person.username
        self._stored = {claim: self._now[name].id for claim, name in self._holders.items()}

    @property
    def known_ids(self) -> dict[str, int]:
        """Ids by username, of users who exist."""
        return {name: each.id for name, each in self._now.items() if each.id is not None}

    def decide(self, row: RosterRow) -> Result:
        """Raises what stands against the row, which then changes nothing."""
        course = self._courses.find(row.course_key) if row.course_key is not None else None
        before = self._now.get(row.username)
        after = self._after(before, row, course)
        user = self._compare(before, after, row.department)
        enrollment = self._enrollment(row, course)
        if user != "unchanged":
            self._write(before, after)
        if course is not None and enrollment != "unchanged":
            place = (course.id, row.username)
            state = row.state or "active"
            self._states[place] = self.places[place] = state
        return greater(user, enrollment)

    def _after(self, before: Person | None, row: RosterRow, course: KnownCourse | None) -> Person:
        if row.department is not None and row.department not in self._departments:
            raise unknown("department")
        if before is not None:
            return replace(before, **row.given, department=row.department or before.department)
        home = row.department or (course.department if course is not None else None)
        new = Person(None, row.username, home, None, "", "", None, "X", None, None, True)
        return replace(new, **row.given)

    def _compare(self, before: Person | None, after: Person, named: str | None) -> Result:
        """The department that a row names may be out of sight; any other one is forbidden."""
        if before == after:
            return "unchanged"
        if named is not None:
            self._rights.require(Permission.ROSTER_WRITE, named)
        home = (before or after).department
        if not self._rights.holds(Permission.ROSTER_WRITE, home):
            raise ForbiddenError(f"this needs {Permission.ROSTER_WRITE} where the user belongs")
        for claim in _claims(after):
            if self._holders.get(claim, after.username) != after.username:
                code, message = UNIQUE[claim[0]]
                raise ConflictError(message, code=code)
        return "created" if before is None else "updated"

    def _enrollment(self, row: RosterRow, course: KnownCourse | None) -> Result:
        if course is None:
            return "unchanged"
        state = self._states.get((course.id, row.username))
        if state is None:
            return "created"
        return "unchanged" if row.state in (None, state) else "updated"

    def _write(self, before: Person | None, after: Person) -> None:
        for claim in _claims(before) if before is not None else ():
            del self._holders[claim]
        for claim in _claims(after):
            self._holders[claim] = after.username
            stored = self._stored.get(claim)
            if stored is not None and stored != after.id:
                self.released.add(stored)
        self._now[after.username] = self.people[after.username] = after


def _claims(person: Person) -> list[Claim]:
    """What nobody else may have. Numbers are free outside departments."""
    claims: list[Claim] = []
    if person.email is not None:
        claims.append(("email", None, folded(person.email)))
    if person.department is not None:
        if person.student_number is not None:
            claims.append(("student_number", person.department, person.student_number))
        if person.national_number is not None:
            claims.append(("national_number", person.department, person.national_number))
    return claims


def _put(given: dict[str, Any], column: str, value: object) -> None:
    if value is not None:
        given[column] = value


def _put_or_clear(given: dict[str, Any], column: str, value: str | None) -> None:
    if value is not None:
        given[column] = value or None


def _lower(char: str) -> str:
    return char.lower() if char.isascii() else char
