"""The cohorts of a course that is named by its key, with their counts and members."""

from typing import Any

from groupsvc.core.changelog_version import MOMENT, NEVER, UNCHANGED
from groupsvc.core.cohorts.records import (
    Cohort,
    CohortPage,
    CohortPlace,
    CohortSwitch,
    FoundCohort,
    Member,
    MemberPage,
)
from groupsvc.core.json_columns import PLACE, USER_OF
from groupsvc.core.repository import Repository
from groupsvc.db.statements import AUDIT_CONTEXT, sql

COURSE = "FROM courses c JOIN departments d ON d.id = c.department_id"

# Whoever is no longer enrolled, or never was, is a member and does not count.
ACTIVE = """(SELECT count(*) FROM memberships m
        JOIN enrollments e ON e.course_id = m.course_id AND e.user_id = m.user_id
        WHERE m.course_id = g.course_id AND m.group_id = g.id AND e.state = 'active')"""
COHORT = "g.id, g.name, g.assignment_type, g.content_partition_id, g.content_group_id"

# A negative offset asks for the last page.
OFFSET = """CASE WHEN :offset < 0 THEN greatest((total.count - 1) / :limit, 0) * :limit
                    ELSE :offset END"""

# No cohorts come back while those kept are still right.
PAGE = f"""
    WITH place AS MATERIALIZED (
        SELECT {PLACE}, c.id AS course_id, c.is_locked, p.id AS partition_id
        {COURSE} LEFT JOIN partitions p ON p.course_id = c.id AND p.kind = 'cohorts'
        WHERE c.key = :key
    ),
    total AS MATERIALIZED (
        SELECT count(*) AS count FROM place
        JOIN groups g ON g.course_id = place.course_id AND g.partition_id = place.partition_id
    ),
    known AS MATERIALIZED (SELECT {UNCHANGED.format("place.course_id")} AS holds FROM place)
    SELECT place.*, total.count AS total, known.holds, shown.*, {MOMENT}
    FROM place CROSS JOIN total CROSS JOIN known LEFT JOIN LATERAL (
        SELECT {COHORT}, {ACTIVE} AS user_count FROM groups g
        WHERE NOT known.holds
          AND g.course_id = place.course_id AND g.partition_id = place.partition_id
        ORDER BY g.name {{0}} LIMIT :limit OFFSET {OFFSET}
    ) shown ON true
    ORDER BY shown.name {{0}}
"""
PAGE_UP = sql(PAGE.format("ASC"))
PAGE_DOWN = sql(PAGE.format("DESC"))

IN_COHORTS = """groups g JOIN partitions p
        ON p.course_id = g.course_id AND p.id = g.partition_id AND p.kind = 'cohorts'"""

MEMBERS = sql(f"""
    WITH place AS MATERIALIZED (
        SELECT {PLACE}, c.id AS course_id, c.is_locked, g.partition_id, g.id AS cohort_id
        {COURSE} LEFT JOIN ({IN_COHORTS}) ON g.course_id = c.id AND g.id = :group_id
        WHERE c.key = :key
    ),
    total AS MATERIALIZED (
        SELECT count(*) AS count FROM place
        JOIN memberships m ON m.course_id = place.course_id AND m.group_id = place.cohort_id
    )
    SELECT place.*, total.count AS total, shown.*
    FROM place CROSS JOIN total LEFT JOIN LATERAL (
        SELECT u.id, u.username, u.email, u.given_name, u.family_name
        FROM memberships m {USER_OF.format("m")}
        WHERE m.course_id = place.course_id AND m.group_id = place.cohort_id
        ORDER BY m.user_id LIMIT :limit OFFSET {OFFSET}
    ) shown ON true
    ORDER BY shown.id
""")

FIND = f"""
    SELECT {PLACE}, c.id AS course_id, c.is_locked, g.partition_id, g.id AS cohort_id,
           g.capacity, {COHORT}, {ACTIVE} AS user_count
    {COURSE} LEFT JOIN ({IN_COHORTS}) ON g.course_id = c.id AND g.id = :group_id
    WHERE c.key = :key
"""
READ = sql(FIND)
# The course first and shared, as everywhere: adding to it goes on, locking it waits.
HOLD = sql(f"{FIND} FOR SHARE OF c")

SETTINGS = sql(f"""
    SELECT {PLACE}, c.id AS course_id, c.is_locked, p.id AS partition_id,
           s.id AS settings_id, coalesce(s.is_cohorted, false) AS is_cohorted
    {COURSE} LEFT JOIN cohort_settings s ON s.course_id = c.id
    LEFT JOIN partitions p ON p.course_id = c.id AND p.kind = 'cohorts'
    WHERE c.key = :key
""")

SETTLE = sql(f"""
    WITH {AUDIT_CONTEXT}
    INSERT INTO cohort_settings (course_id) SELECT :course_id FROM acting
    ON CONFLICT (course_id) DO NOTHING
""")

SWITCH = sql("""
    INSERT INTO cohort_settings AS s (course_id, is_cohorted) VALUES (:course_id, :is_cohorted)
    ON CONFLICT (course_id) DO UPDATE SET is_cohorted = excluded.is_cohorted
        WHERE s.is_cohorted <> excluded.is_cohorted
""")

LAST_RANDOM = sql("""
    SELECT count(*) FILTER (WHERE id = :group_id) = 1 AND count(*) = 1 AS is_last
    FROM groups
    WHERE course_id = :course_id AND partition_id = :partition_id AND assignment_type = 'random'
""")


class CohortSetRepository(Repository):
    async def page(
        self, key: str, *, limit: int, offset: int = 0, descending: bool = False
    ) -> CohortPage | None:
        """Cohorts by name; None without the course."""
        statement = PAGE_DOWN if descending else PAGE_UP
        kept, name = self._connection.kept, ("cohorts", key, limit, offset, descending)
        known = kept.get(name) if kept is not None else None
        moment = known.moment() if known is not None else NEVER
        rows = await self._rows(statement, key=key, limit=limit, offset=offset, **moment)
        if not rows:
            return None
        first = rows[0]
        if known is not None and first.holds:
            return CohortPage(_place(first), first.total, known.value)
        cohorts = [_cohort(row) for row in rows if row.id is not None]
        if kept is not None:
            kept.put(name, cohorts, first)
        return CohortPage(_place(first), first.total, cohorts)

    async def members(
        self, key: str, group_id: int, *, limit: int, offset: int = 0
    ) -> MemberPage | None:
        """Members in the order in which the users were made; None without the course."""
        rows = await self._rows(MEMBERS, key=key, group_id=group_id, limit=limit, offset=offset)
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
        row = await self._row(HOLD if hold else READ, key=key, group_id=group_id)
        if row is None:
            return None
        cohort = _cohort(row) if row.id is not None else None
        return FoundCohort(_place(row), cohort, row.capacity)

    async def settings(self, key: str) -> CohortSwitch | None:
        row = await self._row(SETTINGS, key=key)
        if row is None:
            return None
        return CohortSwitch(_place(row), row.settings_id, row.is_cohorted)

    async def settle(self, course_id: int) -> None:
        """Make the settings of a course, unless somebody else has just done so."""
        await self._rows(SETTLE, course_id=course_id, **self._context.parameters())

    async def switch(self, course_id: int, *, is_cohorted: bool) -> None:
        await self._rows(SWITCH, course_id=course_id, is_cohorted=is_cohorted)

    async def is_last_random(self, course_id: int, partition_id: int, group_id: int) -> bool:
        """Whether this cohort takes users at random and no other one does."""
        row = await self._row(
            LAST_RANDOM, course_id=course_id, partition_id=partition_id, group_id=group_id
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
