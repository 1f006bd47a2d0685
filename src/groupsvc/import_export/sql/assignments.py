"""Memberships of a batch, over many partitions and courses at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from groupsvc.core.memberships.repository import GroupOccupancy, Placement
from groupsvc.core.repository import Repository
from groupsvc.db.statements import sql

HOLD_PARTITIONS = sql("""
    SELECT p.course_id, p.name, p.id, p.kind, p.groups_editable
    FROM partitions p
    WHERE (p.course_id, p.name) IN (
        SELECT * FROM unnest(:course_ids, :partition_names))
    ORDER BY p.id FOR NO KEY UPDATE
""")

# Nothing is held: whoever fills a group meanwhile makes the batch be decided anew.
ROOM = sql("""
    SELECT g.partition_id, g.id, g.name, g.capacity, CASE WHEN g.capacity IS NOT NULL THEN (
        SELECT count(*) FROM memberships m
        WHERE m.course_id = g.course_id AND m.group_id = g.id) END AS taken
    FROM unnest(:course_ids, :partition_ids, :group_names)
        AS named (course_id, partition_id, name)
    CROSS JOIN LATERAL (
        SELECT * FROM groups
        WHERE course_id = named.course_id AND partition_id = named.partition_id
          AND name = named.name
        OFFSET 0
    ) g
""")

# A student number is unique in a department only: of several the department's own is meant.
USERS = sql("""
    SELECT named.identifier, named.department, coalesce(
        (SELECT u.id FROM users u WHERE u.username = named.identifier),
        (SELECT u.id FROM users u
         WHERE lower(u.email COLLATE "C") = lower(named.identifier COLLATE "C")),
        (SELECT CASE WHEN count(*) = 1 THEN min(u.id) ELSE min(u.id) FILTER (WHERE
             u.department_id = (SELECT d.id FROM departments d WHERE d.acronym = named.department))
         END FROM users u WHERE u.student_number = named.identifier)
    ) AS id
    FROM unnest(:identifiers, :departments) AS named (identifier, department)
""")

STANDINGS = sql("""
    SELECT named.course_id, named.partition_id, named.user_id, m.group_id,
           EXISTS (SELECT FROM enrollments e
                   WHERE e.course_id = named.course_id AND e.user_id = named.user_id)
               AS is_enrolled
    FROM unnest(:course_ids, :partition_ids, :user_ids)
        AS named (course_id, partition_id, user_id)
    LEFT JOIN LATERAL (
        SELECT group_id FROM memberships
        WHERE course_id = named.course_id AND partition_id = named.partition_id
          AND user_id = named.user_id
        OFFSET 0
    ) m ON true
""")

ASSIGN = sql("""
    INSERT INTO memberships AS m (course_id, partition_id, user_id, group_id)
    SELECT course_id, partition_id, user_id, group_id
    FROM unnest(:course_ids, :partition_ids, :user_ids, :group_ids)
        AS given (course_id, partition_id, user_id, group_id)
    ORDER BY course_id, partition_id, user_id
    ON CONFLICT (course_id, partition_id, user_id) DO UPDATE
        SET group_id = excluded.group_id, previous_group_id = m.group_id, since = now()
        WHERE m.group_id <> excluded.group_id
""")

REMOVE = sql("""
    DELETE FROM memberships m
    USING unnest(:course_ids, :partition_ids, :user_ids)
        AS given (course_id, partition_id, user_id)
    WHERE m.course_id = given.course_id AND m.partition_id = given.partition_id
      AND m.user_id = given.user_id
""")

Triple = tuple[int, int, int]  # course, partition, user
Named = tuple[int, int, str]  # course, partition, name of a group


@dataclass(frozen=True, slots=True)
class TargetPartition:
    course_id: int
    name: str
    id: int
    kind: str
    groups_editable: bool


class AssignmentBatches(Repository):
    async def hold_partitions(
        self, named: Collection[tuple[int, str]]
    ) -> dict[tuple[int, str], TargetPartition]:
        """Partitions by course and name, whose lists of groups nobody else changes meanwhile."""
        rows = await self._rows(
            HOLD_PARTITIONS,
            course_ids=[course_id for course_id, _ in named],
            partition_names=[name for _, name in named],
        )
        return {(row.course_id, row.name): TargetPartition(**row._asdict()) for row in rows}

    async def room(self, named: Collection[Named]) -> dict[int, dict[int, GroupOccupancy]]:
        """Groups by partition and id."""
        found: dict[int, dict[int, GroupOccupancy]] = {}
        for row in await self._rows(ROOM, **_named(named)):
            room = GroupOccupancy(row.name, row.capacity, row.taken or 0)
            found.setdefault(row.partition_id, {})[row.id] = room
        return found

    async def user_ids(self, named: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Ids by identifier and department, of those who exist.

        An identifier is a username, else an e-mail address, else a student number; the department
        decides among several users of one number.
        """
        rows = await self._rows(
            USERS,
            identifiers=[identifier for identifier, _ in named],
            departments=[department for _, department in named],
        )
        return {(row.identifier, row.department): row.id for row in rows if row.id is not None}

    async def standings(self, places: Collection[Triple]) -> dict[Triple, Placement]:
        rows = await self._rows(STANDINGS, **_triples(places))
        return {
            (row.course_id, row.partition_id, row.user_id): Placement(row.group_id, row.is_enrolled)
            for row in rows
        }

    async def assign(self, places: Sequence[tuple[Triple, int]]) -> None:
        """``places`` are a user's place and the group he comes into, each place once."""
        await self._rows(
            ASSIGN,
            group_ids=[group_id for _, group_id in places],
            **_triples([place for place, _ in places]),
        )

    async def remove(self, places: Collection[Triple]) -> None:
        await self._rows(REMOVE, **_triples(places))


def _triples(places: Collection[Triple]) -> dict[str, list[int]]:
    return {
        "course_ids": [course_id for course_id, _, _ in places],
        "partition_ids": [partition_id for _, partition_id, _ in places],
        "user_ids": [user_id for _, _, user_id in places],
    }


def _named(groups: Collection[Named]) -> dict[str, list[Any]]:
    return {
        "course_ids": [course_id for course_id, _, _ in groups],
        "partition_ids": [partition_id for _, partition_id, _ in groups],
        "group_names": [name for _, _, name in groups],
    }
