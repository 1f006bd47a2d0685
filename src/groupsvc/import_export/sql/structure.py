"""Partitions and groups of a batch."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile

SQL: Final = SqlFile(__file__)


@dataclass(slots=True)
class PartitionState:
    """A partition as it is or is about to be; ``id`` is 0 for one that does not exist yet."""

    course_id: int
    name: str
    id: int = 0
    kind: str = "ordinary"
    position: int = 0
    groups_editable: bool = True
    show_in_lists: bool = True
    show_rank_on_report: bool = False


@dataclass(slots=True)
class GroupState:
    """A group as it is or is about to be; ``id`` is 0 for one that does not exist yet."""

    name: str
    id: int = 0
    position: int = 0
    capacity: int | None = None
    timetable_id: str | None = None
    assignment_type: str = "manual"
    content_partition_id: int | None = None
    content_group_id: int | None = None


class StructureBatches(Repository):
    async def partitions(self, course_ids: Iterable[int]) -> list[PartitionState]:
        """All partitions of the courses but the default ones."""
        rows = await self._rows(SQL.partitions, course_ids=list(course_ids))
        return [PartitionState(*row) for row in rows]

    async def groups(
        self, named: Collection[tuple[int, int, str]]
    ) -> dict[tuple[int, str], GroupState]:
        """Groups by partition and name; takes course, partition and name of each."""
        rows = await self._rows(
            SQL.groups,
            course_ids=[course_id for course_id, _, _ in named],
            partition_ids=[partition_id for _, partition_id, _ in named],
            group_names=[name for _, _, name in named],
        )
        return {
            (row.partition_id, row.name): GroupState(
                row.name,
                row.id,
                row.position,
                row.capacity,
                row.timetable_id,
                row.assignment_type,
                row.content_partition_id,
                row.content_group_id,
            )
            for row in rows
        }

    async def last_positions(
        self, partitions: Collection[tuple[int, int]], *, but: Collection[int] = ()
    ) -> dict[int, int]:
        """Where the groups of each partition end, leaving some out; those without are left out.

        Takes course and partition of each.
        """
        rows = await self._rows(
            SQL.last_positions, group_ids=list(but), **_places(partitions, "partition_ids")
        )
        return {row.partition_id: row.position for row in rows if row.position is not None}

    async def counts(self, groups: Collection[tuple[int, int]]) -> dict[int, int]:
        """Members of each group; takes course and group of each."""
        rows = await self._rows(SQL.counts, **_places(groups, "group_ids"))
        return {row.group_id: row.count for row in rows}

    async def create_partitions(
        self, partitions: Sequence[PartitionState]
    ) -> dict[tuple[int, str], int]:
        """Answers ids by course and name; they grow in the order of the partitions."""
        rows = await self._rows(
            SQL.create_partitions,
            partition_names=[each.name for each in partitions],
            kinds=[each.kind for each in partitions],
            **_columns(partitions),
        )
        return {(row.course_id, row.name): row.id for row in rows}

    async def update_partitions(self, partitions: Sequence[PartitionState]) -> None:
        await self._rows(
            SQL.update_partitions, ids=[each.id for each in partitions], **_columns(partitions)
        )

    async def close_partitions(self, partitions: Collection[tuple[int, int]]) -> None:
        """Let the groups of the partitions be edited no more; takes course and partition."""
        await self._rows(SQL.close_partitions, **_places(partitions, "ids"))

    async def create_groups(
        self, groups: Sequence[tuple[int, int, GroupState]]
    ) -> dict[tuple[int, str], int]:
        """Takes course, partition and group; answers ids by partition and name."""
        rows = await self._rows(
            SQL.create_groups,
            course_ids=[course_id for course_id, _, _ in groups],
            partition_ids=[partition_id for _, partition_id, _ in groups],
            group_names=[group.name for _, _, group in groups],
            **_values([group for _, _, group in groups]),
        )
        return {(row.partition_id, row.name): row.id for row in rows}

    async def update_groups(self, groups: Sequence[tuple[int, GroupState]]) -> None:
        """Takes course and group."""
        await self._rows(
            SQL.update_groups,
            course_ids=[course_id for course_id, _ in groups],
            ids=[group.id for _, group in groups],
            **_values([group for _, group in groups]),
        )


def _places(pairs: Collection[tuple[int, int]], ids: str) -> dict[str, list[int]]:
    return {
        "course_ids": [course_id for course_id, _ in pairs],
        ids: [each for _, each in pairs],
    }


def _columns(partitions: Sequence[PartitionState]) -> dict[str, list[object]]:
    return {
        "course_ids": [each.course_id for each in partitions],
        "positions": [each.position for each in partitions],
        "editables": [each.groups_editable for each in partitions],
        "listed": [each.show_in_lists for each in partitions],
        "ranked": [each.show_rank_on_report for each in partitions],
    }


def _values(groups: Sequence[GroupState]) -> dict[str, list[object]]:
    return {
        "positions": [group.position for group in groups],
        "capacities": [group.capacity for group in groups],
        "timetable_ids": [group.timetable_id for group in groups],
        "assignment_types": [group.assignment_type for group in groups],
        "content_partition_ids": [group.content_partition_id for group in groups],
        "content_group_ids": [group.content_group_id for group in groups],
    }
