"""Courses, departments, persons and groups in tables that do not write them as they are stored."""

from typing import Any

import httpx
import pytest

from tests.api.tables import CSV, NO_COURSE, answered, rows, table
from tests.conftest import Auth, MakeWorld, World

TABLES = {
    "roster": ("username", "{user}"),
    "structure": ("partition", "TD"),
    "assignments": ("user,partition,group", "{user},TD,TP 1"),
    "preassignments": ("partition,group,waiting_email", "Cohorts,C 1,{course_id}@example.org"),
    "content_groups": ("content_partition_id,content_partition", "1,P"),
    "roles": ("user,role", "{user},staff"),
}


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """A course with a student, partition TD with group TP 1 and cohort C 1."""
    made = await make_world(1)
    await made.add_group(await made.add_partition("TD"), "TP 1")
    await made.add_group(await made.add_partition("Cohorts", "cohorts", position=2), "C 1")
    return made


async def username(world: World, place: int = 0) -> str:
    ((found,),) = await world.sql(
        "SELECT username FROM users WHERE id = :id", id=world.users[place]
    )
    return str(found)


def looks(name: str) -> tuple[str, str]:
    return "lookalike", f"read as {name}, which looks alike"


def near(what: str, *names: str) -> tuple[str, str]:
    return f"ambiguous_{what}", f"several {what}s may be meant: {', '.join(sorted(names))}"


@pytest.mark.parametrize("kind", TABLES)
async def test_a_course_is_found_however_its_key_is_written(
    client: httpx.AsyncClient, world: World, kind: str
) -> None:
    columns, given = TABLES[kind]
    known = {"user": await username(world), "course_id": world.course_id}
    header = ("course_key", *columns.split(","))
    cells = given.format(**known).split(",")
    key = world.course.upper().replace("+", "+\u200b")
    found = await rows(client, kind, header, (key, *cells), (world.course, *cells))
    assert [row[1] for row in found] != ["refused"] * 2
    assert [row[2:] for row in found] == [looks(world.course), (None, None)]
    other = world.course.swapcase()
    await world.sql(
        "INSERT INTO courses (department_id, key) VALUES (:department, :key)",
        department=world.department_id,
        key=other,
    )
    (found,) = await rows(client, kind, header, (key, *cells))
    assert found == (2, "refused", *near("course", world.course, other))


async def test_a_course_out_of_sight_is_no_lookalike(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, auth: Auth, world: World
) -> None:
    content = table(("course_key", "partition"), (world.course.upper(), "TD"))
    headers = CSV | auth("groups:write@department:elsewhere")
    answer = await anonymous.post("/v1/import/structure", content=content, headers=headers)
    assert answer.json() == answered("structure", (2, "refused", *NO_COURSE))


async def test_no_course_and_no_department_are_made_beside_lookalikes(
    client: httpx.AsyncClient, world: World
) -> None:
    home, key = world.department, world.course
    new = f"{key}-new"
    header = ("department", "course_key", "title")
    given = [
        (home, key.upper(), "Algebra"),
        (home.lower(), key, "Algebra"),
        (home, new, ""),
        (home, new.upper(), "Analysis"),
    ]
    expected = [
        (2, "updated", *looks(key)),
        (3, "unchanged", *looks(home)),
        (4, "created", None, None),
        (5, "updated", *looks(new)),
    ]
    assert await rows(client, "courses", header, *given, dry_run=True) == expected
    assert await rows(client, "courses", header, *given) == expected
    found = await world.sql(
        "SELECT key, title FROM courses WHERE department_id = :id ORDER BY id",
        id=world.department_id,
    )
    assert [tuple(row) for row in found] == [(key, "Algebra"), (new, "Analysis")]
    literal = (home.lower(), new.upper(), "")
    assert await rows(client, "courses", header, literal, accept="lookalike") == [
        (2, "created", None, None)
    ]
    other = (home.capitalize().swapcase(), new.capitalize(), "")
    (found,) = await rows(client, "courses", header, other)
    assert found[2:] in (near("course", new, new.upper()), near("department", home, home.lower()))


async def test_departments_are_found_however_they_are_written(
    client: httpx.AsyncClient, world: World
) -> None:
    home, user = world.department, await username(world)
    given = (f"{user}-new", home.lower())
    assert await rows(client, "roster", ("username", "department"), given) == [
        (2, "created", *looks(home))
    ]
    header = ("user", "role", "department")
    assert await rows(client, "roles", header, (user, "staff", home.lower())) == [
        (2, "assigned", *looks(home))
    ]


async def test_roles_are_given_to_who_is_meant(client: httpx.AsyncClient, world: World) -> None:
    user, number = await username(world), str(world.course_id)
    await client.patch(
        f"/v1/users/{world.users[0]}",
        json={"student_number": f"00{number}", "username": f"{user}-now"},
    )
    header = ("course_key", "user", "role")
    given = [
        (world.course, f"{user}-NOW", "staff"),
        (world.course, f"{number}.0", "instructor"),
        (world.course, user, "moderator"),
    ]
    expected = [
        (2, "assigned", *looks(f"{user}-now")),
        (3, "assigned", "damaged", f"read as the undamaged number of {user}-now"),
        (4, "assigned", "former_name", f"a former name of {user}-now"),
    ]
    assert await rows(client, "roles", header, *given, dry_run=True) == expected
    assert await rows(client, "roles", header, *given) == expected
    await world.sql(
        "INSERT INTO users (department_id, username, sort_key) VALUES (:id, :name, '')",
        id=world.department_id,
        name=f"{user}-NOW",
    )
    (found,) = await rows(client, "roles", header, (world.course, f"{user}-Now", "staff"))
    assert found == (2, "refused", *near("user", f"{user}-now", f"{user}-NOW"))


async def test_addresses_wait_for_the_cohort_that_is_meant(
    client: httpx.AsyncClient, world: World
) -> None:
    header = ("course_key", "partition", "group", "waiting_email")

    async def waits(partition: str, group: str, place: int = 0) -> Any:
        address = f"{place}@{world.course_id}.example"
        (found,) = await rows(
            client, "preassignments", header, (world.course, partition, group, address)
        )
        return found[1:]

    assert await waits("COHORTS", "c  1") == (
        "created",
        "lookalike",
        "read as Cohorts, which looks alike; read as C 1, which looks alike",
    )
    assert await waits("Cohorts", "C 1") == ("unchanged", None, None)
    ((group,),) = await world.sql(
        "SELECT id FROM groups WHERE course_id = :id AND name = 'C 1'", id=world.course_id
    )
    await client.patch(f"/v1/groups/{group}", json={"name": "C one"})
    assert await waits("Cohorts", "C 1") == ("unchanged", "former_name", "a former name of C one")
    assert await waits("Cohorts", "C 2") == ("refused", "unknown_group", "no such group")
    ((cohorts,),) = await world.sql(
        "SELECT id FROM partitions WHERE course_id = :id AND kind = 'cohorts'", id=world.course_id
    )
    await world.add_group(cohorts, "C 1")
    reused = ("reused_name", "C one was called so before")
    assert await waits("Cohorts", "C 1", 1) == ("created", *reused)
    await world.add_group(cohorts, "c 1")
    assert await waits("Cohorts", " C  1", 1) == ("refused", *near("group", "C 1", "c 1"))
