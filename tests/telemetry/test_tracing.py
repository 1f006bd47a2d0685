"""Traces as a collector gets them: of requests and their statements, with allowed attributes."""

import io
import json
import logging
from collections.abc import AsyncIterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from sqlalchemy import URL

import groupsvc
from groupsvc import logs
from groupsvc.app import create_app
from groupsvc.settings import Settings
from groupsvc.telemetry import tracing
from groupsvc.telemetry.tracing import Tracing
from tests.conftest import EVERYTHING, SQL, Auth, serving
from tests.tour import Stage, set_stage

ALWAYS = {"OTEL_TRACES_SAMPLER": "parentbased_always_on"}
SAMPLED = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01", "tracestate": "who=ada"}
NOT_SAMPLED = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-00"}


class Collector:
    def __init__(self, environment: dict[str, str]) -> None:
        self._spans = InMemorySpanExporter()
        self.tracing = Tracing(self._spans, environment)

    def spans(self) -> Sequence[ReadableSpan]:
        """What has come since it was last asked, in the order in which it began."""
        self.tracing.flush()
        found = sorted(self._spans.get_finished_spans(), key=lambda span: span.start_time or 0)
        self._spans.clear()
        return found


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Collector:
    for name, value in ALWAYS.items():
        monkeypatch.setenv(name, value)
    return Collector(ALWAYS)


@pytest_asyncio.fixture
async def stage(sql: SQL) -> Stage:
    return await set_stage(sql)


@pytest_asyncio.fixture
async def client(
    stage: Stage, collector: Collector, url: URL, settings: Settings, home: Path, auth: Auth
) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(create_app(settings, url, home, tracing=collector.tracing)) as client:
        client.headers.update(auth(*EVERYTHING))
        await client.get("/v1/courses")  # connects
        collector.spans()
        yield client


def told(span: ReadableSpan) -> tuple[str, SpanKind, dict[str, Any]]:
    return span.name, span.kind, dict(span.attributes or {})


async def test_a_read_is_one_request_and_one_statement(
    collector: Collector, client: httpx.AsyncClient, stage: Stage
) -> None:
    await client.get(f"/v1/partitions/{stage.partition}", headers={"x-request-id": "r-1"})
    request, statement = collector.spans()
    template = "/v1/partitions/{partition_id}"
    assert told(request) == (
        f"GET {template}",
        SpanKind.SERVER,
        {
            "http.request.method": "GET",
            "http.route": template,
            "http.response.status_code": 200,
            "groupsvc.request_id": "r-1",
        },
    )
    name, kind, attributes = told(statement)
    assert (name, kind) == ("SELECT", SpanKind.CLIENT)
    assert set(attributes) == {"db.system", "db.name", "db.statement"}
    assert ":id::bigint" not in attributes["db.statement"]
    assert request.context is not None
    assert statement.parent == request.context
    assert dict(request.resource.attributes)["service.name"] == "groupsvc"
    assert dict(request.resource.attributes)["service.version"] == groupsvc.__version__


async def test_a_transaction_is_seen_whole(
    collector: Collector, client: httpx.AsyncClient, stage: Stage
) -> None:
    await client.delete(f"/v1/partitions/{stage.spare}")
    request, *statements = collector.spans()
    assert request.name == "DELETE /v1/partitions/{partition_id}"
    names = [span.name for span in statements]
    assert (names[0], names[-1], len(names) > 3) == ("BEGIN", "COMMIT;", True)


async def test_a_trace_that_was_begun_elsewhere_goes_on_without_what_came_with_it(
    collector: Collector, client: httpx.AsyncClient
) -> None:
    await client.get("/v1/me", headers=SAMPLED)
    (request,) = collector.spans()
    assert request.context is not None
    assert request.parent is not None
    assert f"{request.context.trace_id:032x}" == "ab" * 16
    assert f"{request.parent.span_id:016x}" == "cd" * 8
    assert (dict(request.context.trace_state), dict(request.parent.trace_state)) == ({}, {})


async def test_what_others_do_not_trace_is_not_traced_here(
    collector: Collector, client: httpx.AsyncClient, stage: Stage
) -> None:
    await client.get(f"/v1/partitions/{stage.partition}", headers=NOT_SAMPLED)
    await client.get("/v1/me", headers={"traceparent": "nonsense"})
    assert [span.name for span in collector.spans()] == ["GET /v1/me"]


async def test_without_a_sampler_a_few_are_traced(
    url: URL, settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = Collector({})
    thrown = cycle((0.005, 0.015, 0.5))
    monkeypatch.setattr(tracing.random, "random", lambda: next(thrown))
    async with serving(create_app(settings, url, home, tracing=collector.tracing)) as client:
        for _ in range(9):
            await client.get("/health/live")
        assert len(collector.spans()) == 3
        await client.get("/health/live", headers=SAMPLED)
        assert len(collector.spans()) == 1


async def test_an_error_is_marked_and_not_told(
    make_database: Any, settings: Settings, home: Path, auth: Auth, collector: Collector
) -> None:
    """A database without tables: the driver's message names them."""
    app = create_app(settings, await make_database(), home, tracing=collector.tracing)
    async with serving(app) as client:
        answer = await client.get("/v1/courses", headers=auth(*EVERYTHING))
        spans = [span for span in collector.spans() if span.name in ("SELECT", "GET /v1/courses")]
    assert answer.status_code == 503
    failed = [span for span in spans if span.status.status_code is StatusCode.ERROR]
    assert {span.kind for span in failed} == {SpanKind.SERVER, SpanKind.CLIENT}
    assert {(span.status.description, len(span.events)) for span in spans} == {(None, 0)}


async def test_the_log_line_names_the_trace(
    collector: Collector, client: httpx.AsyncClient
) -> None:
    root, stream = logging.getLogger(), io.StringIO()
    level = root.level
    logs.configure("INFO", stream)
    await client.get("/v1/me", headers=SAMPLED)
    await client.get("/v1/me", headers=NOT_SAMPLED)
    root.removeHandler(root.handlers[-1])
    root.setLevel(level)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line.get("trace_id") for line in lines] == ["ab" * 16, None]
    assert len(collector.spans()) == 1
