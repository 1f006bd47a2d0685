"""The nginx lines of docs/scodoc.md, before this service and a stand-in for the old server."""

import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request, Response

from groupsvc.faces.scodoc import ROUTERS
from tests.api.scodoc.conftest import Semester
from tests.api.scodoc.old_server import OldServer
from tests.api.scodoc.test_guide import GUIDE
from tests.live.browser import free_port
from tests.live.nginx import needs_nginx, running_nginx
from tests.live.serving import listening

pytestmark = needs_nginx

SECRET = "correct horse"
THERE = "x-answered-by"
BOTH = ("/ScoDoc/api", "/ScoDoc/RT/api")
THEIRS = [
    "assiduites/101/query",
    "departement/RT/absences",
    "departement/RT/logos",
    "departement/create",
    "departement/RT/edit",
    "etudiant/etudid/101/formsemestre/12/bulletin",
    "etudiant/etudid/101/photo",
    "etudiant/nip/1/evaluation",
    "etudiant/create",
    "evaluation/7/notes",
    "formation/3/export",
    "formsemestre/12/bulletins",
    "formsemestre/12/decisions_jury",
    "formsemestre/12/edit",
    "formsemestre/12/etat_evals",
    "formsemestre/12/programme",
    "formsemestres",
    "groups_auto_assignment",
    "jury/12",
    "logos",
    "user/1",
]
PAGES = ["/", "/auth/login", "/ScoDoc", "/ScoDoc/", "/ScoDoc/RT/Scolarite/", "/ScoDoc/static/x.css"]


def old_server() -> FastAPI:
    """One that says so in each answer, and answers everything."""
    app = OldServer().application()

    @app.middleware("http")
    async def sign(request: Request, proceed: Any) -> Response:
        answer: Response = await proceed(request)
        answer.headers[THERE] = "the old server"
        answer.headers["x-authorization"] = request.headers.get("authorization", "")
        return answer

    @app.api_route("/{path:path}", methods=["GET", "POST", "HEAD", "OPTIONS", "DELETE"])
    def anything() -> dict[str, Any]:
        return {}

    return app


@dataclass
class Gateway:
    client: httpx.AsyncClient
    account: str
    token: str

    async def is_ours(self, method: str, path: str) -> bool:
        answer = await self.client.request(method, path)
        assert answer.status_code != 502, answer.text
        return THERE not in answer.headers


def lines_of_guide(*, here: str, there: str, port: int, **replaced: str) -> str:
    """The block as it stands, but for addresses, and what is to be replaced."""
    text = GUIDE.read_text(encoding="utf-8")
    block = text[text.index("upstream groupsvc") :]
    block = block[: block.index("```")]
    replaced = {
        "groupsvc:8000": here.removeprefix("http://"),
        "scodoc:80": there.removeprefix("http://"),
        "listen 80": f"listen 127.0.0.1:{port}",
        **replaced,
    }
    for line, other in replaced.items():
        assert block.count(line) == 1, line
        block = block.replace(line, other)
    return block


@pytest.fixture
def moved() -> dict[str, str]:
    """What is replaced in the lines."""
    return {}


@pytest_asyncio.fixture
async def gateway(
    app: FastAPI,
    client: httpx.AsyncClient,
    semester: Semester,
    moved: dict[str, str],
    tmp_path: Path,
) -> AsyncIterator[Gateway]:
    login, port = f"planning-{uuid.uuid4().hex[:8]}", free_port()
    account = {"secret": SECRET, "grants": ["ScoView", "ScoEtudChangeGroups"]}
    assert (await client.put(f"/v1/accounts/{login}", json=account)).status_code == 201
    issued = await client.post("/ScoDoc/api/tokens", auth=(login, SECRET))
    token = str(issued.json()["token"])
    async with listening(app) as here, listening(old_server()) as there:
        lines = lines_of_guide(
            here=here,
            there=there,
            port=port,
            **{"^planning ": f"^{login} ", "192.0.2.7": "127.0.0.2", "gsv_...": token, **moved},
        )
        async with (
            running_nginx(tmp_path / "nginx", port, lines),
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as through,
        ):
            yield Gateway(through, login, token)


def our_paths() -> list[tuple[str, str]]:
    """Method and path of every route of the face, with values in it."""
    routes: list[Any] = [route for router in ROUTERS for route in router.routes]
    return [
        (method, "/ScoDoc" + re.sub(r"\{\w+:int\}", "7", path))
        for route in routes
        for path in [re.sub(r"\{\w+\}", "RT", route.path)]
        for method in route.methods
        if not route.path.endswith("/tokens")
    ]


async def test_every_route_of_the_face_is_answered_here(gateway: Gateway) -> None:
    for method, path in our_paths():
        methods = (method, "OPTIONS", *(["HEAD"] if method == "GET" else []))
        for each in methods:
            assert await gateway.is_ours(each, path), (each, path)
        slashes = path.replace("/api/", "/api//")
        assert await gateway.is_ours(method, slashes), slashes


async def test_the_rest_is_answered_there(gateway: Gateway) -> None:
    paths = [f"{prefix}/{path}" for prefix in BOTH for path in THEIRS] + PAGES
    for path in [*paths, *(path.replace("/api/", "/api//") for path in paths)]:
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            assert not await gateway.is_ours(method, path), (method, path)


async def test_slashes_methods_and_bodies_come_through(
    gateway: Gateway, semester: Semester
) -> None:
    headers = {"authorization": f"Bearer {gateway.token}"}
    path = f"/ScoDoc/api/partition/{semester.td}"
    whole = await gateway.client.get(path, headers=headers)
    assert whole.json() == semester.whole_td()
    head = await gateway.client.head(path, headers=headers)
    assert (head.status_code, head.content) == (200, b"")
    twice = await gateway.client.get(path.replace("api/", "api//"), headers=headers)
    assert (twice.status_code, twice.headers["location"]) == (308, path)
    made = await gateway.client.post(
        f"{path}/group/create", headers=headers, json={"group_name": "É"}
    )
    assert made.json()["group_name"] == "É"


@pytest.mark.parametrize("moved", [{"([^/]+/)?": "(RT|INFO)/"}])
async def test_departments_that_have_not_moved_over_stay_there(gateway: Gateway) -> None:
    path = "formsemestre/7/partitions"
    answered = {
        prefix: await gateway.is_ours("GET", f"/ScoDoc/{prefix}api/{path}")
        for prefix in ("", "RT/", "INFO/", "GEA/", "RTX/")
    }
    assert answered == {"": False, "RT/": True, "INFO/": True, "GEA/": False, "RTX/": False}


async def test_a_login_gets_its_token_where_it_is_said_to(gateway: Gateway) -> None:
    client = gateway.client
    there = await client.post("/ScoDoc/api/tokens", auth=("reader", "p"))
    assert (there.json(), THERE in there.headers) == ({"token": "t"}, True)
    here = await client.post("/ScoDoc/api/tokens", auth=(gateway.account, SECRET))
    assert THERE not in here.headers
    headers = {"authorization": f"Bearer {here.json()['token']}"}
    listed = await client.get("/ScoDoc/api/departements", headers=headers)
    assert listed.status_code == 200
    # A token is ended where it was given.
    ended = await client.delete("/ScoDoc/api/tokens", headers=headers)
    assert (ended.status_code, THERE in ended.headers) == (204, False)
    ended = await client.delete("/ScoDoc/api/tokens", headers={"authorization": "Bearer t"})
    assert (ended.status_code, THERE in ended.headers) == (204, True)


async def test_a_client_of_both_has_two_tokens(gateway: Gateway) -> None:
    client = gateway.client
    here = await client.post("/groupsvc/tokens", auth=(gateway.account, SECRET))
    assert here.json()["token"].startswith("gsv_")
    mixed = await client.get("/ScoDoc/api/departements", headers={"authorization": "Bearer t"})
    assert (mixed.status_code, mixed.json()["message"]) == (401, "Non autorise (logic)")


async def test_a_client_with_one_token_is_given_ours_by_the_gateway(
    gateway: Gateway, semester: Semester
) -> None:
    """Where it goes to the old server, its own comes through."""
    transport = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
    headers = {"authorization": "Bearer t"}
    async with httpx.AsyncClient(
        base_url=gateway.client.base_url, transport=transport, headers=headers, trust_env=False
    ) as client:
        here = await client.get(f"/ScoDoc/api/partition/{semester.td}")
        assert here.json() == semester.whole_td()
        there = await client.get("/ScoDoc/api/formsemestre/12/bulletins")
        assert there.headers["x-authorization"] == "Bearer t"
