"""The fast path answers what FastAPI does, and leaves it what is unusual."""

import dataclasses
import io
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from sqlalchemy import URL
from starlette.convertors import CONVERTOR_TYPES
from starlette.routing import BaseRoute, Mount

from groupsvc import logs
from groupsvc.app import create_app
from groupsvc.http.fast_path import compiled_endpoint
from groupsvc.http.fast_path.middleware import MountedApp
from groupsvc.http.routing import TransactionalRoute
from groupsvc.settings import Settings
from tests.conftest import EVERYTHING, SQL, Auth, serving
from tests.tour import TOUR, Stage, set_stage

# Larger than any number in an answer that is no id, and apart from those of other tables.
FIRST_ID = 10_000_000
TABLES = (
    *("departments", "users", "courses", "partitions", "groups", "accounts", "changes", "jobs"),
    *("cohort_settings", "preassignments"),
)


@contextmanager
def switched(directly: bool) -> Iterator[list[bool]]:
    """Which requests took the fast path, which can be switched off."""
    taken: list[bool] = []
    takes = MountedApp.takes

    def take(face: Any, scope: Any, found: Any) -> bool:
        taken.append(directly and takes(face, scope, found))
        return taken[-1]

    MountedApp.takes = take  # type: ignore[method-assign]
    try:
        yield taken
    finally:
        MountedApp.takes = takes  # type: ignore[method-assign]


@pytest_asyncio.fixture(scope="module")
async def stage(sql: SQL) -> Stage:
    """For what changes nothing. Ids are far from all other numbers from here on."""
    for number, table in enumerate(TABLES, 1):
        column = "seq" if table == "changes" else "id"
        first = number * FIRST_ID
        await sql(f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), {first})")
    return await set_stage(sql)


def comparable(answer: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    """All that was sent but what no two answers share."""
    name = answer.headers.get("x-request-id", "none").encode()
    headers = answer.headers.multi_items()
    kept = [(key, value) for key, value in headers if key not in ("x-request-id", "date")]
    return answer.status_code, kept, answer.content.replace(name, b"")


def of_any_stage(answer: tuple[int, list[tuple[str, str]], bytes]) -> list[Any]:
    """The same with ids and names by the order in which they come."""
    status, headers, body = answer
    met: dict[str, str] = {}
    parts: list[Any] = [status]
    kept = [f"{k}: {v}" for k, v in headers if k not in ("content-length", "etag")]
    for part in [*kept, body.decode()]:
        part = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)", "<time>", part)
        part = re.sub(r'gsv_[\w-]+|(?<="secret": ")[\w-]+', "<secret>", part)
        part = re.sub(r"C\d+\+2026", "<course>", part)
        part = re.sub(r'(?<="next_cursor":")[\w-]+', "<cursor>", part)
        part = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<uuid>", part)
        pattern = r"[DUdu][0-9a-f]{8}\b|\d{8,}"
        part = re.sub(pattern, lambda m: met.setdefault(m[0].lower(), f"<{len(met)}>"), part)
        parts.append(part)
    return parts


@pytest.mark.parametrize("name", TOUR)
async def test_an_operation_answers_and_does_the_same(
    client: httpx.AsyncClient, app: FastAPI, sql: SQL, stage: Stage, name: str
) -> None:
    routes = {
        route.operation_id: route for route in app.routes if isinstance(route, TransactionalRoute)
    }
    done = []
    stages = [await set_stage(sql), await set_stage(sql)]
    for directly, own in zip((True, False), stages, strict=True):
        with switched(directly) as taken:
            answer = await TOUR[name].go(client, own)
        assert answer.status_code == TOUR[name].status, answer.text
        assert taken == [directly and name in routes and routes[name].compiled_endpoint is not None]
        log = await sql("SELECT kind FROM changes WHERE course_id = :c ORDER BY seq", c=own.course)
        done.append((of_any_stage(comparable(answer)), log))
    assert done[0] == done[1]


def all_routes(routes: Sequence[BaseRoute]) -> Iterator[TransactionalRoute]:
    for route in routes:
        if isinstance(route, Mount):
            yield from all_routes(route.routes)
        elif isinstance(route, TransactionalRoute):
            yield route


def test_every_endpoint_without_a_body_is_compiled(app: FastAPI) -> None:
    routes = list(all_routes(app.routes))
    stock = {route.path for route in routes if route.compiled_endpoint is None}
    assert stock == {route.path for route in routes if route.body_field is not None} != set()
    assert len(stock) < len(routes) / 4


def test_what_is_private_is_as_it_was() -> None:
    """A name that is gone would not be looked for in vain: it would be taken for empty."""
    fields = {each.name for each in dataclasses.fields(Dependant)}
    assert fields >= {*compiled_endpoint.SOURCES, *compiled_endpoint.OTHERS, "dependencies"}
    assert {type(each).__name__ for each in CONVERTOR_TYPES.values()} >= {
        *("StringConvertor", "IntegerConvertor", "FloatConvertor", "UUIDConvertor"),
        "PathConvertor",
    }


P, G, C = "/v1/partitions/{partition}", "/v1/groups/{group}", "/v1/courses/{course}"
COHORTS, SCODOC = "/api/cohorts/v1/courses/{key}/cohorts", "/ScoDoc/api"
ADDRESSES = [
    # what is not there, and what is no id
    *(f"/v1/partitions/{each}" for each in ("0", "-1", "abc", "1.5", "%31", "%20", "é", "1%0A")),
    *(f"/v1/partitions/{each}" for each in (2**31, 2**63 - 1, 2**63, 2**80, "٣", "%00", "+1")),
    *(f"/v1/groups/{each}/members" for each in ("", "0", "1/2", "%2F", 2**63)),
    *(P + end for end in ("/", "//", "?", "#", "/nothing", "%2F", ";x")),
    *("/" + P, "/V1/partitions/1", "/v1", "/v1/", "/", "", "/v1/partitions", "/health/live"),
    # queries
    *(f"{G}/members?{each}" for each in ("limit=1", "limit=0", "limit=-1", "limit=x", "limit=")),
    *(f"{G}/members?{each}" for each in ("limit=1&limit=2", "limit=x&limit=1", "limit=1&limit=x")),
    *(f"{G}/members?{each}" for each in ("limit=%31", "limit=1.0", "limit=100000", "Limit=1")),
    *(f"{G}/members?{each}" for each in ("state=active", "state=x", "state=", "unknown=1", "&&")),
    *(f"{G}/members?{each}" for each in ("cursor=x", "cursor=%00", "cursor=%FF", "limit=1;2")),
    *(f"{G}/members?as_of={each}" for each in ("x", "2030-01-01T00:00:00Z", "2030-01-01", "0")),
    *(f"{C}/board?members={each}" for each in ("true", "false", "0", "maybe", "", "TRUE")),
    *(f"/v1/users?{each}" for each in ("search=%C3%A9", "search=%FF", "search=", "limit=1")),
    *(f"/v1/changes?course_id={{course}}&{each}" for each in ("user_id=x", "kind=", "since=x")),
    # names in paths
    *("/v1/courses/by-key/{key}", "/v1/courses/by-key/a%2Fb", "/v1/courses/by-key/%C3%A9"),
    *("/v1/users/by-name/{username}", "/v1/users/by-name/%FF", "/v1/departments/a%20b"),
    # the other faces
    *(f"{SCODOC}/partition/{each}" for each in ("{partition}", "0", "x", 2**63, "{partition}/")),
    *(f"/ScoDoc/{{department}}/api/group/{each}/etudiants" for each in ("{group}", "0", "x")),
    *(f"{SCODOC}/group/{{group}}/etudiants/query?{each}" for each in ("etat=I", "etat=x", "")),
    *(f"{SCODOC}/formsemestre/{{course}}/{each}" for each in ("partitions", "etudiants", "x")),
    *("/ScoDoc/nothing/api/partition/{partition}", "/ScoDoc", "/ScoDoc/", "/ScoDocs/api"),
    *(COHORTS + each for each in ("/", "", "/0", "/x", "/?page_size=1", "/?page_size=x")),
    *(COHORTS + each for each in ("/?page=last", "/?page=9", "/?page=1&page=2", "//", "/1/users")),
    *("/api/cohorts/v1/settings/{key}", "/api/cohorts/v1/settings/a+b+c", "/api/cohorts"),
    *("/api/cohorts/v1/settings/course-v1%3A{key}", "/api/cohorts/v2/courses/{key}/cohorts/"),
    *("/courses/{key}/cohorts/settings", "/courses/{key}/cohorts/", "/courses/"),
]


async def both(client: httpx.AsyncClient, *arguments: Any, **options: Any) -> list[Any]:
    """What is answered and which way, directly where that is possible and then not."""
    found = []
    for directly in (True, False):
        with switched(directly) as taken:
            found.append((comparable(await client.request(*arguments, **options)), any(taken)))
    assert found[0][0] == found[1][0]
    assert not found[1][1]
    return list(found[0])


@pytest.mark.parametrize("address", ADDRESSES)
async def test_an_address_answers_the_same(
    client: httpx.AsyncClient, stage: Stage, address: str
) -> None:
    await both(client, "GET", address.format(**vars(stage)))


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (P, 200),
        (G + "/members?limit=1", 200),
        (f"/v1/partitions/{2**40}", 404),
        (COHORTS + "/", 200),
    ],
)
async def test_plain_requests_take_the_fast_path(
    client: httpx.AsyncClient, stage: Stage, address: str, status: int
) -> None:
    answer, directly = await both(client, "GET", address.format(**vars(stage)))
    assert (answer[0], directly) == (status, True)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "POST", "PATCH", "get", "BREW"])
@pytest.mark.parametrize(
    "address", [P, G + "/members", SCODOC + "/partition/{partition}", COHORTS + "/0", "/v1/me"]
)
async def test_a_method_answers_the_same(
    client: httpx.AsyncClient, stage: Stage, address: str, method: str
) -> None:
    await both(client, method, address.format(**vars(stage)))


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": ""},
        {"authorization": "Bearer nonsense"},
        {"authorization": "Bearer gsv_nonsense"},
        {"if-none-match": "*"},
        {"if-none-match": '"x"'},
        {"if-match": '"x"'},
        {"accept": "text/html"},
        {"content-type": "text/plain"},
        {"idempotency-key": "short"},
        {"origin": "http://elsewhere.example"},
    ],
)
@pytest.mark.parametrize("address", [P, SCODOC + "/partition/{partition}", COHORTS + "/"])
async def test_a_header_means_the_same(
    client: httpx.AsyncClient, stage: Stage, address: str, headers: dict[str, str]
) -> None:
    await both(client, "GET", address.format(**vars(stage)), headers=headers)


@pytest.mark.parametrize("body", [b"", b"{}", b"nonsense", b"\xff"])
@pytest.mark.parametrize("path", [G + "/members/0", "/v1/partitions/0/members/0"])
async def test_a_body_that_nobody_asked_for_means_the_same(
    client: httpx.AsyncClient, stage: Stage, path: str, body: bytes
) -> None:
    await both(client, "DELETE", path.format(**vars(stage)), content=body)


FACES = [P, SCODOC + "/partition/{partition}", COHORTS + "/", "/v1/partitions/x", "/nothing"]


@pytest.mark.parametrize("prefixed", [True, False])
@pytest.mark.parametrize("address", FACES)
async def test_behind_a_gateway_with_a_prefix(
    app: FastAPI, auth: Auth, stage: Stage, address: str, prefixed: bool
) -> None:
    async with app.router.lifespan_context(app) as state:

        async def started(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "state": dict(state or {})}, receive, send)

        transport = httpx.ASGITransport(started, root_path="/gateway")
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            path = ("/gateway" if prefixed else "") + address.format(**vars(stage))
            answer, _ = await both(client, "GET", path, headers=auth(*EVERYTHING))
    assert not prefixed or answer[0] == (200 if address in FACES[:3] else 404)


@pytest_asyncio.fixture(scope="module")
async def shared(
    url: URL, settings: Settings, home: Path, auth: Auth
) -> AsyncIterator[httpx.AsyncClient]:
    """An application that pages of another origin may call."""
    crossing = settings.model_copy(update={"cors_origins": ("http://pages.example",)})
    async with serving(create_app(crossing, url, home)) as client:
        client.headers.update(auth(*EVERYTHING, subject="root"))
        yield client


@pytest.mark.parametrize("origin", ["http://pages.example", "http://elsewhere.example"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.parametrize("address", FACES)
async def test_a_page_of_another_origin(
    shared: httpx.AsyncClient, stage: Stage, address: str, method: str, origin: str
) -> None:
    headers = {"origin": origin, "access-control-request-method": "GET"}
    answer, _ = await both(shared, method, address.format(**vars(stage)), headers=headers)
    allowed = dict(answer[1]).get("access-control-allow-origin")
    assert allowed == (origin if origin == "http://pages.example" else None)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    level, stream = root.level, io.StringIO()
    logs.configure("INFO", stream)
    yield stream
    root.removeHandler(root.handlers[-1])
    root.setLevel(level)


@pytest.mark.parametrize(
    ("address", "route"),
    [
        (P, "/v1/partitions/{partition_id}"),
        ("/v1/partitions/0", "/v1/partitions/{partition_id}"),
        (SCODOC + "/partition/{partition}", "/ScoDoc/api/partition/{partition_id}"),
        (COHORTS + "/", "/api/cohorts/v1/courses/{key}/cohorts/"),
        ("/courses/{key}/cohorts/settings", "/courses/{key}/cohorts/settings"),
        ("/nothing", None),
    ],
)
async def test_the_access_log_names_the_same_route(
    client: httpx.AsyncClient, stage: Stage, log: io.StringIO, address: str, route: str | None
) -> None:
    await both(client, "GET", address.format(**vars(stage)))
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    kept = [{key: line[key] for key in ("method", "route", "status", "bytes")} for line in lines]
    assert len(kept) == 2
    assert kept[0] == kept[1]
    assert kept[0]["route"] == route
