"""Memberships of a batch, over many partitions and courses at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from groupsvc.core.memberships.repository import GroupOccupancy, Placement
from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile

SQL: Final = SqlFile(__file__)


Triple = tuple[int, int, int]  # course, partition, user
Named = tuple[int, int, str]  # course, partition, name of a group


@dataclass(frozen=True, slots=True)
class TargetPartition:
    course_id: int
    name: str
    id: int
    kind: str
    groups_editable: bool


class AssignmentBatches(Repository):
    async def hold_partitions(
        self, named: Collection[tuple[int, str]]
    ) -> dict[tuple[int, str], TargetPartition]:
        """Partitions by course and name, whose lists of groups nobody else changes meanwhile."""
        rows = await self._rows(
            SQL.hold_partitions,
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

    async def user_ids(self, named: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Ids by identifier and department, of those who exist.

        An identifier is a username, else an e-mail address, else a student number; the department
        decides among several users of one number.
        """
        rows = await self._rows(
            SQL.users,
            identifiers=[identifier for identifier, _ in named],
            departments=[department for _, department in named],
        )
        return {(row.identifier, row.department): row.id for row in rows if row.id is not None}

    async def standings(self, places: Collection[Triple]) -> dict[Triple, Placement]:
        rows = await self._rows(SQL.standings, **_triples(places))
        return {
            (row.course_id, row.partition_id, row.user_id): Placement(row.group_id, row.is_enrolled)
            for row in rows
        }

    async def assign(self, places: Sequence[tuple[Triple, int]]) -> None:
        """``places`` are a user's place and the group he comes into, each place once."""
        await self._rows(
            SQL.assign,
            group_ids=[group_id for _, group_id in places],
            **_triples([place for place, _ in places]),
        )

    async def remove(self, places: Collection[Triple]) -> None:
        await self._rows(SQL.remove, **_triples(places))


def _triples(places: Collection[Triple]) -> dict[str, list[int]]:
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
