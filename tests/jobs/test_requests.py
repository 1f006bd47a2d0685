"""A request that is left is answered by its job as it would have been at once."""

import json
from typing import Any

import httpx
import pytest

from tests.conftest import SQL, Auth, World
from tests.jobs.conftest import ASYNC, Ended
from tests.waiting import until

ROSTER = "username,family_name,course_key\n{0}-1,One,{1}\n{0}-2,Two,{1}\n{0}-2,Two,nowhere\n"
CSV = {"content-type": "text/csv"}


def roster(world: World) -> dict[str, Any]:
    return {
        "content": ROSTER.format(f"new-{world.department.lower()}", world.course),
        "headers": {**CSV, **ASYNC},
    }


async def left(client: httpx.AsyncClient, method: str, path: str, **given: Any) -> str:
    given["headers"] = given.get("headers", {}) | ASYNC
    answer = await client.request(method, path, **given)
    assert answer.status_code == 202, answer.text
    assert answer.headers["preference-applied"] == "respond-async"
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"
    return str(answer.headers["location"])


async def test_an_import_becomes_a_job(
    client: httpx.AsyncClient, world: World, sql: SQL, ended: Ended
) -> None:
    location = await left(client, "POST", "/v1/import/roster", **roster(world))
    job = await ended(location)
    assert job == {
        "id": int(location.rpartition("/")[2]),
        "course_id": None,
        "kind": "import",
        "request": "POST /v1/import/roster",
        "state": "succeeded",
        "is_being_cancelled": False,
        "total": 3,
        "attempted": 3,
        "succeeded": 2,
        "skipped": 0,
        "preassigned": 0,
        "failed": 1,
        "rows_per_second": job["rows_per_second"],
        "seconds_left": None,
        "result": None,
        "output": {
            "media_type": "application/json",
            "bytes": job["output"]["bytes"],
            "parts": 1,
            "headers": {},
        },
        "error": None,
        "created_by": "root",
        "created_at": job["created_at"],
        "started_at": job["started_at"],
        "finished_at": job["finished_at"],
    }
    answer = await client.get(f"{location}/results")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert len(answer.content) == job["output"]["bytes"]
    again = await client.post("/v1/import/roster", content=roster(world)["content"], headers=CSV)
    results = [row["result"] for row in answer.json()["rows"]]
    assert results == ["created", "created", "refused"]
    assert answer.json()["rows"][2] == again.json()["rows"][2]
    number = job["id"]
    assert await sql("SELECT side FROM job_parts WHERE job_id = :id", id=number) == [("output",)]
    ((asker,),) = await sql("SELECT asker FROM jobs WHERE id = :id", id=number)
    assert asker is None
    lines = await sql(
        "SELECT DISTINCT actor FROM changes WHERE course_id = :id", id=world.course_id
    )
    assert ("root",) in lines


async def test_the_answer_is_that_of_the_request_to_the_byte(
    client: httpx.AsyncClient, world: World, ended: Ended
) -> None:
    partition = await world.add_partition("TD")
    await world.add_group(partition, "A")
    rows = {"rows": [{"user_id": user, "group": "A"} for user in world.users], "dry_run": True}
    table = f"course_key,partition,group\n{world.course},TD,B\n{world.course},TD,\n"
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", f"/v1/partitions/{partition}/assignments", {"json": rows}),
        ("POST", "/v1/import/structure?dry_run=true", {"content": table, "headers": CSV}),
        ("POST", "/v1/import/structure.csv?dry_run=true", {"content": table, "headers": CSV}),
        ("GET", f"/v1/export/roster?course_id={world.course_id}&separator=tab", {}),
        ("GET", f"/v1/partitions/{partition}/export?as=canvas-groups", {}),
    ]
    for method, path, given in requests:
        at_once = await client.request(method, path, **given)
        assert at_once.status_code == 200, at_once.text
        location = await left(client, method, path, **given)
        job = await ended(location)
        assert job["state"] == "succeeded", job
        answer = await client.get(f"{location}/results")
        assert answer.content == at_once.content
        for name in ("content-type", "content-disposition", "left-out"):
            assert answer.headers.get(name) == at_once.headers.get(name)
        assert answer.headers["content-length"] == str(len(at_once.content))


async def test_a_workbook_is_kept_too(
    client: httpx.AsyncClient, world: World, ended: Ended
) -> None:
    path = f"/v1/export/roster?course_id={world.course_id}&xlsx=true"
    location = await left(client, "GET", path)
    assert (await ended(location))["total"] == 5
    answer = await client.get(f"{location}/results")
    assert answer.content[:2] == b"PK"
    back = await client.post(
        "/v1/import/roster?dry_run=true",
        content=answer.content,
        headers={"content-type": answer.headers["content-type"]},
    )
    assert back.json()["counts"] == {"unchanged": 5}


async def test_an_undo_may_be_left(client: httpx.AsyncClient, world: World, ended: Ended) -> None:
    partition = await world.add_partition("TD")
    made = await client.post(f"/v1/partitions/{partition}/groups", json={"name": "A"})
    changes = (await client.get(f"/v1/changes?course_id={world.course_id}")).json()["items"]
    location = await left(client, "POST", f"/v1/changesets/{changes[0]['changeset_id']}/undo")
    job = await ended(location)
    assert (job["state"], job["kind"]) == ("succeeded", "undo")
    assert (await client.get(f"/v1/groups/{made.json()['id']}")).status_code == 404
    assert (await client.get(f"{location}/results")).json()["counts"] == {"group.deleted": 1}


async def test_what_is_not_well_formed_is_refused_at_once(
    client: httpx.AsyncClient, world: World, sql: SQL
) -> None:
    before = await sql("SELECT count(*) FROM jobs")
    partition = await world.add_partition("TD")
    path = f"/v1/partitions/{partition}/assignments"
    for given, status in (
        ({"url": "/v1/import/roster?mode=perhaps", "content": b""}, 422),
        ({"url": path, "content": b"{", "headers": {"content-type": "application/json"}}, 400),
        ({"url": "/v1/import/nothing", "content": b""}, 404),
    ):
        given["headers"] = {**CSV, **ASYNC, **given.get("headers", {})}
        answer = await client.post(**given)
        assert answer.status_code == status, answer.text
    assert await sql("SELECT count(*) FROM jobs") == before


async def test_a_request_that_is_refused_fails_its_job(
    client: httpx.AsyncClient, world: World, ended: Ended
) -> None:
    location = await left(client, "POST", "/v1/partitions/999999999/assignments", json={"rows": []})
    job = await ended(location)
    assert (job["state"], job["output"]) == ("failed", None)
    assert job["error"] == {
        "code": "not_found",
        "message": "no such partition",
        "status": 404,
    }
    answer = await client.get(f"{location}/results")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_failed")
    wrong = {"content": b"not,a\ntable", "headers": CSV}
    job = await ended(await left(client, "POST", "/v1/import/roster", **wrong))
    assert (job["state"], job["error"]["status"]) == ("failed", 422)


async def test_a_key_makes_one_job(client: httpx.AsyncClient, world: World, sql: SQL) -> None:
    given = roster(world)
    given["headers"] |= {"idempotency-key": f"key-{world.department}"}
    first, second = [await client.post("/v1/import/roster", **given) for _ in range(2)]
    assert (first.status_code, second.status_code) == (202, 202)
    assert second.headers["idempotent-replayed"] == "true"
    assert first.headers["location"] == second.headers["location"]


async def test_jobs_are_listed_for_whoever_left_them(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, auth: Auth, world: World, ended: Ended
) -> None:
    mine = auth("groups:read", subject=f"me-{world.department}")
    path = f"/v1/export/roster?course_id={world.course_id}"
    locations = [await left(anonymous, "GET", path, headers=mine) for _ in range(3)]
    for location in locations:
        await ended(location)
    page = (await anonymous.get("/v1/jobs?limit=2", headers=mine)).json()
    rest = (await anonymous.get(f"/v1/jobs?cursor={page['next_cursor']}", headers=mine)).json()
    found = [job["id"] for job in page["items"] + rest["items"]]
    assert [f"/v1/jobs/{each}" for each in found] == locations[::-1]
    other = auth("groups:read", "groups:write", subject="somebody")
    assert (await anonymous.get("/v1/jobs", headers=other)).json()["items"] == []
    for method, ending in (
        ("GET", ""),
        ("GET", "/results"),
        ("POST", "/cancel"),
        ("GET", "/events"),
    ):
        answer = await anonymous.request(method, locations[0] + ending, headers=other)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    # Administrators see how far it is, and not whom it names.
    assert (await client.get(locations[0])).status_code == 200
    assert (await client.get(f"{locations[0]}/results")).status_code == 404
    assert (await anonymous.get(f"{locations[0]}/results", headers=mine)).status_code == 200
    lost = auth("groups:read@department:elsewhere", subject=f"me-{world.department}")
    answer = await anonymous.get(f"{locations[0]}/results", headers=lost)
    assert answer.status_code in (403, 404)


async def test_answers_are_forgotten_before_jobs_are(
    client: httpx.AsyncClient, world: World, sql: SQL, ended: Ended
) -> None:
    location = await left(client, "GET", f"/v1/export/roster?course_id={world.course_id}")
    job = await ended(location)
    await sql("UPDATE jobs SET output = NULL WHERE id = :id", id=job["id"])
    answer = await client.get(f"{location}/results")
    assert (answer.status_code, answer.json()["code"]) == (409, "answer_erased")


async def test_large_bodies_and_long_exports_become_jobs_by_themselves(
    small: httpx.AsyncClient, world: World, ended: Ended
) -> None:
    content = ROSTER.format(f"new-{world.department.lower()}", world.course)
    assert len(content) < 200
    at_once = await small.post("/v1/import/roster?dry_run=true", content=content, headers=CSV)
    assert at_once.status_code == 200
    later = await small.post(
        "/v1/import/roster?dry_run=true", content=content + "\n" * 200, headers=CSV
    )
    assert later.status_code == 202
    assert "preference-applied" not in later.headers
    job = await ended(later.headers["location"])
    assert (job["state"], job["total"]) == ("succeeded", 3)

    async def parts() -> Any:
        for line in content.splitlines(keepends=True) * 2:
            yield line.encode()

    chunked = await small.post("/v1/import/roster?dry_run=true", content=parts(), headers=CSV)
    assert chunked.status_code == 202
    await ended(chunked.headers["location"])


async def test_a_caller_has_so_many_waiting(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, auth: Auth, sql: SQL, world: World
) -> None:
    subject = f"busy-{world.department}"
    await sql(
        "INSERT INTO jobs (kind, created_by) SELECT 'of another program', :who"
        " FROM generate_series(1, 20)",
        who=subject,
    )
    path = f"/v1/export/roster?course_id={world.course_id}"
    answer = await anonymous.get(path, headers={**auth("groups:read", subject=subject), **ASYNC})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_jobs")
    await sql("DELETE FROM jobs WHERE created_by = :who", who=subject)


@pytest.mark.parametrize("prefer", ["RESPOND-ASYNC", "wait=10, respond-async", "respond-async;x=1"])
async def test_how_clients_may_say_it(client: httpx.AsyncClient, world: World, prefer: str) -> None:
    path = f"/v1/export/courses?course_id={world.course_id}"
    assert (await client.get(path, headers={"prefer": prefer})).status_code == 202
    for other in ("wait=10", "return=minimal", "respond-asynchronously"):
        assert (await client.get(path, headers={"prefer": other})).status_code == 200
    assert (await client.head(path, headers={"prefer": prefer})).status_code == 200


async def test_what_stands_in_the_answer_of_a_job(client: httpx.AsyncClient, world: World) -> None:
    given = roster(world)
    location = (await client.post("/v1/import/roster", **given)).headers["location"]

    async def answered() -> httpx.Response | None:
        found = await client.get(f"{location}/results")
        if found.status_code != 200:
            assert (found.status_code, found.json()["code"]) == (409, "job_open")
            return None
        return found

    answer = await until(answered)
    assert answer is not None
    assert json.loads(answer.content)["kind"] == "roster"
