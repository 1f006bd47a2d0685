"""Partitions: one way each to divide a course."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypedDict

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import JsonResource, PartitionDoc

SQL: Final = SqlFile(__file__)


@dataclass(frozen=True, slots=True)
class LockedPartition:
    """A partition whose list of groups nobody else changes until the transaction ends."""

    department: str
    course: str
    course_id: int
    id: int
    kind: str
    name: str | None
    groups_editable: bool
    is_locked: bool


class PartitionFlags(TypedDict, total=False):
    groups_editable: bool
    show_in_lists: bool
    show_rank_on_report: bool


class PartitionRepository(Repository):
    async def read(self, partition_id: int) -> JsonResource[PartitionDoc] | None:
        return await self._document(SQL.read, id=partition_id)

    async def read_as_of(
        self, partition_id: int, as_of: datetime
    ) -> JsonResource[PartitionDoc] | None:
        """As it was then, with its groups; None where it was not there."""
        return await self._document(SQL.read_as_of, id=partition_id, as_of=as_of)

    async def in_course(self, course_id: int) -> JsonResource[list[PartitionDoc]] | None:
        """All but the default one, in order, with their groups; None when there is no course."""
        return await self._document(SQL.in_course, course_id=course_id)

    async def get_for_update(self, partition_id: int) -> LockedPartition | None:
        row = await self._row(SQL.lock, id=partition_id)
        return LockedPartition(**row._asdict()) if row is not None else None

    async def names(self, course_id: int) -> dict[int, str]:
        """Names by id, in order, without the default partition."""
        return {row.id: row.name for row in await self._rows(SQL.names, course_id=course_id)}

    async def of_kind(self, course_id: int, kind: str) -> int | None:
        row = await self._row(SQL.of_kind, course_id=course_id, kind=kind)
        return row.id if row is not None else None

    async def named(self, course_id: int, name: str) -> int | None:
        row = await self._row(SQL.named, course_id=course_id, name=name)
        return row.id if row is not None else None

    async def create(
        self,
        course_id: int,
        name: str,
        *,
        kind: str = "ordinary",
        position: int | None = None,
        groups_editable: bool = True,
        show_in_lists: bool = True,
        show_rank_on_report: bool = False,
    ) -> int:
        """Insert at a position as it is, or at the end. The course must be held."""
        (row,) = await self._rows(
            SQL.create,
            course_id=course_id,
            kind=kind,
            name=name,
            position=position,
            groups_editable=groups_editable,
            show_in_lists=show_in_lists,
            show_rank_on_report=show_rank_on_report,
        )
        return int(row.id)

    async def update(self, held: LockedPartition, values: Mapping[str, Any]) -> None:
        await self._patch(SQL.update, values, course_id=held.course_id, id=held.id)

    async def order(self, course_id: int, ids: Sequence[int]) -> None:
        await self._rows(SQL.order, course_id=course_id, ids=list(ids))

    async def delete(self, held: LockedPartition) -> None:
        """Its memberships and groups go first, each with its line in the log."""
        await self._rows(SQL.delete, course_id=held.course_id, id=held.id)
