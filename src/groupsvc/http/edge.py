"""The outermost layer: what no face should ever have to see is refused here.

It names the request, bounds its size and its time, dresses the answer and logs it. Pure ASGI, for
every request pays for it.
"""

import asyncio
import logging
import os
import random
from collections.abc import Callable, Collection, Container
from functools import partial
from time import perf_counter
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from groupsvc.http import edge_refusals as refusals
from groupsvc.http.edge_bodies import check_body
from groupsvc.http.edge_headers import ALWAYS, HOST, KEPT, MANY, NO_STORE, OF_BODIES, REQUEST_ID
from groupsvc.http.edge_refusals import Refusal, TooLargeError, explain
from groupsvc.http.large_bodies import LargeBodies
from groupsvc.logs import log_access, method_word, request_id, route_template
from groupsvc.recorder import SILENT, Recorder, round_trips
from groupsvc.settings import Settings

MAX_PATH: Final = 2_048
MAX_QUERY: Final = 8_192
MAX_HEADERS: Final = 100
MAX_HEADER_BYTES: Final = 32_768
HEALTH: Final = "/health/"
FIRST_REFUSAL: Final = 400
# What waits with a large body is a request that a worker works on: a quarter of them at most.
MOST_IN_QUEUE: Final = 4

Render = Callable[[str, int, str, str], tuple[bytes, str]]
Headers = list[tuple[bytes, bytes]]

_ids: Final = random.Random()  # noqa: S311 - they name requests and guard nothing
# Else two workers that were forked of one process would give the same names.
os.register_at_fork(after_in_child=_ids.seed)


def _read_headers(headers: Headers) -> tuple[dict[bytes, bytes], Refusal | None]:
    """The headers that matter here, and whether there is too much of anything.

    White space around a value is no part of it, but some servers leave it there: it is taken away
    in place, for all that read headers later.
    """
    found: dict[bytes, bytes] = {}
    repeated: Refusal | None = None
    size = 0
    for place, (name, given) in enumerate(headers):
        size += len(name) + len(given)
        value = given.strip(b" \t")
        if value is not given:
            headers[place] = (name, value)
        if name in KEPT:
            if name in found and name not in MANY:
                repeated = refusals.BAD_HOST if name == b"host" else refusals.REPEATED
            found[name] = b"," if name in found else value
    too_much = size > MAX_HEADER_BYTES or len(headers) > MAX_HEADERS
    return found, refusals.HEADERS if too_much else repeated


def local_path(scope: Scope) -> str:
    """The path without the prefix of a gateway."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if root and path.startswith(root + "/") else path


class RequestContext:
    """One request and its answer, as they pass."""

    __slots__ = (
        "_is_gone",
        "_receive",
        "_received",
        "_send",
        "_sent",
        "began",
        "ceiling",
        "deadline",
        "house",
        "id",
        "large_from",
        "path",
        "scope",
        "seconds",
        "status",
        "streams_from",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.began = perf_counter()
        self.scope = scope
        self.path = local_path(scope)
        self._receive, self._send = receive, send
        self.id = b""
        self.ceiling = self._received = self._sent = 0
        self.seconds: float | None = None
        self.large_from: bytes | None = None  # whom a large body is from
        self.house = b""  # and of which institution, where there are several
        self.status: int | None = None
        self.deadline: asyncio.Timeout | None = None
        self.streams_from: float | None = None  # when it began to be a stream, which may go on
        self._is_gone = False

    def name(self, given: bytes | None) -> str:
        if given is not None and REQUEST_ID.fullmatch(given):
            self.id = given
        else:
            self.id = b"%032x" % _ids.getrandbits(128)
        name = self.id.decode()
        self.scope.setdefault("state", {})["request_id"] = name
        return name

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_gone = message["type"] == "http.disconnect"
        self._received += len(message.get("body", b""))
        if self._received > self.ceiling:
            raise TooLargeError(refusals.TOO_LARGE.status, refusals.TOO_LARGE.detail)
        return message

    async def send(self, message: Message) -> None:
        """An answer that nobody waits for is none: it would be counted as one of ours."""
        if self._is_gone:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": self._dressed(message.get("headers", ()))}
        elif message["type"] == "http.response.body":
            self._sent += len(message.get("body", b""))
        await self._send(message)

    def _dressed(self, headers: Collection[tuple[bytes, bytes]]) -> Headers:
        rate = self.scope["state"].get("rate_limit", ())
        dressed = [*headers, (b"x-request-id", self.id), *ALWAYS, *rate]
        for name, _ in headers:
            if name == b"cache-control":
                return dressed
        dressed.append(NO_STORE)
        return dressed

    async def refuse(self, refusal: Refusal, render: Render) -> None:
        body, content_type = render(self.path, refusal.status, refusal.code, refusal.detail)
        waits = any(name == b"expect" for name, _ in self.scope["headers"])
        headers = refusals.headers_of(refusal, body, content_type, waits=waits)
        await self.send(
            {"type": "http.response.start", "status": refusal.status, "headers": headers}
        )
        await self.send({"type": "http.response.body", "body": body})

    def log(self, method: str, route: str | None, seconds: float) -> None:
        level = logging.INFO if self.status is not None and self.status < 500 else logging.WARNING
        fields = {
            "method": method,
            "route": route,
            "status": self.status,
            "duration_ms": round(seconds * 1000, 2),
            "bytes": self._sent,
            "principal": self.scope["state"].get("subject"),
        }
        if (trace_id := self.scope["state"].get("trace_id")) is not None:
            fields["trace_id"] = trace_id
        log_access(logging.DEBUG if self.path.startswith(HEALTH) else level, fields)


class Guard:
    """Wraps the whole application.

    ``render(path, status, code, detail)`` makes the body and the media type of a refusal in the
    shape of the face that the path belongs to. Requests for which ``is_bulk`` holds may be larger
    and take longer. ``hosts`` are those that are answered, in place of those of the settings. Where
    there are several institutions, ``whose`` says of the headers which one a request concerns.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: Settings,
        render: Render,
        is_bulk: Callable[[Scope, str], bool],
        recorder: Recorder = SILENT,
        hosts: Container[bytes] | None = None,
        whose: Callable[[dict[bytes, bytes]], bytes] | None = None,
    ) -> None:
        self._app, self._settings, self._render = app, settings, render
        self._is_bulk, self._recorder = is_bulk, recorder
        self._under_way = 0
        self._large = LargeBodies(
            settings.max_bulk_bodies,
            settings.bulk_queue_timeout,
            max(1, settings.max_requests // MOST_IN_QUEUE),
        )
        allowed = frozenset(host.lower().encode() for host in settings.allowed_hosts)
        self._hosts, self._whose = allowed if hosts is None else hosts, whose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        context = RequestContext(scope, receive, send)
        trips = [0]
        round_trips.set(trips)
        self._recorder.in_flight += 1
        headers, refusal = _read_headers(scope["headers"])
        token = request_id.set(context.name(headers.get(b"x-request-id")))
        try:
            refusal = refusal or self._check(context, headers)
            if refusal is not None:
                await context.refuse(refusal, self._render)
            else:
                self._under_way += 1
                scope["state"]["on_stream"] = [partial(self._goes_on, context)]
                try:
                    if context.large_from is None:
                        await self._pass_on(context)
                    else:
                        await self._take_turn(context, context.large_from)
                finally:
                    if context.streams_from is None:
                        self._under_way -= 1
                    else:
                        self._recorder.streams -= 1
        finally:
            self._tell(context, trips[0])
            request_id.reset(token)

    def _goes_on(self, context: RequestContext) -> None:
        """It is under way no more: it has become a stream."""
        assert context.deadline is not None
        context.deadline.reschedule(None)
        context.streams_from = perf_counter()
        self._under_way -= 1
        self._recorder.in_flight -= 1
        self._recorder.streams += 1

    def _tell(self, context: RequestContext, trips: int) -> None:
        method, route = method_word(context.scope["method"]), route_template(context.scope)
        now = perf_counter()
        context.log(method, route, now - context.began)
        if context.streams_from is None:
            self._recorder.in_flight -= 1
        # Of a stream it is the time until it begins, as of an answer that is short.
        seconds = (context.streams_from or now) - context.began
        self._recorder.answered(context.path, method, route, context.status, seconds, trips)

    def _check(self, context: RequestContext, headers: dict[bytes, bytes]) -> Refusal | None:
        scope, path = context.scope, context.path
        raw_path = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
        if len(raw_path) > MAX_PATH or len(scope["query_string"]) > MAX_QUERY:
            return refusals.TOO_LONG
        if raw_path[:1] != b"/":
            return refusals.NO_PATH
        host = HOST.fullmatch(headers.get(b"host", b""))
        if host is None:
            return refusals.BAD_HOST
        # Orchestrators ask for the health of an address, not of a name.
        if self._hosts and host[1].lower() not in self._hosts and not path.startswith(HEALTH):
            return refusals.WRONG_HOST
        bulk, limits = self._is_bulk(scope, path), self._settings
        context.ceiling = limits.max_upload if bulk else limits.max_body
        context.seconds = limits.bulk_timeout if bulk else limits.request_timeout
        if not OF_BODIES.isdisjoint(headers):
            refusal = check_body(context, headers, bulk=bulk, whose=self._whose)
            if refusal is not None:
                return refusal
        is_full = self._under_way >= limits.max_requests
        return refusals.TOO_BUSY if is_full and not path.startswith(HEALTH) else None

    async def _take_turn(self, context: RequestContext, client: bytes) -> None:
        try:
            async with self._large.place(client, context.house):
                await self._pass_on(context)
                if context.status is not None and context.status < FIRST_REFUSAL:
                    self._large.remember(client)
        except TimeoutError:
            await context.refuse(refusals.TOO_MUCH, self._render)

    async def _pass_on(self, context: RequestContext) -> None:
        """Nothing is raised from here: a server would log the text of the exception."""
        deadline = context.deadline = asyncio.timeout(context.seconds)
        try:
            async with deadline:
                await self._app(context.scope, context.receive, context.send)
        except ClientDisconnect:
            return
        except Exception as error:
            refusal = explain(error, expired=deadline.expired())
            if context.status is None:
                await context.refuse(refusal, self._render)
