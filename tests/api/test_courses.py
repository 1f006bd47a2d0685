import uuid
from typing import Any

import httpx
import pytest

from tests.api.refusals import problem, told
from tests.conftest import SQL, Auth, MakeWorld, World

GONE = problem(404, "not_found", "no such course")
NO_DEPARTMENT = problem(404, "not_found", "no such department")


def forbidden(permission: str) -> dict[str, Any]:
    detail = "this needs another permission here"
    return problem(403, "forbidden", detail, permission=permission)


@pytest.fixture
def new_key() -> str:
    return f"run-{uuid.uuid4().hex[:10]}"


def course_of(world: World, course: int, key: str, **more: Any) -> dict[str, Any]:
    return {
        "id": course,
        "key": key,
        "department": world.department,
        "title": "",
        "is_locked": False,
        **more,
    }


async def test_a_course_is_declared_by_its_key(
    client: httpx.AsyncClient, world: World, new_key: str
) -> None:
    path = f"/v1/courses/by-key/{new_key}"
    body = {"department": world.department, "title": "Réseaux"}
    created = await client.put(path, json=body)
    course = course_of(world, created.json()["id"], new_key, title="Réseaux")
    assert (created.status_code, created.json()) == (201, course)
    assert created.headers["location"] == f"/v1/courses/{course['id']}"
    again = await client.put(path, json=body)
    assert (again.status_code, again.content) == (200, created.content)
    renamed = await client.put(path, json={"department": world.department})
    assert (renamed.status_code, renamed.json()) == (200, course | {"title": ""})
    for read in (await client.get(path), await client.get(created.headers["location"])):
        assert (read.content, read.headers["etag"]) == (renamed.content, renamed.headers["etag"])
    world.course_id = course["id"]
    assert [line[0] for line in await world.log("course.%")] == [
        "course.created",
        "course.updated",
    ]


async def test_a_course_is_born_undivided(
    client: httpx.AsyncClient, world: World, new_key: str
) -> None:
    made = await client.put(f"/v1/courses/by-key/{new_key}", json={"department": world.department})
    board = await client.get(f"/v1/courses/{made.json()['id']}/board")
    expected = {"course": made.json(), "enrolled": 0, "partitions": [], "users": []}
    assert board.json() == expected


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("course-v1:{0}+MATH101+2026", "course-v1:{0}+MATH101+2026"),
        ("course-v1:{0}%2BMATH101%2B2026", "course-v1:{0}+MATH101+2026"),
        ("{0}/MATH101/2026", "{0}/MATH101/2026"),
        ("{0}%2FMATH101%2F2026", "{0}/MATH101/2026"),
        ("{0}/lock", "{0}/lock"),
        ("{0}/", "{0}/"),
        ("%20{0}%09", "{0}"),
        ("{0}%C3%A9", "{0}\u00e9"),
        ("{0}e%CC%81", "{0}\u00e9"),
        ("{0}%25%3F%23", "{0}%?#"),
    ],
)
async def test_a_key_may_be_any_text(
    client: httpx.AsyncClient, world: World, new_key: str, sent: str, stored: str
) -> None:
    path = f"/v1/courses/by-key/{sent.format(new_key)}"
    made = await client.put(path, json={"department": world.department})
    expected = course_of(world, made.json()["id"], stored.format(new_key))
    assert (made.status_code, made.json()) == (201, expected)
    assert (await client.get(path)).json() == expected


@pytest.mark.parametrize("name", ["%20", "%00", "x" * 256, "%F0%9F"])
async def test_what_cannot_be_a_key_is_not_found(client: httpx.AsyncClient, name: str) -> None:
    assert told(await client.get(f"/v1/courses/by-key/{name}")) == GONE


async def test_a_course_moves_to_another_department(
    client: httpx.AsyncClient, world: World, make_world: MakeWorld
) -> None:
    other = await make_world(0)
    path = f"/v1/courses/by-key/{world.course}"
    moved = await client.put(path, json={"department": other.department, "title": "Course"})
    expected = course_of(other, world.course_id, world.course, title="Course")
    assert (moved.status_code, moved.json()) == (200, expected)


async def test_a_course_has_a_department_that_is_there(
    client: httpx.AsyncClient, new_key: str
) -> None:
    answer = await client.put(f"/v1/courses/by-key/{new_key}", json={"department": "nowhere"})
    assert told(answer) == NO_DEPARTMENT


@pytest.mark.parametrize(
    ("grants", "refusal"),
    [
        (["roster:write@department:{here}"], NO_DEPARTMENT),
        (["roster:write@department:{there}"], GONE),
        (["roster:write@course:{course}"], NO_DEPARTMENT),
        (
            ["roster:write@course:{course}", "groups:read@department:{there}"],
            forbidden("roster:write"),
        ),
        (
            ["roster:write@department:{there}", "groups:read@course:{course}"],
            forbidden("roster:write"),
        ),
        (["roster:write@department:{here}", "roster:write@department:{there}"], None),
        (["roster:write@course:{course}", "roster:write@department:{there}"], None),
        (["roster:write"], None),
    ],
)
async def test_who_moves_a_course_needs_the_permission_in_both_departments(
    anonymous: httpx.AsyncClient,
    world: World,
    make_world: MakeWorld,
    auth: Auth,
    grants: list[str],
    refusal: Any,
) -> None:
    there = (await make_world(0)).department
    names = {"here": world.department, "there": there, "course": world.course}
    headers = auth(*(grant.format(**names) for grant in grants))
    path = f"/v1/courses/by-key/{world.course}"
    answer = await anonymous.put(path, json={"department": there}, headers=headers)
    if refusal is None:
        assert answer.status_code == 200
    else:
        assert told(answer) == refusal


async def test_a_grant_in_a_course_does_not_create_it(
    anonymous: httpx.AsyncClient, world: World, auth: Auth, new_key: str
) -> None:
    headers = auth(f"roster:write@course:{new_key}")
    path = f"/v1/courses/by-key/{new_key}"
    answer = await anonymous.put(path, json={"department": world.department}, headers=headers)
    assert told(answer) == NO_DEPARTMENT


async def test_a_grant_in_a_course_is_enough_to_retitle_it(
    anonymous: httpx.AsyncClient, world: World, auth: Auth
) -> None:
    headers = auth(f"roster:write@course:{world.course}")
    path = f"/v1/courses/by-key/{world.course}"
    body = {"department": world.department, "title": "New"}
    answer = await anonymous.put(path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["title"]) == (200, "New")


async def test_a_course_is_locked_and_unlocked_and_says_so(
    client: httpx.AsyncClient, world: World
) -> None:
    path = f"/v1/courses/{world.course_id}"
    open_course = course_of(world, world.course_id, world.course, title="Course")
    for method, is_locked in (("PUT", True), ("PUT", True), ("DELETE", False), ("DELETE", False)):
        answer = await client.request(method, f"{path}/lock")
        expected = open_course | {"is_locked": is_locked}
        assert (answer.status_code, answer.json()) == (200, expected)
        assert (await client.get(path)).json() == expected
    lines = await world.log("course.updated")
    assert [(before["is_locked"], after["is_locked"]) for *_, before, after in lines] == [
        (False, True),
        (True, False),
    ]


async def test_an_unlocked_course_can_be_changed_again(
    client: httpx.AsyncClient, world: World
) -> None:
    group = await world.add_group(await world.add_partition())
    path = f"/v1/groups/{group}/members/{world.users[0]}"
    await client.put(f"/v1/courses/{world.course_id}/lock")
    refused = await client.put(path)
    await client.delete(f"/v1/courses/{world.course_id}/lock")
    assert (refused.status_code, (await client.put(path)).status_code) == (409, 200)


async def test_a_locked_course_is_retitled_and_enrolled_in(
    client: httpx.AsyncClient, world: World
) -> None:
    await client.put(f"/v1/courses/{world.course_id}/lock")
    body = {"department": world.department, "title": "New"}
    retitled = await client.put(f"/v1/courses/by-key/{world.course}", json=body)
    assert (retitled.status_code, retitled.json()["is_locked"]) == (200, True)
    (user,) = await world.add_users(1)
    path = f"/v1/courses/{world.course_id}/enrollments/{user}"
    assert (await client.put(path, json={"state": "active"})).status_code == 201


async def test_deleting_a_course_takes_all_that_is_in_it(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    partition = await world.add_partition()
    group = await world.add_group(partition)
    await client.put(f"/v1/groups/{group}/members/{world.users[0]}")
    before = len(await world.log())
    path = f"/v1/courses/{world.course_id}"
    answer = await client.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert told(await client.get(path)) == told(await client.delete(path)) == GONE
    kinds = [line[0] for line in (await world.log())[before:]]
    assert kinds[-1] == "course.deleted"
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "membership.removed": 1,
        "group.deleted": 2,
        "partition.deleted": 2,
        "enrollment.deleted": 5,
        "course.deleted": 1,
    }
    left = await sql("SELECT 1 FROM users WHERE department_id = :id", id=world.department_id)
    assert len(left) == 5


async def test_the_key_of_a_deleted_course_is_free(client: httpx.AsyncClient, world: World) -> None:
    await client.delete(f"/v1/courses/{world.course_id}")
    path = f"/v1/courses/by-key/{world.course}"
    answer = await client.put(path, json={"department": world.department})
    assert (answer.status_code, answer.json()["id"] != world.course_id) == (201, True)


async def test_courses_are_listed_by_id_and_department(
    client: httpx.AsyncClient, world: World
) -> None:
    courses = [world.course_id] + [(await world.add_course())[0] for _ in range(4)]
    path = f"/v1/courses?department={world.department}&limit=2"
    first = await client.get(path)
    pages = [[course["id"] for course in first.json()["items"]]]
    cursor = first.json()["next_cursor"]
    while cursor:
        page = (await client.get(f"{path}&cursor={cursor}")).json()
        pages.append([course["id"] for course in page["items"]])
        cursor = page["next_cursor"]
    assert pages == [courses[:2], courses[2:4], courses[4:]]
    assert first.links["next"]["url"].startswith(f"?department={world.department}&limit=2&cursor=")


async def test_only_courses_that_the_caller_may_read_are_listed(
    anonymous: httpx.AsyncClient, world: World, make_world: MakeWorld, auth: Auth
) -> None:
    other = await make_world(0)
    second, _ = await world.add_course()
    listed = {
        "groups:read@department:" + world.department: [world.course_id, second],
        "groups:read@course:" + other.course: [other.course_id],
        "groups:read@department:nowhere": [],
    }
    for grant, expected in listed.items():
        answer = await anonymous.get("/v1/courses", headers=auth(grant))
        assert [course["id"] for course in answer.json()["items"]] == expected
