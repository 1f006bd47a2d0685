"""Courses: declare, lock, show whole, delete."""

from collections.abc import Mapping
from typing import Any

from groupsvc.core.courses.repository import LockedCourse
from groupsvc.core.departments.service import known_as
from groupsvc.core.service import IfMatch, Service
from groupsvc.domain.errors import NotFoundError
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.names import LONGEST, normalise
from groupsvc.domain.principal import Permission

# No course has this id.
NOWHERE = -1


class CourseService(Service):
    async def read(self, course_id: int) -> JsonResource[dict[str, Any]]:
        return self._authorize_read(await self._uow.courses.read(course_id), "course")

    async def read_key(self, key: str) -> JsonResource[dict[str, Any]]:
        tidy = known_as(key, "course", longest=LONGEST)
        return self._authorize_read(await self._uow.courses.read_key(tidy), "course")

    async def board(self, course_id: int, *, with_members: bool) -> JsonResource[dict[str, Any]]:
        """Everything a group editor shows: partitions, groups, members, who is in no group."""
        return self._authorize_read(
            await self._uow.courses.board(course_id, with_members=with_members), "course"
        )

    async def page(self, *, department: str | None, after: int = 0, limit: int) -> Page:
        """Courses that the caller may read, by id."""
        scope = self._principal.scope(Permission.GROUPS_READ)
        return await self._uow.courses.page(scope, department=department, after=after, limit=limit)

    async def declare(
        self,
        key: object,
        *,
        department: str,
        title: str,
        details: Mapping[str, Any] | None = None,
        expected: IfMatch | None = None,
    ) -> tuple[JsonResource[dict[str, Any]], bool]:
        """Create or update a course by key; returns whether it was created.

        Who moves a course to another department needs the permission in both.
        """
        tidy = normalise(key, field="key")
        await self._uow.begin()
        held = await self._uow.courses.get_keyed_for_update(tidy)
        department_id = await self._place(held, department)
        if expected is not None:
            existing = await self._uow.courses.read_key(tidy)
            about = held.id if held is not None else NOWHERE
            await self._check_if_match(expected, existing, "course", course_id=about)
        created = held is None and await self._uow.courses.create(department_id, tidy, title)
        if held is None and not created:
            # Somebody else has just declared it, and where counts.
            await self._place(await self._uow.courses.get_keyed_for_update(tidy), department)
        if not created:
            await self._uow.courses.replace(department_id, tidy, title)
        if details:
            found = await self._uow.courses.get_keyed_for_update(tidy)
            assert found is not None
            await self._uow.courses.update(found.id, details)
        document = await self._uow.courses.read_key(tidy)
        assert document is not None
        return document, created

    async def _place(self, held: LockedCourse | None, department: str) -> int:
        """Where a course goes. Who puts it there needs the permission there and where it was."""
        if held is not None:
            self._require(Permission.ROSTER_WRITE, held.department, held.key)
        if held is None or held.department != department:
            self._require(Permission.ROSTER_WRITE, department, what="department")
        department_id = await self._uow.departments.id_of(department)
        if department_id is None:
            raise NotFoundError("no such department")
        return department_id

    async def set_lock(
        self, course_id: int, *, locked: bool, expected: IfMatch | None = None
    ) -> JsonResource[dict[str, Any]]:
        """Lock or unlock a course; either waits for changes in flight. Repeating changes nothing.

        While it is locked, no face changes its partitions, groups and memberships.
        """
        held = await self._get_for_update(course_id, Permission.ADMIN, expected)
        if held.is_locked != locked:
            await self._uow.courses.update(course_id, {"is_locked": locked})
        document = await self._uow.courses.read(course_id)
        assert document is not None
        return document

    async def delete(self, course_id: int, *, expected: IfMatch | None = None) -> None:
        """Delete a course and all that is in it. Raises LockedError while it is locked."""
        held = await self._get_for_update(course_id, Permission.ADMIN, expected)
        self._refuse_if_locked(held.is_locked)
        await self._uow.courses.delete(course_id)

    async def _get_for_update(
        self, course_id: int, permission: Permission, expected: IfMatch | None
    ) -> LockedCourse:
        await self._uow.begin()
        held = await self._uow.courses.get_for_update(course_id)
        if held is None:
            raise NotFoundError("no such course")
        self._require(permission, held.department, held.key)
        if expected is not None:
            seen = await self._uow.courses.read(course_id)
            await self._check_if_match(expected, seen, "course", course_id=course_id)
        return held
