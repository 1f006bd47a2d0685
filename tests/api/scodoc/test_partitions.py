"""Routes 11, 14 and 15: partitions are created, changed, deleted."""

import json
from typing import Any

import httpx
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

MISSING = "missing partition_name or invalid data format"
INVALID = "invalid partition_name"
RESERVED = "invalid partition_name Parcours"
NOT_JSON = "le corps de la requête n'est pas du JSON"
NOT_AN_OBJECT = "le corps de la requête n'est pas un objet JSON"
FLAGS = ("bul_show_rank", "show_in_lists", "groups_editable")
NUMBER = "invalid type for numero"


async def test_a_partition_is_created_with_its_defaults(writer: Caller, semester: Semester) -> None:
    path = f"/formsemestre/{semester.id}/partition/create"
    answer = await writer.post(path, json={"partition_name": " Langues ", "autre": [1]})
    status, found = told(answer)
    assert (status, found) == (
        200,
        semester.partition(found["id"], "Langues", show_in_lists=False, groups={}),
    )


async def test_a_partition_is_created_as_asked(api: Caller, semester: Semester) -> None:
    wanted = {
        "partition_name": "Langues",
        "numero": 7,
        "bul_show_rank": True,
        "show_in_lists": True,
        "groups_editable": False,
    }
    answer = await api.post(f"/formsemestre/{semester.id}/partition/create", json=wanted)
    status, found = told(answer)
    assert (status, found) == (200, semester.partition(found["id"], **name_apart(wanted)))
    assert told(await api.get(f"/partition/{found['id']}")) == (200, found)


def name_apart(wanted: dict[str, Any]) -> dict[str, Any]:
    return {"name": wanted.pop("partition_name"), "groups": {}, **wanted}


async def test_a_new_partition_comes_first_and_pushes_nobody(
    api: Caller, semester: Semester
) -> None:
    path = f"/formsemestre/{semester.id}"
    created = await api.post(f"{path}/partition/create", json={"partition_name": "0"})
    found = (await api.get(f"{path}/partitions")).json()
    assert [(each["partition_name"], each["numero"]) for each in found.values()] == [
        ("TD", 0),
        ("0", 0),
        ("TP", 1),
    ]
    assert str(created.json()["id"]) == list(found)[1]


@pytest.mark.parametrize("number", [-(2**31), -1, 0, 2**31 - 1])
async def test_numbers_of_32_bits(writer: Caller, semester: Semester, number: int) -> None:
    path = f"/formsemestre/{semester.id}/partition/create"
    answer = await writer.post(path, json={"partition_name": "X", "numero": number})
    assert (answer.status_code, answer.json()["numero"]) == (200, number)


@pytest.mark.parametrize("semestre", [NOBODY, 10**30])
async def test_create_in_a_semester_that_there_is_not(writer: Caller, semestre: int) -> None:
    answer = await writer.post(f"/formsemestre/{semestre}/partition/create", content=b"rubbish")
    refused(answer, 404, NOT_FOUND)


async def test_create_in_a_locked_semester(writer: Caller, semester: Semester) -> None:
    await semester.lock()
    path = f"/formsemestre/{semester.id}/partition/create"
    refused(await writer.post(path, content=b"rubbish"), 403, LOCKED)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", NOT_JSON),
        ("rubbish", NOT_JSON),
        ("[", NOT_JSON),
        ("{}", MISSING),
        ("[]", MISSING),
        ('["partition_name"]', MISSING),
        ("null", MISSING),
        ("3", MISSING),
        ('"TD"', MISSING),
        ('{"partition_name": null}', MISSING),
        ('{"partition_name": null, "numero": "x"}', MISSING),
        ('{"partition_name": "Parcours"}', RESERVED),
        ('{"partition_name": " Parcours\\t"}', RESERVED),
        ('{"partition_name": "Parcours", "numero": "x"}', RESERVED),
        ('{"partition_name": ""}', INVALID),
        ('{"partition_name": "  "}', INVALID),
        ('{"partition_name": 5}', INVALID),
        ('{"partition_name": false}', INVALID),
        ('{"partition_name": ["X"]}', INVALID),
        ('{"partition_name": "TD"}', INVALID),
        ('{"partition_name": " TD "}', INVALID),
        ('{"partition_name": "TD", "numero": "x"}', INVALID),
        ('{"partition_name": "X\\u0000"}', INVALID),
        ('{"partition_name": "\\ud83d"}', INVALID),
        (json.dumps({"partition_name": "x" * 32}), INVALID),
        (json.dumps({"partition_name": "x" * 5000}), INVALID),
        ('{"partition_name": "X", "numero": null}', NUMBER),
        ('{"partition_name": "X", "numero": "1"}', NUMBER),
        ('{"partition_name": "X", "numero": 1.0}', NUMBER),
        ('{"partition_name": "X", "numero": 1.5}', NUMBER),
        ('{"partition_name": "X", "numero": true}', NUMBER),
        ('{"partition_name": "X", "numero": []}', NUMBER),
        ('{"partition_name": "X", "numero": 2147483648}', NUMBER),
        ('{"partition_name": "X", "numero": -2147483649}', NUMBER),
        ('{"partition_name": "X", "numero": 1e999}', NUMBER),
        ('{"partition_name": "X", "numero": ' + "9" * 5000 + "}", NUMBER),
        ('{"partition_name": "X", "numero": "x", "bul_show_rank": 1}', NUMBER),
        (
            '{"partition_name": "X", "bul_show_rank": 1, "show_in_lists": 1}',
            "invalid type for bul_show_rank",
        ),
        (
            '{"partition_name": "X", "show_in_lists": 1, "groups_editable": 1}',
            "invalid type for show_in_lists",
        ),
    ],
)
async def test_creates_that_are_refused(
    writer: Caller, semester: Semester, content: str, message: str
) -> None:
    before = await semester.world.log()
    path = f"/formsemestre/{semester.id}/partition/create"
    refused(await writer.post(path, content=content.encode()), 400, message)
    assert await semester.world.log() == before


@pytest.mark.parametrize("value", [None, 0, 1, "true", "", [], {}])
@pytest.mark.parametrize("name", FLAGS)
async def test_flags_are_booleans_on_create(
    writer: Caller, semester: Semester, name: str, value: Any
) -> None:
    path = f"/formsemestre/{semester.id}/partition/create"
    answer = await writer.post(path, json={"partition_name": "X", name: value})
    refused(answer, 400, f"invalid type for {name}")


@pytest.mark.parametrize(
    "name", ["td", "T&Dé", "é" * 31, "  " + "x" * 31 + " ", "parcours", "Parcours 1", "0"]
)
async def test_names_that_are_taken_as_they_are(
    writer: Caller, semester: Semester, name: str
) -> None:
    path = f"/formsemestre/{semester.id}/partition/create"
    answer = await writer.post(path, json={"partition_name": name})
    assert (answer.status_code, answer.json()["partition_name"]) == (200, name.strip())


async def test_a_name_may_be_used_again_in_another_semester(
    writer: Caller, semester: Semester
) -> None:
    course, _ = await semester.world.add_course()
    path = f"/formsemestre/{course}/partition/create"
    assert (await writer.post(path, json={"partition_name": "TD"})).status_code == 200


async def test_a_partition_is_changed(writer: Caller, semester: Semester) -> None:
    changes = {
        "partition_name": " Travaux ",
        "numero": 4,
        "bul_show_rank": True,
        "show_in_lists": False,
        "groups_editable": False,
    }
    answer = await writer.post(f"/partition/{semester.td}/edit", json={**changes, "id": 3})
    assert told(answer) == (200, semester.whole_td(**{**changes, "partition_name": "Travaux"}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("partition_name", "Autre"),
        ("numero", 3),
        ("bul_show_rank", True),
        ("show_in_lists", False),
        ("groups_editable", False),
    ],
)
async def test_each_member_alone(writer: Caller, semester: Semester, name: str, value: Any) -> None:
    answer = await writer.post(f"/partition/{semester.td}/edit", json={name: value})
    assert told(answer) == (200, semester.whole_td(**{name: value}))
    answer = await writer.post(f"/partition/{semester.td}/edit", json={name: None})
    assert told(answer) == (200, semester.whole_td(**{name: value}))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"autre": 1},
        {"partition_name": None, "numero": None, "groups_editable": None},
        {"partition_name": "TD"},
        {"partition_name": " TD "},
        {"numero": 0, "bul_show_rank": False, "show_in_lists": True, "groups_editable": True},
    ],
)
async def test_an_edit_that_changes_nothing(
    writer: Caller, semester: Semester, body: dict[str, Any]
) -> None:
    before = await semester.world.log()
    answer = await writer.post(f"/partition/{semester.td}/edit", json=body)
    assert told(answer) == (200, semester.whole_td())
    assert await semester.world.log() == before


async def test_groups_that_are_not_editable_do_not_protect_the_partition(
    writer: Caller, semester: Semester
) -> None:
    path = f"/partition/{semester.td}"
    await writer.post(f"{path}/edit", json={"groups_editable": False})
    answer = await writer.post(f"{path}/edit", json={"partition_name": "X", "numero": 2})
    assert answer.status_code == 200
    assert (await writer.post(f"{path}/groups/order", json=[semester.b])).status_code == 200
    assert (await writer.post(f"{path}/edit", json={"groups_editable": True})).status_code == 200
    assert told(await writer.post(f"{path}/delete")) == (200, {"OK": True})


async def test_edit_checks_in_order(writer: Caller, semester: Semester) -> None:
    for unknown in (NOBODY, 10**30):
        refused(await writer.post(f"/partition/{unknown}/edit", content=b"x"), 404, NOT_FOUND)
    await semester.lock()
    refused(await writer.post(f"/partition/{semester.td}/edit", content=b"x"), 403, LOCKED)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", NOT_JSON),
        ("rubbish", NOT_JSON),
        ("[]", NOT_AN_OBJECT),
        ("null", NOT_AN_OBJECT),
        ('"TD"', NOT_AN_OBJECT),
        ('{"partition_name": ""}', INVALID),
        ('{"partition_name": " "}', INVALID),
        ('{"partition_name": 5}', INVALID),
        ('{"partition_name": "TP"}', INVALID),
        ('{"partition_name": " TP"}', INVALID),
        ('{"partition_name": "TP", "numero": "x"}', INVALID),
        ('{"partition_name": "X\\u0000"}', INVALID),
        ('{"partition_name": "\\ud83d"}', INVALID),
        (json.dumps({"partition_name": "x" * 32}), INVALID),
        ('{"partition_name": "Parcours"}', RESERVED),
        ('{"partition_name": " Parcours "}', RESERVED),
        ('{"numero": "1"}', NUMBER),
        ('{"numero": 1.5}', NUMBER),
        ('{"numero": true}', NUMBER),
        ('{"numero": false}', NUMBER),
        ('{"numero": 2147483648}', NUMBER),
        ('{"numero": {}, "bul_show_rank": 5}', NUMBER),
        ('{"bul_show_rank": 5, "show_in_lists": 5}', "invalid type for bul_show_rank"),
        ('{"show_in_lists": 5, "groups_editable": 5}', "invalid type for show_in_lists"),
        ('{"groups_editable": 5}', "invalid type for groups_editable"),
        (
            '{"partition_name": "X", "numero": 3, "groups_editable": 5}',
            "invalid type for groups_editable",
        ),
    ],
)
async def test_edits_that_are_refused_change_nothing(
    api: Caller, semester: Semester, content: str, message: str
) -> None:
    path = f"/partition/{semester.td}"
    refused(await api.post(f"{path}/edit", content=content.encode()), 400, message)
    assert told(await api.get(path)) == (200, semester.whole_td())


@pytest.mark.parametrize("value", [2, "true", "", [], {}, None])
@pytest.mark.parametrize("name", FLAGS)
async def test_flags_are_booleans_on_edit(
    writer: Caller, semester: Semester, name: str, value: Any
) -> None:
    """None stands for the number that the flag is not."""
    if value is None:
        value = int(not semester.whole_td()[name])
    answer = await writer.post(f"/partition/{semester.td}/edit", json={name: value})
    refused(answer, 400, f"invalid type for {name}")


@pytest.mark.parametrize("kind", [int, float])
async def test_a_flag_that_is_equal_to_a_number_is_not_looked_at(
    writer: Caller, semester: Semester, kind: type[int] | type[float]
) -> None:
    whole = semester.whole_td(partition_name="Autre")
    form = {name: kind(whole[name]) for name in FLAGS}
    path = f"/partition/{semester.td}/edit"
    answer = await writer.post(path, json={**form, "partition_name": "Autre"})
    assert told(answer) == (200, whole)


async def test_true_is_not_the_number_1(writer: Caller, semester: Semester) -> None:
    """Not even where 1 is the value already."""
    answer = await writer.post(f"/partition/{semester.tp}/edit", json={"numero": True})
    refused(answer, 400, NUMBER)


@pytest.mark.parametrize("name", ["X", "", 5, "TD", "Parcours "])
async def test_the_default_partition_keeps_no_name(
    api: Caller, semester: Semester, name: Any
) -> None:
    path = f"/partition/{semester.default}"
    answer = await api.post(f"{path}/edit", json={"partition_name": name, "numero": "x"})
    refused(answer, 400, INVALID)
    assert (await api.get(path)).json()["partition_name"] is None


async def test_the_default_partition_stays_as_it_is(api: Caller, semester: Semester) -> None:
    path = f"/partition/{semester.default}"
    before = await api.get(path)
    for same in ({}, {"partition_name": None}, {"numero": 0}, {"groups_editable": False}):
        answer = await api.post(f"{path}/edit", json=same)
        assert told(answer) == (200, before.json())
    for other in ({"numero": 3}, {"show_in_lists": True}):
        refused(await api.post(f"{path}/edit", json=other), 403, NOT_EDITABLE)
    assert told(await api.get(path)) == (200, before.json())


async def test_cohorts_keep_their_name(api: Caller, semester: Semester) -> None:
    cohorts = await semester.world.add_partition("Cohorts", kind="cohorts", position=3)
    path = f"/partition/{cohorts}/edit"
    refused(await api.post(path, json={"partition_name": "X"}), 400, INVALID)
    assert (await api.post(path, json={"numero": 0})).json()["numero"] == 0


async def test_a_partition_is_deleted_with_what_is_in_it(
    writer: Caller, semester: Semester, sql: SQL
) -> None:
    await semester.put(semester.a, *semester.students)
    answer = await writer.post(f"/partition/{semester.td}/delete")
    assert told(answer) == (200, {"OK": True})
    for table in ("groups", "memberships"):
        rows = await sql(f"SELECT 1 FROM {table} WHERE partition_id = :id", id=semester.td)
        assert rows == []
    refused(await writer.post(f"/partition/{semester.td}/delete"), 404, NOT_FOUND)


async def test_delete_checks_in_order(writer: Caller, semester: Semester) -> None:
    for unknown in (NOBODY, 10**30):
        refused(await writer.post(f"/partition/{unknown}/delete"), 404, NOT_FOUND)
    default = f"/partition/{semester.default}/delete"
    refused(await writer.post(default), 400, "ne peut pas supprimer la partition par défaut")
    await semester.lock()
    for path in (default, f"/partition/{semester.td}/delete"):
        refused(await writer.post(path), 403, LOCKED)


async def test_one_partition_for_all_faces(
    api: Caller, client: httpx.AsyncClient, semester: Semester
) -> None:
    """Made here, renamed and locked natively, read by either."""
    path = f"/formsemestre/{semester.id}/partition/create"
    made = (await api.post(path, json={"partition_name": "Projets"})).json()
    native = f"/v1/partitions/{made['id']}"
    renamed = await client.patch(native, json={"name": "SAÉ"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "SAÉ")
    assert (await api.get(f"/partition/{made['id']}")).json()["partition_name"] == "SAÉ"
    assert (await client.put(f"/v1/courses/{semester.id}/lock")).status_code == 200
    refused(await api.post(f"/partition/{made['id']}/delete"), 403, LOCKED)


async def test_what_is_equal_is_not_looked_at(writer: Caller, semester: Semester) -> None:
    """A fraction is no `numero`, unless it is the one that there is already."""
    path = f"/partition/{semester.td}/edit"
    before = await semester.world.log()
    assert told(await writer.post(path, content=b'{"numero": 0.0}')) == (200, semester.whole_td())
    assert await semester.world.log() == before
    refused(await writer.post(path, content=b'{"numero": 1.0}'), 400, NUMBER)
