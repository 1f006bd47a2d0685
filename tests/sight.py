"""What a request reads and holds of a course, whatever it answers."""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

from groupsvc.db.pool import ConnectionPool
from groupsvc.db.pooled import PooledConnection
from groupsvc.db.rows import Row
from tests.conftest import SQL

# What is big in a course. What tells the place is found through its groups and partitions.
BIG = {"memberships", "enrollments", "roles", "changes"}
EXPLAIN = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, FORMAT JSON) "
# A lock leaves its transaction in the row, after the transaction as well.
MARKS = (
    "SELECT 'course', id, xmax::text FROM courses WHERE id = :course"
    " UNION ALL SELECT 'partition', id, xmax::text FROM partitions WHERE course_id = :course"
    " UNION ALL SELECT 'group', id, xmax::text FROM groups WHERE course_id = :course"
    " UNION ALL SELECT 'enrollment', user_id, xmax::text FROM enrollments WHERE course_id = :course"
    " UNION ALL SELECT 'user', id, xmax::text FROM users WHERE id IN"
    " (SELECT user_id FROM enrollments WHERE course_id = :course) ORDER BY 1, 2"
)


def scans(plan: Any) -> Iterator[tuple[str, int]]:
    if "Relation Name" in plan:
        yield plan["Relation Name"], plan["Actual Loops"]
    for each in plan.get("Plans", ()):
        yield from scans(each)


def big_ones_read(plan: str | list[Any]) -> set[str]:
    (found,) = json.loads(plan) if isinstance(plan, str) else plan
    return {table for table, loops in scans(found["Plan"]) if loops} & BIG


@asynccontextmanager
async def touched(sql: SQL, course: int) -> AsyncIterator[set[str]]:
    """What the requests meanwhile read of big tables, and which rows of the course they held.

    A statement that writes or locks is not explained, which would do it twice: it holds a row, or
    it found none.
    """
    found: set[str] = set()
    fetch = ConnectionPool.fetch

    async def watched(
        pool: ConnectionPool,
        query: str,
        arguments: Sequence[Any],
        held: PooledConnection | None = None,
    ) -> list[Row]:
        if not any(word in query for word in ("FOR ", "INSERT ", "UPDATE ", "DELETE ")):
            ((plan,),) = await fetch(pool, EXPLAIN + query, arguments, held)
            found.update(big_ones_read(plan))
        return await fetch(pool, query, arguments, held)

    before = await sql(MARKS, course=course)
    with patch.object(ConnectionPool, "fetch", watched):
        yield found
    after = await sql(MARKS, course=course)
    found.update(f"held: {was[0]}" for was, now in zip(before, after, strict=True) if was != now)
