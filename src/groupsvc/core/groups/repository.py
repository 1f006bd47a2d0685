"""Groups: one part of a partition each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import GroupDoc, JsonResource

SQL: Final = SqlFile(__file__)


@dataclass(frozen=True, slots=True)
class LockedGroup:
    """A group of a partition whose list of groups nobody else changes meanwhile."""

    department: str
    course: str
    course_id: int
    partition_id: int
    id: int
    name: str | None
    kind: str
    groups_editable: bool
    is_locked: bool


@dataclass(frozen=True, slots=True)
class PastGroup:
    """Where a group is or was, for reading what was true of it."""

    department: str
    course: str
    course_id: int
    partition_id: int
    is_default: bool


class GroupRepository(Repository):
    async def read(self, group_id: int) -> JsonResource[GroupDoc] | None:
        return await self._document(SQL.read, id=group_id)

    async def read_as_of(
        self, group_id: int, partition_id: int, as_of: datetime
    ) -> JsonResource[GroupDoc] | None:
        """As it was then; None where it was not there."""
        return await self._document(
            SQL.read_as_of, id=group_id, partition_id=partition_id, as_of=as_of
        )

    async def get_for_update(self, group_id: int) -> LockedGroup | None:
        row = await self._row(SQL.lock, id=group_id)
        return LockedGroup(**row._asdict()) if row is not None else None

    async def find_past(self, group_id: int) -> PastGroup | None:
        """A group that is there or has been deleted, unless its course is gone."""
        row = await self._row(SQL.find_past, id=group_id)
        return PastGroup(**row._asdict()) if row is not None else None

    async def names(self, course_id: int, partition_id: int) -> dict[int, str | None]:
        """Names by id, in order."""
        rows = await self._rows(SQL.names, course_id=course_id, partition_id=partition_id)
        return {row.id: row.name for row in rows}

    async def create(
        self, course_id: int, partition_id: int, name: str, values: Mapping[str, Any]
    ) -> int:
        """Insert at a position as it is, or at the end. The partition must be held."""
        given: dict[str, Any] = {
            "position": None,
            "capacity": None,
            "timetable_id": None,
            "assignment_type": "manual",
            "content_partition_id": None,
            "content_group_id": None,
        }
        (row,) = await self._rows(
            SQL.create,
            course_id=course_id,
            partition_id=partition_id,
            name=name,
            **{**given, **values},
        )
        return int(row.id)

    async def create_many(
        self,
        course_id: int,
        partition_id: int,
        names: Sequence[str],
        *,
        capacity: int | None = None,
    ) -> dict[str, int]:
        """Append groups in one statement; answers their ids by name. The partition must be held."""
        rows = await self._rows(
            SQL.create_many,
            course_id=course_id,
            partition_id=partition_id,
            names=list(names),
            capacity=capacity,
        )
        return {row.name: row.id for row in rows}

    async def update(self, held: LockedGroup, values: Mapping[str, Any]) -> None:
        await self._patch(SQL.update, values, course_id=held.course_id, id=held.id)

    async def order(self, course_id: int, partition_id: int, ids: Sequence[int]) -> None:
        await self._rows(SQL.order, course_id=course_id, partition_id=partition_id, ids=list(ids))

    async def delete(self, course_id: int, ids: Sequence[int]) -> None:
        """Their memberships go first, each with its line in the log."""
        await self._rows(SQL.delete, course_id=course_id, ids=list(ids))
