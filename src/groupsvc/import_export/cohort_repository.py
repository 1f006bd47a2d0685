"""What tables about cohorts read and write, besides the groups themselves."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile

SQL: Final = SqlFile(__file__)


class WaitingAddress(NamedTuple):
    course_id: int
    partition_id: int
    group_id: int
    email: str


@dataclass(frozen=True, slots=True)
class ContentPartition:
    """``groups`` are names by id, in their order."""

    course_id: int
    id: int
    name: str = ""
    scheme: str = "cohort"
    description: str = ""
    is_active: bool = True
    groups: Mapping[int, str] = field(default_factory=dict[int, str])


class CohortTablesRepository(Repository):
    async def groups(
        self, named: Collection[tuple[int, str, str]]
    ) -> dict[tuple[int, str, str], tuple[str, int, int]]:
        """Kind and id of the partition and id of the group, by course, partition and name."""
        rows = await self._rows(
            SQL.groups,
            course_ids=[each[0] for each in named],
            partitions=[each[1] for each in named],
            names=[each[2] for each in named],
        )
        return {
            (row.course_id, row.partition, row.name): (row.kind, row.partition_id, row.id)
            for row in rows
        }

    async def with_random(
        self, partitions: Collection[tuple[int, int]], *, but: Collection[int]
    ) -> set[tuple[int, int]]:
        """Those with a cohort that takes users at random, leaving some cohorts out.

        Takes course and partition of each.
        """
        rows = await self._rows(
            SQL.with_random,
            course_ids=[course_id for course_id, _ in partitions],
            partition_ids=[partition_id for _, partition_id in partitions],
            but=list(but),
        )
        return {(row.course_id, row.partition_id) for row in rows}

    async def waiting(
        self, addresses: Collection[tuple[int, str]]
    ) -> dict[tuple[int, str], WaitingAddress]:
        """By course and address; takes these, addresses in lower case."""
        rows = await self._rows(
            SQL.waiting,
            course_ids=[course_id for course_id, _ in addresses],
            emails=[email for _, email in addresses],
        )
        return {(row[0], row.folded): WaitingAddress(*row[:4]) for row in rows}

    async def preassign(self, addresses: Sequence[WaitingAddress]) -> None:
        await self._rows(
            SQL.preassign,
            course_ids=[each.course_id for each in addresses],
            partition_ids=[each.partition_id for each in addresses],
            group_ids=[each.group_id for each in addresses],
            emails=[each.email for each in addresses],
        )

    async def contents(self, course_ids: Iterable[int]) -> dict[tuple[int, int], ContentPartition]:
        """By course and id."""
        found: dict[tuple[int, int], ContentPartition] = {}
        for row in await self._rows(SQL.contents, course_ids=sorted(course_ids)):
            groups = {each["id"]: each["name"] for each in json.loads(row.groups)}
            values: dict[str, Any] = {**row._asdict(), "groups": groups}
            found[row.course_id, row.id] = ContentPartition(**values)
        return found

    async def store_contents(self, partitions: Sequence[ContentPartition]) -> None:
        await self._rows(
            SQL.store_contents,
            course_ids=[each.course_id for each in partitions],
            ids=[each.id for each in partitions],
            names=[each.name for each in partitions],
            schemes=[each.scheme for each in partitions],
            descriptions=[each.description for each in partitions],
            active=[each.is_active for each in partitions],
            groups=[
                json.dumps([{"id": id_, "name": name} for id_, name in each.groups.items()])
                for each in partitions
            ],
        )
