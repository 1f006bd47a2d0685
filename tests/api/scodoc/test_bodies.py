"""Bodies: JSON whatever the content type, and not read where there is nothing to read."""

import json
from typing import Any

import pytest

from tests.api.scodoc.conftest import Caller, Semester, refused, told

NOT_JSON = "le corps de la requête n'est pas du JSON"
TYPES = [
    None,
    "",
    "application/json",
    "application/json; charset=utf-8",
    "application/json; charset=latin-1",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "text/html",
    "application/octet-stream",
    "rubbish",
]


def typed(caller: Caller, media_type: str | None) -> Caller:
    more = {} if media_type is None else {"content-type": media_type}
    return Caller(caller.client, caller.prefix, {**caller.headers, **more})


@pytest.mark.parametrize("media_type", TYPES)
async def test_json_under_any_content_type(
    writer: Caller, semester: Semester, media_type: str | None
) -> None:
    caller = typed(writer, media_type)
    bodies: list[tuple[str, Any]] = [
        (f"/partition/{semester.td}/group/create", {"group_name": "é"}),
        (f"/group/{semester.a}/edit", {"group_name": "ê"}),
        (f"/formsemestre/{semester.id}/partition/create", {"partition_name": "ë"}),
        (f"/partition/{semester.td}/edit", {"numero": 3}),
        (f"/formsemestre/{semester.id}/partitions/order", [semester.tp]),
        (f"/partition/{semester.td}/groups/order", [semester.b]),
        (f"/formsemestre/{semester.id}/save_groups_auto_assignment", ["è"]),
    ]
    for path, body in bodies:
        for content in (b"rubbish", b"", json.dumps("é", ensure_ascii=False).encode("latin-1")):
            refused(await caller.post(path, content=content), 400, NOT_JSON)
        content = json.dumps(body, ensure_ascii=False).encode()
        assert (await caller.post(path, content=content)).status_code == 200


@pytest.mark.parametrize("content", [b"", b"{}", b"rubbish", b"[" * 1000, b"\xff\x00", b"null"])
@pytest.mark.parametrize("media_type", [None, "application/json", "text/plain"])
async def test_routes_without_parameters_do_not_read_the_body(
    writer: Caller, semester: Semester, content: bytes, media_type: str | None
) -> None:
    caller, student = typed(writer, media_type), semester.students[0]
    for path in (
        f"/group/{semester.a}/set_etudiant/{student}",
        f"/group/{semester.a}/remove_etudiant/{student}",
        f"/partition/{semester.td}/remove_etudiant/{student}",
        f"/group/{semester.a}/set_edt_id/x",
        f"/group/{semester.a}/delete",
        f"/partition/{semester.td}/delete",
    ):
        assert (await caller.post(path, content=content)).status_code == 200


@pytest.mark.parametrize(
    "content",
    [
        b'\xef\xbb\xbf{"group_name": "C"}',
        b' \n{"group_name": "C"}\r\n',
        b'{"group_name": "X", "group_name": "C"}',
        b'{"group_name": "\\u0043", "x": "\\u0000 \\ud800", "y": [[[[[[[[]]]]]]]]}',
        b'{"group_name": "C", "big": ' + b"9" * 5000 + b"}",
        b'{"group_name": "C", "big": 1e400}',
    ],
)
async def test_json_that_is_read(writer: Caller, semester: Semester, content: bytes) -> None:
    path = f"/partition/{semester.td}/group/create"
    answer = await writer.post(path, content=content)
    assert (answer.status_code, answer.json()["group_name"]) == (200, "C")


@pytest.mark.parametrize(
    "content",
    [
        b"{'group_name': 'C'}",
        b'{"group_name": "C"} x',
        b'{"group_name": "C",}',
        b'{"group_name": "C", "x": Infinity}',
        b'{"group_name": "C", "x": -Infinity}',
        b'{"group_name": "C\n"}',
        b'{"group_name": "\\x"}',
        b"group_name=C",
        '{"group_name": "C"}'.encode("utf-16"),
        b'{"x":' * 50_000 + b"1" + b"}" * 50_000,
    ],
)
async def test_what_is_not_json(writer: Caller, semester: Semester, content: bytes) -> None:
    path = f"/partition/{semester.td}/group/create"
    refused(await writer.post(path, content=content), 400, NOT_JSON)


async def test_a_body_that_is_too_large(writer: Caller, semester: Semester) -> None:
    path = f"/partition/{semester.td}/group/create"
    content = json.dumps({"group_name": "C", "x": "x" * 2_000_000}).encode()
    status, body = told(await writer.post(path, content=content))
    assert (status, body["status"], body["message"]) == (413, 413, "the body is too large")


async def test_a_body_that_comes_in_pieces_and_is_too_large(
    writer: Caller, semester: Semester
) -> None:
    async def pieces() -> Any:
        for _ in range(40):
            yield b" " * 65_536

    path = f"/partition/{semester.td}/group/create"
    status, body = told(await writer.post(path, content=pieces()))
    assert (status, body["status"], body["message"]) == (413, 413, "the body is too large")


async def test_a_name_in_two_ways_of_writing_is_one_name(
    writer: Caller, semester: Semester
) -> None:
    path = f"/partition/{semester.td}/group/create"
    composed, decomposed = "\u00e9", "e\u0301"
    assert (await writer.post(path, json={"group_name": decomposed})).status_code == 200
    answer = await writer.post(path, json={"group_name": composed})
    refused(answer, 400, "invalid group_name")


async def test_an_idempotency_key_has_no_meaning_here(writer: Caller, semester: Semester) -> None:
    key = {"idempotency-key": "the-same-key"}
    caller = Caller(writer.client, writer.prefix, {**writer.headers, **key})
    path = f"/partition/{semester.td}/group/create"
    assert (await caller.post(path, json={"group_name": "C"})).status_code == 200
    refused(await caller.post(path, json={"group_name": "C"}), 400, "invalid group_name")
    assert (await caller.post(path, json={"group_name": "D"})).status_code == 200


@pytest.mark.parametrize("ending", ["group/create", "nowhere"])
async def test_the_size_of_a_body_before_the_route_and_the_caller(
    writer: Caller, semester: Semester, ending: str
) -> None:
    path = f"{writer.prefix}/partition/{semester.td}/{ending}"
    answer = await writer.client.post(path, content=b" " * 2_000_000)
    refused(answer, 413, "the body is too large")
