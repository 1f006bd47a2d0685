"""Adding users to cohorts, many at once: who is meant, who enters, who is waited for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from groupsvc.core.cohorts.records import CohortPlace, Person
from groupsvc.core.json_columns import PLACE
from groupsvc.core.repository import Repository
from groupsvc.db.statements import sql

# A username that somebody has is meant before the address that somebody else has.
RESOLVE = sql("""
    SELECT named.identifier, u.id, u.username, u.email
    FROM unnest(:identifiers) AS named (identifier)
    CROSS JOIN LATERAL (
        SELECT 1 AS rank, x.id, x.username, x.email FROM users x
        WHERE x.username = named.identifier AND NOT x.is_retired
        UNION ALL
        SELECT 2, x.id, x.username, x.email FROM users x
        WHERE lower(x.email COLLATE "C") = lower(named.identifier COLLATE "C")
          AND NOT x.is_retired
        ORDER BY rank LIMIT 1
    ) u
""")

# What is returned is true however many of these race: the row itself keeps where it came from.
# Sorted by user, so that two of these cannot wait for one another.
ENTER = sql("""
    WITH entered AS (
        INSERT INTO memberships AS m (course_id, partition_id, user_id, group_id)
        SELECT :course_id, :partition_id, named.user_id, named.group_id
        FROM unnest(:user_ids, :group_ids) AS named (user_id, group_id)
        ORDER BY named.user_id
        ON CONFLICT (course_id, partition_id, user_id) DO UPDATE
            SET group_id = excluded.group_id, previous_group_id = m.group_id, since = now()
            WHERE m.group_id <> excluded.group_id
        RETURNING m.user_id, m.previous_group_id
    )
    SELECT entered.user_id, entered.previous_group_id, g.name AS previous_name
    FROM entered
    LEFT JOIN groups g ON g.course_id = :course_id AND g.id = entered.previous_group_id
""")

# One address may be spelled in several ways: the last one counts. An address that waits already
# waits anew, so that every time leaves its line.
AWAIT = sql("""
    INSERT INTO preassignments AS x (course_id, partition_id, group_id, email)
    SELECT :course_id, :partition_id, named.group_id, named.email
    FROM (
        SELECT DISTINCT ON (lower(email COLLATE "C")) email, group_id
        FROM unnest(:emails, :group_ids) WITH ORDINALITY AS each (email, group_id, place)
        ORDER BY lower(email COLLATE "C"), place DESC
    ) named
    ORDER BY lower(named.email COLLATE "C")
    ON CONFLICT (course_id, lower(email COLLATE "C")) DO UPDATE
        SET group_id = excluded.group_id, partition_id = excluded.partition_id,
            email = excluded.email, created_at = clock_timestamp()
""")

OPEN_COURSE = sql(f"""
    SELECT {PLACE}, c.id AS course_id, c.is_locked, p.id AS partition_id
    FROM courses c JOIN departments d ON d.id = c.department_id
    LEFT JOIN partitions p ON p.course_id = c.id AND p.kind = 'cohorts'
    WHERE c.id = :course_id
    FOR SHARE OF c
""")


@dataclass(frozen=True, slots=True)
class Entry:
    """A membership that was written. ``previous_id`` is the cohort the user was moved from."""

    previous_id: int | None
    previous_name: str | None


class CohortMemberRepository(Repository):
    async def resolve(self, identifiers: Sequence[str]) -> dict[str, Person]:
        """Whom usernames and e-mail addresses mean; those that mean nobody are left out."""
        rows = await self._rows(RESOLVE, identifiers=list(identifiers))
        return {
            identifier: Person(user_id, username, email)
            for identifier, user_id, username, email in rows
        }

    async def enter(
        self, course_id: int, partition_id: int, places: Mapping[int, int]
    ) -> dict[int, Entry]:
        """Put users (the keys) into cohorts; answers who was not there already."""
        rows = await self._rows(
            ENTER,
            course_id=course_id,
            partition_id=partition_id,
            user_ids=list(places),
            group_ids=list(places.values()),
        )
        entry = cache(Entry)  # many users, from few cohorts
        return {user_id: entry(cohort_id, name) for user_id, cohort_id, name in rows}

    async def expect(
        self, course_id: int, partition_id: int, places: Sequence[tuple[str, int]]
    ) -> None:
        """Let e-mail addresses wait for their users, each in the last cohort given for it."""
        await self._rows(
            AWAIT,
            course_id=course_id,
            partition_id=partition_id,
            emails=[email for email, _ in places],
            group_ids=[group_id for _, group_id in places],
        )

    async def open_course(self, course_id: int) -> CohortPlace | None:
        """Hold a course so that nobody locks it meanwhile."""
        row = await self._row(OPEN_COURSE, course_id=course_id)
        return CohortPlace(**row._asdict()) if row is not None else None
