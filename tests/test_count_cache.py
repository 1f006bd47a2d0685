"""Counts that are kept are right after every change, in whatever order transactions end."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from groupsvc.db.count_cache import MAX_AGE_SECONDS, SIZE, CountCache
from tests.conftest import SQL, World


class Course:
    """A course with cohorts, seen through what counts its members."""

    def __init__(self, client: httpx.AsyncClient, world: World, groups: list[int]) -> None:
        self.client, self.world, self.groups = client, world, groups

    async def counts(self) -> tuple[list[int], list[int]]:
        """Of the board and of the Open edX list; asked twice, and so kept."""
        for _ in range(2):
            path = f"/v1/courses/{self.world.course_id}/board?members=false"
            board = (await self.client.get(path)).json()
            cohorts = await self.client.get(f"/api/cohorts/v1/courses/{self.world.course}/cohorts/")
            (partition,) = board["partitions"]
            found = (
                [group["member_count"] for group in partition["groups"]],
                [cohort["user_count"] for cohort in cohorts.json()],
            )
        return found

    async def assign(self, connection: AsyncConnection, user: int, group: int) -> None:
        """A transaction that is left open."""
        await connection.execute(
            text(
                "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
                " SELECT course_id, partition_id, :user, id FROM groups WHERE id = :group"
            ),
            {"user": user, "group": group},
        )


@pytest.fixture
async def course(client: httpx.AsyncClient, world: World) -> Course:
    partition = await world.add_partition("cohorts", kind="cohorts")
    return Course(client, world, [await world.add_group(partition, name) for name in "AB"])


async def test_every_change_counts_at_once(course: Course, sql: SQL) -> None:
    one, two, *_ = course.world.users
    a, b = course.groups
    steps: list[tuple[str, dict[str, Any], tuple[list[int], list[int]]]] = [
        ("SELECT 1", {}, ([0, 0], [0, 0])),
        (
            "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
            " SELECT course_id, partition_id, u, id FROM groups, unnest(CAST(:users AS bigint[])) u"
            " WHERE id = :group",
            {"users": [one, two], "group": a},
            ([2, 0], [2, 0]),
        ),
        (
            "UPDATE memberships SET group_id = :to WHERE user_id = :user",
            {"to": b, "user": one},
            ([1, 1], [1, 1]),
        ),
        (
            "UPDATE enrollments SET state = 'withdrawn' WHERE user_id = :user",
            {"user": one},
            ([1, 1], [1, 0]),
        ),
        ("DELETE FROM users WHERE id = :user", {"user": two}, ([0, 1], [0, 0])),
    ]
    for statement, parameters, expected in steps:
        await sql(statement, **parameters)
        assert await course.counts() == expected, statement


async def test_transactions_that_end_in_another_order_than_they_began(
    course: Course, engine: AsyncEngine
) -> None:
    one, two, three, *_ = course.world.users
    a, b = course.groups
    options: dict[str, Any] = {"isolation_level": "READ COMMITTED"}
    async with engine.connect() as early, engine.connect() as late:
        for each in (early, late):
            await each.execution_options(**options)
        await course.assign(early, one, a)
        await course.assign(late, two, b)
        assert await course.counts() == ([0, 0], [0, 0])
        await late.commit()
        assert await course.counts() == ([0, 1], [0, 1])
        await early.commit()
        assert await course.counts() == ([1, 1], [1, 1])
        await course.assign(late, three, b)
        assert await course.counts() == ([1, 1], [1, 1])
        await late.rollback()
        assert await course.counts() == ([1, 1], [1, 1])


def test_what_is_kept_is_bounded_in_number_and_age() -> None:
    now = 0.0
    kept = CountCache(clock=lambda: now)
    row = type("Row", (), {"mark": 1, "running": None})
    for number in range(SIZE + 1):
        kept.put(number, number, row)
    assert (kept.get(0), kept.get(1) is not None) == (None, True)
    now = MAX_AGE_SECONDS
    assert kept.get(1) is None
