"""Memberships of a batch, over many partitions and courses at once."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from groupsvc.core.memberships.repository import GroupOccupancy, MembershipKey, Placement
from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile

SQL: Final = SqlFile(__file__)


Named = tuple[int, int, str]  # course, partition, name of a group


@dataclass(frozen=True, slots=True)
class TargetPartition:
    course_id: int
    name: str
    id: int
    kind: str
    groups_editable: bool


class AssignmentBatches(Repository):
    async def lock_partitions(
        self, named: Collection[tuple[int, str]]
    ) -> dict[tuple[int, str], TargetPartition]:
        """Partitions by course and name, whose lists of groups nobody else changes meanwhile."""
        rows = await self._rows(
            SQL.lock_partitions,
            course_ids=[course_id for course_id, _ in named],
            partition_names=[name for _, name in named],
        )
        return {(row.course_id, row.name): TargetPartition(**row._asdict()) for row in rows}

    async def room(self, named: Collection[Named]) -> dict[int, dict[int, GroupOccupancy]]:
        """Groups by partition and id."""
        found: dict[int, dict[int, GroupOccupancy]] = {}
        for row in await self._rows(SQL.room, **_named(named)):
            room = GroupOccupancy(row.name, row.capacity, row.taken or 0)
            found.setdefault(row.partition_id, {})[row.id] = room
        return found

    async def standings(self, places: Collection[MembershipKey]) -> dict[MembershipKey, Placement]:
        rows = await self._rows(SQL.standings, **_triples(places))
        return {
            (row.course_id, row.partition_id, row.user_id): Placement(row.group_id, row.is_enrolled)
            for row in rows
        }


def _triples(places: Collection[MembershipKey]) -> dict[str, list[int]]:
    return {
        "course_ids": [course_id for course_id, _, _ in places],
        "partition_ids": [partition_id for _, partition_id, _ in places],
        "user_ids": [user_id for _, _, user_id in places],
    }


def _named(groups: Collection[Named]) -> dict[str, list[Any]]:
    return {
        "course_ids": [course_id for course_id, _, _ in groups],
        "partition_ids": [partition_id for _, partition_id, _ in groups],
        "group_names": [name for _, _, name in groups],
    }
