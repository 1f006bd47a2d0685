"""What changes here is told by the native journal, in ScoDoc's words when it is asked to."""

from typing import Any

import httpx
import pytest

from tests.api.scodoc.conftest import Caller, MakeCaller, Semester


async def lines(client: httpx.AsyncClient, semester: Semester, **query: Any) -> list[Any]:
    """The journal of the semester in ScoDoc's words, oldest first."""
    params = {"as": "scodoc", "course_id": semester.id, "limit": 200, **query}
    answer = await client.get("/v1/changes", params=params)
    assert answer.status_code == 200, answer.text
    return list(reversed(answer.json()["items"]))


def line(semester: Semester, number: int, method: str, msg: str) -> dict[str, Any]:
    return {
        "method": method,
        "msg": msg,
        "etudid": semester.students[number],
        "author": "prof",
        "formsemestre_id": semester.id,
    }


def apart(found: list[Any]) -> list[Any]:
    """The lines without when it was and in which changeset."""
    return [
        {name: each[name] for name in each if name not in ("date", "changeset_id")}
        for each in found
    ]


@pytest.fixture
def prof(make_caller: MakeCaller) -> Caller:
    return make_caller("groups:write", subject="prof")


async def test_students_who_come_move_and_go(
    client: httpx.AsyncClient, prof: Caller, semester: Semester
) -> None:
    student = semester.students[0]
    for path in (
        f"/group/{semester.a}/set_etudiant/{student}",
        f"/group/{semester.a}/set_etudiant/{student}",
        f"/group/{semester.b}/set_etudiant/{student}",
        f"/group/{semester.a}/remove_etudiant/{student}",
        f"/group/{semester.b}/remove_etudiant/{student}",
        f"/partition/{semester.td}/remove_etudiant/{student}",
        f"/group/{semester.a}/set_etudiant/{student}",
        f"/partition/{semester.td}/remove_etudiant/{student}",
    ):
        assert (await prof.post(path)).status_code == 200
    into = f"formsemestre_id={semester.id},partition_name=TD, group_name="
    assert apart(await lines(client, semester)) == [
        line(semester, 0, "changeGroup", f"{into}A"),
        line(semester, 0, "changeGroup", f"{into}B"),
        line(semester, 0, "group_remove_etud", "Retrait du groupe B de TD"),
        line(semester, 0, "changeGroup", f"{into}A"),
        line(semester, 0, "partition_remove_etud", "Retrait du groupe A de TD"),
    ]


@pytest.mark.parametrize(
    ("path", "method"),
    [("/group/{0.a}/delete", "group_delete"), ("/partition/{0.td}/delete", "partition_delete")],
)
async def test_who_leaves_because_something_is_deleted(
    client: httpx.AsyncClient, prof: Caller, semester: Semester, path: str, method: str
) -> None:
    await semester.put(semester.a, *semester.students[:2])
    assert (await prof.post(path.format(semester))).status_code == 200
    found = await lines(client, semester, actor="prof")
    assert apart(found) == [
        line(semester, number, method, "Retrait du groupe A de TD") for number in (0, 1)
    ]
    assert found[0]["changeset_id"] == found[1]["changeset_id"]


async def test_names_are_those_of_the_time(
    client: httpx.AsyncClient, prof: Caller, semester: Semester
) -> None:
    student = semester.students[0]
    await prof.post(f"/group/{semester.a}/set_etudiant/{student}")
    await prof.post(f"/group/{semester.a}/edit", json={"group_name": "Z"})
    await prof.post(f"/partition/{semester.td}/edit", json={"partition_name": "Travaux"})
    await prof.post(f"/group/{semester.a}/remove_etudiant/{student}")
    assert [each["msg"] for each in await lines(client, semester)] == [
        f"formsemestre_id={semester.id},partition_name=TD, group_name=A",
        "Retrait du groupe Z de Travaux",
    ]


async def test_the_author_is_the_login(
    anonymous: httpx.AsyncClient, client: httpx.AsyncClient, semester: Semester
) -> None:
    body = {"secret": "correct horse", "grants": ["EtudChangeGroups"]}
    name = f"secretariat-{semester.id}"
    await client.put(f"/v1/accounts/{name}", json=body)
    answer = await anonymous.post("/ScoDoc/api/tokens", auth=(name, "correct horse"))
    headers = {"authorization": f"Bearer {answer.json()['token']}"}
    path = f"/ScoDoc/api/group/{semester.a}/set_etudiant/{semester.students[0]}"
    assert (await anonymous.post(path, headers=headers)).status_code == 200
    (found,) = await lines(client, semester)
    assert found["author"] == name


async def test_pages_and_filters(
    client: httpx.AsyncClient, prof: Caller, semester: Semester
) -> None:
    for student in semester.students:
        await prof.post(f"/group/{semester.a}/set_etudiant/{student}")
    await prof.post(f"/group/{semester.a}/edit", json={"group_name": "Z"})
    query: dict[str, Any] = {"as": "scodoc", "course_id": semester.id, "limit": 2}
    found: list[Any] = []
    while True:
        page = (await client.get("/v1/changes", params=query)).json()
        found += page["items"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert [each["etudid"] for each in found] == semester.students[::-1]
    (own,) = await lines(client, semester, user_id=semester.students[1])
    assert own["etudid"] == semester.students[1]
    assert await lines(client, semester, kind="group.updated") == []


async def test_a_journal_that_there_is_not(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/changes", params={"as": "moodle"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_every_write_here_leaves_its_line_natively(
    client: httpx.AsyncClient, prof: Caller, semester: Semester
) -> None:
    created = await prof.post(f"/partition/{semester.td}/group/create", json={"group_name": "C"})
    await prof.post(f"/partition/{semester.td}/groups/order", json=[created.json()["id"]])
    await prof.post(f"/formsemestre/{semester.id}/save_groups_auto_assignment", json={"a": 1})
    answer = await client.get("/v1/changes", params={"course_id": semester.id, "actor": "prof"})
    kinds = [each["kind"] for each in reversed(answer.json()["items"])]
    assert kinds == ["group.created", *["group.updated"] * 2, "auto_assignment.created"]
