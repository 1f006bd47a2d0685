import uuid
from typing import Any

import httpx
import pytest

from tests.api.refusals import (
    ANONYMOUS,
    HALF_A_PAIR,
    NUL,
    invalid,
    problem,
    told,
)
from tests.conftest import SQL, Auth, World

ABSENT = problem(404, "not_found", "no such department")


@pytest.fixture
def acronym() -> str:
    return f"N{uuid.uuid4().hex[:8]}"


async def lines(sql: SQL, acronym: str) -> list[Any]:
    return await sql(
        "SELECT kind, actor, before ->> 'name', after ->> 'name' FROM changes"
        " WHERE course_id = 0 AND coalesce(after, before) ->> 'acronym' = :acronym ORDER BY seq",
        acronym=acronym,
    )


async def test_a_department_is_declared_by_its_acronym(
    client: httpx.AsyncClient, acronym: str, sql: SQL
) -> None:
    path = f"/v1/departments/{acronym}"
    created = await client.put(path, json={"name": "Réseaux"})
    assert (created.status_code, created.json()) == (201, {"acronym": acronym, "name": "Réseaux"})
    again = await client.put(path, json={"name": "Réseaux"})
    assert (again.status_code, again.content) == (200, created.content)
    renamed = await client.put(path, json={})
    assert (renamed.status_code, renamed.json()) == (200, {"acronym": acronym, "name": ""})
    read = await client.get(path)
    assert (read.status_code, read.content) == (200, renamed.content)
    assert read.headers["etag"] == renamed.headers["etag"] != created.headers["etag"]
    assert await lines(sql, acronym) == [
        ("department.created", "root", None, "Réseaux"),
        ("department.updated", "root", "Réseaux", ""),
    ]


async def test_the_ids_of_a_department(
    client: httpx.AsyncClient, world: World, sql: SQL, auth: Auth
) -> None:
    path, own = f"/v1/departments/{world.department}/ids", world.department_id
    assert (await client.get(path)).json() == {"id": own}
    known = own % 1_000_000 + 5_000_000
    for foreign, told_as in ((own, {"id": own}), (known, {"id": own, "foreign_id": known})):
        await sql("UPDATE departments SET foreign_id = :f WHERE id = :id", f=foreign, id=own)
        assert (await client.get(path)).json() == told_as
    assert told(await client.get("/v1/departments/nowhere/ids")) == ABSENT
    elsewhere = auth("groups:read@department:elsewhere")
    assert told(await client.get(path, headers=elsewhere)) == ABSENT


async def test_an_acronym_is_trimmed_and_normalised(
    client: httpx.AsyncClient, acronym: str
) -> None:
    await client.put(f"/v1/departments/ {acronym}E\u0301 ", json={})
    read = await client.get(f"/v1/departments/{acronym}E\u0301")
    assert read.json() == {"acronym": f"{acronym}É", "name": ""}


async def test_departments_are_listed_by_acronym(
    client: httpx.AsyncClient, acronym: str, auth: Auth
) -> None:
    names = [f"{acronym}{letter}" for letter in "cab"]
    for name in names:
        await client.put(f"/v1/departments/{name}", json={})
    headers = auth(*(f"groups:read@department:{name}" for name in names))
    first = await client.get("/v1/departments?limit=2", headers=headers)
    assert first.json() == {
        "items": [{"acronym": f"{acronym}{letter}", "name": ""} for letter in "ab"],
        "next_cursor": first.json()["next_cursor"],
    }
    assert first.links["next"]["url"] == f"?limit=2&cursor={first.json()['next_cursor']}"
    second = await client.get(f"/v1/departments{first.links['next']['url']}", headers=headers)
    assert second.json() == {
        "items": [{"acronym": f"{acronym}c", "name": ""}],
        "next_cursor": None,
    }


async def test_a_list_has_what_the_caller_may_read(
    client: httpx.AsyncClient, world: World, auth: Auth
) -> None:
    grants = f"groups:write@department:{world.department}", f"groups:read@course:{world.course}"
    listed = await client.get("/v1/departments", headers=auth(*grants))
    assert (listed.status_code, listed.json()) == (200, {"items": [], "next_cursor": None})


async def test_what_the_caller_last_saw_is_held_against_what_is(
    client: httpx.AsyncClient, acronym: str, sql: SQL
) -> None:
    path = f"/v1/departments/{acronym}"
    absent = await client.put(path, json={}, headers={"if-match": "*"})
    detail = "the resource has changed since"
    assert told(absent) == problem(
        412, "precondition_failed", detail, etag=None, current=None, changes=[]
    )
    tag = (await client.put(path, json={"name": "A"})).headers["etag"]
    matched = await client.put(path, json={"name": "B"}, headers={"if-match": f'"x", {tag}'})
    assert matched.json() == {"acronym": acronym, "name": "B"}
    ((own,),) = await sql("SELECT id FROM departments WHERE acronym = :a", a=acronym)
    late = told(await client.delete(path, headers={"if-match": tag}))
    assert [
        (line["kind"], line["actor"], line["before"], line["after"]["name"])
        for line in late.pop("changes")
    ] == [
        ("department.updated", "root", {"id": own, "acronym": acronym, "name": "A"}, "B"),
        ("department.created", "root", None, "A"),
    ]
    now = matched.headers["etag"]
    assert late == problem(412, "precondition_failed", detail, etag=now, current=matched.json())
    cached = await client.get(path, headers={"if-none-match": now})
    assert (cached.status_code, cached.content) == (304, b"")
    gone = await client.delete(path, headers={"if-match": now})
    assert (gone.status_code, gone.content) == (204, b"")


async def test_a_department_in_use_stays(client: httpx.AsyncClient, world: World, sql: SQL) -> None:
    path = f"/v1/departments/{world.department}"
    users = problem(409, "department_in_use", "the department still has users")
    courses = problem(409, "department_in_use", "the department still has courses")
    await sql("DELETE FROM courses WHERE id = :id", id=world.course_id)
    assert told(await client.delete(path)) == users
    await world.add_course()
    await sql("DELETE FROM users WHERE department_id = :id", id=world.department_id)
    assert told(await client.delete(path)) == courses
    await sql("DELETE FROM courses WHERE department_id = :id", id=world.department_id)
    assert (await client.delete(path)).status_code == 204
    assert told(await client.get(path)) == ABSENT
    assert told(await client.delete(path)) == ABSENT


ELSEWHERE = "@department:ELSEWHERE"
HERE = "@department:{0}"
COURSE = "@course:{1}"


@pytest.mark.parametrize(
    ("grants", "reading", "writing"),
    [
        (["groups:read"], 200, 403),
        (["groups:read" + HERE], 200, 403),
        (["groups:read" + ELSEWHERE], 404, 403),
        (["groups:read" + ELSEWHERE, "groups:write" + HERE], 403, 403),
        (["groups:read" + COURSE], 404, 403),
        (["groups:write", "roster:write"], 403, 403),
        (["admin"], 403, 200),
        (["admin" + HERE], 403, 403),
        (["admin" + ELSEWHERE], 403, 404),
        (["admin" + COURSE, "groups:read" + HERE], 200, 403),
        ([], 403, 403),
    ],
)
async def test_who_may_read_and_declare_a_department(
    grants: list[str],
    reading: int,
    writing: int,
    world: World,
    anonymous: httpx.AsyncClient,
    auth: Auth,
) -> None:
    path = f"/v1/departments/{world.department}"
    headers = auth(*(grant.format(world.department, world.course) for grant in grants))
    assert (await anonymous.get(path, headers=headers)).status_code == reading
    assert (await anonymous.put(path, json={}, headers=headers)).status_code == writing
    deleted = await anonymous.delete(path, headers=headers)
    assert deleted.status_code == (409 if writing == 200 else writing)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_department_is_nothing_for_the_unknown(
    method: str, world: World, anonymous: httpx.AsyncClient
) -> None:
    for path in (f"/v1/departments/{world.department}", "/v1/departments/ELSEWHERE"):
        assert told(await anonymous.request(method, path)) == ANONYMOUS


async def test_out_of_sight_is_told_like_absent(
    world: World, anonymous: httpx.AsyncClient, auth: Auth
) -> None:
    headers = auth("groups:read" + ELSEWHERE, "admin" + ELSEWHERE)
    for path in (f"/v1/departments/{world.department}", "/v1/departments/NONESUCH"):
        assert told(await anonymous.get(path, headers=headers)) == ABSENT
        assert told(await anonymous.put(path, json={}, headers=headers)) == ABSENT
        assert told(await anonymous.delete(path, headers=headers)) == ABSENT
    path = f"/v1/departments/{world.department}"
    headers = auth("groups:read" + ELSEWHERE, f"admin@department:{world.department}")
    refused = problem(
        403, "forbidden", "this needs another permission here", permission="groups:read"
    )
    assert told(await anonymous.get(path, headers=headers)) == refused
    assert told(await anonymous.delete(path, headers=headers)) == refused | {"permission": "admin"}


NO_OBJECT = "Input should be a valid dictionary or object to extract fields from"
NO_TEXT = "Input should be a valid string"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b'{"name":"\\u0000"}', NUL),
        (b'{"name":"\\ud800"}', HALF_A_PAIR),
        (b'{"name":"\xff"}', problem(400, "invalid_json", "body is not UTF-8")),
        (
            b'{"name":"a","name":"b"}',
            problem(400, "invalid_json", "an object has the same name twice"),
        ),
        (b"", problem(400, "invalid_json", "body is empty")),
        (b"[]", invalid("#", "model_attributes_type", NO_OBJECT)),
        (b'{"name":1}', invalid("#/name", "string_type", NO_TEXT)),
        (b'{"name":null}', invalid("#/name", "string_type", NO_TEXT)),
        (
            b'{"name":"a\\nb"}',
            invalid(
                "#/name",
                "string_pattern_mismatch",
                r"String should match pattern '^[^\x00-\x1f\x7f]*$'",
            ),
        ),
        (
            b'{"name":"' + b"x" * 256 + b'"}',
            invalid("#/name", "string_too_long", "String should have at most 255 characters"),
        ),
        (
            b'{"acronym":"X"}',
            invalid("#/acronym", "extra_forbidden", "Extra inputs are not permitted"),
        ),
    ],
)
async def test_bodies_that_are_refused(
    body: bytes, answer: dict[str, Any], client: httpx.AsyncClient, acronym: str
) -> None:
    refused = await client.put(
        f"/v1/departments/{acronym}", content=body, headers={"content-type": "application/json"}
    )
    assert told(refused) == answer


async def test_a_body_of_another_kind_is_refused(client: httpx.AsyncClient, acronym: str) -> None:
    refused = await client.put(f"/v1/departments/{acronym}", data={"name": "A"})
    assert told(refused) == problem(415, "unsupported_media_type", "send application/json")


TOO_LONG = "the name must have 1 to 64 characters that can be stored"
UNPRINTABLE = "an acronym that cannot be printed cannot be granted anything"


@pytest.mark.parametrize(
    ("given", "detail"),
    [("%00", TOO_LONG), ("x" * 65, TOO_LONG), ("%20", TOO_LONG), ("a%0Ab", UNPRINTABLE)],
)
async def test_acronyms_that_cannot_be(given: str, detail: str, client: httpx.AsyncClient) -> None:
    path = f"/v1/departments/{given}"
    entry = {"pointer": "#/acronym", "code": "invalid_name", "message": detail}
    refused = await client.put(path, json={})
    assert told(refused) == problem(422, "invalid_name", detail, errors=[entry])
    for method in ("GET", "DELETE"):
        assert told(await client.request(method, path)) == ABSENT


@pytest.mark.parametrize(
    "cursor", ["x", "WzFd", "W10", "WyJcdTAwMDAiXQ", ".5", "WyJhIl0.", "WyJhIl0.g"]
)
async def test_cursors_of_others_are_refused(cursor: str, client: httpx.AsyncClient) -> None:
    refused = told(await client.get(f"/v1/departments?cursor={cursor}"))
    entry = {
        "pointer": "#/query/cursor",
        "code": "invalid_cursor",
        "message": "the cursor is not one of ours",
    }
    assert refused == problem(
        422, "invalid_cursor", "the cursor is not one of ours", errors=[entry]
    )


async def test_a_cursor_of_a_replica_that_reads_standbys_is_one_of_ours(
    client: httpx.AsyncClient,
) -> None:
    path = "/v1/departments?limit=1&cursor=WyIiXQ"
    plain, marked = await client.get(path), await client.get(f"{path}.16b3748")
    assert (plain.status_code, marked.status_code) == (200, 200)
    assert marked.json() == plain.json()
