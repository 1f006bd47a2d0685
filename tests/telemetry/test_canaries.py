"""Nothing that anybody sends or stores comes out in logs, metrics or traces."""

import asyncio
import io
import json
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import URL

from groupsvc import logs
from groupsvc.app import create_app
from groupsvc.db import migrate
from groupsvc.db.engine import make_engine
from groupsvc.settings import Settings
from groupsvc.telemetry.metrics import PrometheusRecorder
from groupsvc.telemetry.tracing import Tracing
from tests.conftest import EVERYTHING, SQL, Auth, MakeDatabase, serving, statements
from tests.live.serving import listening
from tests.telemetry.marked import ADDRESS, BASIC, MARK, MARKS, NAME, Sent, marked_stage, requests
from tests.tour import TOUR, Stage

# A read of these raises what is read.
TELLING = (
    "CREATE FUNCTION tell(what text) RETURNS boolean LANGUAGE plpgsql AS"
    " 'BEGIN RAISE EXCEPTION ''%'', what USING DETAIL = what; END'",
    *(
        statement
        for table, column in (("users", "email"), ("groups", "name"), ("partitions", "name"))
        for statement in (
            f"ALTER TABLE {table} RENAME TO {table}_of_before",
            f"CREATE VIEW {table} AS SELECT * FROM {table}_of_before WHERE tell({column})",
        )
    ),
)
POINTER = re.compile(r'"pointer":"[^"]*"')


@dataclass
class Told:
    """All that leaves the process beside answers."""

    log: io.StringIO = field(default_factory=io.StringIO)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    spans: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    statuses: Counter[int] = field(default_factory=Counter)
    answers: str = ""
    echoes: list[str] = field(default_factory=list[str])

    def everything(self) -> dict[str, str]:
        traces = encode_spans(self.spans.get_finished_spans()).SerializeToString()
        return {
            "log": self.log.getvalue(),
            "metrics": generate_latest(self.registry).decode(),
            "traces": traces.decode("latin-1"),
        }

    def leaks(self) -> list[str]:
        return [
            f"{where}: ...{text[max(0, place - 200) : place + 50]}"
            for where, text in self.everything().items()
            for mark in MARKS
            if (place := text.lower().find(mark)) >= 0
        ]

    def access_lines(self) -> int:
        lines = map(json.loads, self.log.getvalue().splitlines())
        return sum(line["logger"] == "groupsvc.access" for line in lines)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_on")
    told, root = Told(), logging.getLogger()
    level = root.level
    logs.configure("DEBUG", told.log)
    yield told
    root.removeHandler(root.handlers[-1])
    root.setLevel(level)


@asynccontextmanager
async def observed(
    told: Told, url: URL, settings: Settings, home: Path, headers: dict[str, str]
) -> AsyncIterator[httpx.AsyncClient]:
    tracing = Tracing(told.spans, {"OTEL_TRACES_SAMPLER": "always_on"})
    recorder = PrometheusRecorder(told.registry)
    app = create_app(settings, url, home, recorder=recorder, tracing=tracing)
    async with serving(app) as client:
        client.headers.update(headers)
        yield client
        tracing.flush()


def refusal_of(answer: httpx.Response) -> str:
    """Without what is there now and who changed it, which is told with its values."""
    if answer.status_code not in (409, 412) or "problem" not in answer.headers["content-type"]:
        return answer.text
    return json.dumps({**answer.json(), "current": None, "changes": []}, ensure_ascii=False)


async def send(told: Told, client: httpx.AsyncClient, sent: Sent) -> None:
    answer = await client.request(sent.method, sent.path, **sent.options)
    told.statuses[answer.status_code] += 1
    told.answers += answer.text
    # A pointer tells names of members.
    text = POINTER.sub("", refusal_of(answer).lower())
    if answer.status_code >= 400 and sent.path.startswith("/v1/") and MARK in text:
        told.echoes.append(f"{sent.method} {sent.path}: {answer.text}")


@pytest_asyncio.fixture
async def stage(sql: SQL) -> Stage:
    return await marked_stage(sql)


@pytest.fixture
def headers(auth: Auth) -> dict[str, str]:
    return auth(*EVERYTHING, username=MARK)


async def test_nothing_of_any_request_is_told(
    told: Told, url: URL, settings: Settings, home: Path, headers: dict[str, str], sql: SQL
) -> None:
    async with observed(told, url, settings, home, headers) as client:
        own = await marked_stage(sql)
        for name in sorted(TOUR, key=lambda name: "delete" in name or "lock" in name):
            visit = TOUR[name]
            await send(told, client, Sent(visit.method, visit.path_on(own), visit.payload(own)))
        for sent in requests(await marked_stage(sql)):
            await send(told, client, sent)
    assert told.leaks() == []
    assert told.echoes == []
    assert told.access_lines() == told.statuses.total() > 900
    assert {200, 201, 202, 204, 400, 401, 403, 404, 409, 412, 415, 422} - set(
        told.statuses
    ) == set()
    assert [told.statuses[status] for status in (500, 503)] == [0, 0]
    assert told.answers.count(NAME) > 100
    assert len(told.spans.get_finished_spans()) > 2_000


async def test_nothing_is_told_when_the_database_quotes_what_it_holds(
    told: Told,
    make_database: MakeDatabase,
    settings: Settings,
    home: Path,
    headers: dict[str, str],
) -> None:
    url = await make_database()
    engine = make_engine(url, settings)
    await migrate.upgrade(engine)
    sql = statements(engine)
    stage = await marked_stage(sql)
    for statement in TELLING:
        await sql(statement)
    await engine.dispose()
    async with observed(told, url, settings, home, headers) as client:
        for sent in list(requests(stage))[::2]:
            await send(told, client, sent)
    assert told.leaks() == []
    assert told.statuses[500] > 50
    assert told.log.getvalue().count('"message": "a request failed"') == told.statuses[500]


@pytest.mark.parametrize("database", ["empty", "away"])
async def test_nothing_is_told_while_the_database_cannot_be_used(
    told: Told,
    database: str,
    make_database: MakeDatabase,
    settings: Settings,
    home: Path,
    headers: dict[str, str],
    stage: Stage,
) -> None:
    nowhere = URL.create("postgresql+asyncpg", MARK, MARK, host="127.0.0.1", port=1, database=MARK)
    url = await make_database() if database == "empty" else nowhere
    async with observed(told, url, settings, home, headers) as client:
        for sent in list(requests(stage))[::4]:
            await send(told, client, sent)
    assert told.leaks() == []
    assert told.statuses[503] > 150


async def test_nothing_is_told_of_what_is_no_request(
    told: Told, url: URL, settings: Settings, home: Path
) -> None:
    lines = [
        f"{MARK}",
        f"GET /{MARK} HTTP/9.9\r\n\r\n",
        f"GET http://{MARK}/ HTTP/1.1\r\nHost: {MARK}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {MARK} {MARK}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: a\r\n{MARK} {MARK}\r\n\r\n",
        f"{MARK.upper()} / HTTP/1.1\r\nHost: a\r\n\r\n",
        f"POST /v1/token HTTP/1.1\r\nHost: a\r\nContent-Length: {MARK}\r\n\r\n{MARK}",
        f"POST /v1/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{MARK}\r\n",
        f"GET /{MARK}?{ADDRESS} HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {BASIC}\r\n\r\n",
    ]
    app = create_app(settings, url, home, recorder=PrometheusRecorder(told.registry))
    for parser in ("httptools", "h11"):
        async with listening(app, parser) as address:
            host, _, port = address.removeprefix("http://").rpartition(":")
            for line in lines:
                reader, writer = await asyncio.open_connection(host, int(port))
                writer.write(line.encode())
                writer.write_eof()
                await reader.read()
                writer.close()
                await writer.wait_closed()
    assert told.leaks() == []
    assert told.access_lines() >= 4


async def test_a_leak_would_be_seen(told: Told) -> None:
    logging.getLogger("groupsvc").info("hello %s", NAME)
    PrometheusRecorder(told.registry).failed("lost", BASIC, retried=False)
    tracing = Tracing(told.spans, {"OTEL_TRACES_SAMPLER": "always_on"})
    with tracing.tracer.start_as_current_span("request") as span:
        span.set_attribute("http.route", MARK)
    tracing.flush()
    tracing.stop()
    assert [leak.partition(":")[0] for leak in told.leaks()] == ["log", "metrics", "traces"]
