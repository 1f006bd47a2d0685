"""The students of a formsemestre with their groups, and the groups of one student."""

from typing import Any

import pytest

from tests.api.scodoc.conftest import (
    NOBODY,
    NOT_FOUND,
    Caller,
    MakeSemester,
    Semester,
    refused,
    told,
)
from tests.api.scodoc.test_reading import dress, short, spread_states
from tests.conftest import SQL


def placed(semester: Semester, partition: int, group: int, **other: Any) -> dict[str, Any]:
    return {
        "id": group,
        "group_id": group,
        "group_name": "A",
        "partition_id": partition,
        "partition_name": "TD",
        "formsemestre_id": semester.id,
        "numero": 0,
        "bul_show_rank": False,
        "show_in_lists": True,
        "groups_editable": True,
        "edt_id": None,
        **other,
    }


def everybody(semester: Semester) -> dict[str, Any]:
    return placed(
        semester,
        semester.default,
        semester.everybody,
        group_name=None,
        partition_name=None,
        show_in_lists=False,
        groups_editable=False,
    )


def in_td(semester: Semester) -> dict[str, Any]:
    return placed(semester, semester.td, semester.a)


async def place(semester: Semester) -> dict[str, Any]:
    """The first student into TD A and TP 1; tells the latter."""
    one = await semester.world.add_group(semester.tp, "1", timetable_id="E1")
    await semester.put(one, semester.students[0])
    await semester.put(semester.a, semester.students[0])
    return placed(
        semester, semester.tp, one, group_name="1", partition_name="TP", numero=1, edt_id="E1"
    )


async def test_all_students_with_their_groups(api: Caller, semester: Semester, sql: SQL) -> None:
    await dress(sql, semester)
    in_tp = await place(semester)
    first = {**short(semester, 0), "groups": [in_td(semester), in_tp]}
    others = [{**short(semester, number), "groups": []} for number in (1, 2, 3, 4)]
    answer = await api.get(f"/formsemestre/{semester.id}/etudiants")
    assert told(answer) == (200, [first, *others])


async def test_all_students_at_length(
    api: Caller, semester: Semester, sql: SQL, parcours: dict[str, Any]
) -> None:
    await dress(sql, semester)
    await spread_states(sql, semester)
    await api.post(f"/group/{parcours['groups'][0]['id']}/set_etudiant/{semester.students[1]}")
    answer = await api.get(f"/formsemestre/{semester.id}/etudiants/long")
    status, found = told(answer)
    ((username, email),) = await sql(
        "SELECT username, email FROM users WHERE id = :id", id=semester.students[1]
    )
    assert (status, len(found)) == (200, 5)
    assert {name: found[1][name] for name in found[1] if name != "groups"} == {
        **short(semester, 1),
        "etudid": semester.students[1],
        "civilite_etat_civil": "F",
        "prenom_etat_civil": "Given",
        "username": username,
        "email": email,
        "etat": "D",
        "parcours": "BDD",
        "boursier": None,
        "date_naissance": None,
    }
    assert [group["group_name"] for group in found[1]["groups"]] == ["BDD"]


@pytest.mark.parametrize("form", ["", "/long"])
@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("/query?etat=I", [0, 3]),
        ("/query?etat=D", [1, 4]),
        ("/query?etat=DEF", [2]),
        ("/query", [0, 1, 2, 3, 4]),
        ("?etat=I", [0, 1, 2, 3, 4]),
    ],
)
async def test_students_in_a_state(
    api: Caller, semester: Semester, sql: SQL, form: str, query: str, numbers: list[int]
) -> None:
    await spread_states(sql, semester)
    answer = await api.get(f"/formsemestre/{semester.id}/etudiants{form}{query}")
    assert [each["id"] for each in answer.json()] == [semester.students[n] for n in numbers]


@pytest.mark.parametrize("form", ["", "/long"])
async def test_students_of_nowhere(api: Caller, semester: Semester, form: str) -> None:
    for unknown in (NOBODY, 10**30):
        answer = await api.get(f"/formsemestre/{unknown}/etudiants{form}")
        refused(answer, 404, NOT_FOUND)
    answer = await api.get(f"/formsemestre/{semester.id}/etudiants{form}/query?etat=")
    refused(answer, 400, "etat: valeur invalide")
    course, _ = await semester.world.add_course()
    assert told(await api.get(f"/formsemestre/{course}/etudiants{form}")) == (200, [])


@pytest.mark.parametrize("how", ["etudid/{}", "nip/{}00", "ine/{}INE"])
async def test_the_groups_of_a_student(api: Caller, semester: Semester, sql: SQL, how: str) -> None:
    await dress(sql, semester)
    in_tp = await place(semester)
    for number, groups in ((0, [in_td(semester), in_tp]), (1, [])):
        who = how.format(semester.students[number])
        answer = await api.get(f"/etudiant/{who}/formsemestre/{semester.id}/groups")
        assert told(answer) == (200, [everybody(semester), *groups])


async def test_a_student_who_is_not_in_the_semester_has_no_groups(
    api: Caller, semester: Semester
) -> None:
    course, _ = await semester.world.add_course()
    path = f"/etudiant/etudid/{semester.students[0]}/formsemestre/{course}/groups"
    assert told(await api.get(path)) == (200, [])


@pytest.mark.parametrize(
    "who", ["etudid/0", f"etudid/{10**30}", "nip/nobody", "ine/nobody", "nip/%00", "nip/%20"]
)
async def test_the_groups_of_nobody(api: Caller, semester: Semester, who: str) -> None:
    answer = await api.get(f"/etudiant/{who}/formsemestre/{semester.id}/groups")
    refused(answer, 404, NOT_FOUND)


async def test_the_groups_in_no_semester(api: Caller, semester: Semester) -> None:
    path = f"/etudiant/etudid/{semester.students[0]}/formsemestre/{NOBODY}/groups"
    refused(await api.get(path), 404, NOT_FOUND)


@pytest.mark.parametrize("how", ["nip", "ine"])
async def test_a_number_means_the_student_of_the_department(
    api: Caller, semester: Semester, make_semester: MakeSemester, sql: SQL, how: str
) -> None:
    """Numbers are unique in a department only."""
    other = await make_semester(1)
    column = {"nip": "student_number", "ine": "national_number"}[how]
    for student in (other.students[0], semester.students[0]):
        await sql(f"UPDATE users SET {column} = 'N{semester.id}' WHERE id = :id", id=student)
    await semester.put(semester.a, semester.students[0])
    path = f"/etudiant/{how}/N{semester.id}/formsemestre/{semester.id}/groups"
    assert told(await api.get(path)) == (200, [everybody(semester), in_td(semester)])


async def test_the_groups_of_a_student_of_another_department(
    api: Caller, semester: Semester, make_semester: MakeSemester
) -> None:
    other = await make_semester(1)
    path = f"/etudiant/etudid/{other.students[0]}/formsemestre/{semester.id}/groups"
    answer = await api.get(path)
    if api.prefix.endswith("Doc/api"):
        assert told(answer) == (200, [])
    else:
        refused(answer, 404, NOT_FOUND)


@pytest.mark.parametrize("form", ["", "/long"])
async def test_the_state_before_the_formsemestre(api: Caller, form: str) -> None:
    answer = await api.get(f"/formsemestre/{NOBODY}/etudiants{form}/query?etat=x")
    refused(answer, 400, "etat: valeur invalide")


async def test_the_members_of_students_come_in_this_order(api: Caller, semester: Semester) -> None:
    await semester.put(semester.a, semester.students[0])
    path = f"/formsemestre/{semester.id}/etudiants"
    first, *_ = (await api.get(path)).json()
    short_form = "id civilite code_nip code_ine nip ine dept_id nom prenom nom_usuel sort_key"
    assert " ".join(first) == f"{short_form} groups"
    (group,) = first["groups"]
    assert " ".join(group) == (
        "id group_id group_name partition_id partition_name formsemestre_id numero bul_show_rank"
        " show_in_lists groups_editable edt_id"
    )
    first, *_ = (await api.get(f"{path}/long")).json()
    assert " ".join(first) == (
        f"{short_form} etudid civilite_etat_civil prenom_etat_civil username email etat parcours"
        " boursier date_naissance groups"
    )
