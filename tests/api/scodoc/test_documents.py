"""The OpenAPI document and its page, the answers held against it, and failures in its shape."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from sqlalchemy import make_url
from starlette.routing import Mount

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.api.scodoc.conftest import Caller, MakeCaller, Semester, refused
from tests.api.scodoc.test_access import ROUTES, body, filled
from tests.api.scodoc.test_directory import DIRECTORY
from tests.conftest import Auth, serving

COMPAT = Path(__file__).parents[3] / "docs" / "compat" / "scodoc.md"


@pytest.fixture(scope="module")
def dialect(app: FastAPI) -> FastAPI:
    (mount,) = [each for each in app.routes if isinstance(each, Mount) and each.path == "/ScoDoc"]
    assert isinstance(mount.app, FastAPI)
    return mount.app


def routes(dialect: FastAPI) -> list[APIRoute]:
    return [route for route in dialect.routes if isinstance(route, APIRoute)]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_answers_are_what_the_document_says(
    dialect: FastAPI, make_caller: MakeCaller, semester: Semester, method: str, path: str
) -> None:
    await semester.put(semester.a, semester.students[0])
    caller = make_caller("groups:read", "groups:write")
    path = filled(path, semester)
    if "/x/" in path:
        return
    answer = await caller.client.request(
        method, caller.prefix + path, headers=caller.headers, json=body(path)
    )
    local = (caller.prefix + path).removeprefix("/ScoDoc")
    (route,) = [
        each for each in routes(dialect) if method in each.methods and each.path_regex.match(local)
    ]
    adapter: TypeAdapter[Any] = TypeAdapter(route.response_model)
    read = adapter.validate_json(answer.content, strict=True)
    assert adapter.dump_python(read, exclude_unset=True) == adapter.dump_python(read)


def test_every_route_is_under_both_prefixes_and_called_here(dialect: FastAPI) -> None:
    found = {(method, route.path) for route in routes(dialect) for method in route.methods}
    called = {
        (method, prefix + re.sub(r"\{student\}", "{etudid:int}", path))
        for method, path in ROUTES
        for prefix in ("/api", "/{acronym}/api")
    }
    names = {"id": "formsemestre_id", "a": "group_id", "b": "group_id"}
    names |= {"td": "partition_id", "tp": "partition_id"}

    def named(path: str) -> str:
        path = re.sub(r"\{(id|a|b|td|tp)\}", lambda m: f"{{{names[m[1]]}:int}}", path)
        path = path.replace("/set_edt_id/x", "/set_edt_id/{edt_id}")
        return path.replace("/nip/x", "/nip/{nip}").replace("/ine/x", "/ine/{ine}")

    called |= {
        ("GET", prefix + path) for path in DIRECTORY for prefix in ("/api", "/{acronym}/api")
    }
    tokens = {("POST", "/api/tokens"), ("DELETE", "/api/tokens")}
    documents = {each for each in found if each[1] == "/openapi.json"}
    assert found - documents == {(method, named(path)) for method, path in called} | tokens


def test_the_compatibility_document_has_every_route(dialect: FastAPI) -> None:
    """By method and path, under the heading of its order of checks."""
    text = COMPAT.read_text(encoding="utf-8")
    documented = set(re.findall(r"(GET|POST) `(/[^`]+)`", text))
    served = {
        (method, re.sub(r"\{(\w+)(?::int)?\}", r"<\1>", route.path.removeprefix("/api")))
        for route in routes(dialect)
        for method in route.methods
        if route.path.startswith("/api/") and route.path != "/api/tokens"
    }
    assert documented == served


async def test_the_document_is_whole(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/ScoDoc/openapi.json")
    document = answer.json()
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert len({each["operationId"] for each in operations}) == len(operations) == 102
    assert all(each["summary"] and each["description"] for each in operations)
    assert "422" not in json.dumps(document["paths"])
    schemes = document["components"]["securitySchemes"]
    assert {name: each["scheme"] for name, each in schemes.items()} == {
        "token": "bearer",
        "login": "basic",
    }
    assert all(each["security"] in ([{"token": []}], [{"login": []}]) for each in operations)


async def test_the_page_shows_the_document(anonymous: httpx.AsyncClient) -> None:
    page = await anonymous.get("/docs/scodoc")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    addresses = re.findall(r'(?:href|src|"url")(?:=|: )"([^"]+)"', page.text)
    assert "../ScoDoc/openapi.json" in addresses
    found = [await anonymous.get(page.url.join(address)) for address in addresses]
    assert [each.status_code for each in found] == [200] * len(addresses)


async def test_without_documents(url: Any, home: Any) -> None:
    app = create_app(Settings(docs=False), url, home)
    async with serving(app) as client:
        assert (await client.get("/ScoDoc/openapi.json")).status_code == 404
        assert (await client.get("/docs/scodoc")).status_code == 404


async def test_a_database_that_is_away(home: Any, auth: Auth) -> None:
    app = create_app(Settings(), make_url("postgresql+asyncpg://x@127.0.0.1:9/x"), home)
    async with serving(app) as client:
        for prefix in ("", "/RT"):
            path = f"/ScoDoc{prefix}/api/partition/1"
            answer = await client.get(path, headers=auth("groups:read"))
            refused(answer, 503, "service momentanément indisponible")
            assert answer.headers["retry-after"] == "1"


async def test_an_error_of_ours(broken_app: FastAPI, auth: Auth) -> None:
    async with serving(broken_app) as client:
        answer = await client.get("/ScoDoc/api/partition/1", headers=auth("groups:read"))
        refused(answer, 500, "erreur interne")


async def test_refusals_that_no_face_is_asked_for(api: Caller) -> None:
    twice = [("authorization", "Bearer x"), ("authorization", "Bearer x")]
    for path, headers, status, message in (
        ("/partition/" + "1" * 3000, {}, 414, "the path or the query is too long"),
        (
            "/partition/1",
            {"x-long": "x" * 40_000},
            431,
            "there are too many headers, or too long ones",
        ),
        (
            "/partition/1",
            {"host": "a b"},
            400,
            "the Host header is missing, repeated or malformed",
        ),
        ("/partition/1", twice, 400, "a header that may be sent once was repeated"),
    ):
        answer = await api.client.get(api.prefix + path, headers=headers)
        refused(answer, status, message)
