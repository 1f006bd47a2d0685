"""The Parcours partition: what may be changed of it, and whose parcours follow from it."""

from typing import Any

import httpx
import pytest

from tests.api.scodoc.conftest import NOT_EDITABLE, Caller, Semester, refused, told
from tests.conftest import SQL

Tracks = dict[str, Any]


def shown(semester: Semester, parcours: Tracks, **other: Any) -> dict[str, Any]:
    groups = {
        str(group["id"]): semester.group(
            parcours["id"], group["id"], group["name"], numero=group["position"] - 1
        )
        for group in parcours["groups"]
    }
    defaults = {"numero": 2, "groups_editable": False, "groups": groups}
    return semester.partition(parcours["id"], "Parcours", **{**defaults, **other})


async def tracks(sql: SQL, semester: Semester) -> list[str | None]:
    rows = await sql(
        "SELECT track FROM enrollments WHERE course_id = :id ORDER BY user_id", id=semester.id
    )
    return [track for (track,) in rows]


async def test_it_is_listed_with_a_group_for_each_code(
    api: Caller, semester: Semester, parcours: Tracks
) -> None:
    answer = await api.get(f"/partition/{parcours['id']}")
    assert told(answer) == (200, shown(semester, parcours))
    listed = (await api.get(f"/formsemestre/{semester.id}/partitions")).json()
    assert listed[str(parcours["id"])] == shown(semester, parcours)


@pytest.mark.parametrize("name", ["X", "", 5, " Parcours ", "TD"])
async def test_it_keeps_its_name(
    writer: Caller, semester: Semester, parcours: Tracks, name: Any
) -> None:
    path = f"/partition/{parcours['id']}/edit"
    answer = await writer.post(path, json={"partition_name": name, "numero": "x"})
    refused(answer, 400, "can't rename Parcours")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"groups_editable": True}, "can't change Parcours"),
        ({"groups_editable": True, "numero": 3, "show_in_lists": False}, "can't change Parcours"),
        ({"groups_editable": 1}, "invalid type for groups_editable"),
        ({"groups_editable": True, "numero": "x"}, "invalid type for numero"),
        ({"groups_editable": True, "show_in_lists": 2}, "invalid type for show_in_lists"),
    ],
)
async def test_its_groups_stay_as_they_are(
    api: Caller, semester: Semester, parcours: Tracks, body: dict[str, Any], message: str
) -> None:
    path = f"/partition/{parcours['id']}"
    refused(await api.post(f"{path}/edit", json=body), 400, message)
    assert told(await api.get(path)) == (200, shown(semester, parcours))


async def test_the_rest_of_it_may_change(
    writer: Caller, semester: Semester, parcours: Tracks
) -> None:
    same = {"partition_name": "Parcours", "groups_editable": False}
    changes = {"numero": 0, "bul_show_rank": True, "show_in_lists": False}
    answer = await writer.post(f"/partition/{parcours['id']}/edit", json={**same, **changes})
    assert told(answer) == (200, shown(semester, parcours, **changes))


async def test_no_group_of_it_is_made_renamed_or_deleted(writer: Caller, parcours: Tracks) -> None:
    group = parcours["groups"][0]["id"]
    for path, body in (
        (f"/partition/{parcours['id']}/group/create", {"group_name": "X"}),
        (f"/group/{group}/edit", {"group_name": "X"}),
        (f"/group/{group}/delete", {}),
    ):
        refused(await writer.post(path, json=body), 403, NOT_EDITABLE)
    answer = await writer.post(f"/group/{group}/set_edt_id/E1")
    assert (answer.status_code, answer.json()["edt_id"]) == (200, "E1")


async def test_parcours_follow_the_membership(
    writer: Caller, semester: Semester, parcours: Tracks, sql: SQL
) -> None:
    bdd, web = (group["id"] for group in parcours["groups"])
    first, second = semester.students[:2]
    for path in (
        f"/group/{bdd}/set_etudiant/{first}",
        f"/group/{bdd}/set_etudiant/{second}",
        f"/group/{web}/set_etudiant/{second}",
        f"/group/{semester.a}/set_etudiant/{first}",
        f"/group/{semester.a}/remove_etudiant/{first}",
    ):
        assert (await writer.post(path)).status_code == 200
    assert await tracks(sql, semester) == ["BDD", "DevWeb", None, None, None]
    await writer.post(f"/group/{bdd}/remove_etudiant/{first}")
    await writer.post(f"/partition/{parcours['id']}/remove_etudiant/{second}")
    assert await tracks(sql, semester) == [None] * 5


async def test_deleting_it_clears_the_parcours(
    writer: Caller, semester: Semester, parcours: Tracks, sql: SQL
) -> None:
    for number, group in enumerate(parcours["groups"]):
        path = f"/group/{group['id']}/set_etudiant/{semester.students[number]}"
        await writer.post(path)
    assert await tracks(sql, semester) == ["BDD", "DevWeb", None, None, None]
    answer = await writer.post(f"/partition/{parcours['id']}/delete")
    assert told(answer) == (200, {"OK": True})
    assert await tracks(sql, semester) == [None] * 5
    path = f"/formsemestre/{semester.id}/partition/create"
    answer = await writer.post(path, json={"partition_name": "Parcours"})
    refused(answer, 400, "invalid partition_name Parcours")


async def test_no_face_gives_its_name_to_another_partition(
    client: httpx.AsyncClient, semester: Semester
) -> None:
    """Or readers would take that one for it."""
    made = await client.post(f"/v1/courses/{semester.id}/partitions", json={"name": "Parcours"})
    renamed = await client.patch(f"/v1/partitions/{semester.td}", json={"name": " Parcours"})
    for answer in (made, renamed):
        assert (answer.status_code, answer.json()["code"]) == (409, "reserved_name")


async def test_natively_too_it_keeps_its_name_and_may_change_otherwise(
    client: httpx.AsyncClient, parcours: Tracks
) -> None:
    path = f"/v1/partitions/{parcours['id']}"
    answer = await client.patch(path, json={"name": "Parcours", "show_in_lists": False})
    assert (answer.status_code, answer.json()["show_in_lists"]) == (200, False)
    answer = await client.patch(path, json={"name": "X"})
    assert (answer.status_code, answer.json()["code"]) == (409, "tracks_partition")
