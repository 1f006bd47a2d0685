"""The directory, as far as the caller may read it as a whole."""

from datetime import date
from typing import Any, TypeVar, Unpack

from groupsvc.core.departments.service import LONGEST_ACRONYM, known_as
from groupsvc.core.directory.repository import CourseFilter, Who
from groupsvc.core.service import Service
from groupsvc.domain.errors import InvalidError, NotFoundError
from groupsvc.domain.json_resource import CourseEntry, DepartmentEntry, JsonResource, PersonEntry
from groupsvc.domain.limits import LONGEST_NUMBER
from groupsvc.domain.names import sort_key
from groupsvc.domain.principal import GrantScope, Permission

T = TypeVar("T")

# No list is cut short: a reader would take what is missing for gone.
MOST_COURSES = 10_000
MOST_PEOPLE = 100_000
SHORTEST_START = 3


class DirectoryService(Service):
    async def departments(self) -> list[DepartmentEntry]:
        return (await self._uow.directory.departments(self._scope)).data

    async def department(self, known: str | int) -> DepartmentEntry:
        """By acronym or by known id."""
        document = await self._uow.directory.department(**_department(known))
        return self._authorize_read(document, "department").data

    async def people_of_department(self, known: str | int) -> list[PersonEntry]:
        found = await self._uow.directory.people_of_department(
            MOST_PEOPLE + 1, **_department(known)
        )
        return _whole(self._authorize_read(found, "department"), MOST_PEOPLE)

    async def course(self, course_id: int) -> CourseEntry:
        return self._authorize_read(await self._uow.directory.course(course_id), "course").data

    async def courses_of_department(
        self, known: str | int, *, day: date | None = None
    ) -> list[CourseEntry]:
        """All of them, or those of a day."""
        place = _department(known)
        found = await self._uow.directory.courses(
            self._scope,
            MOST_COURSES + 1,
            acronym=place.get("acronym"),
            department_id=place.get("known_id"),
            since=day,
            until=day,
        )
        return _whole(self._authorize_read(found, "department"), MOST_COURSES)

    async def courses_of(self, **who: Unpack[Who]) -> list[CourseEntry]:
        """The courses of a user. Raises NotFoundError for one whom the caller cannot see."""
        found = await self._uow.directory.courses(self._scope, MOST_COURSES + 1, **_named(who))
        if found is None:
            raise NotFoundError("no such user")
        return _whole(found, MOST_COURSES)

    async def courses(self, **wanted: Unpack[CourseFilter]) -> list[CourseEntry]:
        """Those that all of this is true of: none, where a department or user is unknown."""
        found = await self._uow.directory.courses(self._scope, MOST_COURSES + 1, **wanted)
        return _whole(found, MOST_COURSES) if found is not None else []

    async def people_at(self, day: date) -> list[PersonEntry]:
        found = await self._uow.directory.people_at(self._scope, day, MOST_PEOPLE + 1)
        return _whole(found, MOST_PEOPLE)

    async def people(self, **who: Unpack[Who]) -> list[PersonEntry]:
        """All who have the id or number, the one who was enrolled last first."""
        return (await self._uow.directory.people(self._scope, **_named(who))).data

    async def person(self, **who: Unpack[Who]) -> PersonEntry:
        found = await self.people(**who)
        if not found:
            raise NotFoundError("no such user")
        return found[0]

    async def people_named(self, start: str) -> list[PersonEntry]:
        """By the beginning of the family name, whatever its case and accents; nobody for less
        than three letters."""
        folded = sort_key(start, "", "")
        if len(folded) < SHORTEST_START or "\0" in folded:
            return []
        found = await self._uow.directory.people_named(self._scope, folded, MOST_PEOPLE + 1)
        return _whole(found, MOST_PEOPLE)

    @property
    def _scope(self) -> GrantScope:
        return self._principal.scope(Permission.GROUPS_READ)


def _department(known: str | int) -> dict[str, Any]:
    if isinstance(known, int):
        return {"known_id": known}
    return {"acronym": known_as(known, "department", longest=LONGEST_ACRONYM)}


def _named(who: Who) -> Who:
    """Raises NotFoundError for numbers that nobody can have."""
    for name in ("student_number", "national_number"):
        number = who.get(name)
        if isinstance(number, str):
            who[name] = known_as(number, "user", longest=LONGEST_NUMBER)
    return who


def _whole(document: JsonResource[list[T]], most: int) -> list[T]:
    if len(document.data) > most:
        raise InvalidError(f"there are more than {most}", code="too_many")
    return document.data
