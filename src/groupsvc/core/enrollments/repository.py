"""Enrollments: who is in which course."""

from dataclasses import dataclass
from typing import Any, Final

from groupsvc.core.repository import Repository, scope_parameters
from groupsvc.core.users.search import Search
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import JsonResource, Page, State
from groupsvc.domain.principal import GrantScope

SQL: Final = SqlFile(__file__)


@dataclass(frozen=True, slots=True)
class LockedEnrollment:
    """A course and one user's place in it; ``state`` is None when there is none.

    The enrollment stays as it is until the transaction ends. ``is_known``: there is such a user.
    """

    department: str
    course: str
    course_id: int
    state: State | None
    track: str | None
    is_known: bool


class EnrollmentRepository(Repository):
    async def read(self, course_id: int, user_id: int) -> JsonResource[dict[str, Any]] | None:
        """None without the course; an empty body when the user is not enrolled in it."""
        return await self._document(SQL.read, course_id=course_id, user_id=user_id)

    async def page(
        self, course_id: int, *, state: str | None, search: Search, after: int = 0, limit: int
    ) -> Page:
        """Enrollments of a course by user id."""
        return await self._page(
            SQL.page,
            limit=limit,
            key=("user_id",),
            course_id=course_id,
            state=state,
            after=after,
            search=search.text,
            names=search.names,
        )

    async def count_active(self, course_id: int) -> int:
        (row,) = await self._rows(SQL.count_active, course_id=course_id)
        return int(row.active)

    async def get_for_update(
        self, course_id: int, user_id: int, sight: GrantScope
    ) -> LockedEnrollment | None:
        """None without the course, or out of sight."""
        row = await self._row(
            SQL.lock, course_id=course_id, user_id=user_id, **scope_parameters(sight)
        )
        return LockedEnrollment(**row._asdict()) if row is not None else None

    async def create(self, course_id: int, user_id: int, state: str) -> bool:
        """False when they have just been enrolled. Raises NotFoundError without the user."""
        row = await self._row(SQL.create, course_id=course_id, user_id=user_id, state=state)
        return row is not None

    async def set_state(self, course_id: int, user_id: int, state: str) -> None:
        await self._rows(SQL.set_state, course_id=course_id, user_id=user_id, state=state)

    async def delete(self, course_id: int, user_id: int) -> None:
        """The memberships end as well, but for that in a cohort. Raises LockedError."""
        await self._rows(SQL.delete, course_id=course_id, user_id=user_id)

    async def track_group(self, course_id: int, name: str) -> int | None:
        """The group that stands for a track of the course."""
        row = await self._row(SQL.track_group, course_id=course_id, name=name)
        return row.id if row is not None else None
