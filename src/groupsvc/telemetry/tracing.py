"""Traces of requests and of what they send to PostgreSQL, for OpenTelemetry.

On when the standard ``OTEL_*`` variables name a collector. Spans leave the process with attributes
that are allowed and nothing else: neither paths nor parameters, nor the text of exceptions.
"""

import os
import random
import threading
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from importlib import import_module
from typing import Any, Final

from opentelemetry import context as current
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagators.textmap import Getter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import (
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import groupsvc
from groupsvc.logs import method_word, route_template

NAME: Final = "groupsvc"
USUAL_RATIO: Final = 0.01  # of the requests that nobody has decided about
SECONDS_TO_SEND: Final = 2.0
ALLOWED: Final = frozenset(
    ("http.request.method", "http.route", "http.response.status_code", "groupsvc.request_id")
) | {"db.system", "db.system.name", "db.name", "db.namespace", "db.statement", "db.query.text"}

_is_traced: ContextVar[bool] = ContextVar("is_traced", default=False)


class AllowedOnly(SpanExporter):
    """Passes spans on without what is not allowed; ``tracestate`` is what a client has sent."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_cleaned(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _cleaned(span: ReadableSpan) -> ReadableSpan:
    attributes = span.attributes or {}
    return ReadableSpan(
        span.name,
        _bare(span.context),
        _bare(span.parent),
        span.resource,
        {name: value for name, value in attributes.items() if name in ALLOWED},
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _bare(context: SpanContext | None) -> SpanContext | None:
    if context is None:
        return None
    return SpanContext(
        context.trace_id, context.span_id, context.is_remote, trace_flags=context.trace_flags
    )


class _Headers(Getter[Scope]):
    def get(self, carrier: Scope, key: str) -> list[str] | None:
        wanted = key.encode()
        found = [value.decode("latin-1") for name, value in carrier["headers"] if name == wanted]
        return found or None

    def keys(self, carrier: Scope) -> list[str]:
        return [name.decode("latin-1") for name, _ in carrier["headers"]]


class Tracing:
    """``middleware`` makes the span of a request; what is sent to PostgreSQL is within it."""

    def __init__(self, exporter: SpanExporter, environment: Mapping[str, str]) -> None:
        chosen = "OTEL_TRACES_SAMPLER" in environment
        self.ratio = 1.0 if chosen else USUAL_RATIO
        self._provider = TracerProvider(
            sampler=None if chosen else ParentBased(ALWAYS_ON),
            resource=_resource(),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(AllowedOnly(exporter)))
        self.tracer = self._provider.get_tracer(NAME, groupsvc.__version__)
        asyncpg: Any = import_module("opentelemetry.instrumentation.asyncpg")  # has no types
        self._statements = asyncpg.AsyncPGInstrumentor()
        self._statements.instrument(tracer_provider=self._provider)
        _only_in_traced_requests()

    def middleware(self, app: ASGIApp) -> "TraceMiddleware":
        return TraceMiddleware(app, self)

    def flush(self) -> None:
        self._provider.force_flush()

    def stop(self) -> None:
        """Send what is left, but do not wait for a collector that does not answer."""
        self._statements.uninstrument()
        sending = threading.Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(SECONDS_TO_SEND)


def _resource() -> Resource:
    """What the variables say comes first."""
    given = Resource.create({"service.version": groupsvc.__version__})
    unnamed = str(given.attributes["service.name"]).startswith("unknown_service")
    return given.merge(Resource({"service.name": NAME})) if unnamed else given


def start_tracing() -> Tracing:
    """To the collector that the variables name."""
    return Tracing(OTLPSpanExporter(), os.environ)


def _only_in_traced_requests() -> None:
    """Go around the driver's methods only then: it costs most requests for nothing."""
    driver: Any = import_module("asyncpg")  # has no types
    around: Any = import_module("wrapt").FunctionWrapper
    kinds: list[type] = [driver.connection.Connection, driver.prepared_stmt.PreparedStatement]
    for kind in kinds:
        methods: dict[str, Any] = dict(kind.__dict__)
        for name, method in methods.items():
            if type(method) is around:
                own = around(method.__wrapped__, method._self_wrapper, _is_traced.get)  # noqa: SLF001
                setattr(kind, name, own)


class TraceMiddleware:
    def __init__(self, app: ASGIApp, tracing: Tracing) -> None:
        self._app, self._tracer, self._ratio = app, tracing.tracer, tracing.ratio
        self._propagator, self._headers = TraceContextTextMapPropagator(), _Headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        span = self._span(scope)
        if span is None:
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["trace_id"] = f"{span.get_span_context().trace_id:032x}"

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                status: int = message["status"]
                span.set_attribute("http.response.status_code", status)
                if status >= 500:
                    span.set_status(Status(StatusCode.ERROR))
            await send(message)

        token, traced = current.attach(set_span_in_context(span)), _is_traced.set(True)
        try:
            await self._app(scope, receive, note)
        finally:
            current.detach(token)
            _is_traced.reset(traced)
            method = method_word(scope["method"])
            route = route_template(scope) or "none"
            span.update_name(f"{method} {route}")
            span.set_attributes({"http.request.method": method, "http.route": route})
            span.set_attribute("groupsvc.request_id", state.get("request_id", ""))
            span.end()

    def _span(self, scope: Scope) -> Span | None:
        """That of the request, if it is to be traced. For most it is not, at next to no cost."""
        parent = None
        for name, _ in scope["headers"]:
            if name == b"traceparent":
                parent = self._propagator.extract(scope, getter=self._headers)
                break
        if parent is None or not get_current_span(parent).get_span_context().is_valid:
            parent = None  # one that cannot be read decides nothing
            if random.random() >= self._ratio:  # noqa: S311 - no secret
                return None
        span = self._tracer.start_span("request", parent, SpanKind.SERVER)
        return span if span.is_recording() else None
