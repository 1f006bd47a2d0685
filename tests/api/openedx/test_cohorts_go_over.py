"""Cohorts that go out as a table and come in by the upload of the same face."""

import httpx

from tests.api.openedx.conftest import Course
from tests.api.openedx.test_upload import counts, uploaded
from tests.conftest import SQL, MakeWorld, World

NAMES = ("Cohort A", '=1+1, "B"', "'c")


async def cohorts(course: Course) -> dict[str, list[int]]:
    rows = await course.world.sql(
        "SELECT id, name FROM groups WHERE partition_id = :id ORDER BY id", id=course.partition
    )
    return {name: await course.members(group) for group, name in rows}


async def waiting(course: Course, sql: SQL) -> list[tuple[str, str]]:
    rows = await sql(
        "SELECT w.email, g.name FROM preassignments w JOIN groups g ON g.id = w.group_id"
        " WHERE w.course_id = :id",
        id=course.world.course_id,
    )
    return [tuple(row) for row in rows]


async def test_an_export_makes_the_same_cohorts_in_another_course(
    client: httpx.AsyncClient, course: Course, make_world: MakeWorld, sql: SQL
) -> None:
    """Members who have withdrawn or were never enrolled, and addresses, go over too."""
    (guest,), world = (await make_world(1)).users, course.world
    address = f"waits@{world.department.lower()}.example"
    first, second, _ = [await course.add(name) for name in NAMES]
    await course.join(first, *world.users[:3], guest)
    await course.join(second, *world.users[3:])
    await sql("UPDATE enrollments SET state = 'withdrawn' WHERE user_id = :id", id=world.users[0])
    await sql("UPDATE users SET username = :name WHERE id = :id", name="a,\"b'", id=world.users[1])
    await sql(
        "INSERT INTO preassignments (course_id, partition_id, group_id, email)"
        " VALUES (:course, :partition, :group, :email)",
        course=world.course_id,
        partition=course.partition,
        group=second,
        email=address,
    )
    answer = await client.get(
        f"/v1/partitions/{course.partition}/export", params={"as": "openedx-cohorts"}
    )
    assert (answer.status_code, answer.headers["left-out"]) == (200, "0")
    assert answer.text.splitlines()[0] == "username,email,cohort"
    assert answer.text.splitlines()[-1] == f',{address},"=1+1, ""B"""'

    course_id, key = await world.add_course()
    other = Course(World(sql, world.department, world.department_id, course_id, key))
    for name in NAMES:
        await other.add(name)
    job = await uploaded(client, other, answer.content)
    assert counts(job) == (7, 7, 6, 0, 1, 0)
    assert await cohorts(other) == await cohorts(course)
    assert await waiting(other, sql) == await waiting(course, sql) == [(address, NAMES[1])]
