"""What the cohorts partition has beyond other partitions: settings, waiting e-mails, content."""

import json
from dataclasses import dataclass
from typing import Any, Final

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import JsonResource

SQL: Final = SqlFile(__file__)


@dataclass(frozen=True, slots=True)
class CohortState:
    """What decides on the cohort of one user in one course."""

    department: str
    course: str
    course_id: int
    is_locked: bool
    is_cohorted: bool
    random_assignment: str
    partition_id: int | None
    group_id: int | None
    is_known: bool


class CohortRepository(Repository):
    async def settings(self, course_id: int) -> JsonResource[dict[str, Any]] | None:
        return await self._document(SQL.settings, course_id=course_id)

    async def configure(self, course_id: int, *, is_cohorted: bool, random_assignment: str) -> None:
        await self._rows(
            SQL.configure,
            course_id=course_id,
            is_cohorted=is_cohorted,
            random_assignment=random_assignment,
        )

    async def state(self, course_id: int, user_id: int) -> CohortState | None:
        row = await self._row(SQL.cohort_of, course_id=course_id, user_id=user_id)
        return CohortState(**row._asdict()) if row is not None else None

    async def arrive(
        self, course_id: int, user_id: int, otherwise: int | None = None
    ) -> int | None:
        """Give a user the cohort that his address waits in, else one by chance, else another.

        None when there is none to give, or when he has just been given one.
        """
        row = await self._row(
            SQL.arrive,
            course_id=course_id,
            user_id=user_id,
            group_id=otherwise,
            **self._context.parameters(),
        )
        return row.group_id if row is not None else None

    async def content_partitions(self, course_id: int) -> JsonResource[list[Any]] | None:
        return await self._document(SQL.content_partitions, course_id=course_id)

    async def content_partition(
        self, course_id: int, content_partition_id: int
    ) -> JsonResource[dict[str, Any]] | None:
        return await self._document(
            SQL.content_partition, course_id=course_id, content_partition_id=content_partition_id
        )

    async def declare(self, course_id: int, content_partition_id: int, **values: Any) -> bool:
        """Create or replace; answers whether it was created."""
        row = await self._row(
            SQL.declare,
            course_id=course_id,
            content_partition_id=content_partition_id,
            **{**values, "groups": json.dumps(values["groups"])},
        )
        return bool(row is not None and row.created)

    async def withdraw(self, course_id: int, content_partition_id: int) -> None:
        await self._rows(
            SQL.withdraw, course_id=course_id, content_partition_id=content_partition_id
        )
