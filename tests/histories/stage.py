"""A course for one history, made and looked at behind the back of the services."""

import itertools
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from tests.histories.replay import Held, Line

numbers = itertools.count(1)
PEOPLE = 6
PEOPLE_SQL = """
INSERT INTO users (department_id, username, email, family_name, given_name, sort_key)
SELECT $1, 'p' || n, 'p' || n || '@example.org', 'Family' || n, 'Given', 'family' || n
FROM generate_series(1, $2::integer) n RETURNING id, username
"""
# All of one moment. Rows look as the change log tells them.
LOOK = """
SELECT json_build_object(
    'lines', (SELECT coalesce(json_agg(json_build_array(seq, changeset_id, request_id, kind,
                  partition_id, group_id, user_id, told(before), told(after)) ORDER BY seq), '[]')
              FROM changes WHERE course_id = $1),
    'course', (SELECT json_agg(jsonb_strip_nulls(to_jsonb(t)) - '{created_at,imported_key}'::text[])
               FROM courses t WHERE id = $1),
    'cohort_settings', (SELECT json_agg(to_jsonb(t) - 'created_at')
                        FROM cohort_settings t WHERE course_id = $1),
    'partition', (SELECT json_agg(to_jsonb(t) - '{created_at,imported_key}'::text[])
                  FROM partitions t WHERE course_id = $1),
    'group', (SELECT json_agg(to_jsonb(t) - '{created_at,imported_key}'::text[])
              FROM groups t WHERE course_id = $1),
    'enrolled', (SELECT json_agg(json_build_array(user_id, json_build_object(
                     'state', state, 'track', track))) FROM enrollments WHERE course_id = $1),
    'members', (SELECT json_agg(json_build_array(partition_id, user_id, group_id))
                FROM memberships WHERE course_id = $1)
)::text
"""


class NothingThereError(Exception):
    """There is nothing left that a step could be about."""


@dataclass(frozen=True)
class Seen:
    """The change log and the tables at one moment. ``pairs`` may name a user twice."""

    lines: list[Line]
    held: Held
    pairs: list[tuple[int, int, int]]


@dataclass
class Stage:
    course: int
    key: str
    users: list[int]
    usernames: dict[int, str]
    partitions: list[int]
    cohorts: int
    default: int
    default_group: int
    groups: dict[int, int] = field(default_factory=dict)
    """What is or was there, as far as anybody was told: partitions by group."""

    def group(self, number: int, *, cohort: bool = False) -> int:
        found = [g for g, p in self.groups.items() if not cohort or p == self.cohorts]
        if not found:
            raise NothingThereError
        return found[number % len(found)]

    def user(self, number: int) -> int:
        return self.users[number % len(self.users)]

    def partition(self, number: int) -> int:
        every = [*self.partitions, self.cohorts]
        return every[number % len(every)]


class Database:
    """``people`` are in all courses."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self._department = 0
        self._people: dict[int, str] = {}

    async def make_people(self) -> None:
        self._department = await self.pool.fetchval(
            "INSERT INTO departments (acronym) VALUES ('H') RETURNING id"
        )
        self._people = dict(await self.pool.fetch(PEOPLE_SQL, self._department, PEOPLE))

    async def make_stage(self, chance: random.Random) -> Stage:
        """Two partitions of three groups and two, and two cohorts; all but one are enrolled."""
        users = list(self._people)
        key = f"course-v1:H+C{next(numbers)}+2026"
        async with self.pool.acquire() as connection, connection.transaction():
            course = await connection.fetchval(
                "INSERT INTO courses (department_id, key, title) VALUES ($1, $2, 'C') RETURNING id",
                self._department,
                key,
            )
            await connection.execute(
                "INSERT INTO enrollments (course_id, user_id) SELECT $1, unnest($2::bigint[])",
                course,
                users[:-1],
            )
            await connection.execute(
                "INSERT INTO cohort_settings (course_id, is_cohorted) VALUES ($1, true)", course
            )
            rows = await connection.fetch(
                "INSERT INTO partitions (course_id, kind, name, position) VALUES"
                " ($1, 'ordinary', 'TD', 1), ($1, 'ordinary', 'TP', 2), ($1, 'cohorts', 'Ch', 3)"
                " RETURNING id",
                course,
            )
            td, tp, cohorts = (row[0] for row in rows)
            groups = await connection.fetch(
                "INSERT INTO groups (course_id, partition_id, name, position, capacity)"
                " SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::integer[])"
                " RETURNING id, partition_id",
                course,
                [td, td, td, tp, tp, cohorts, cohorts],
                [*"ABCABXY"],
                [1, 2, 3, 1, 2, 1, 2],
                [chance.choice((None, None, 1, 2, 3)) for _ in range(7)],
            )
            default = await connection.fetchrow(
                "SELECT partition_id, id FROM groups WHERE course_id = $1 AND name IS NULL", course
            )
        within = dict(map(tuple, groups))
        return Stage(course, key, users, self._people, [td, tp], cohorts, *default, within)

    async def look(self, course: int) -> Seen:
        found: dict[str, Any] = json.loads(await self.pool.fetchval(LOOK, course))
        held = Held()
        for noun in ("course", "cohort_settings", "partition", "group"):
            held.rows.update(((noun, row["id"]), row) for row in found[noun] or ())
        held.enrolled = dict(found["enrolled"] or ())
        pairs = [(partition, user, group) for partition, user, group in found["members"] or ()]
        held.members = {(partition, user): group for partition, user, group in pairs}
        return Seen([Line(*line) for line in found["lines"]], held, pairs)


@asynccontextmanager
async def open_database(dsn: str) -> AsyncIterator[Database]:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=6) as pool:
        database = Database(pool)
        await database.make_people()
        yield database
