"""Departments move over from a running ScoDoc, with their ids."""

from typing import Any

import httpx
import pytest

from groupsvc.domain.errors import GroupsvcError
from tests.api.scodoc.moving import Move
from tests.api.scodoc.old_server import OldServer, Semester
from tests.conftest import SQL


async def get(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(f"/ScoDoc/api{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def put(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.put(path, json=body)
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


async def spoken(client: httpx.AsyncClient) -> dict[str, list[int]]:
    """All ids that the face tells, by what they are of."""
    courses = await get(client, "/formsemestres/query")
    listed = [await get(client, f"/formsemestre/{each['id']}/partitions") for each in courses]
    parts = [each for partitions in listed for each in partitions.values()]
    people = [
        person
        for each in await get(client, "/departements")
        for person in await get(client, f"/departement/{each['acronym']}/etudiants")
    ]
    return {
        "departments": [each["id"] for each in await get(client, "/departements")],
        "courses": [each["id"] for each in courses],
        "partitions": [each["id"] for each in parts],
        "groups": [group["id"] for each in parts for group in each["groups"].values()],
        "users": [each["id"] for each in people],
    }


async def test_two_departments_move_over_in_turn_and_no_id_means_two_things(
    other_client: httpx.AsyncClient, move: Move
) -> None:
    own = other_client
    # Before: a department of our own, and one that is here with a student who is there too.
    await put(own, "/v1/departments/GEA", {})
    gea = await put(own, "/v1/courses/by-key/GEA-S1", {"department": "GEA"})
    await own.post(f"/v1/courses/{gea['id']}/partitions", json={"name": "TD"})
    await put(own, "/v1/departments/INFO", {"name": "Informatique"})
    zoe = await put(own, "/v1/users/by-name/zoe", {"department": "INFO", "student_number": "33201"})

    first = await move("12=RT-S1")
    assert (first.exit_code, first.stdout) == (0, "students: 4 created\nmemberships: 4 assigned\n")

    # Between: things of our own in what has moved over, and beside it.
    path = "/ScoDoc/api/formsemestre/12/partition/create"
    made = await own.post(path, json={"partition_name": "TP"})
    assert made.json()["id"] >= 10**9
    await own.post("/ScoDoc/api/partition/31/group/create", json={"group_name": "C"})
    await put(own, "/v1/users/by-name/new", {"department": "RT"})

    second = await move("20=INFO-S1")
    assert (second.exit_code, second.stdout) == (
        0,
        "students: 1 created, 1 known\nmemberships: 2 assigned\n",
    )
    # After.
    await put(own, "/v1/users/by-name/newer", {"department": "INFO"})
    await put(own, "/v1/courses/by-key/INFO-S2", {"department": "INFO"})

    ids = await spoken(own)
    assert {2, 5} < set(ids["departments"])
    assert {12, 20} < set(ids["courses"])
    assert {31, 32, 35} < set(ids["partitions"])
    assert {41, 42, 43, 45, 46} < set(ids["groups"])
    assert {101, 102, 103, 104, 201, 202} < set(ids["users"])
    for kind, found in ids.items():
        assert len(set(found)) == len(found), kind
        assert all(each < 10**9 for each in found) is False
    # One person, two ids: ours natively, the other one in this face.
    assert zoe["id"] >= 10**9
    assert {each["id"] for each in await get(own, "/group/45/etudiants")} == {201, 202}
    placed = await own.post("/ScoDoc/api/group/46/set_etudiant/201")
    assert placed.json() == {"group_id": 46, "etudid": 201}
    members = (await own.get("/v1/groups/46/members")).json()["items"]
    assert [each["id"] for each in members] == [zoe["id"]]


async def test_what_has_moved_over_is_as_it_was_there(
    other_client: httpx.AsyncClient, move: Move, elsewhere: SQL
) -> None:
    assert (await move("12=RT-S1")).exit_code == 0
    semester = await get(other_client, "/formsemestre/12")
    kept = ("titre", "titre_formation", "semestre_id", "modalite", "date_debut", "etat", "dept_id")
    assert [semester[name] for name in kept] == [
        *("BUT RT 1", "BUT R&T", 1, "FI", "01/09/2026", True, 2),
    ]
    assert semester["departement"]["dept_name"] == "Réseaux"
    partitions = await get(other_client, "/formsemestre/12/partitions")
    assert [
        (each["id"], each["partition_name"], each["bul_show_rank"], [*each["groups"]])
        for each in partitions.values()
    ] == [(31, "TD", True, ["41", "42"]), (32, "Parcours", False, ["43"])]
    assert [each["id"] for each in await get(other_client, "/group/41/etudiants")] == [101, 102]
    rows = await elsewhere(
        "SELECT user_id, state, track FROM enrollments WHERE course_id = 12 ORDER BY user_id"
    )
    assert rows == [
        (101, "active", "Cyber"),
        (102, "active", None),
        (103, "active", None),
        (104, "withdrawn", None),
    ]
    assert await elsewhere("SELECT username FROM users ORDER BY id LIMIT 1") == [("22101",)]


async def test_the_default_partition_moves_over_too(
    other_client: httpx.AsyncClient, move: Move
) -> None:
    assert (await move("12=RT-S1")).exit_code == 0
    default = await get(other_client, "/partition/30")
    assert (default["partition_name"], [*default["groups"]]) == (None, ["40"])
    everybody = [each["id"] for each in await get(other_client, "/group/40/etudiants")]
    assert everybody == [101, 102, 103, 104]
    placed = await get(other_client, "/etudiant/etudid/103/formsemestre/12/groups")
    assert [(each["partition_id"], each["group_id"]) for each in placed] == [(30, 40), (31, 42)]
    # The next course has ids of its own.
    await put(other_client, "/v1/courses/by-key/RT-S2", {"department": "RT"})
    rest = await get(other_client, "/departement/RT/formsemestres")
    (own,) = [each["id"] for each in rest if each["id"] != 12]
    found = (await other_client.get(f"/v1/courses/{own}/default-partition")).json()
    assert found["id"] >= 10**9
    assert found["groups"][0]["id"] >= 10**9


async def test_a_second_run_changes_nothing(move: Move, elsewhere: SQL, old: OldServer) -> None:
    old.semesters[20].is_open = False
    goals = ("12=RT-S1", "20=INFO-S1")
    assert (await move(*goals)).exit_code == 0
    lines = "SELECT count(*) FROM changes WHERE kind NOT LIKE 'course.%'"
    before = await elsewhere(lines)
    again = await move(*goals)
    assert (again.exit_code, again.stdout) == (
        0,
        "students: 6 unchanged\nmemberships: 6 unchanged\n",
    )
    assert await elsewhere(lines) == before
    locked = "SELECT id, is_locked FROM courses ORDER BY id"
    assert await elsewhere(locked) == [(12, False), (20, True)]


async def test_what_was_renamed_there_is_renamed_here(
    move: Move, elsewhere: SQL, old: OldServer
) -> None:
    assert (await move("12=RT-S1")).exit_code == 0
    rt: Semester = old.semesters[12]
    rt.partitions[31]["partition_name"] = "Travaux dirigés"
    rt.partitions[31]["groups"]["41"]["group_name"] = "A1"
    rt.partitions[31]["groups"]["47"] = {"id": 47, "group_name": "C", "numero": 2}
    rt.put(47, 102)
    rt.put(41, 101)
    again = await move("12=RT-S1")
    assert again.stdout == "students: 4 unchanged\nmemberships: 1 moved, 3 unchanged\n"
    assert await elsewhere("SELECT name FROM partitions WHERE id = 31") == [("Travaux dirigés",)]
    names = "SELECT id, name FROM groups WHERE partition_id = 31 ORDER BY id"
    assert await elsewhere(names) == [(41, "A1"), (42, "B"), (47, "C")]


TAKEN = "ids are those of something else here: "


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("INSERT INTO departments (id, acronym) VALUES (5, 'GEA')", "department 5"),
        ("INSERT INTO departments (acronym, foreign_id) VALUES ('GEA', 5)", "department 5"),
        ("INSERT INTO departments (acronym, foreign_id) VALUES ('INFO', 6)", "department 6"),
        ("INSERT INTO courses (id, department_id, key) SELECT 20, id, 'x' FROM d", "course 20"),
        ("INSERT INTO courses (id, department_id, key) SELECT 9, id, 'INFO-S1' FROM d", "course 9"),
        (
            "INSERT INTO partitions (course_id, id, name, position) SELECT id, 35, 'x', 1 FROM c",
            "partition 35",
        ),
        (
            "INSERT INTO groups (course_id, partition_id, id, name, position)"
            " SELECT course_id, id, 45, 'x', 1 FROM p",
            "group 45",
        ),
        (
            "INSERT INTO partitions (course_id, id, name, position) SELECT id, 30, 'x', 1 FROM c",
            "partition 30",
        ),
        (
            "INSERT INTO groups (course_id, partition_id, id, name, position)"
            " SELECT course_id, id, 40, 'x', 1 FROM p",
            "group 40",
        ),
        ("INSERT INTO users (id, username, sort_key) VALUES (202, 'x', 'x')", "user 202"),
        ("INSERT INTO users (username, sort_key, foreign_id) VALUES ('x', 'x', 201)", "user 201"),
    ],
)
async def test_ids_that_are_taken_are_refused_before_anything_is_written(
    move: Move, elsewhere: SQL, statement: str, message: str
) -> None:
    """Of the second of two: nothing of the first stays."""
    others = (
        "WITH d AS (INSERT INTO departments (acronym) VALUES ('OWN') RETURNING id)"
        " INSERT INTO courses (department_id, key) SELECT id, 'OWN' FROM d"
    )
    await elsewhere(others)
    await elsewhere(
        "INSERT INTO partitions (course_id, name, position) SELECT id, 'P', 1 FROM courses"
    )
    tables = {
        "d": "SELECT id FROM departments WHERE acronym = 'OWN'",
        "c": "SELECT id FROM courses WHERE key = 'OWN'",
        "p": "SELECT course_id, id FROM partitions WHERE name = 'P'",
    }
    named = ", ".join(f"{name} AS ({query})" for name, query in tables.items())
    await elsewhere(f"WITH {named} {statement}")
    count = "SELECT (SELECT count(*) FROM changes), (SELECT count(*) FROM users)"
    before = await elsewhere(count)
    refused = await move("12=RT-S1", "20=INFO-S1")
    assert isinstance(refused.exception, GroupsvcError)
    assert refused.exception.message == TAKEN + message
    assert await elsewhere(count) == before


async def test_one_person_under_two_ids_keeps_the_first(
    move: Move, elsewhere: SQL, old: OldServer
) -> None:
    await elsewhere("INSERT INTO departments (acronym) VALUES ('INFO')")
    await elsewhere(
        "INSERT INTO users (department_id, username, sort_key, student_number, foreign_id)"
        " SELECT id, 'zoe', 'zoe', '33201', 77 FROM departments"
    )
    result = await move("20=INFO-S1")
    assert result.exit_code == 3
    assert result.stdout.splitlines() == [
        "students: 1 created, 1 refused",
        "memberships: 2 assigned",
        "20:  : 33201: known_by_another_id",
    ]
    assert await elsewhere("SELECT foreign_id FROM users WHERE username = 'zoe'") == [(77,)]
