"""How many statements a request sends, and that rows do not add any.

As in ``tests/test_statements.py``: ``BEGIN`` and ``COMMIT`` are not counted, and a unit of work of
several statements opens with the one that says who is acting.
"""

from typing import Any

import httpx
import pytest

from tests.api.openedx.conftest import Course
from tests.test_statements import statements_of


async def fill(course: Course, cohorts: int) -> None:
    await course.add("first")
    await course.world.sql(
        "INSERT INTO groups (course_id, partition_id, name, position)"
        " SELECT :course, :partition, 'C' || n, 1 FROM generate_series(1, CAST(:n AS integer)) n",
        course=course.world.course_id,
        partition=course.partition,
        n=cohorts,
    )


@pytest.mark.parametrize("cohorts", [3, 300])
async def test_lists_take_one_statement(
    client: httpx.AsyncClient, course: Course, cohorts: int
) -> None:
    await fill(course, cohorts)
    cohort = await course.add("another")
    await course.join(cohort, *course.world.users)
    for path in (
        f"{course.cohorts}?page_size=100",
        f"{course.cohorts}?page=last&ordering=desc",
        course.cohort(cohort),
        f"{course.users(cohort)}?page_size=100",
        f"{course.v2}/cohorts/",
        f"{course.legacy}/",
    ):
        assert len(await statements_of(client, "GET", path)) == 1, path


@pytest.mark.parametrize("count", [3, 1_000])
async def test_adding_users_takes_five_statements(
    client: httpx.AsyncClient, make_course: Any, count: int
) -> None:
    course: Course = await make_course(count)
    cohort, other = await course.add("A"), await course.add("B")
    half = count // 2
    await course.join(other, *course.world.users[:half])
    rows = await course.world.sql(
        "SELECT username FROM users WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id",
        ids=course.world.users,
    )
    names = [name for (name,) in rows]
    addresses = [f"n{n}-{course.world.department}@example.org" for n in range(count)]
    users = [text for pair in zip(names, addresses, strict=True) for text in pair]
    sent = await statements_of(client, "POST", course.users(cohort), json={"users": users})
    # who is acting, the cohort, whom is meant, who enters, who is waited for
    assert len(sent) == 5, "\n".join(sent)
    answer = (await client.post(course.users(cohort), json={"users": users})).json()
    assert (answer["present"], answer["preassigned"]) == (names, addresses)
    assert await course.members(cohort) == sorted(course.world.users)


async def test_a_cohort_with_a_capacity_takes_two_more(
    client: httpx.AsyncClient, make_course: Any
) -> None:
    course: Course = await make_course(50)
    cohort = await course.add("A", capacity=20)
    names = [(await course.person(user))["username"] for user in course.world.users]
    sent = await statements_of(client, "POST", course.users(cohort), json={"users": names})
    assert len(sent) == 6
    assert len(await course.members(cohort)) == 20


async def test_settings_that_are_there_take_one(client: httpx.AsyncClient, course: Course) -> None:
    assert len(await statements_of(client, "GET", course.settings)) == 3
    assert len(await statements_of(client, "GET", course.settings)) == 1
