"""What a batch of a roster would do: decided row by row, before anything is written.

Pure: the state comes in, the answers go out. A row sees what the rows before it have done.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Final

from groupsvc.domain.errors import ConflictError, ForbiddenError
from groupsvc.domain.principal import Permission
from groupsvc.import_export.columns import Values
from groupsvc.import_export.places import Courses, PermissionCache, unknown
from groupsvc.import_export.records import Course, RosterPerson
from groupsvc.import_export.results import Result, greater

UNIQUE: Final = {
    "email": ("email_taken", "another user has this e-mail address"),
    "student_number": ("number_taken", "another user of the department has this student number"),
    "national_number": ("number_taken", "another user of the department has this national number"),
}
Claim = tuple[str, str | None, str]  # column, department for numbers, value
PERSONAL: Final = frozenset(field.name for field in fields(RosterPerson))


def folded(email: str) -> str:
    """As the database compares addresses: the letters of ASCII in lower case, no others."""
    return email.lower() if email.isascii() else "".join(_lower(char) for char in email)


class RosterPlan:
    """``people`` and ``places`` are what has to be written: users, and (course id, username)."""

    def __init__(
        self,
        known: Iterable[RosterPerson],
        states: Mapping[tuple[int, str], str],
        departments: Mapping[str, str],
        courses: Courses,
        permissions: PermissionCache,
    ) -> None:
        self.people: dict[str, RosterPerson] = {}
        self.places: dict[tuple[int, str], str] = {}
        self.released: set[int] = set()
        self._now = {person.username: person for person in known}
        self._states = dict(states)
        self._departments = departments
        self._courses = courses
        self._permissions = permissions
        self._holders: dict[Claim, str] = {}
        for person in self._now.values():
            for claim in _claims(person):
                self._holders[claim] = person.username
        self._stored = {claim: self._now[name].id for claim, name in self._holders.items()}

    @property
    def known_ids(self) -> dict[str, int]:
        """Ids by username, of users who exist."""
        return {name: each.id for name, each in self._now.items() if each.id is not None}

    def decide(self, row: Values) -> Result:
        """Raises what stands against the row, which then changes nothing."""
        username = row["username"]
        course = self._courses.find(row["course_key"]) if "course_key" in row else None
        before = self._now.get(username)
        after = self._after(before, row, course)
        user = self._compare(before, after, row.get("department"))
        enrollment = self._enrollment(row, course)
        if user != "unchanged":
            self._write(before, after)
        if course is not None and enrollment != "unchanged":
            place = (course.id, username)
            self._states[place] = self.places[place] = row.get("state", "active")
        return greater(user, enrollment)

    def _after(
        self, before: RosterPerson | None, row: Values, course: Course | None
    ) -> RosterPerson:
        if "department" in row and row["department"] not in self._departments:
            raise unknown("department")
        home = course.department if course is not None else None
        given = {name: value for name, value in row.items() if name in PERSONAL}
        return replace(before or RosterPerson(None, row["username"], home), **given)

    def _compare(
        self, before: RosterPerson | None, after: RosterPerson, named: str | None
    ) -> Result:
        """The department that a row names may be out of sight; any other one is forbidden."""
        if before == after:
            return "unchanged"
        if named is not None:
            self._permissions.require(Permission.ROSTER_WRITE, named)
        home = (before or after).department
        if not self._permissions.holds(Permission.ROSTER_WRITE, home):
            raise ForbiddenError(f"this needs {Permission.ROSTER_WRITE} where the user belongs")
        for claim in _claims(after):
            if self._holders.get(claim, after.username) != after.username:
                code, message = UNIQUE[claim[0]]
                raise ConflictError(message, code=code)
        return "created" if before is None else "updated"

    def _enrollment(self, row: Values, course: Course | None) -> Result:
        if course is None:
            return "unchanged"
        state = self._states.get((course.id, row["username"]))
        if state is None:
            return "created"
        return "unchanged" if row.get("state", state) == state else "updated"

    def _write(self, before: RosterPerson | None, after: RosterPerson) -> None:
        for claim in _claims(before) if before is not None else ():
            del self._holders[claim]
        for claim in _claims(after):
            self._holders[claim] = after.username
            stored = self._stored.get(claim)
            if stored is not None and stored != after.id:
                self.released.add(stored)
        self._now[after.username] = self.people[after.username] = after


def _claims(person: RosterPerson) -> list[Claim]:
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


def _lower(char: str) -> str:
    return char.lower() if char.isascii() else char
