"""What the cohorts partition has beyond other partitions: settings, waiting e-mails, content."""

from dataclasses import dataclass
from typing import Any

from groupsvc.core.json_columns import PLACE, as_json
from groupsvc.core.repository import Repository
from groupsvc.db.statements import AUDIT_CONTEXT, sql
from groupsvc.domain.json_resource import JsonResource

COURSE = "FROM courses c JOIN departments d ON d.id = c.department_id"

# A course that nobody has configured is not cohorted; reading does not configure it.
SETTINGS = sql(f"""
    SELECT {PLACE}, row_to_json(shape)::text AS body
    {COURSE} LEFT JOIN cohort_settings s ON s.course_id = c.id
    {
    as_json('''coalesce(s.is_cohorted, false) AS is_cohorted,
                coalesce(s.random_assignment, 'uniform') AS random_assignment''')
}
    WHERE c.id = :course_id
""")

CONFIGURE = sql("""
    INSERT INTO cohort_settings AS s (course_id, is_cohorted, random_assignment)
    VALUES (:course_id, :is_cohorted, :random_assignment)
    ON CONFLICT (course_id) DO UPDATE
        SET is_cohorted = excluded.is_cohorted, random_assignment = excluded.random_assignment
        WHERE (s.is_cohorted, s.random_assignment)
              IS DISTINCT FROM (excluded.is_cohorted, excluded.random_assignment)
""")

COHORT_OF = sql(f"""
    SELECT {PLACE}, c.id AS course_id, c.is_locked,
           coalesce(s.is_cohorted, false) AS is_cohorted,
           coalesce(s.random_assignment, 'uniform') AS random_assignment,
           p.id AS partition_id, m.group_id, u.id IS NOT NULL AS is_known
    {COURSE}
    LEFT JOIN cohort_settings s ON s.course_id = c.id
    LEFT JOIN partitions p ON p.course_id = c.id AND p.kind = 'cohorts'
    LEFT JOIN memberships m ON m.course_id = c.id AND m.partition_id = p.id
        AND m.user_id = :user_id
    LEFT JOIN users u ON u.id = :user_id
    WHERE c.id = :course_id
""")

# A first visit in one statement, unless a cohort has to be made first. Whoever loses the race for
# one user writes no membership. Chance passes by what is full; when all are, the full one refuses.
ARRIVE = sql(f"""
    WITH {AUDIT_CONTEXT},
    place AS MATERIALIZED (
        SELECT c.id AS course_id, p.id AS partition_id, u.id AS user_id, u.email,
               s.random_assignment = 'balanced' AS is_balanced
        FROM acting CROSS JOIN courses c
        JOIN cohort_settings s ON s.course_id = c.id AND s.is_cohorted
        JOIN partitions p ON p.course_id = c.id AND p.kind = 'cohorts'
        JOIN users u ON u.id = :user_id
        WHERE c.id = :course_id AND NOT c.is_locked
        FOR SHARE OF c
    ),
    waiting AS (
        DELETE FROM preassignments x USING place
        WHERE x.course_id = place.course_id
          AND lower(x.email COLLATE "C") = lower(place.email COLLATE "C")
          AND NOT EXISTS (
              SELECT FROM memberships m
              WHERE m.course_id = place.course_id AND m.partition_id = place.partition_id
                AND m.user_id = place.user_id)
        RETURNING x.group_id
    ),
    chance AS (
        SELECT g.id, g.capacity <= own.size AS is_full,
               CASE WHEN place.is_balanced THEN own.size END AS size,
               CASE WHEN place.is_balanced THEN g.id END AS id_of_equals
        FROM place JOIN groups g ON g.course_id = place.course_id
            AND g.partition_id = place.partition_id AND g.assignment_type = 'random'
        CROSS JOIN LATERAL (
            SELECT count(*) AS size FROM memberships m
            WHERE m.course_id = g.course_id AND m.group_id = g.id
              AND (g.capacity IS NOT NULL OR place.is_balanced)
        ) own
    ),
    chosen AS MATERIALIZED (
        SELECT coalesce((SELECT group_id FROM waiting), (
            SELECT id FROM chance
            ORDER BY is_full IS TRUE, size, id_of_equals, random() LIMIT 1
        ), :group_id) AS group_id
    ),
    entered AS (
        INSERT INTO memberships (course_id, partition_id, user_id, group_id)
        SELECT place.course_id, place.partition_id, place.user_id, chosen.group_id
        FROM place, chosen WHERE chosen.group_id IS NOT NULL
        ON CONFLICT (course_id, partition_id, user_id) DO NOTHING
        RETURNING group_id
    )
    SELECT group_id FROM entered
""")

CONTENT = """json_build_object('id', x.id, 'scheme', x.scheme, 'name', x.name,
    'description', x.description, 'is_active', x.is_active, 'groups', x.groups)"""

CONTENT_PARTITIONS = sql(f"""
    SELECT {PLACE}, coalesce((
        SELECT json_agg({CONTENT} ORDER BY x.position, x.id)
        FROM content_partitions x WHERE x.course_id = c.id), '[]')::text AS body
    {COURSE} WHERE c.id = :course_id
""")

CONTENT_PARTITION = sql(f"""
    SELECT {PLACE}, {CONTENT}::text AS body
    {COURSE} JOIN content_partitions x ON x.course_id = c.id
    WHERE c.id = :course_id AND x.id = :content_partition_id
""")

DECLARE = sql("""
    INSERT INTO content_partitions AS x
        (course_id, id, scheme, name, description, is_active, position, groups)
    SELECT :course_id, :content_partition_id, :scheme, :name, :description, :is_active,
           (SELECT coalesce(max(position), 0) + 1 FROM content_partitions
            WHERE course_id = :course_id), :groups
    ON CONFLICT (course_id, id) DO UPDATE
        SET scheme = excluded.scheme, name = excluded.name, description = excluded.description,
            is_active = excluded.is_active, groups = excluded.groups
    RETURNING xmax = 0 AS created
""")

WITHDRAW = sql("""
    DELETE FROM content_partitions WHERE course_id = :course_id AND id = :content_partition_id
""")


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
        return await self._document(SETTINGS, course_id=course_id)

    async def configure(self, course_id: int, *, is_cohorted: bool, random_assignment: str) -> None:
        await self._rows(
            CONFIGURE,
            course_id=course_id,
            is_cohorted=is_cohorted,
            random_assignment=random_assignment,
        )

    async def state(self, course_id: int, user_id: int) -> CohortState | None:
        row = await self._row(COHORT_OF, course_id=course_id, user_id=user_id)
        return CohortState(**row._asdict()) if row is not None else None

    async def arrive(
        self, course_id: int, user_id: int, otherwise: int | None = None
    ) -> int | None:
        """Give a user the cohort that his address waits in, else one by chance, else another.

        None when there is none to give, or when he has just been given one.
        """
        row = await self._row(
            ARRIVE,
            course_id=course_id,
            user_id=user_id,
            group_id=otherwise,
            **self._context.parameters(),
        )
        return row.group_id if row is not None else None

    async def content_partitions(self, course_id: int) -> JsonResource[list[Any]] | None:
        return await self._document(CONTENT_PARTITIONS, course_id=course_id)

    async def content_partition(
        self, course_id: int, content_partition_id: int
    ) -> JsonResource[dict[str, Any]] | None:
        return await self._document(
            CONTENT_PARTITION, course_id=course_id, content_partition_id=content_partition_id
        )

    async def declare(self, course_id: int, content_partition_id: int, **values: Any) -> bool:
        """Create or replace; answers whether it was created."""
        row = await self._row(
            DECLARE, course_id=course_id, content_partition_id=content_partition_id, **values
        )
        return bool(row is not None and row.created)

    async def withdraw(self, course_id: int, content_partition_id: int) -> None:
        await self._rows(WITHDRAW, course_id=course_id, content_partition_id=content_partition_id)
