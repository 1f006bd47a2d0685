"""Departments, formsemestres and students, on the way to groups."""

import httpx
import pytest

from tests.api.scodoc.conftest import NOBODY, NOT_FOUND, Caller, MakeCaller, Semester, refused, told
from tests.conftest import SQL

DEPARTMENT = ("/departement/{dept}", "/departement/id/{dept_id:int}")
NUMBERS = ("etudid/{etudid:int}", "nip/{nip}", "ine/{ine}")
DIRECTORY = [
    "/departements",
    "/departements_ids",
    "/formsemestres/query",
    "/etudiants/courants",
    "/etudiants/courants/long",
    "/etudiants/name/{start}",
    "/etudiants/search/{start}",
    *(f"/etudiants/{number}" for number in NUMBERS),
    *(f"/etudiant/{number}" for number in NUMBERS),
    *(
        each + ending
        for each in DEPARTMENT
        for ending in ("", "/etudiants", "/formsemestres", "/formsemestres_courants")
    ),
]


@pytest.mark.parametrize("path", DIRECTORY)
async def test_every_read_is_answered_where_the_caller_may_read(
    reader: Caller, make_caller: MakeCaller, semester: Semester, path: str
) -> None:
    path = path.replace(":int", "").format(
        dept=semester.world.department,
        dept_id=semester.world.department_id,
        etudid=semester.students[0],
        nip="x",
        ine="x",
        start="family",
    )
    expected = 404 if path in ("/etudiant/nip/x", "/etudiant/ine/x") else 200
    assert told(await reader.get(path))[0] == expected
    refused(await make_caller("groups:write").get(path), 403, "Non autorise")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/etudiants/courants?date_courante=x", "date_courante"),
        ("/formsemestres/query?annee_scolaire=x", "annee_scolaire: not int"),
        ("/formsemestres/query?dept_id=-1", "dept_id: not int"),
        ("/formsemestres/query?etat=true", "etat: not int"),
    ],
)
async def test_parameters_that_cannot_be(reader: Caller, path: str, name: str) -> None:
    refused(await reader.get(path), 400, f"invalid {name}")


@pytest.fixture(params=["{name}", "id/{id}"])
def department(request: pytest.FixtureRequest, semester: Semester) -> str:
    world = semester.world
    return request.param.format(name=world.department, id=world.department_id)


async def test_the_present_courses_of_a_department(
    reader: Caller, semester: Semester, sql: SQL, department: str
) -> None:
    path = f"/departement/{department}"
    assert told(await reader.get(f"{path}/formsemestres_courants")) == (200, [])
    await sql(
        "UPDATE courses SET starts_on = '2026-09-01', ends_on = '2027-01-31', term = 1,"
        " programme = 'BUT', modality = 'FI' WHERE id = :id",
        id=semester.id,
    )
    status, whole = told(await reader.get(f"/formsemestre/{semester.id}"))
    assert status == 200
    known = {name: value for name, value in whole.items() if value is not None}
    assert known.pop("departement")["acronym"] == semester.world.department
    assert known == {
        "id": semester.id,
        "formsemestre_id": semester.id,
        "dept_id": semester.world.department_id,
        "dept_acronym": semester.world.department,
        "etat": True,
        "titre": "Course",
        "titre_num": "Course semestre 1",
        "titre_formation": "BUT",
        "titre_court": "BUT",
        "semestre_id": 1,
        "modalite": "FI",
        "date_debut": "01/09/2026",
        "date_debut_iso": "2026-09-01",
        "date_fin": "31/01/2027",
        "date_fin_iso": "2027-01-31",
        "annee_scolaire": 2026,
    }
    for day, found in (("2026-10-01", [whole]), ("2027-01-31", [whole]), ("2027-02-01", [])):
        answer = await reader.get(f"{path}/formsemestres_courants?date_courante={day}")
        assert told(answer) == (200, found)
    assert told(await reader.get(f"{path}/formsemestres")) == (200, [whole])
    student = semester.students[0]
    assert told(await reader.get(f"/etudiant/etudid/{student}/formsemestres")) == (200, [whole])
    query = f"dept_acronym={semester.world.department}&etat=1&annee_scolaire="
    for year, found in ((2026, [whole]), (2025, []), (2027, [])):
        assert told(await reader.get(f"/formsemestres/query?{query}{year}")) == (200, found)


async def test_a_student_by_the_id_of_another_server(
    reader: Caller, semester: Semester, sql: SQL
) -> None:
    student, known = semester.students[0], semester.id % 1_000_000 + 1
    await sql("UPDATE users SET foreign_id = :k WHERE id = :id", k=known, id=student)
    status, found = told(await reader.get(f"/etudiant/etudid/{known}"))
    assert (status, found["id"], found["etudid"]) == (200, known, known)
    refused(await reader.get(f"/etudiant/etudid/{student}"), 404, NOT_FOUND)
    listed = (await reader.get(f"/formsemestre/{semester.id}/etudiants")).json()
    assert listed[0]["id"] == known
    refused(await reader.get(f"/formsemestre/{NOBODY}"), 404, NOT_FOUND)


async def test_dates_of_a_course_are_put_natively(
    client: httpx.AsyncClient, semester: Semester
) -> None:
    world = semester.world
    path = f"/v1/courses/by-key/{world.course}"
    body = {"department": world.department, "title": "Course"}
    whole = {"id": semester.id, "key": world.course, **body, "is_locked": False}
    dates = {"starts_on": "2026-09-01", "ends_on": "2027-01-31", "term": 1}
    assert (await client.put(path, json={**body, **dates})).json() == {**whole, **dates}
    assert (await client.put(path, json=body)).json() == {**whole, **dates}
    refusal = await client.put(path, json={**body, "ends_on": "2026-08-31"})
    assert (refusal.status_code, refusal.json()["code"]) == (422, "invalid_dates")
    assert (await client.put(path, json={**body, **dict.fromkeys(dates)})).json() == whole
