"""Memberships: who is in which group."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from groupsvc.auth.principal import Reach
from groupsvc.documents import Document, Page
from groupsvc.repositories.repository import ACTING, WITHIN, Repository, reach_parameters
from groupsvc.repositories.shapes import COURSE_OF, GROUP, MEMBER, PERSON, PLACE, lateral
from groupsvc.repositories.statements import sql

ENROLLMENT_OF = """LEFT JOIN enrollments e
    ON e.course_id = {0}.course_id AND e.user_id = {0}.user_id"""

# Checks, writes and answers in one statement. The upsert keeps the group it moves from, so that
# the answer is right when two of these race. The rules are enforced by triggers all the same.
ASSIGN = sql(f"""
    WITH {ACTING},
    target AS MATERIALIZED (
        SELECT {PLACE}, g.course_id, g.partition_id, g.id, p.kind, c.is_locked,
               {WITHIN} AS allowed
        FROM acting CROSS JOIN groups g {COURSE_OF.format("g")}
        JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id
        WHERE g.id = :group_id
        FOR SHARE OF c
    ),
    person AS (
        SELECT u.id, EXISTS (
            SELECT FROM enrollments e
            WHERE e.course_id = target.course_id AND e.user_id = u.id
        ) OR target.kind = 'cohorts' AS is_enrolled
        FROM users u, target WHERE u.id = :user_id
    ),
    moved AS (
        INSERT INTO memberships AS m (course_id, partition_id, user_id, group_id)
        SELECT target.course_id, target.partition_id, person.id, target.id
        FROM target, person
        WHERE target.allowed AND NOT target.is_locked AND person.is_enrolled
          AND target.kind <> 'default'
        ON CONFLICT (course_id, partition_id, user_id) DO UPDATE
            SET group_id = excluded.group_id, previous_group_id = m.group_id, since = now()
            WHERE m.group_id <> excluded.group_id
        RETURNING m.previous_group_id
    )
    SELECT target.department, target.course, target.course_id, target.partition_id,
           target.kind, target.is_locked,
           EXISTS (SELECT FROM person) AS is_known,
           coalesce((SELECT is_enrolled FROM person), false) AS is_enrolled,
           EXISTS (SELECT FROM moved) AS changed,
           (SELECT previous_group_id FROM moved) AS previous_group_id
    FROM target
""")

REMOVE = sql(f"""
    WITH {ACTING},
    target AS MATERIALIZED (
        SELECT {PLACE}, p.course_id, p.id AS partition_id, p.kind, c.is_locked,
               {WITHIN} AS allowed
        FROM acting CROSS JOIN partitions p {COURSE_OF.format("p")}
        WHERE p.id = coalesce(:partition_id,
                              (SELECT g.partition_id FROM groups g WHERE g.id = :group_id))
        FOR SHARE OF c
    ),
    gone AS (
        DELETE FROM memberships m USING target
        WHERE target.allowed AND NOT target.is_locked AND target.kind <> 'default'
          AND m.course_id = target.course_id AND m.partition_id = target.partition_id
          AND m.user_id = :user_id
          AND (m.group_id = :group_id OR :group_id IS NULL)
        RETURNING m.group_id
    )
    SELECT target.department, target.course, target.course_id, target.partition_id,
           target.kind, target.is_locked,
           true AS is_known, true AS is_enrolled,
           EXISTS (SELECT FROM gone) AS changed,
           (SELECT group_id FROM gone) AS previous_group_id
    FROM target
""")

# The default group has no rows: its members are the enrolled users.
IN_GROUP = sql(f"""
    SELECT u.id, row_to_json(shape)::text AS body
    FROM memberships m JOIN users u ON u.id = m.user_id {ENROLLMENT_OF.format("m")}
    {lateral(MEMBER)}
    WHERE m.course_id = :course_id AND m.group_id = :group_id AND m.user_id > :after
      AND (:state IS NULL OR e.state = :state)
    ORDER BY m.user_id LIMIT :limit
""")

IN_COURSE = sql(f"""
    SELECT u.id, row_to_json(shape)::text AS body
    FROM enrollments e JOIN users u ON u.id = e.user_id {lateral(MEMBER)}
    WHERE e.course_id = :course_id AND e.user_id > :after
      AND (:state IS NULL OR e.state = :state)
    ORDER BY e.user_id LIMIT :limit
""")

IN_NO_GROUP = sql(f"""
    SELECT u.id, row_to_json(shape)::text AS body
    FROM enrollments e JOIN users u ON u.id = e.user_id {lateral(MEMBER)}
    WHERE e.course_id = :course_id AND e.user_id > :after
      AND (:state IS NULL OR e.state = :state)
      AND NOT EXISTS (
          SELECT FROM memberships m
          WHERE m.course_id = e.course_id AND m.partition_id = :partition_id
            AND m.user_id = e.user_id)
    ORDER BY e.user_id LIMIT :limit
""")

# What the last line of the log before that time says of each user of the partition.
IN_GROUP_AS_OF = sql(f"""
    SELECT m.user_id AS id, row_to_json(shape)::text AS body
    FROM (
        SELECT DISTINCT ON (user_id) course_id, user_id, after
        FROM changes
        WHERE partition_id = :partition_id AND kind LIKE 'membership.%' AND at <= :as_of
          AND user_id > :after
        ORDER BY user_id, seq DESC
    ) m
    JOIN users u ON u.id = m.user_id {ENROLLMENT_OF.format("m")} {lateral(PERSON)}
    WHERE CAST(m.after ->> 'group_id' AS bigint) = :group_id
    ORDER BY m.user_id LIMIT :limit
""")

OF_USER_IN_COURSE = sql(f"""
    SELECT {PLACE}, coalesce((
        SELECT json_agg(row_to_json(shape) ORDER BY p.position, p.id)
        FROM memberships m
        JOIN partitions p ON p.course_id = m.course_id AND p.id = m.partition_id
        JOIN groups g ON g.course_id = m.course_id AND g.id = m.group_id
        CROSS JOIN LATERAL (SELECT p.name AS partition_name, {GROUP}) shape
        WHERE m.user_id = :user_id AND m.course_id = c.id), '[]')::text AS body
    FROM courses c JOIN departments d ON d.id = c.department_id
    WHERE c.id = :course_id
      AND EXISTS (SELECT FROM users WHERE id = :user_id)
""")

OF_USER_IN_COURSE_AS_OF = sql(f"""
    SELECT {PLACE}, coalesce((
        SELECT json_agg(json_build_object(
            'partition_id', m.partition_id, 'partition_name', m.after ->> 'partition_name',
            'group_id', m.after -> 'group_id', 'group_name', m.after ->> 'group_name'
        ) ORDER BY m.partition_id)
        FROM (
            SELECT DISTINCT ON (partition_id) partition_id, after
            FROM changes
            WHERE course_id = c.id AND user_id = :user_id AND kind LIKE 'membership.%'
              AND at <= :as_of
            ORDER BY partition_id, seq DESC
        ) m WHERE m.after IS NOT NULL), '[]')::text AS body
    FROM courses c JOIN departments d ON d.id = c.department_id
    WHERE c.id = :course_id
""")

OF_USER = sql(f"""
    SELECT '' AS department, NULL AS course, coalesce((
        SELECT json_agg(row_to_json(shape) ORDER BY c.key, p.position, p.id)
        FROM memberships m
        JOIN courses c ON c.id = m.course_id
        JOIN departments d ON d.id = c.department_id
        JOIN partitions p ON p.course_id = m.course_id AND p.id = m.partition_id
        JOIN groups g ON g.course_id = m.course_id AND g.id = m.group_id
        CROSS JOIN LATERAL (
            SELECT c.key AS course_key, c.title AS course_title, p.name AS partition_name, {GROUP}
        ) shape
        WHERE m.user_id = u.id AND (:own OR {WITHIN})), '[]')::text AS body
    FROM users u
    WHERE u.id = :user_id OR u.username = :username
""")

# What planning a batch needs to know, of the users named and the groups of the partition.
STANDING = sql("""
    SELECT u.id AS user_id, m.group_id,
           EXISTS (SELECT FROM enrollments e
                   WHERE e.course_id = :course_id AND e.user_id = u.id) AS is_enrolled
    FROM unnest(:user_ids) AS named (id)
    JOIN users u ON u.id = named.id
    LEFT JOIN LATERAL (
        SELECT group_id FROM memberships
        WHERE course_id = :course_id AND partition_id = :partition_id AND user_id = u.id
        OFFSET 0
    ) m ON true
""")

ROOM = sql("""
    SELECT g.id, g.name, g.capacity, CASE WHEN g.capacity IS NOT NULL THEN (
        SELECT count(*) FROM memberships m
        WHERE m.course_id = g.course_id AND m.group_id = g.id) END AS taken
    FROM groups g
    WHERE g.course_id = :course_id AND g.partition_id = :partition_id
    ORDER BY g.id FOR NO KEY UPDATE
""")

# Sorted by user, so that two of these cannot wait for one another.
ASSIGN_MANY = sql("""
    INSERT INTO memberships AS m (course_id, partition_id, user_id, group_id)
    SELECT :course_id, :partition_id, named.user_id, named.group_id
    FROM unnest(:user_ids, :group_ids)
        AS named (user_id, group_id)
    ORDER BY named.user_id
    ON CONFLICT (course_id, partition_id, user_id) DO UPDATE
        SET group_id = excluded.group_id, previous_group_id = m.group_id, since = now()
        WHERE m.group_id <> excluded.group_id
""")

REMOVE_MANY = sql("""
    DELETE FROM memberships
    WHERE course_id = :course_id AND partition_id = :partition_id
      AND user_id = ANY (:user_ids)
""")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a single assignment or removal found and did. ``changed`` false: nothing was written."""

    department: str
    course: str
    course_id: int
    partition_id: int
    kind: str
    is_locked: bool
    is_known: bool
    is_enrolled: bool
    changed: bool
    previous_group_id: int | None


@dataclass(slots=True)
class Room:
    name: str | None
    capacity: int | None
    taken: int


@dataclass(slots=True)
class Standing:
    group_id: int | None
    is_enrolled: bool


class MembershipRepository(Repository):
    async def assign(self, group_id: int, user_id: int, reach: Reach) -> Outcome | None:
        """Put a user into a group, out of any other of the partition; None without the group."""
        row = await self._row(
            ASSIGN,
            group_id=group_id,
            user_id=user_id,
            **reach_parameters(reach),
            **self._context.parameters(),
        )
        return Outcome(**row._asdict()) if row is not None else None

    async def remove(
        self,
        user_id: int,
        reach: Reach,
        *,
        group_id: int | None = None,
        partition_id: int | None = None,
    ) -> Outcome | None:
        """Take a user out of a group, or out of whatever group of a partition he is in."""
        row = await self._row(
            REMOVE,
            user_id=user_id,
            group_id=group_id,
            partition_id=partition_id,
            **reach_parameters(reach),
            **self._context.parameters(),
        )
        return Outcome(**row._asdict()) if row is not None else None

    async def in_group(
        self,
        course_id: int,
        group_id: int | None,
        *,
        state: str | None = None,
        after: int = 0,
        limit: int,
    ) -> Page:
        """Members by user id; without a group, everybody who is enrolled."""
        statement = IN_COURSE if group_id is None else IN_GROUP
        parameters: dict[str, Any] = {} if group_id is None else {"group_id": group_id}
        return await self._page(
            statement,
            limit=limit,
            key=("id",),
            course_id=course_id,
            state=state,
            after=after,
            **parameters,
        )

    async def in_group_as_of(
        self, partition_id: int, group_id: int, as_of: datetime, *, after: int = 0, limit: int
    ) -> Page:
        return await self._page(
            IN_GROUP_AS_OF,
            limit=limit,
            key=("id",),
            partition_id=partition_id,
            group_id=group_id,
            as_of=as_of,
            after=after,
        )

    async def in_no_group(
        self, course_id: int, partition_id: int, *, state: str | None, after: int = 0, limit: int
    ) -> Page:
        return await self._page(
            IN_NO_GROUP,
            limit=limit,
            key=("id",),
            course_id=course_id,
            partition_id=partition_id,
            state=state,
            after=after,
        )

    async def of_user_in_course(
        self, course_id: int, user_id: int, as_of: datetime | None = None
    ) -> Document[list[Any]] | None:
        if as_of is None:
            return await self._document(OF_USER_IN_COURSE, course_id=course_id, user_id=user_id)
        return await self._document(
            OF_USER_IN_COURSE_AS_OF, course_id=course_id, user_id=user_id, as_of=as_of
        )

    async def of_user(
        self, reach: Reach, *, user_id: int = 0, username: str = "", own: bool = False
    ) -> Document[list[Any]] | None:
        """Groups over all courses within reach, or all of them when they are the caller's own."""
        return await self._document(
            OF_USER, user_id=user_id, username=username, own=own, **reach_parameters(reach)
        )

    async def room(self, course_id: int, partition_id: int) -> dict[int, Room]:
        """The groups by id, held so that nobody else fills them meanwhile."""
        rows = await self._rows(ROOM, course_id=course_id, partition_id=partition_id)
        return {row.id: Room(row.name, row.capacity, row.taken or 0) for row in rows}

    async def standing(
        self, course_id: int, partition_id: int, user_ids: Sequence[int]
    ) -> dict[int, Standing]:
        """Where each of the users stands who exist at all."""
        rows = await self._rows(
            STANDING, course_id=course_id, partition_id=partition_id, user_ids=list(user_ids)
        )
        return {row.user_id: Standing(row.group_id, row.is_enrolled) for row in rows}

    async def assign_many(
        self, course_id: int, partition_id: int, places: Sequence[tuple[int, int]]
    ) -> None:
        """``places`` are pairs of user and group, each user once."""
        await self._rows(
            ASSIGN_MANY,
            course_id=course_id,
            partition_id=partition_id,
            user_ids=[user for user, _ in places],
            group_ids=[group for _, group in places],
        )

    async def remove_many(self, course_id: int, partition_id: int, user_ids: Sequence[int]) -> None:
        await self._rows(
            REMOVE_MANY, course_id=course_id, partition_id=partition_id, user_ids=list(user_ids)
        )
