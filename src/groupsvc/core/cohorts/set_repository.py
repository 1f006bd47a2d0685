"""The cohorts of a course that is named by its key, with their counts and members."""

from typing import Any, Final

from groupsvc.core.changelog_version import NEVER
from groupsvc.core.cohorts.records import (
    Cohort,
    CohortPage,
    CohortPlace,
    CohortSwitch,
    FoundCohort,
    Member,
    MemberPage,
)
from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile

SQL: Final = SqlFile(__file__)


class CohortSetRepository(Repository):
    async def page(
        self, key: str, *, limit: int, offset: int = 0, descending: bool = False
    ) -> CohortPage | None:
        """Cohorts by name; None without the course."""
        statement = SQL.page_down if descending else SQL.page_up
        cache, name = self._connection.count_cache, ("cohorts", key, limit, offset, descending)
        known = cache.get(name) if cache is not None else None
        moment = known.moment() if known is not None else NEVER
        rows = await self._rows(statement, key=key, limit=limit, offset=offset, **moment)
        if not rows:
            return None
        first = rows[0]
        if known is not None and first.holds:
            return CohortPage(_place(first), first.total, known.value)
        cohorts = [_cohort(row) for row in rows if row.id is not None]
        if cache is not None:
            cache.put(name, cohorts, first)
        return CohortPage(_place(first), first.total, cohorts)

    async def members(
        self, key: str, group_id: int, *, limit: int, offset: int = 0
    ) -> MemberPage | None:
        """Members in the order in which the users were made; None without the course."""
        rows = await self._rows(SQL.members, key=key, group_id=group_id, limit=limit, offset=offset)
        if not rows:
            return None
        members = [
            Member(row.id, row.username, row.email, row.given_name, row.family_name)
            for row in rows
            if row.id is not None
        ]
        return MemberPage(_place(rows[0]), rows[0].cohort_id, rows[0].total, members)

    async def find(self, key: str, group_id: int, *, hold: bool = False) -> FoundCohort | None:
        """None without the course, which can be held so that nobody locks it meanwhile."""
        row = await self._row(SQL.lock if hold else SQL.read, key=key, group_id=group_id)
        if row is None:
            return None
        cohort = _cohort(row) if row.id is not None else None
        return FoundCohort(_place(row), cohort, row.capacity)

    async def settings(self, key: str) -> CohortSwitch | None:
        row = await self._row(SQL.settings, key=key)
        if row is None:
            return None
        return CohortSwitch(_place(row), row.settings_id, row.is_cohorted)

    async def settle(self, course_id: int) -> None:
        """Make the settings of a course, unless somebody else has just done so."""
        await self._rows(SQL.settle, course_id=course_id, **self._context.parameters())

    async def switch(self, course_id: int, *, is_cohorted: bool) -> None:
        await self._rows(SQL.switch, course_id=course_id, is_cohorted=is_cohorted)

    async def is_last_random(self, course_id: int, partition_id: int, group_id: int) -> bool:
        """Whether this cohort takes users at random and no other one does."""
        row = await self._row(
            SQL.last_random, course_id=course_id, partition_id=partition_id, group_id=group_id
        )
        return bool(row is not None and row.is_last)


def _place(row: Any) -> CohortPlace:
    return CohortPlace(row.department, row.course, row.course_id, row.is_locked, row.partition_id)


def _cohort(row: Any) -> Cohort:
    return Cohort(
        row.id,
        row.name,
        row.assignment_type,
        row.user_count,
        row.content_partition_id,
        row.content_group_id,
    )
