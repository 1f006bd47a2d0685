"""Courses: what is divided. The board shows one whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from groupsvc.core.repository import Repository, scope_parameters
from groupsvc.db.count_cache import NEVER
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.principal import GrantScope

SQL: Final = SqlFile(__file__)


@dataclass(frozen=True, slots=True)
class LockedCourse:
    """A course, locked in the database or not as the method says."""

    id: int
    key: str
    department: str
    is_locked: bool


class CourseRepository(Repository):
    async def read(self, course_id: int) -> JsonResource[dict[str, Any]] | None:
        return await self._document(SQL.read, id=course_id, key=None)

    async def read_key(self, key: str) -> JsonResource[dict[str, Any]] | None:
        return await self._document(SQL.read, id=None, key=key)

    async def board(
        self, course_id: int, *, with_members: bool = True
    ) -> JsonResource[dict[str, Any]] | None:
        if with_members:
            return await self._document(SQL.board, id=course_id)
        return await self._counts(course_id)

    async def _counts(self, course_id: int) -> JsonResource[dict[str, Any]] | None:
        cache = self._connection.count_cache
        known = cache.get(("board", course_id)) if cache is not None else None
        moment = known.moment() if known is not None else NEVER
        row = await self._row(SQL.counts, id=course_id, **moment)
        if row is None:
            return None
        if row.body is None and known is not None:
            return cast("JsonResource[dict[str, Any]]", known.value)
        body = cast("str", row.body)
        document = JsonResource[dict[str, Any]](body.encode(), row.department, row.course)
        if cache is not None:
            cache.put(("board", course_id), document, row)
        return document

    async def page(
        self, scope: GrantScope, *, department: str | None, after: int = 0, limit: int
    ) -> Page:
        return await self._page(
            SQL.list,
            limit=limit,
            key=("id",),
            after=after,
            department=department,
            **scope_parameters(scope),
        )

    async def find(self, course_id: int) -> LockedCourse | None:
        return _held(await self._row(SQL.find, id=course_id))

    async def get_for_update(self, course_id: int) -> LockedCourse | None:
        """Hold the course itself, and with it the list of its partitions."""
        return _held(await self._row(SQL.lock, id=course_id))

    async def get_keyed_for_update(self, key: str) -> LockedCourse | None:
        return _held(await self._row(SQL.lock_keyed, key=key))

    async def create(self, department_id: int, key: str, title: str) -> bool:
        """False when somebody else has just taken the key."""
        row = await self._row(SQL.create, department_id=department_id, key=key, title=title)
        return row is not None

    async def replace(self, department_id: int, key: str, title: str) -> None:
        """Write what differs; nothing at all when nothing does."""
        await self._rows(SQL.replace, department_id=department_id, key=key, title=title)

    async def update(self, course_id: int, values: Mapping[str, Any]) -> None:
        await self._patch(SQL.update, values, id=course_id)

    async def delete(self, course_id: int) -> None:
        """All that is in the course goes with it, each with its line in the log."""
        await self._rows(SQL.delete, id=course_id)


def _held(row: Any | None) -> LockedCourse | None:
    if row is None:
        return None
    return LockedCourse(row.id, row.course, row.department, row.is_locked)
