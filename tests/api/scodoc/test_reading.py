"""Routes 1 to 4: partitions, groups and their students."""

from typing import Any

import httpx
import pytest

from tests.api.scodoc.conftest import NOBODY, NOT_FOUND, Caller, Semester, refused, told
from tests.conftest import SQL


async def test_a_partition_with_its_groups(api: Caller, semester: Semester) -> None:
    answer = await api.get(f"/partition/{semester.td}")
    assert told(answer) == (200, semester.whole_td())


async def test_a_partition_without_groups_has_an_empty_object(
    api: Caller, semester: Semester
) -> None:
    answer = await api.get(f"/partition/{semester.tp}")
    assert told(answer) == (200, semester.partition(semester.tp, "TP", numero=1, groups={}))


async def test_the_default_partition_has_no_name_and_one_group(
    api: Caller, semester: Semester
) -> None:
    answer = await api.get(f"/partition/{semester.default}")
    everybody = semester.group(semester.default, semester.everybody, None)
    assert told(answer) == (
        200,
        semester.partition(
            semester.default,
            None,
            show_in_lists=False,
            groups_editable=False,
            groups={str(semester.everybody): everybody},
        ),
    )


async def test_groups_are_listed_by_numero_and_then_by_name(
    api: Caller, semester: Semester
) -> None:
    for name, position in (("é", 1), ("Z", 1), ("b", 1), ("0", 3), ("10", 1)):
        await semester.world.add_group(semester.tp, name, position=position)
    groups = (await api.get(f"/partition/{semester.tp}")).json()["groups"]
    assert [group["group_name"] for group in groups.values()] == ["10", "Z", "b", "é", "0"]
    assert all(key == str(group["id"]) for key, group in groups.items())


async def test_the_partitions_of_a_semester(api: Caller, semester: Semester) -> None:
    answer = await api.get(f"/formsemestre/{semester.id}/partitions")
    assert told(answer) == (
        200,
        {
            str(semester.td): semester.whole_td(),
            str(semester.tp): semester.partition(semester.tp, "TP", numero=1, groups={}),
        },
    )


async def test_partitions_are_listed_by_numero_and_then_by_id(
    api: Caller, semester: Semester
) -> None:
    first = await semester.world.add_partition("Z", position=0)
    last = await semester.world.add_partition("A", position=2)
    found = (await api.get(f"/formsemestre/{semester.id}/partitions")).json()
    assert list(found) == [str(each) for each in (first, semester.td, semester.tp, last)]
    assert [each["numero"] for each in found.values()] == [-1, 0, 1, 1]


async def test_a_semester_without_partitions_has_an_empty_object(
    api: Caller, semester: Semester
) -> None:
    course, _ = await semester.world.add_course()
    assert told(await api.get(f"/formsemestre/{course}/partitions")) == (200, {})


async def test_cohorts_are_a_partition_like_others(api: Caller, semester: Semester) -> None:
    cohorts = await semester.world.add_partition("Cohorts", kind="cohorts", position=3)
    found = (await api.get(f"/formsemestre/{semester.id}/partitions")).json()
    assert found[str(cohorts)] == semester.partition(cohorts, "Cohorts", numero=2, groups={})


@pytest.mark.parametrize(
    "path", ["/partition/{}", "/formsemestre/{}/partitions", "/group/{}/etudiants"]
)
@pytest.mark.parametrize("row", [0, NOBODY, 2**63 - 1, 2**63, 10**30])
async def test_an_unknown_row(api: Caller, path: str, row: int) -> None:
    refused(await api.get(path.format(row)), 404, NOT_FOUND)


@pytest.mark.parametrize("path", ["/partition/{0.td}", "/formsemestre/{0.id}/partitions"])
async def test_reading_a_locked_semester(api: Caller, semester: Semester, path: str) -> None:
    await semester.lock()
    assert (await api.get(path.format(semester))).status_code == 200


async def dress(sql: SQL, semester: Semester) -> None:
    """Give the students what their short form shows."""
    for number, student in enumerate(semester.students):
        await sql(
            "UPDATE users SET civility = :civility, student_number = :nip, national_number = :ine,"
            " usual_name = :usual WHERE id = :id",
            civility="MFXXX"[number],
            nip=f"{student}00" if number != 2 else None,
            ine=f"{student}INE" if number != 3 else None,
            usual="Usuel" if number == 1 else None,
            id=student,
        )


def short(semester: Semester, number: int) -> dict[str, Any]:
    student = semester.students[number]
    nip = f"{student}00" if number != 2 else None
    ine = f"{student}INE" if number != 3 else None
    return {
        "id": student,
        "civilite": "MFXXX"[number],
        "code_nip": nip,
        "code_ine": ine,
        "nip": nip,
        "ine": ine,
        "dept_id": semester.world.department_id,
        "nom": f"Family{number + 1}",
        "prenom": "Given",
        "nom_usuel": "Usuel" if number == 1 else None,
        "sort_key": f"family{number + 1:06}",
    }


async def test_the_students_of_a_group_by_name(api: Caller, semester: Semester, sql: SQL) -> None:
    await dress(sql, semester)
    await semester.put(semester.a, *reversed(semester.students[1:4]))
    answer = await api.get(f"/group/{semester.a}/etudiants")
    assert told(answer) == (200, [short(semester, number) for number in (1, 2, 3)])


async def test_a_group_without_students(api: Caller, semester: Semester) -> None:
    assert told(await api.get(f"/group/{semester.a}/etudiants")) == (200, [])


async def test_the_default_group_has_all_students(
    api: Caller, semester: Semester, sql: SQL
) -> None:
    await dress(sql, semester)
    answer = await api.get(f"/group/{semester.everybody}/etudiants")
    assert told(answer) == (200, [short(semester, number) for number in range(5)])


async def test_a_student_without_department_has_that_of_the_semester(
    api: Caller, semester: Semester, sql: SQL
) -> None:
    await sql("UPDATE users SET department_id = NULL WHERE id = :id", id=semester.students[0])
    await semester.put(semester.a, semester.students[0])
    (student,) = (await api.get(f"/group/{semester.a}/etudiants")).json()
    assert student["dept_id"] == semester.world.department_id


STATES = {"I": "active", "D": "withdrawn", "DEF": "defaulted"}


async def spread_states(sql: SQL, semester: Semester) -> None:
    for number, state in enumerate(("active", "withdrawn", "defaulted", "active", "withdrawn")):
        await sql(
            "UPDATE enrollments SET state = :state WHERE course_id = :c AND user_id = :u",
            state=state,
            c=semester.id,
            u=semester.students[number],
        )


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [0, 1, 2, 3]),
        ("?etat=I", [0, 3]),
        ("?etat=D", [1]),
        ("?etat=DEF", [2]),
        ("?etat=I&etat=D", [0, 3]),
        ("?autre=D", [0, 1, 2, 3]),
    ],
)
async def test_the_students_of_a_group_in_a_state(
    api: Caller, semester: Semester, sql: SQL, query: str, numbers: list[int]
) -> None:
    await dress(sql, semester)
    await spread_states(sql, semester)
    await semester.put(semester.a, *semester.students[:4])
    answer = await api.get(f"/group/{semester.a}/etudiants/query{query}")
    assert told(answer) == (200, [short(semester, number) for number in numbers])


@pytest.mark.parametrize(("etat", "numbers"), [("I", [0, 3]), ("D", [1, 4]), ("DEF", [2])])
async def test_the_students_of_the_default_group_in_a_state(
    api: Caller, semester: Semester, sql: SQL, etat: str, numbers: list[int]
) -> None:
    await spread_states(sql, semester)
    answer = await api.get(f"/group/{semester.everybody}/etudiants/query?etat={etat}")
    assert [each["id"] for each in answer.json()] == [semester.students[n] for n in numbers]


@pytest.mark.parametrize("query", ["?etat=I", "?etat=X", "?etat="])
async def test_the_list_ignores_the_query_string(
    api: Caller, semester: Semester, sql: SQL, query: str
) -> None:
    await spread_states(sql, semester)
    await semester.put(semester.a, *semester.students)
    answer = await api.get(f"/group/{semester.a}/etudiants{query}")
    assert [each["id"] for each in answer.json()] == semester.students


async def test_the_state_is_the_one_in_this_semester(
    api: Caller, semester: Semester, sql: SQL
) -> None:
    course, _ = await semester.world.add_course()
    await sql(
        "INSERT INTO enrollments (course_id, user_id, state) VALUES (:c, :u, 'withdrawn')",
        c=course,
        u=semester.students[0],
    )
    await semester.put(semester.a, semester.students[0])
    answer = await api.get(f"/group/{semester.a}/etudiants/query?etat=D")
    assert told(answer) == (200, [])


@pytest.mark.parametrize("etat", ["", "i", "d", "def", "X", "I ", "I,D", "active", "%00"])
@pytest.mark.parametrize("group", ["own", NOBODY, 10**30])
async def test_a_state_that_there_is_not(
    api: Caller, semester: Semester, etat: str, group: Any
) -> None:
    row = semester.a if group == "own" else group
    answer = await api.get(f"/group/{row}/etudiants/query?etat={etat}")
    refused(answer, 400, "etat: valeur invalide")


async def test_a_student_who_left_the_semester_left_its_groups(
    api: Caller, client: httpx.AsyncClient, semester: Semester
) -> None:
    await semester.put(semester.a, *semester.students[:2])
    path = f"/v1/courses/{semester.id}/enrollments/{semester.students[0]}"
    assert (await client.delete(path)).status_code == 204
    for ending in ("", "/query"):
        answer = await api.get(f"/group/{semester.a}/etudiants{ending}")
        assert [each["id"] for each in answer.json()] == [semester.students[1]]


async def test_the_members_of_partitions_and_groups_come_in_this_order(
    api: Caller, semester: Semester
) -> None:
    whole = (await api.get(f"/partition/{semester.td}")).json()
    plain = (
        "id partition_id formsemestre_id partition_name numero bul_show_rank show_in_lists"
        " groups_editable"
    )
    assert " ".join(whole) == f"{plain} groups"
    group = "id partition_id group_name name numero edt_id"
    assert " ".join(whole["groups"][str(semester.a)]) == group
    renamed = (await api.post(f"/group/{semester.a}/edit", json={})).json()
    assert " ".join(renamed) == f"{group} partition"
    assert " ".join(renamed["partition"]) == plain


@pytest.mark.parametrize(
    "path", ["/partition/{0.td}", "/formsemestre/{0.id}/partitions", "/group/{0.a}/etudiants"]
)
async def test_answers_are_not_to_be_stored_and_bear_no_tag(
    api: Caller, semester: Semester, path: str
) -> None:
    answer = await api.get(path.format(semester))
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
