"""The guard: names, limits, deadlines, headers and the access log."""

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Scope

from groupsvc import logs
from groupsvc.domain import errors
from groupsvc.faces.v1.conflicts import PROBLEMS
from groupsvc.http import edge as guard
from groupsvc.http.edge import Guard
from groupsvc.settings import Settings


def bounded(**limits: Any) -> Settings:
    """Settings with limits that would be too small for the real thing."""
    return Settings().model_copy(update=limits)


LIMITS = bounded(max_body=1_000, max_upload=5_000, request_timeout=5, bulk_timeout=10)
TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln"
BASE = {"host": "test"}


def is_bulk(_: Scope, path: str) -> bool:
    return path.endswith(("/assignments", "/import"))


def make_app() -> FastAPI:
    app = FastAPI(docs_url=None, redirect_slashes=False)
    PROBLEMS.install(app)
    inner = APIRouter(prefix="/groups")

    @inner.get("/{group_id}")
    async def read(group_id: int, request: Request) -> dict[str, Any]:
        request.scope["state"]["subject"] = "client-7"
        return {"id": request.state.request_id, "context": logs.request_id.get()}

    app.include_router(inner, prefix="/v1")

    @app.post("/v1/echo")
    @app.post("/v1/import")
    async def echo(request: Request) -> int:
        return len(await request.body())

    @app.get("/v1/own")
    async def own() -> Response:
        return Response(b"x", headers={"Cache-Control": "private, no-cache"})

    @app.get("/v1/crash/{what}")
    async def crash(what: str) -> None:
        if what == "conflict":
            raise errors.ConflictError("no")
        raise RuntimeError(f"secret {TOKEN}")

    @app.get("/health/live")
    async def live() -> str:
        return "alive"

    sub = FastAPI(docs_url=None)
    sub.add_api_route("/partition/{partition_id}", live)
    app.mount("/ScoDoc/{dept}/api", sub)
    app.mount("/api/cohorts", sub)
    return app


def client_of(
    app: Any, limits: Settings = LIMITS, *, root_path: str = "", base_url: str = "http://test"
) -> httpx.AsyncClient:
    edge = Guard(app, settings=limits, render=PROBLEMS.render, is_bulk=is_bulk)
    transport = httpx.ASGITransport(edge, root_path=root_path)
    return httpx.AsyncClient(transport=transport, base_url=base_url)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(make_app()) as client:
        yield client


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    level = logging.getLogger().level
    logs.configure("INFO", stream)
    yield stream
    root = logging.getLogger()
    root.removeHandler(root.handlers[-1])
    root.setLevel(level)


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


async def exchange(
    app: Any,
    headers: list[tuple[bytes, bytes]],
    *,
    limits: Settings = LIMITS,
    received: tuple[dict[str, Any], ...] = (),
    **scope: Any,
) -> list[dict[str, Any]]:
    """Call the guard as a server would; httpx would tidy the headers."""
    base = {"type": "http", "method": "GET", "path": "/v1/own", "query_string": b""}
    sent: list[dict[str, Any]] = []
    waiting = [*received, {"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    edge = Guard(app, settings=limits, render=PROBLEMS.render, is_bulk=is_bulk)
    await edge({**base, "headers": headers, **scope}, receive, send)
    return sent


async def plain(scope: Any, receive: Any, send: Any) -> None:
    """Reads everything and answers 200."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


# request ids


@pytest.mark.parametrize("name", ["a", "A-1_b.2", "x" * 64])
async def test_a_good_request_id_is_kept(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get("/v1/groups/1", headers={"X-Request-ID": name})
    assert answer.json() == {"id": name, "context": name}
    assert answer.headers.get_list("x-request-id") == [name]


@pytest.mark.parametrize("name", ["", "x" * 65, "a b", 'a"b', "é", "a\tb", "a,b"])
async def test_a_bad_request_id_is_replaced(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get("/v1/groups/1", headers={"X-Request-ID": name.encode()})
    made = answer.headers["x-request-id"]
    assert answer.json() == {"id": made, "context": made}
    assert len(made) == 32


async def test_a_repeated_request_id_is_replaced(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/groups/1", headers=[("X-Request-ID", "a")] * 2)
    assert len(answer.headers["x-request-id"]) == 32


async def test_every_request_has_its_own_id(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(client.get("/v1/groups/1") for _ in range(20)))
    assert len({answer.json()["context"] for answer in answers}) == 20
    await client.get("/v1/groups/1")
    assert logs.request_id.get() is None


async def test_a_refusal_carries_the_id_too(client: httpx.AsyncClient) -> None:
    answer = await client.get("/" + "x" * 3_000, headers={"X-Request-ID": "r1"})
    assert (answer.headers["x-request-id"], answer.json()["request_id"]) == ("r1", "r1")


# hosts


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        [b"a", b"a"],
        [b"a", b"b"],
        [b""],
        [b"a b"],
        [b"a/b"],
        [b"user@a"],
        [b"a:port"],
        [b"a:123456"],
        [b"[::1"],
        [b"\xc3\xa9"],
    ],
)
async def test_a_bad_host_is_refused(hosts: list[bytes]) -> None:
    sent = await exchange(plain, [(b"host", host) for host in hosts])
    assert sent[0]["status"] == 400
    assert (b"connection", b"close") in sent[0]["headers"]
    assert json.loads(sent[1]["body"])["code"] == "invalid_host"


@pytest.mark.parametrize("host", [b"a", b"A.b_c-d:80", b"127.0.0.1:8000", b"[::1]:80", b"[::1]"])
async def test_any_host_will_do_when_none_are_named(host: bytes) -> None:
    assert (await exchange(plain, [(b"host", host)]))[0]["status"] == 200


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        (b"groups.example.org", "/v1/own", 200),
        (b"GROUPS.example.org:443", "/v1/own", 200),
        (b"groups.example.org.evil.org", "/v1/own", 421),
        (b"10.0.0.7:8000", "/v1/own", 421),
        (b"10.0.0.7:8000", "/health/live", 200),
    ],
)
async def test_only_named_hosts_are_answered(host: bytes, path: str, status: int) -> None:
    limits = bounded(
        max_body=1,
        max_upload=1,
        request_timeout=1,
        bulk_timeout=1,
        allowed_hosts=("Groups.Example.org",),
    )
    sent = await exchange(plain, [(b"host", host)], limits=limits, path=path)
    assert sent[0]["status"] == status


# headers and targets


@pytest.mark.parametrize(
    "name", ["Authorization", "Content-Type", "If-Match", "Idempotency-Key", "Content-Length"]
)
async def test_a_header_that_may_be_sent_once_is_sent_once(name: str) -> None:
    header = (name.lower().encode(), b"1")
    once = await exchange(plain, [(b"host", b"a"), header])
    twice = await exchange(plain, [(b"host", b"a"), header, (b"x", b"y"), header])
    assert [once[0]["status"], twice[0]["status"]] == [200, 400]
    assert json.loads(twice[1]["body"])["code"] == "repeated_header"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(b"transfer-encoding", b"Chunked")], 200),
        ([(b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")], 400),
        ([(b"transfer-encoding", b"gzip, chunked")], 415),
        ([(b"transfer-encoding", b"chunked"), (b"content-length", b"5")], 400),
    ],
)
async def test_a_body_is_framed_in_one_way(headers: Any, status: int) -> None:
    sent = await exchange(plain, [(b"host", b"a"), *headers])
    assert sent[0]["status"] == status


async def test_other_headers_may_repeat(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/own", headers=[("If-None-Match", '"1"')] * 3)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("more", "scope", "status"),
    [
        ([(b"x", b"")] * (guard.MAX_HEADERS - 1), {}, 200),
        ([(b"x", b"")] * guard.MAX_HEADERS, {}, 431),
        ([(b"x", b"y" * (guard.MAX_HEADER_BYTES - 6))], {}, 200),
        ([(b"x", b"y" * (guard.MAX_HEADER_BYTES - 5))], {}, 431),
        ([], {"raw_path": b"/" + b"x" * (guard.MAX_PATH - 1)}, 200),
        ([], {"raw_path": b"/" + b"x" * guard.MAX_PATH}, 414),
        ([], {"path": "/" + "é" * (guard.MAX_PATH // 2)}, 414),
        ([], {"query_string": b"x" * guard.MAX_QUERY}, 200),
        ([], {"query_string": b"x" * (guard.MAX_QUERY + 1)}, 414),
    ],
)
async def test_limits_hold_to_the_byte(
    more: list[tuple[bytes, bytes]], scope: dict[str, Any], status: int
) -> None:
    sent = await exchange(plain, [(b"host", b"a"), *more], **scope)
    assert sent[0]["status"] == status


# bodies


async def _chunks(size: int) -> AsyncIterator[bytes]:
    for start in range(0, size, 300):
        yield b"x" * min(300, size - start)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/v1/echo", 1_000, 200),
        ("/v1/echo", 1_001, 413),
        ("/v1/import", 5_000, 200),
        ("/v1/import", 5_001, 413),
    ],
)
async def test_a_body_has_a_ceiling(
    client: httpx.AsyncClient, path: str, size: int, status: int, streamed: bool
) -> None:
    answer = await client.post(path, content=_chunks(size) if streamed else b"x" * size)
    assert answer.status_code == status
    if status == 413:
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.json()["code"], answer.json()["detail"]) == (
            "body_too_large",
            "the body is too large",
        )


async def test_a_false_content_length_does_not_help() -> None:
    chunk = {"type": "http.request", "body": b"x" * 400, "more_body": True}
    headers = [(b"host", b"a"), (b"content-length", b"5")]
    sent = await exchange(plain, headers, received=(chunk, chunk, chunk))
    assert sent[0]["status"] == 413


@pytest.mark.parametrize(
    ("length", "status"),
    [
        (b"-1", 400),
        (b"+5", 400),
        (b"1e3", 400),
        (b"", 400),
        (b"5,5", 400),
        ("٣".encode(), 400),
        (b"9" * 18, 413),
        (b"9" * 5_000, 413),
        (b"0" * 5_000 + b"9", 413),
    ],
)
async def test_odd_content_lengths(length: bytes, status: int) -> None:
    sent = await exchange(plain, [(b"host", b"a"), (b"content-length", length)])
    assert sent[0]["status"] == status


@pytest.mark.parametrize(
    ("method", "encoding", "status"),
    [
        ("POST", "gzip", 415),
        ("PUT", "br", 415),
        ("POST", "gzip, identity", 415),
        ("POST", "Identity", 200),
        ("GET", "gzip", 405),
    ],
)
async def test_a_compressed_body_is_refused_for_what_it_is(
    client: httpx.AsyncClient, method: str, encoding: str, status: int
) -> None:
    answer = await client.request(
        method, "/v1/echo", content=b"x", headers={"content-encoding": encoding}
    )
    assert answer.status_code == status
    if status == 415:
        assert (answer.json()["code"], answer.json()["detail"]) == (
            "unsupported_content_encoding",
            "send the body as it is, not compressed",
        )


# deadlines


def limits_of(seconds: float, bulk: float = 10) -> Settings:
    return bounded(max_body=1_000, max_upload=1_000, request_timeout=seconds, bulk_timeout=bulk)


async def stuck(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.Event().wait()


async def test_a_request_that_takes_too_long_is_given_up(log: io.StringIO) -> None:
    async with client_of(stuck, limits_of(0.01)) as client:
        answer = await client.get("/v1/groups/1", headers={"X-Request-ID": "r1"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json() == {
        "type": "urn:groupsvc:problem:deadline_passed",
        "title": "Temporarily unavailable",
        "status": 503,
        "detail": "this took too long and was given up",
        "code": "deadline_passed",
        "request_id": "r1",
    }
    assert [line["level"] for line in lines(log)] == ["WARNING", "WARNING"]


async def test_bulk_requests_have_their_own_deadline() -> None:
    async with client_of(stuck, limits_of(60, bulk=0.01)) as client:
        assert (await client.post("/v1/x/assignments")).status_code == 503


async def test_an_answer_that_has_begun_is_cut_off() -> None:
    async def half(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await stuck(scope, receive, send)

    sent = await exchange(half, [(b"host", b"a")], limits=limits_of(0.01))
    assert [message["type"] for message in sent] == ["http.response.start"]


async def test_a_timeout_of_something_else_is_a_crash() -> None:
    async def away(scope: Any, receive: Any, send: Any) -> None:
        raise TimeoutError("secret")

    assert (await exchange(away, [(b"host", b"a")]))[0]["status"] == 500


async def test_a_cancelled_request_stays_cancelled(log: io.StringIO) -> None:
    task = asyncio.create_task(exchange(stuck, [(b"host", b"a")]))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [line["status"] for line in lines(log)] == [None]


# crashes


async def test_a_crash_is_answered_and_logged_once_without_its_text(
    client: httpx.AsyncClient, log: io.StringIO
) -> None:
    answer = await client.get("/v1/crash/me", headers={"X-Request-ID": "r1"})
    assert answer.status_code == 500
    assert (answer.json()["code"], answer.json()["request_id"]) == ("internal_error", "r1")
    failure, access = lines(log)
    assert (failure["message"], failure["request_id"]) == ("a request failed", "r1")
    assert failure["exceptions"][0]["type"] == "builtins.RuntimeError"
    assert failure["exceptions"][0]["at"][-1].endswith(" crash")
    assert (access["level"], access["status"]) == ("WARNING", 500)
    assert "secret" not in log.getvalue()
    assert TOKEN not in log.getvalue()


async def test_a_crash_of_a_bare_application_is_answered_too(log: io.StringIO) -> None:
    async def crash(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("secret")

    sent = await exchange(crash, [(b"host", b"a")])
    assert sent[0]["status"] == 500
    assert "secret" not in log.getvalue() + sent[1]["body"].decode()


# what an answer wears


async def test_answers_wear_security_headers(client: httpx.AsyncClient) -> None:
    for path in ("/v1/groups/1", "/nothing", "/" + "x" * 3_000):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers.get_list("cache-control") == ["no-store"]
    answer = await client.get("/v1/own")
    assert answer.headers.get_list("cache-control") == ["private, no-cache"]


async def test_a_message_that_is_sent_twice_does_not_grow() -> None:
    start = {"type": "http.response.start", "status": 200, "headers": []}

    async def same(scope: Any, receive: Any, send: Any) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": b""})

    first = await exchange(same, [(b"host", b"a")])
    second = await exchange(same, [(b"host", b"a")])
    assert len(first[0]["headers"]) == len(second[0]["headers"]) == 4
    assert start["headers"] == []


async def test_expect_and_a_refusal_close_the_connection() -> None:
    headers = [(b"host", b"a"), (b"expect", b"100-continue"), (b"content-length", b"2000")]
    sent = await exchange(plain, headers)
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]


async def test_what_is_not_http_passes_by() -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    edge = Guard(app, settings=LIMITS, render=PROBLEMS.render, is_bulk=is_bulk)
    await edge({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert seen == ["lifespan"]


# the access log


async def test_an_access_line(client: httpx.AsyncClient, log: io.StringIO) -> None:
    answer = await client.get(
        "/v1/groups/12345",
        params={"token": TOKEN, "q": "ada@example.org"},
        headers={"X-Request-ID": "r1", "Authorization": f"Bearer {TOKEN}"},
    )
    (line,) = lines(log)
    assert line.pop("time").endswith("Z")
    assert line.pop("duration_ms") >= 0
    assert line == {
        "level": "INFO",
        "logger": "groupsvc.access",
        "message": "request",
        "request_id": "r1",
        "method": "GET",
        "route": "/v1/groups/{group_id}",
        "status": 200,
        "bytes": len(answer.content),
        "principal": "client-7",
    }
    for private in (TOKEN, "ada@", "12345"):
        assert private not in log.getvalue()


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/v1/own", "/v1/own", 200),
        ("PATCH", "/v1/groups/12345", "/v1/groups/{group_id}", 405),
        ("GET", "/v1/groups/nobody", "/v1/groups/{group_id}", 404),
        ("GET", "/nobody@example.org", None, 404),
        ("GET", "/" + "x" * 3_000, None, 414),
        (
            "GET",
            "/ScoDoc/nobody/api/partition/12345",
            "/ScoDoc/{dept}/api/partition/{partition_id}",
            200,
        ),
        ("GET", "/api/cohorts/partition/12345", "/api/cohorts/partition/{partition_id}", 200),
        ("GET", "/v1/crash/conflict", "/v1/crash/{what}", 409),
    ],
)
async def test_the_route_is_logged_and_not_the_path(
    client: httpx.AsyncClient,
    log: io.StringIO,
    method: str,
    path: str,
    route: str | None,
    status: int,
) -> None:
    await client.request(method, path)
    (line,) = lines(log)
    assert (line["route"], line["status"], line["level"]) == (route, status, "INFO")
    assert "12345" not in log.getvalue()
    assert "nobody" not in log.getvalue()


async def test_a_prefix_is_part_of_the_route_and_not_of_the_path(log: io.StringIO) -> None:
    async with client_of(make_app(), root_path="/prefix") as client:
        assert (await client.get("/prefix/health/live")).status_code == 200
        await client.get("/prefix/v1/groups/1")
        await client.get("/prefix/api/cohorts/partition/1")
    assert [line["route"] for line in lines(log)] == [
        "/prefix/v1/groups/{group_id}",
        "/prefix/api/cohorts/partition/{partition_id}",
    ]


async def test_health_is_logged_only_when_debugging(client: httpx.AsyncClient) -> None:
    stream = io.StringIO()
    logs.configure("INFO", stream)
    await client.get("/health/live")
    assert stream.getvalue() == ""
    logs.configure("DEBUG", stream)
    await client.get("/health/live")
    root = logging.getLogger()
    root.removeHandler(root.handlers[-1])
    root.setLevel(logging.WARNING)
    assert [line["route"] for line in lines(stream) if "route" in line] == ["/health/live"]


async def test_bytes_are_those_of_the_whole_stream(log: io.StringIO) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"12345"

    app = FastAPI()
    app.add_api_route("/", lambda: StreamingResponse(parts()))
    async with client_of(app) as client:
        await client.get("/")
    assert [line["bytes"] for line in lines(log)] == [15]
