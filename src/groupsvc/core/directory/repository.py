"""The directory: departments, courses and users as readers of another system look for them."""

from datetime import date
from typing import Any, Final, TypedDict, Unpack

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import CourseEntry, DepartmentEntry, JsonResource, PersonEntry
from groupsvc.domain.principal import GrantScope

SQL: Final = SqlFile(__file__)


class Who(TypedDict, total=False):
    """A user by an id or a number."""

    user_id: int | None
    student_number: str | None
    national_number: str | None


class CourseFilter(Who, total=False):
    """``since`` and ``until`` bound a time that the course touches."""

    acronym: str | None
    department_id: int | None
    since: date | None
    until: date | None
    is_locked: bool | None


ANYBODY: Final[Who] = {"user_id": None, "student_number": None, "national_number": None}
ANY_COURSE: Final[CourseFilter] = {
    **ANYBODY,
    "acronym": None,
    "department_id": None,
    "since": None,
    "until": None,
    "is_locked": None,
}


class DirectoryRepository(Repository):
    """Each list comes as one JSON text. The scope is one of departments as a whole."""

    async def departments(self, scope: GrantScope) -> JsonResource[list[DepartmentEntry]]:
        return await self._list(SQL.departments, scope)

    async def department(
        self, *, acronym: str | None = None, known_id: int | None = None
    ) -> JsonResource[DepartmentEntry] | None:
        return await self._document(SQL.department, acronym=acronym, id=known_id)

    async def course(self, course_id: int) -> JsonResource[CourseEntry] | None:
        return await self._document(SQL.course, id=course_id)

    async def courses(
        self, scope: GrantScope, limit: int, **wanted: Unpack[CourseFilter]
    ) -> JsonResource[list[CourseEntry]] | None:
        """None when a department or user is asked for whom the caller cannot see."""
        parameters = {**ANY_COURSE, **wanted}
        return await self._document(SQL.courses, **_places(scope), limit=limit, **parameters)

    async def people_of_department(
        self, limit: int, *, acronym: str | None = None, known_id: int | None = None
    ) -> JsonResource[list[PersonEntry]] | None:
        return await self._document(
            SQL.people_of_department, acronym=acronym, id=known_id, limit=limit
        )

    async def people_at(
        self, scope: GrantScope, day: date, limit: int
    ) -> JsonResource[list[PersonEntry]]:
        """Everybody who is enrolled in a course of that day."""
        return await self._list(SQL.people_at, scope, day=day, limit=limit)

    async def people(
        self, scope: GrantScope, **who: Unpack[Who]
    ) -> JsonResource[list[PersonEntry]]:
        return await self._list(SQL.people, scope, **{**ANYBODY, **who})

    async def people_named(
        self, scope: GrantScope, start: str, limit: int
    ) -> JsonResource[list[PersonEntry]]:
        return await self._list(SQL.people_named, scope, start=start, limit=limit)

    async def _list(self, statement: Any, scope: GrantScope, **more: Any) -> JsonResource[Any]:
        document = await self._document(statement, **_places(scope), **more)
        assert document is not None
        return document


def _places(scope: GrantScope) -> dict[str, Any]:
    return {"everywhere": scope.everywhere, "departments": list(scope.departments)}
