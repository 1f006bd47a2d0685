import asyncio
import uuid
from typing import Any

import httpx
import pytest

from tests.api.people import ABSENT, put, user
from tests.api.refusals import problem, told
from tests.conftest import SQL, MakeWorld, World


@pytest.fixture
def name() -> str:
    return f"w{uuid.uuid4().hex[:10]}"


async def lines(sql: SQL, number: int) -> list[Any]:
    return await sql(
        "SELECT kind, course_id, actor, before, after FROM changes"
        " WHERE user_id = :number ORDER BY seq",
        number=number,
    )


async def test_a_user_is_declared_by_name(
    client: httpx.AsyncClient, name: str, world: World, sql: SQL
) -> None:
    path = f"/v1/users/by-name/{name}"
    known = {
        "email": f"{name}@example.org",
        "family_name": " Œuvrard ",
        "given_name": "Zoe\u0308",
        "usual_name": "Zou",
        "civility": "F",
        "student_number": "22104711",
        "national_number": "0ABC 12",
        "department": world.department,
        "is_active": False,
    }
    created = await client.put(path, json=known)
    number = created.json()["id"]
    tidy = known | {"family_name": "Œuvrard", "given_name": "Zoë"}
    assert (created.status_code, created.json()) == (201, user(number, name, **tidy))
    assert created.headers["location"] == f"/v1/users/{number}"
    assert await sql("SELECT sort_key FROM users WHERE id = :n", n=number) == [("œuvrard zoe",)]
    again = await client.put(path, json=known)
    assert (again.status_code, again.content) == (200, created.content)
    for address in (path, f"/v1/users/{number}"):
        read = await client.get(address)
        assert (read.status_code, read.content) == (200, created.content)
        assert read.headers["etag"] == created.headers["etag"]
    bare = await client.put(path, json={})
    assert (bare.status_code, bare.json()) == (200, user(number, name))
    assert await sql("SELECT sort_key FROM users WHERE id = :n", n=number) == [(name,)]
    fields = sorted([*known, "sort_key", "department_id"])
    fields.remove("department")
    assert await lines(sql, number) == [
        ("user.created", 0, "root", None, None),
        ("user.updated", 0, "root", None, {"fields": fields}),
    ]


async def test_a_username_may_hold_slashes_and_is_normalised(
    client: httpx.AsyncClient, name: str
) -> None:
    created = await put(client, f" {name}/e\u0301 ")
    assert created["username"] == f"{name}/é"
    read = await client.get(f"/v1/users/by-name/{name}/e\u0301")
    assert read.json() == created


async def test_a_merge_changes_what_is_named(
    client: httpx.AsyncClient, name: str, world: World, sql: SQL
) -> None:
    made = await put(client, name, family_name="Noether", given_name="Emmy", usual_name="E")
    path = f"/v1/users/{made['id']}"
    moved = await client.patch(path, json={"department": world.department, "usual_name": None})
    assert moved.json() == made | {"department": world.department, "usual_name": None}
    renamed = await client.patch(path, json={"username": f"{name}-2", "family_name": "Nöther"})
    assert renamed.json() == moved.json() | {"username": f"{name}-2", "family_name": "Nöther"}
    unchanged = await client.patch(path, json={})
    assert (unchanged.status_code, unchanged.content) == (200, renamed.content)
    assert (await client.patch(path, json={"department": None})).json()["department"] is None
    assert told(await client.get(f"/v1/users/by-name/{name}")) == ABSENT
    assert await sql("SELECT sort_key FROM users WHERE id = :n", n=made["id"]) == [("nother emmy",)]
    assert [line[4] and line[4]["fields"] for line in await lines(sql, made["id"])] == [
        None,
        ["department_id", "usual_name"],
        ["family_name", "sort_key", "username"],
        ["department_id"],
    ]


async def test_names_addresses_and_numbers_are_used_once(
    client: httpx.AsyncClient, name: str, world: World, make_world: MakeWorld
) -> None:
    other = await make_world(0)
    known = {"student_number": "1", "national_number": "2", "department": world.department}
    await put(client, name, email=f"{name}@example.org", **known)
    second = await put(client, f"{name}-2", department=world.department)
    path = f"/v1/users/{second['id']}"
    cases = {
        "username": (name, "name_taken", "a user has this name"),
        "email": (f"{name.upper()}@Example.org", "email_taken", "a user has this e-mail"),
        "student_number": (
            "1",
            "number_taken",
            "a user of the department has this student number",
        ),
        "national_number": (
            "2",
            "number_taken",
            "a user of the department has this national number",
        ),
    }
    for member, (value, code, detail) in cases.items():
        refused = await client.patch(path, json={member: value})
        assert told(refused) == problem(409, code, detail)
    elsewhere = known | {"department": other.department}
    assert (await client.patch(path, json=elsewhere)).json() == second | elsewhere


async def test_what_the_caller_last_saw_is_held_against_what_is(
    client: httpx.AsyncClient, name: str, world: World
) -> None:
    path = f"/v1/users/by-name/{name}"
    detail = "the resource has changed since"
    absent = await client.put(path, json={}, headers={"if-match": "*"})
    assert told(absent) == problem(
        412, "precondition_failed", detail, etag=None, current=None, changes=[]
    )
    first = await client.put(path, json={})
    own = first.headers["location"]
    matched = await client.patch(
        own, json={"civility": "M"}, headers={"if-match": first.headers["etag"]}
    )
    assert matched.json() == first.json() | {"civility": "M"}
    await client.put(
        f"/v1/courses/{world.course_id}/enrollments/{first.json()['id']}", json={"state": "active"}
    )
    for method, address in (("PUT", path), ("PATCH", own), ("DELETE", own)):
        late = told(
            await client.request(
                method,
                address,
                json={} if method != "DELETE" else None,
                headers={"if-match": first.headers["etag"]},
            )
        )
        assert [(line["kind"], line["actor"], line["after"]) for line in late.pop("changes")] == [
            ("user.updated", "root", {"fields": ["civility"]}),
            ("user.created", "root", None),
        ]
        assert late == problem(
            412,
            "precondition_failed",
            detail,
            etag=matched.headers["etag"],
            current=matched.json(),
        )
    cached = await client.get(own, headers={"if-none-match": matched.headers["etag"]})
    assert (cached.status_code, cached.content) == (304, b"")


async def test_a_deleted_user_leaves_everything(client: httpx.AsyncClient, world: World) -> None:
    gone = world.users[0]
    group = await world.add_group(await world.add_partition())
    await client.put(f"/v1/groups/{group}/members/{gone}")
    await client.put(f"/v1/courses/{world.course_id}/lock")
    locked = problem(409, "course_locked", "the course is locked")
    assert told(await client.delete(f"/v1/users/{gone}")) == locked
    await client.delete(f"/v1/courses/{world.course_id}/lock")
    assert (await client.delete(f"/v1/users/{gone}")).status_code == 204
    for method in ("GET", "DELETE"):
        assert told(await client.request(method, f"/v1/users/{gone}")) == ABSENT
    assert await world.members(group) == []
    assert [line[:2] for line in await world.log() if line[1] == gone][-2:] == [
        ("membership.removed", gone),
        ("enrollment.deleted", gone),
    ]


async def test_parallel_declarations_make_one_user(client: httpx.AsyncClient, name: str) -> None:
    path = f"/v1/users/by-name/{name}"
    answers = await asyncio.gather(
        *(client.put(path, json={"family_name": f"F{n}"}) for n in range(12))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
