"""Who is in courses and groups, for lists that say who is to be."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from typing import Final, NamedTuple

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile

SQL: Final = SqlFile(__file__)


class Missing(NamedTuple):
    """Somebody who is in a course, or in a group of a partition."""

    course_id: int
    partition_id: int
    group_id: int | None
    user_id: int
    course_key: str
    partition: str | None
    group: str | None
    user: str


class ListRepository(Repository):
    async def active(self, course_ids: Collection[int]) -> dict[int, int]:
        """How many are active in each course."""
        rows = await self._rows(SQL.active, course_ids=list(course_ids))
        return {row.course_id: row.count for row in rows}

    async def members(self, partitions: Collection[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """How many are in groups of each partition; takes course and partition of each."""
        columns = _columns(("course_ids", "partition_ids"), partitions)
        rows = await self._rows(SQL.members, **columns)
        return {(row.course_id, row.partition_id): row.count for row in rows}

    async def missing_from_courses(self, named: Mapping[int, Set[int]]) -> list[Missing]:
        """Those active in the courses who are not named there, held until the transaction ends."""
        found = await self._rows(SQL.ids_in_courses, course_ids=list(named))
        missing = [
            (row.place, user_id)
            for row in found
            for user_id in row.ids
            if user_id not in named[row.place]
        ]
        columns = _columns(("course_ids", "user_ids"), missing)
        rows = await self._rows(SQL.hold_in_courses, **columns)
        return [Missing(*row) for row in rows]

    async def missing_from_groups(
        self,
        groups: Collection[tuple[int, int, int]],
        named: Mapping[tuple[int, int], Set[int]],
    ) -> list[Missing]:
        """Those in the groups who are not named in the partition, held until the transaction ends.

        Takes course, partition and group, and who is named by course and partition.
        """
        columns = ("course_ids", "partition_ids", "group_ids")
        found = await self._rows(SQL.ids_in_groups, **_columns(columns, groups))
        missing = [
            (row.course_id, row.partition_id, row.group_id, user_id)
            for row in found
            for user_id in row.ids
            if user_id not in named[row.course_id, row.partition_id]
        ]
        rows = await self._rows(SQL.hold_in_groups, **_columns((*columns, "user_ids"), missing))
        return [Missing(*row) for row in rows]


def _columns(names: Sequence[str], rows: Iterable[Sequence[int]]) -> dict[str, list[int]]:
    given = list(rows)
    return {name: [row[at] for row in given] for at, name in enumerate(names)}
