"""Routes 8 to 10 and the timetable id: groups are created, renamed, deleted."""

import json
from typing import Any

import pytest

from tests.api.scodoc.conftest import (
    LOCKED,
    NOBODY,
    NOT_EDITABLE,
    NOT_FOUND,
    Caller,
    Semester,
    refused,
    told,
)
from tests.conftest import SQL

MISSING = "missing group name or invalid data format"
INVALID = "invalid group_name"
NOT_JSON = "le corps de la requête n'est pas du JSON"
NOT_AN_OBJECT = "le corps de la requête n'est pas un objet JSON"


async def test_a_group_is_created(writer: Caller, semester: Semester) -> None:
    answer = await writer.post(
        f"/partition/{semester.td}/group/create", json={"group_name": "  T&Dé ", "autre": 1}
    )
    status, group = told(answer)
    partition = semester.partition(semester.td, "TD")
    assert (status, group) == (
        200,
        {**semester.group(semester.td, group["id"], "T&Dé"), "partition": partition},
    )
    row = await semester.row("groups", group["id"])
    assert (row["name"], row["partition_id"]) == ("T&Dé", semester.td)


async def test_groups_that_were_never_ordered_list_by_name(api: Caller, semester: Semester) -> None:
    for name in ("C", "A", "B"):
        path = f"/partition/{semester.tp}/group/create"
        assert (await api.post(path, json={"group_name": name})).json()["numero"] == 0
    groups = (await api.get(f"/partition/{semester.tp}")).json()["groups"]
    assert [group["group_name"] for group in groups.values()] == ["A", "B", "C"]


@pytest.mark.parametrize("partition", [NOBODY, 10**30])
async def test_create_in_a_partition_that_there_is_not(writer: Caller, partition: int) -> None:
    answer = await writer.post(f"/partition/{partition}/group/create", content=b"rubbish")
    refused(answer, 404, NOT_FOUND)


async def test_create_checks_in_order(writer: Caller, semester: Semester, sql: SQL) -> None:
    path = f"/partition/{semester.td}/group/create"
    await sql("UPDATE partitions SET groups_editable = false WHERE id = :id", id=semester.td)
    refused(await writer.post(path, content=b"rubbish"), 403, NOT_EDITABLE)
    await semester.lock()
    refused(await writer.post(path, content=b"rubbish"), 403, LOCKED)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", NOT_JSON),
        (b"rubbish", NOT_JSON),
        (b"{", NOT_JSON),
        (b"\xff", NOT_JSON),
        (b'{"group_name": NaN}', NOT_JSON),
        (b"{}", MISSING),
        (b'{"group_name": null}', MISSING),
        (b'{"name": "A"}', MISSING),
        (b"[]", MISSING),
        (b'["group_name"]', MISSING),
        (b'"group_name"', MISSING),
        (b"null", MISSING),
        (b"5", MISSING),
        (b"true", MISSING),
        (b'{"group_name": ""}', INVALID),
        (b'{"group_name": " \\t\\n\\u00a0"}', INVALID),
        (b'{"group_name": 5}', INVALID),
        (b'{"group_name": true}', INVALID),
        (b'{"group_name": false}', INVALID),
        (b'{"group_name": 0}', INVALID),
        (b'{"group_name": ["A"]}', INVALID),
        (b'{"group_name": {}}', INVALID),
        (b'{"group_name": "A"}', INVALID),
        (b'{"group_name": " B "}', INVALID),
        (b'{"group_name": "C\\u0000"}', INVALID),
        (b'{"group_name": "\\ud800"}', INVALID),
        (b'{"group_name": "' + 64 * b"x" + b'"}', INVALID),
        (b'{"group_name": "' + 300 * b"x" + b'"}', INVALID),
    ],
)
async def test_names_that_are_refused(
    writer: Caller, semester: Semester, content: bytes, message: str
) -> None:
    before = await semester.world.log()
    answer = await writer.post(f"/partition/{semester.td}/group/create", content=content)
    refused(answer, 400, message)
    assert await semester.world.log() == before


@pytest.mark.parametrize(
    "name", ["a", "Á", "é" * 63, "  " + "x" * 63 + "  ", "0", "null", "A/B", "‮"]
)
async def test_names_that_are_taken_as_they_are(
    writer: Caller, semester: Semester, name: str
) -> None:
    path = f"/partition/{semester.td}/group/create"
    answer = await writer.post(path, json={"group_name": name})
    assert (answer.status_code, answer.json()["group_name"]) == (200, name.strip())


async def test_a_name_may_be_used_again_in_another_partition(
    writer: Caller, semester: Semester
) -> None:
    path = f"/partition/{semester.tp}/group/create"
    assert (await writer.post(path, json={"group_name": "A"})).status_code == 200


async def test_no_group_is_made_in_the_default_partition(
    writer: Caller, semester: Semester
) -> None:
    path = f"/partition/{semester.default}/group/create"
    refused(await writer.post(path, json={"group_name": "A"}), 403, NOT_EDITABLE)


async def test_a_group_is_deleted_with_its_memberships(
    writer: Caller, semester: Semester, sql: SQL
) -> None:
    await semester.put(semester.a, *semester.students)
    answer = await writer.post(f"/group/{semester.a}/delete")
    assert told(answer) == (200, {"OK": True})
    assert await sql("SELECT 1 FROM groups WHERE id = :id", id=semester.a) == []
    ((enrolled,),) = await sql(
        "SELECT count(*) FROM enrollments WHERE course_id = :id", id=semester.id
    )
    assert enrolled == 5
    refused(await writer.post(f"/group/{semester.a}/delete"), 404, NOT_FOUND)


@pytest.mark.parametrize("verb", ["delete", "edit"])
async def test_changes_of_a_group_check_in_order(
    writer: Caller, semester: Semester, sql: SQL, verb: str
) -> None:
    for unknown in (NOBODY, 10**30):
        refused(await writer.post(f"/group/{unknown}/{verb}", content=b"x"), 404, NOT_FOUND)
    await sql("UPDATE partitions SET groups_editable = false WHERE id = :id", id=semester.td)
    path = f"/group/{semester.a}/{verb}"
    refused(await writer.post(path, content=b"x"), 403, NOT_EDITABLE)
    refused(await writer.post(f"/group/{semester.everybody}/{verb}"), 403, NOT_EDITABLE)
    await semester.lock()
    refused(await writer.post(path, content=b"x"), 403, LOCKED)


async def test_a_group_is_renamed(writer: Caller, semester: Semester) -> None:
    answer = await writer.post(f"/group/{semester.a}/edit", json={"group_name": " Été "})
    group = semester.group(semester.td, semester.a, "Été")
    partition = semester.partition(semester.td, "TD")
    assert told(answer) == (200, {**group, "partition": partition})


@pytest.mark.parametrize(
    "body", [{}, {"group_name": None}, {"autre": 1}, {"group_name": "A"}, {"group_name": " A "}]
)
async def test_an_edit_that_changes_nothing(
    writer: Caller, semester: Semester, body: dict[str, Any]
) -> None:
    before = await semester.world.log()
    answer = await writer.post(f"/group/{semester.a}/edit", json=body)
    group = semester.group(semester.td, semester.a, "A")
    assert told(answer) == (200, {**group, "partition": semester.partition(semester.td, "TD")})
    assert await semester.world.log() == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", NOT_JSON),
        (b"rubbish", NOT_JSON),
        (b"[]", NOT_AN_OBJECT),
        (b"null", NOT_AN_OBJECT),
        (b'"C"', NOT_AN_OBJECT),
        (b"5", NOT_AN_OBJECT),
        (b'{"group_name": ""}', INVALID),
        (b'{"group_name": "  "}', INVALID),
        (b'{"group_name": 5}', INVALID),
        (b'{"group_name": false}', INVALID),
        (b'{"group_name": ["C"]}', INVALID),
        (b'{"group_name": "B"}', INVALID),
        (b'{"group_name": " B"}', INVALID),
        (b'{"group_name": "C\\u0000"}', INVALID),
        (b'{"group_name": "\\udfff"}', INVALID),
        (b'{"group_name": "' + 64 * b"x" + b'"}', INVALID),
    ],
)
async def test_edits_that_are_refused(
    writer: Caller, semester: Semester, content: bytes, message: str
) -> None:
    answer = await writer.post(f"/group/{semester.a}/edit", content=content)
    refused(answer, 400, message)
    assert (await semester.row("groups", semester.a))["name"] == "A"


async def test_the_timetable_id(api: Caller, semester: Semester) -> None:
    created = await api.post(
        f"/partition/{semester.td}/group/create", json={"group_name": "C", "edt_id": "INFO-C"}
    )
    group = created.json()["id"]
    assert created.json()["edt_id"] == "INFO-C"
    path = f"/group/{group}/edit"
    for given, kept in (("X 1", "X 1"), (None, "X 1"), ("", None)):
        answer = await api.post(path, json={"edt_id": given})
        assert (answer.status_code, answer.json()["edt_id"]) == (200, kept)
        assert answer.json()["group_name"] == "C"
    groups = (await api.get(f"/partition/{semester.td}")).json()["groups"]
    assert groups[str(group)]["edt_id"] is None


@pytest.mark.parametrize("edt_id", [5, True, ["x"], "x" * 256, "a\x00", "\ud800"])
async def test_a_timetable_id_that_cannot_be(
    writer: Caller, semester: Semester, edt_id: Any
) -> None:
    for path, body in (
        (f"/partition/{semester.td}/group/create", {"group_name": "C", "edt_id": edt_id}),
        (f"/group/{semester.a}/edit", {"edt_id": edt_id}),
    ):
        answer = await writer.post(path, content=json.dumps(body).encode())
        refused(answer, 400, "invalid edt_id")


async def test_the_timetable_id_by_its_own_route(
    writer: Caller, semester: Semester, sql: SQL
) -> None:
    await sql("UPDATE partitions SET groups_editable = false WHERE id = :id", id=semester.td)
    answer = await writer.post(f"/group/{semester.a}/set_edt_id/INFO%20%C3%A9", json={})
    group = semester.group(semester.td, semester.a, "A", edt_id="INFO é")
    partition = semester.partition(semester.td, "TD", groups_editable=False)
    assert told(answer) == (200, {**group, "partition": partition})


async def test_the_timetable_id_checks_in_order(writer: Caller, semester: Semester) -> None:
    refused(await writer.post(f"/group/{NOBODY}/set_edt_id/x"), 404, NOT_FOUND)
    refused(await writer.post(f"/group/{semester.a}/set_edt_id/%00"), 400, "invalid edt_id")
    refused(await writer.post(f"/group/{semester.a}/set_edt_id/"), 404, NOT_FOUND)
    refused(await writer.post(f"/group/{semester.everybody}/set_edt_id/%00"), 403, NOT_EDITABLE)
    await semester.lock()
    for group in (semester.a, semester.everybody):
        refused(await writer.post(f"/group/{group}/set_edt_id/%00"), 403, LOCKED)


@pytest.mark.parametrize("path", ["/partition/{0.td}/group/create", "/group/{0.a}/edit"])
async def test_the_name_then_the_timetable_id_then_whether_the_name_is_taken(
    writer: Caller, semester: Semester, path: str
) -> None:
    for name, edt_id, message in (
        ("", 5, INVALID),
        ("B", 5, "invalid edt_id"),
        ("B", "x", INVALID),
    ):
        body = {"group_name": name, "edt_id": edt_id}
        refused(await writer.post(path.format(semester), json=body), 400, message)
    assert (await semester.row("groups", semester.a))["timetable_id"] is None


async def test_the_timetable_id_is_trimmed(writer: Caller, semester: Semester) -> None:
    path = f"/group/{semester.a}/set_edt_id"
    refused(await writer.post(f"{path}/%20"), 400, "invalid edt_id")
    answer = await writer.post(f"{path}/%20x%20")
    assert (answer.status_code, answer.json()["edt_id"]) == (200, "x")


async def test_the_name_of_another_writing_is_another_name(
    writer: Caller, semester: Semester
) -> None:
    path = f"/partition/{semester.td}/group/create"
    for name in ("a", "À", "à"):
        assert (await writer.post(path, json={"group_name": name})).status_code == 200
