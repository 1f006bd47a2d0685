"""Who may call what under which prefix, and in which order that is asked."""

from typing import Any

import httpx
import pytest

from tests.api.scodoc.conftest import (
    NOBODY,
    NOT_ALLOWED,
    NOT_FOUND,
    Caller,
    MakeCaller,
    MakeSemester,
    Semester,
    refused,
    told,
)
from tests.conftest import SQL, Auth
from tests.sight import touched

UNAUTHENTICATED = "Non autorise (logic)"
FORBIDDEN = "Non autorise"

READS = [
    "/partition/{td}",
    "/formsemestre/{id}/partitions",
    "/group/{a}/etudiants",
    "/group/{a}/etudiants/query",
    "/formsemestre/{id}/etudiants",
    "/formsemestre/{id}/etudiants/query",
    "/formsemestre/{id}/etudiants/long",
    "/formsemestre/{id}/etudiants/long/query",
    "/etudiant/etudid/{student}/formsemestre/{id}/groups",
    "/etudiant/nip/x/formsemestre/{id}/groups",
    "/etudiant/ine/x/formsemestre/{id}/groups",
    "/formsemestre/{id}/get_groups_auto_assignment",
    "/formsemestre/{id}",
    "/etudiant/etudid/{student}",
    "/etudiant/etudid/{student}/formsemestres",
    "/etudiant/nip/x/formsemestres",
    "/etudiant/ine/x/formsemestres",
]
WRITES = [
    "/group/{a}/set_etudiant/{student}",
    "/group/{a}/remove_etudiant/{student}",
    "/partition/{td}/remove_etudiant/{student}",
    "/partition/{td}/group/create",
    "/group/{a}/edit",
    "/group/{a}/set_edt_id/x",
    "/group/{b}/delete",
    "/formsemestre/{id}/partition/create",
    "/formsemestre/{id}/partitions/order",
    "/partition/{td}/groups/order",
    "/partition/{td}/edit",
    "/partition/{tp}/delete",
    "/formsemestre/{id}/save_groups_auto_assignment",
]
ROUTES = [("GET", path) for path in READS] + [("POST", path) for path in WRITES]
BODIES: dict[str, Any] = {
    "group/create": {"group_name": "C"},
    "partition/create": {"partition_name": "Langues"},
    "order": [],
}


def filled(path: str, semester: Semester) -> str:
    return path.format(
        id=semester.id,
        td=semester.td,
        tp=semester.tp,
        a=semester.a,
        b=semester.b,
        student=semester.students[0],
    )


def body(path: str) -> Any:
    return next((found for ending, found in BODIES.items() if path.endswith(ending)), {})


async def call(caller: Caller, method: str, path: str, **more: Any) -> httpx.Response:
    return await caller.client.request(method, caller.prefix + path, **more)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_nothing_is_read_or_locked_of_what_is_out_of_sight(
    anonymous: httpx.AsyncClient,
    auth: Auth,
    sql: SQL,
    semester: Semester,
    method: str,
    path: str,
) -> None:
    headers = auth("groups:read@department:elsewhere", "groups:write@department:elsewhere")
    caller = Caller(anonymous, "/ScoDoc/api", headers)
    async with touched(sql, semester.id) as found:
        answer = await call(
            caller, method, filled(path, semester), headers=headers, json=body(path)
        )
    assert (answer.status_code in (403, 404), found) == (True, set()), answer.text


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_a_token(
    make_caller: MakeCaller, semester: Semester, method: str, path: str
) -> None:
    caller = make_caller()
    for headers in ({}, {"authorization": "Bearer x"}, {"authorization": "Basic eDp5"}):
        answer = await call(caller, method, filled(path, semester), headers=headers)
        refused(answer, 401, UNAUTHENTICATED)
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_the_permission(
    make_caller: MakeCaller, semester: Semester, method: str, path: str
) -> None:
    other = "groups:write" if method == "GET" else "groups:read"
    caller = make_caller(other, "admin", "roster:write")
    answer = await call(caller, method, filled(path, semester), headers=caller.headers)
    refused(answer, 403, FORBIDDEN)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_with_the_permission_alone(
    make_caller: MakeCaller, semester: Semester, method: str, path: str
) -> None:
    caller = make_caller("groups:read" if method == "GET" else "groups:write")
    answer = await call(
        caller, method, filled(path, semester), headers=caller.headers, json=body(path)
    )
    assert answer.status_code == (404 if "/x/" in path else 200), answer.text


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_grants_and_prefixes(
    anonymous: httpx.AsyncClient,
    auth: Auth,
    semester: Semester,
    make_semester: MakeSemester,
    method: str,
    path: str,
) -> None:
    """(grant in, prefix) and what comes of it."""
    own, other = semester.world.department, (await make_semester(0)).world.department
    needed = "groups:read" if method == "GET" else "groups:write"
    everywhere, here, there = "", f"@department:{own}", f"@department:{other}"
    course = f"@course:{semester.world.course}"
    expected = [
        (here, "", 403),
        (there, "", 403),
        (course, "", 403),
        (there, f"/{own}", 403),
        (course, f"/{own}", 403),
        (here, f"/{other}", 403),
        (there, f"/{other}", 404),
        (everywhere, f"/{other}", 404),
        (everywhere, "/NOWHERE", 404),
        (here, "/NOWHERE", 404),
    ]
    for place, prefix, status in expected:
        caller = Caller(anonymous, f"/ScoDoc{prefix}/api", auth(needed + place))
        answer = await call(
            caller, method, filled(path, semester), headers=caller.headers, json=body(path)
        )
        message = FORBIDDEN if status == 403 else NOT_FOUND
        refused(answer, status, "Invalid dept: NOWHERE" if "NOW" in prefix else message)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_who_is_refused_learns_nothing_of_the_row(
    make_caller: MakeCaller, method: str, path: str
) -> None:
    caller = make_caller()
    unknown = path.format(id=NOBODY, td=NOBODY, tp=NOBODY, a=NOBODY, b=NOBODY, student=NOBODY)
    answer = await call(caller, method, unknown, headers=caller.headers)
    refused(answer, 403, FORBIDDEN)


@pytest.mark.parametrize("acronym", ["X", "rt", "api", "%20", "a%00b", "%C3%A9", "D" * 300])
async def test_a_department_that_there_is_not(
    anonymous: httpx.AsyncClient, auth: Auth, acronym: str
) -> None:
    """Asked after the token and before the permission."""
    path = f"/ScoDoc/{acronym}/api/partition/1"
    named = httpx.URL(f"http://test{path}").path.split("/")[2]
    refused(await anonymous.get(path), 401, UNAUTHENTICATED)
    for grants in ((), ("groups:read",)):
        answer = await anonymous.get(path, headers=auth(*grants))
        refused(answer, 404, f"Invalid dept: {named}")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/partition",
        "/partition/",
        "/partition/abc",
        "/partition/-1",
        "/partition/1.5",
        "/partition/1/",
        "/partition/+1",
        "/partition/1x",
        "/partition/%D9%A1",
        "/formsemestre/x/partitions",
        "/group/1/etudiants/",
        "/group/1/etudiants/query/",
        "/group/1/autre",
        "/group/-1/set_etudiant/1",
        "/group/1/set_etudiant/abc",
        "/partition/1/group/create/",
        "/Partition/1",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_paths_that_there_are_not(make_caller: MakeCaller, method: str, path: str) -> None:
    """Not even asked for a token."""
    caller = make_caller()
    for headers in ({}, caller.headers):
        refused(await call(caller, method, path, headers=headers), 404, NOT_FOUND)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_methods_that_there_are_not(
    make_caller: MakeCaller, semester: Semester, method: str, path: str
) -> None:
    caller = make_caller()
    for other in {"GET", "POST", "PUT", "PATCH", "DELETE"} - {method}:
        answer = await call(caller, other, filled(path, semester))
        refused(answer, 405, NOT_ALLOWED)
        assert answer.headers["allow"] == method


async def test_tokens_have_no_department(anonymous: httpx.AsyncClient, semester: Semester) -> None:
    path = f"/ScoDoc/{semester.world.department}/api/tokens"
    refused(await anonymous.post(path, auth=("a", "b")), 404, NOT_FOUND)
    refused(await anonymous.get("/ScoDoc/api/tokens"), 405, NOT_ALLOWED)
    answer = await anonymous.get("/ScoDoc/api/tokens")
    assert answer.headers["allow"] == "DELETE, POST"


async def test_a_department_user_sees_his_own_rows_alone(
    reader: Caller, semester: Semester, make_semester: MakeSemester
) -> None:
    other = await make_semester()
    assert told(await reader.get(f"/partition/{semester.td}"))[0] == 200
    answer = await reader.get(f"/partition/{other.td}")
    if reader.prefix.endswith("Doc/api"):
        assert answer.status_code == 200
    else:
        refused(answer, 404, NOT_FOUND)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_head_and_options(
    make_caller: MakeCaller, semester: Semester, method: str, path: str
) -> None:
    """As the framework of the original does it: OPTIONS asks for no token."""
    caller = make_caller("groups:read", "groups:write")
    path = filled(path, semester)
    options = await call(caller, "OPTIONS", path)
    allowed = "GET, HEAD, OPTIONS" if method == "GET" else "OPTIONS, POST"
    assert (options.status_code, options.content) == (200, b"")
    assert options.headers["allow"] == allowed
    head = await call(caller, "HEAD", path, headers=caller.headers)
    assert head.content == b""
    if method == "GET":
        got = await caller.get(path)
        assert head.status_code == got.status_code
        assert head.headers["content-length"] == got.headers["content-length"]
    else:
        assert head.status_code == 405


async def test_repeated_slashes_lead_to_the_single_one(
    make_caller: MakeCaller, semester: Semester
) -> None:
    caller = make_caller("groups:read")
    answer = await call(caller, "GET", f"//partition/{semester.td}?x=1")
    assert answer.status_code == 308
    assert answer.headers["location"] == f"{caller.prefix}/partition/{semester.td}?x=1"
    refused(await call(caller, "GET", "//nowhere"), 404, NOT_FOUND)


@pytest.mark.parametrize("path", [path for path in READS if path.endswith("/query")])
async def test_the_caller_before_the_state(
    make_caller: MakeCaller, semester: Semester, path: str
) -> None:
    path = f"{filled(path, semester)}?etat=x"
    for caller, status, message in (
        (Caller(make_caller().client, make_caller().prefix, {}), 401, UNAUTHENTICATED),
        (make_caller("groups:write"), 403, FORBIDDEN),
        (make_caller("groups:read"), 400, "etat: valeur invalide"),
    ):
        refused(await caller.get(path), status, message)


@pytest.mark.parametrize("path", [path for path in READS if path.endswith("/query")])
async def test_the_department_before_the_state(
    anonymous: httpx.AsyncClient, auth: Auth, semester: Semester, path: str
) -> None:
    caller = Caller(anonymous, "/ScoDoc/NOWHERE/api", auth("groups:read"))
    answer = await caller.get(f"{filled(path, semester)}?etat=x")
    refused(answer, 404, "Invalid dept: NOWHERE")


async def test_the_scheme_of_a_token_in_any_case(
    make_caller: MakeCaller, semester: Semester
) -> None:
    caller = make_caller("groups:read")
    _, token = caller.headers["authorization"].split(" ")
    for scheme in ("Bearer", "bearer", "BEARER"):
        headers = {"authorization": f"{scheme} {token}"}
        answer = await call(caller, "GET", f"/partition/{semester.td}", headers=headers)
        assert told(answer) == (200, semester.whole_td())
