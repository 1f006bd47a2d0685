"""Rolls: who is in a group or in a course, whole and in the order of names."""

from collections.abc import Sequence
from typing import Any, Final

from groupsvc.core.repository import Repository, scope_parameters
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import JsonResource, PersonDoc
from groupsvc.domain.principal import GrantScope

SQL: Final = SqlFile(__file__)


class ClassListRepository(Repository):
    async def of_group(
        self, group_id: int, *, state: str | None = None
    ) -> JsonResource[list[PersonDoc]] | None:
        """All members, or those enrolled in a state; None without the group."""
        return await self._document(SQL.of_group, group_id=group_id, state=state)

    async def of_course(
        self, course_id: int, *, state: str | None = None
    ) -> JsonResource[list[PersonDoc]] | None:
        """Everybody enrolled, each with ``groups``; None without the course."""
        return await self._document(SQL.of_course, course_id=course_id, state=state)

    async def groups_of(
        self,
        course_id: int,
        scope: GrantScope,
        *,
        user_id: int | None = None,
        student_number: str | None = None,
        national_number: str | None = None,
    ) -> JsonResource[list[Any]] | None:
        """The groups of one user, the default one first.

        None without the course; an empty body when nobody in scope is meant.
        """
        return await self._document(
            SQL.groups_of,
            course_id=course_id,
            user_id=user_id,
            student_number=student_number,
            national_number=national_number,
            **scope_parameters(scope),
        )

    async def identify(
        self,
        department: str,
        student_numbers: Sequence[str | None],
        national_numbers: Sequence[str | None],
        usernames: Sequence[str | None],
    ) -> list[int | None]:
        """By number in the department, else by username; one answer for each of the sequences."""
        rows = await self._rows(
            SQL.identify,
            department=department,
            student_numbers=list(student_numbers),
            national_numbers=list(national_numbers),
            usernames=list(usernames),
        )
        return [row.id for row in rows]
