"""Rolls: who is in a group or in a course, whole and in the order of names."""

from collections.abc import Sequence
from dataclasses import dataclass

from groupsvc.core.departments.service import known_as
from groupsvc.core.service import Service
from groupsvc.domain.errors import NotFoundError
from groupsvc.domain.json_resource import JsonResource, PersonDoc, PlacedGroupDoc, State
from groupsvc.domain.limits import LONGEST_NUMBER
from groupsvc.domain.principal import Permission


@dataclass(frozen=True, slots=True)
class Codes:
    """What somebody may be recognised by, the surest first."""

    student_number: str | None
    national_number: str | None
    username: str | None


class ClassListService(Service):
    async def of_group(
        self, group_id: int, *, state: State | None = None
    ) -> JsonResource[list[PersonDoc]]:
        """The members of a group, of the default group everybody enrolled."""
        return self._authorize_read(
            await self._uow.class_lists.of_group(group_id, state=state), "group"
        )

    async def of_course(
        self, course_id: int, *, state: State | None = None
    ) -> JsonResource[list[PersonDoc]]:
        """Everybody enrolled in a course, each with their groups but for the default one."""
        return self._authorize_read(
            await self._uow.class_lists.of_course(course_id, state=state), "course"
        )

    async def groups_of(
        self,
        course_id: int,
        *,
        user_id: int | None = None,
        student_number: str | None = None,
        national_number: str | None = None,
    ) -> JsonResource[list[PlacedGroupDoc]]:
        """The groups in one course of a user who is known by one of these, the default one first.

        Raises NotFoundError without the course, or when nobody in sight is meant.
        """
        document = await self._uow.class_lists.groups_of(
            course_id,
            self._principal.scope(Permission.GROUPS_READ),
            user_id=user_id,
            student_number=student_number
            and known_as(student_number, "user", longest=LONGEST_NUMBER),
            national_number=national_number
            and known_as(national_number, "user", longest=LONGEST_NUMBER),
        )
        found = self._authorize_read(document, "course")
        if not found.body:
            raise NotFoundError("no such user")
        return found

    async def identify(self, department: str, codes: Sequence[Codes]) -> list[int | None]:
        """The ids of users of a department, None for those whom nobody here is."""
        self._require(Permission.GROUPS_READ, department)
        return await self._uow.class_lists.identify(
            department,
            [each.student_number for each in codes],
            [each.national_number for each in codes],
            [each.username for each in codes],
        )
