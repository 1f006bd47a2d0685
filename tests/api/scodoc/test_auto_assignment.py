"""The document that the group editor keeps."""

import json
from pathlib import Path

import httpx
import pytest
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.api.scodoc.conftest import LOCKED, NOBODY, NOT_FOUND, Caller, Semester, refused, told
from tests.conftest import SQL, UNHURRIED, Auth, serving

NOT_JSON = "le corps de la requête n'est pas du JSON"


def paths(semester: Semester) -> tuple[str, str]:
    path = f"/formsemestre/{semester.id}"
    return f"{path}/get_groups_auto_assignment", f"{path}/save_groups_auto_assignment"


async def test_nothing_was_saved_yet(api: Caller, semester: Semester) -> None:
    get, _ = paths(semester)
    assert told(await api.get(get)) == (200, {})


@pytest.mark.parametrize(
    "content",
    [
        '{"z": 1, "a": [1.50, 1e999, 123456789012345678901234567890], "a": null}',
        " [ ] ",
        "null",
        '"\\u0000 \\ud800 é"',
        "[" * 500 + "]" * 500,
    ],
)
async def test_it_comes_back_to_the_letter(api: Caller, semester: Semester, content: str) -> None:
    get, save = paths(semester)
    assert told(await api.post(save, content=b"[1]")) == (200, {"OK": True})
    assert told(await api.post(save, content=content.encode())) == (200, {"OK": True})
    answer = await api.get(get)
    assert answer.headers["content-type"] == "application/json"
    assert (answer.status_code, answer.text) == (200, content)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"[NaN]", b"\xff", b"[" * 100_000])
async def test_what_is_not_json(api: Caller, semester: Semester, content: bytes) -> None:
    _, save = paths(semester)
    refused(await api.post(save, content=content), 400, NOT_JSON)


async def test_the_row_and_the_lock_before_the_body(api: Caller, semester: Semester) -> None:
    get, save = paths(semester)
    nowhere = f"/formsemestre/{NOBODY}"
    refused(await api.get(f"{nowhere}/get_groups_auto_assignment"), 404, NOT_FOUND)
    answer = await api.post(f"{nowhere}/save_groups_auto_assignment", content=b"rubbish")
    refused(answer, 404, NOT_FOUND)
    await semester.lock()
    refused(await api.post(save, content=b"rubbish"), 403, LOCKED)
    assert told(await api.get(get)) == (200, {})


async def test_how_large_it_may_be(api: Caller, semester: Semester) -> None:
    get, save = paths(semester)
    content = json.dumps("x" * (1_048_576 - 2)).encode()
    assert (await api.post(save, content=content)).status_code == 200
    assert (await api.get(get)).content == content
    refused(await api.post(save, content=content + b" "), 413, "the body is too large")


async def test_how_large_it_may_be_where_bodies_may_be_larger(
    url: URL, home: Path, auth: Auth, semester: Semester
) -> None:
    _, save = paths(semester)
    app = create_app(Settings(max_body=4_194_304, **UNHURRIED), url, home)
    async with serving(app) as client:
        caller = Caller(client, "/ScoDoc/api", auth("groups:write"))
        for content in (b" " * 1_048_575 + b"1", b"rubbish" * 200_000):
            answer = await caller.post(save, content=content)
            if len(content) > 1_048_576:
                refused(answer, 413, "data too large")
            else:
                assert answer.status_code == 200
        await semester.lock()
        refused(await caller.post(save, content=b"rubbish" * 200_000), 403, LOCKED)


async def test_the_log_tells_that_it_was_saved_and_not_what(
    api: Caller, semester: Semester
) -> None:
    _, save = paths(semester)
    for content in (b'"Secret"', b'"Secret"', b'"Other secret"'):
        await api.post(save, content=content)
    lines = await semester.world.log("auto_assignment.%")
    assert [line[0] for line in lines] == ["auto_assignment.created", "auto_assignment.updated"]
    assert all(set(line[4]) == {"course_id", "saved_at"} for line in lines)


async def test_it_goes_with_the_course(
    api: Caller, client: httpx.AsyncClient, semester: Semester, sql: SQL
) -> None:
    _, save = paths(semester)
    await api.post(save, content=b"[1]")
    assert (await client.delete(f"/v1/courses/{semester.id}")).status_code == 204
    found = await sql("SELECT 1 FROM auto_assignments WHERE course_id = :id", id=semester.id)
    assert found == []
    assert [line[0] for line in await semester.world.log("auto_assignment.%")][-1] == (
        "auto_assignment.deleted"
    )
