"""Names of groups, and former ones of partitions and groups."""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile

SQL: Final = SqlFile(__file__)


class FormerName(NamedTuple):
    """Without a group it is one of the partition; ``bearer`` is what is called otherwise now."""

    course_id: int
    partition_id: int
    group_id: int | None
    name: str
    bearer: str


class NamingRepository(Repository):
    async def group_names(
        self, partitions: Collection[tuple[int, int]]
    ) -> dict[int, dict[str, int]]:
        """Groups by partition and name; takes course and partition of each."""
        rows = await self._rows(
            SQL.group_names,
            course_ids=[course_id for course_id, _ in partitions],
            partition_ids=[partition_id for _, partition_id in partitions],
        )
        found: dict[int, dict[str, int]] = {}
        for partition_id, group_id, name in rows:
            found.setdefault(partition_id, {})[name] = group_id
        return found

    async def former_names(self, course_ids: Iterable[int]) -> list[FormerName]:
        rows = await self._rows(SQL.former_names, course_ids=sorted(course_ids))
        return [FormerName(*row) for row in rows]
