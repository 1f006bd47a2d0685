"""Cohorts, their settings and members, waiting e-mail addresses, and content partitions."""

import json
from collections.abc import Sequence
from typing import Any, Final

from groupsvc.core.cohorts.records import (
    Cohort,
    CohortCourse,
    CohortPage,
    FoundCohort,
    LockedCohort,
    Member,
    MemberPage,
    StoredCohortSettings,
    UserCohort,
)
from groupsvc.core.repository import Repository
from groupsvc.db.count_cache import NEVER
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import JsonResource, Page

SQL: Final = SqlFile(__file__)


class CohortRepository(Repository):
    async def page(
        self,
        key: str,
        *,
        limit: int,
        offset: int = 0,
        descending: bool = False,
        collated: bool = False,
    ) -> CohortPage | None:
        """Cohorts by name, as a dictionary has them or by code point; None without the course."""
        order = {"descending": descending, "collated": collated}
        cache, name = self._connection.count_cache, ("cohorts", key, limit, offset, *order.values())
        known = cache.get(name) if cache is not None else None
        version = known.moment() if known is not None else NEVER
        rows = await self._rows(SQL.page, key=key, limit=limit, offset=offset, **order, **version)
        if not rows:
            return None
        first = rows[0]
        if known is not None and first.holds:
            return CohortPage(_course(first), first.total, known.value)
        cohorts = [_cohort(row) for row in rows if row.id is not None]
        if cache is not None:
            cache.put(name, cohorts, first)
        return CohortPage(_course(first), first.total, cohorts)

    async def members(
        self, key: str, group_id: int, *, limit: int, offset: int = 0
    ) -> MemberPage | None:
        """Members in the order in which the users were created; None without the course."""
        rows = await self._rows(SQL.members, key=key, group_id=group_id, limit=limit, offset=offset)
        if not rows:
            return None
        members = [
            Member(row.id, row.username, row.email, row.given_name, row.family_name)
            for row in rows
            if row.id is not None
        ]
        return MemberPage(_course(rows[0]), rows[0].cohort_id, rows[0].total, members)

    async def find(self, key: str, group_id: int) -> FoundCohort | None:
        """None without the course."""
        row = await self._row(SQL.read, key=key, group_id=group_id)
        if row is None:
            return None
        return FoundCohort(_course(row), _cohort(row) if row.id is not None else None)

    async def get_for_update(self, key: str, group_id: int) -> LockedCohort | None:
        """None without the course."""
        row = await self._row(SQL.lock, key=key, group_id=group_id)
        return LockedCohort(_course(row), row.id, row.capacity) if row is not None else None

    async def is_last_random(self, course_id: int, partition_id: int, group_id: int) -> bool:
        """Whether this cohort takes users at random and no other one does."""
        row = await self._row(
            SQL.last_random, course_id=course_id, partition_id=partition_id, group_id=group_id
        )
        return bool(row is not None and row.is_last)

    async def find_settings(self, key: str) -> StoredCohortSettings | None:
        row = await self._row(SQL.find_settings, key=key)
        if row is None:
            return None
        return StoredCohortSettings(_course(row), row.settings_id, row.is_cohorted)

    async def settings(self, course_id: int) -> JsonResource[dict[str, Any]] | None:
        return await self._document(SQL.settings, course_id=course_id)

    async def create_settings(self, course_id: int) -> None:
        """Unless somebody else has just done so."""
        await self._rows(SQL.create_settings, course_id=course_id, **self._context.parameters())

    async def configure(
        self, course_id: int, *, is_cohorted: bool, random_assignment: str | None = None
    ) -> None:
        """None keeps how chance decides."""
        await self._rows(
            SQL.configure,
            course_id=course_id,
            is_cohorted=is_cohorted,
            random_assignment=random_assignment,
        )

    async def get_course_for_update(self, course_id: int) -> CohortCourse | None:
        """Nobody locks the course until the transaction ends."""
        row = await self._row(SQL.lock_course, course_id=course_id)
        return _course(row) if row is not None else None

    async def of_user(self, course_id: int, user_id: int) -> UserCohort | None:
        row = await self._row(SQL.of_user, course_id=course_id, user_id=user_id)
        return UserCohort(**row._asdict()) if row is not None else None

    async def assign_automatically(
        self, course_id: int, user_id: int, default: int | None = None
    ) -> int | None:
        """Give a user the cohort that their address waits in, else one by chance, else a default.

        None when there is none to give, or when they have just been given one.
        """
        row = await self._row(
            SQL.assign_automatically,
            course_id=course_id,
            user_id=user_id,
            group_id=default,
            **self._context.parameters(),
        )
        return row.group_id if row is not None else None

    async def preassign(
        self, course_id: int, partition_id: int, addresses: Sequence[tuple[str, int]]
    ) -> None:
        """Let e-mail addresses wait for their users, each in the last cohort given for it."""
        await self._rows(
            SQL.preassign,
            course_id=course_id,
            partition_id=partition_id,
            emails=[email for email, _ in addresses],
            group_ids=[group_id for _, group_id in addresses],
        )

    async def preassignments(self, course_id: int, *, after: int = 0, limit: int) -> Page:
        """In the order in which the addresses were first given."""
        return await self._page(
            SQL.preassignments, limit=limit, key=("id",), course_id=course_id, after=after
        )

    async def cancel_preassignment(self, course_id: int, preassignment_id: int) -> None:
        await self._rows(SQL.cancel_preassignment, course_id=course_id, id=preassignment_id)

    async def delete_preassignments(self, email: str) -> int:
        """Of an address in all courses; returns how many there were."""
        return len(await self._rows(SQL.delete_preassignments, email=email))

    async def retire_users(self, email: str) -> int:
        """Mark whoever has an address as leaving; returns how many that were."""
        return len(await self._rows(SQL.retire_users, email=email))

    async def content_partitions(self, course_id: int) -> JsonResource[list[Any]] | None:
        return await self._document(SQL.content_partitions, course_id=course_id)

    async def content_partition(
        self, course_id: int, content_partition_id: int
    ) -> JsonResource[dict[str, Any]] | None:
        return await self._document(
            SQL.content_partition, course_id=course_id, content_partition_id=content_partition_id
        )

    async def store_content_partition(
        self, course_id: int, content_partition_id: int, **values: Any
    ) -> bool:
        """Create or replace; returns whether it was created."""
        row = await self._row(
            SQL.store_content_partition,
            course_id=course_id,
            content_partition_id=content_partition_id,
            **{**values, "groups": json.dumps(values["groups"])},
        )
        return bool(row is not None and row.created)

    async def delete_content_partition(self, course_id: int, content_partition_id: int) -> None:
        await self._rows(
            SQL.delete_content_partition,
            course_id=course_id,
            content_partition_id=content_partition_id,
        )


def _course(row: Any) -> CohortCourse:
    return CohortCourse(row.department, row.course, row.course_id, row.is_locked, row.partition_id)


def _cohort(row: Any) -> Cohort:
    return Cohort(
        row.id,
        row.name,
        row.assignment_type,
        row.user_count,
        row.content_partition_id,
        row.content_group_id,
    )
