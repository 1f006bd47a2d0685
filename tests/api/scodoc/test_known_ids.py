"""Whoever is known by an id of another server is told and taken by it alone, on every route."""

import itertools
import json
import re
from random import randrange
from typing import Any

import httpx
import pytest
import pytest_asyncio

from groupsvc.faces.scodoc import ROUTERS
from tests.conftest import SQL, Auth, World

# Far from what sequences give, so that no other row has the same.
OWN_IDS = itertools.count(7_000_000_000_000)

# Every route with good values; those that delete come last. {known} is the student, {dept_id} the
# department, both as callers know them.
READS = [
    "/departements",
    "/departements_ids",
    *(
        f"/departement/{place}{ending}"
        for place in ("{dept}", "id/{dept_id}")
        for ending in ("", "/etudiants", "/formsemestres", "/formsemestres_courants")
    ),
    "/formsemestre/{formsemestre_id}",
    "/formsemestre/{formsemestre_id}/partitions",
    *(
        f"/formsemestre/{{formsemestre_id}}/etudiants{ending}"
        for ending in ("", "/query?etat=I", "/long", "/long/query?etat=I")
    ),
    "/formsemestre/{formsemestre_id}/get_groups_auto_assignment",
    "/formsemestres/query?nip={nip}&dept_id={dept_id}",
    "/etudiants/courants?date_courante=2026-10-01",
    "/etudiants/courants/long?date_courante=2026-10-01",
    "/etudiants/name/{start}",
    "/etudiants/search/{start}",
    *(
        f"/{route}"
        for number in ("etudid/{known}", "nip/{nip}", "ine/{ine}")
        for route in (
            f"etudiants/{number}",
            f"etudiant/{number}",
            f"etudiant/{number}/formsemestres",
            f"etudiant/{number}/formsemestre/{{formsemestre_id}}/groups",
        )
    ),
    "/partition/{td}",
    "/group/{a}/etudiants",
    "/group/{a}/etudiants/query?etat=I",
    "/group/{parcours}/etudiants",
    "/group/{everybody}/etudiants",
]
SAVE = "/formsemestre/{formsemestre_id}/save_groups_auto_assignment"
WRITES: list[tuple[str, Any]] = [
    ("/group/{a}/set_etudiant/{known}", None),
    ("/group/{parcours}/set_etudiant/{known}", None),
    ("/group/{everybody}/set_etudiant/{known}", None),
    (SAVE, {"etudids": ["{known}"]}),
    ("/formsemestre/{formsemestre_id}/partition/create", {"partition_name": "Langues"}),
    ("/formsemestre/{formsemestre_id}/partitions/order", ["{td}"]),
    ("/partition/{td}/edit", {"bul_show_rank": True}),
    ("/partition/{td}/group/create", {"group_name": "C"}),
    ("/partition/{td}/groups/order", ["{a}"]),
    ("/group/{a}/edit", {"group_name": "A1"}),
    ("/group/{a}/set_edt_id/x", None),
]
DELETES: list[tuple[str, Any]] = [
    ("/group/{a}/remove_etudiant/{known}", None),
    ("/group/{a}/set_etudiant/{known}", None),
    ("/partition/{td}/remove_etudiant/{known}", None),
    ("/group/{a}/delete", None),
    ("/partition/{td}/delete", None),
]


@pytest.fixture(params=["everywhere", "department"])
def scope(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest_asyncio.fixture
async def known(sql: SQL, client: httpx.AsyncClient) -> dict[str, Any]:
    """A formsemestre with one student; the values that fill the paths, and own ids."""
    world = World(sql)
    own_department, own = next(OWN_IDS), next(OWN_IDS)
    dept_id, etudid = randrange(10**6, 10**9), randrange(10**6, 10**9)
    await sql(
        "INSERT INTO departments (id, foreign_id, acronym) VALUES (:id, :known, :acronym)",
        id=own_department,
        known=dept_id,
        acronym=world.department,
    )
    world.department_id = own_department
    world.course_id, world.course = await world.add_course()
    await sql(
        "UPDATE courses SET starts_on = '2026-09-01', ends_on = '2027-01-31' WHERE id = :id",
        id=world.course_id,
    )
    await sql(
        "INSERT INTO users (id, foreign_id, department_id, username, sort_key, student_number,"
        " national_number) VALUES (:id, :known, :d, :name, :name, :name, :name)",
        id=own,
        known=etudid,
        d=own_department,
        name=f"k{etudid}",
    )
    await world.enroll(own)
    td = await world.add_partition("TD")
    tracks = f"/v1/courses/{world.course_id}/tracks"
    parcours = (await client.put(tracks, json={"codes": ["X"]})).json()["groups"][0]["id"]
    ((everybody,),) = await sql(
        "SELECT id FROM groups WHERE course_id = :id AND name IS NULL", id=world.course_id
    )
    return {
        "own": (own, own_department),
        "known": etudid,
        "dept": world.department,
        "dept_id": dept_id,
        "formsemestre_id": world.course_id,
        "nip": f"k{etudid}",
        "ine": f"k{etudid}",
        "start": f"k{etudid}",
        "td": td,
        "parcours": parcours,
        "a": await world.add_group(td, "A"),
        "everybody": everybody,
    }


def filled(value: Any, known: dict[str, Any]) -> Any:
    """A path or a body with the values in it."""
    text = json.dumps(value)
    for name, number in known.items():
        text = text.replace(f'"{{{name}}}"', json.dumps(number)).replace(f"{{{name}}}", f"{number}")
    return json.loads(text)


def test_every_route_is_walked() -> None:
    """Paths are compared by their words alone."""
    routes = {route.path for router in ROUTERS for route in router.routes}  # type: ignore[attr-defined]
    prefix = "/api"
    wanted = {
        re.sub(r"\{.*?\}", "*", path.removeprefix(prefix))
        for path in routes
        if path.startswith(prefix) and path != "/api/tokens"
    }
    walked = [*READS, *(path for path, _ in (*WRITES, *DELETES))]
    words = {re.sub(r"\{.*?\}", "*", path.partition("?")[0]) for path in walked}
    assert {word.replace("set_edt_id/x", "set_edt_id/*") for word in words} == wanted


async def test_no_answer_tells_the_own_id(
    anonymous: httpx.AsyncClient,
    client: httpx.AsyncClient,
    auth: Auth,
    known: dict[str, Any],
    scope: str,
) -> None:
    department = known["dept"]
    place, prefix = ("", "/ScoDoc/api")
    if scope == "department":
        place, prefix = f"@department:{department}", f"/ScoDoc/{department}/api"
    headers = auth(*(f"{each}{place}" for each in ("groups:read", "groups:write")))
    reads = [("GET", path, None) for path in READS]
    writes = [("POST", path, body) for path, body in WRITES]
    deletes = [("POST", path, body) for path, body in DELETES]
    own = re.compile("|".join(rf"\b{number}\b" for number in known["own"]))
    told: dict[str, str] = {}
    for method, path, body in (*writes, *reads, *deletes):
        body = json.dumps(filled(body, known)).encode() if body is not None else None
        answer = await anonymous.request(
            method, prefix + filled(path, known), content=body, headers=headers
        )
        assert answer.status_code == 200, (path, answer.text)
        assert not own.search(answer.text), (path, answer.text)
        told[path] = answer.text
    etudid = re.compile(rf"\b{known['known']}\b")
    tells = {path for path in READS if etudid.search(told[path])}
    people = ("etudiants", "etudiant/", "auto_assignment")
    assert tells == {
        path
        for path in READS
        if any(word in path for word in people) and not path.endswith(("/formsemestres", "/groups"))
    }

    journal = await client.get(
        "/v1/changes",
        params={"as": "scodoc", "course_id": known["formsemestre_id"], "limit": 200},
    )
    assert {line["etudid"] for line in journal.json()["items"]} == {known["known"]}


async def test_nobody_is_taken_by_the_own_id(
    client: httpx.AsyncClient, known: dict[str, Any]
) -> None:
    own, own_department = known["own"]
    wrong = {**known, "known": own, "dept_id": own_department}
    paths = [("GET", path) for path in READS if "{known}" in path or "{dept_id}" in path]
    paths += [("POST", path) for path, _ in WRITES if "{known}" in path]
    for method, path in paths:
        answer = await client.request(method, "/ScoDoc/api" + filled(path, wrong))
        empty = path.startswith(("/etudiants/", "/formsemestres/query"))
        expected = (200, []) if empty else (404, answer.json())
        assert (answer.status_code, answer.json()) == expected, path


async def test_the_journal_tells_of_the_deleted_by_the_id_that_readers_know(
    client: httpx.AsyncClient, known: dict[str, Any]
) -> None:
    own, _ = known["own"]
    path = f"/ScoDoc/api/group/{known['a']}/set_etudiant/{known['known']}"
    assert (await client.post(path)).status_code == 200
    assert (await client.delete(f"/v1/users/{own}")).status_code == 204
    query = {"course_id": known["formsemestre_id"], "kind": "membership.removed"}
    (line,) = (await client.get("/v1/changes", params={**query, "as": "scodoc"})).json()["items"]
    assert (line["etudid"], line["method"]) == (known["known"], "group_remove_etud")
    # The native log, and its filters, have our own.
    query["user_id"] = own
    (native,) = (await client.get("/v1/changes", params=query)).json()["items"]
    assert native["user_id"] == own
    (line,) = (await client.get("/v1/changes", params={**query, "as": "scodoc"})).json()["items"]
    assert line["etudid"] == known["known"]
