"""The outermost layer: what no face should ever have to see is refused here.

It names the request, bounds its size and its time, dresses the answer and logs it. Pure ASGI, for
every request pays for it.
"""

import asyncio
import logging
import random
import re
from collections.abc import Callable, Collection
from time import perf_counter
from typing import Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from groupsvc.logs import log_access, request_id, route_template
from groupsvc.settings import Settings

MAX_PATH: Final = 2_048
MAX_QUERY: Final = 8_192
MAX_HEADERS: Final = 100
MAX_HEADER_BYTES: Final = 32_768

Render = Callable[[str, int, str, str], tuple[bytes, str]]
Headers = list[tuple[bytes, bytes]]

_ids: Final = random.Random()  # noqa: S311 - they name requests and guard nothing
_log = logging.getLogger(__name__)
_ONCE: Final = frozenset(
    (b"host", b"authorization", b"content-type", b"content-length", b"content-encoding")
) | {b"if-match", b"idempotency-key", b"x-request-id"}
_HOST: Final = re.compile(rb"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,255})(?::[0-9]{1,5})?")
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_NOSNIFF: Final = (b"x-content-type-options", b"nosniff")
_NO_REFERRER: Final = (b"referrer-policy", b"no-referrer")
_NO_STORE: Final = (b"cache-control", b"no-store")


class Refusal(NamedTuple):
    status: int
    code: str
    detail: str


BAD_HOST: Final = Refusal(400, "invalid_host", "the Host header is missing, repeated or malformed")
BAD_LENGTH: Final = Refusal(400, "invalid_content_length", "Content-Length is not a number")
REPEATED: Final = Refusal(400, "repeated_header", "a header that may be sent once was repeated")
WRONG_HOST: Final = Refusal(421, "misdirected_request", "this host is not served here")
TOO_LARGE: Final = Refusal(413, "body_too_large", "the body is too large")
COMPRESSED: Final = Refusal(
    415, "unsupported_content_encoding", "send the body as it is, not compressed"
)
TOO_LONG: Final = Refusal(414, "target_too_long", "the path or the query is too long")
HEADERS: Final = Refusal(431, "headers_too_large", "there are too many headers, or too long ones")
TOO_LATE: Final = Refusal(503, "deadline_passed", "this took too long and was given up")
CRASHED: Final = Refusal(500, "internal_error", "an unexpected error, which has been logged")


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
        if name in _ONCE:
            if name in found and name != b"x-request-id":
                repeated = BAD_HOST if name == b"host" else REPEATED
            found[name] = b"," if name in found else value
    too_much = size > MAX_HEADER_BYTES or len(headers) > MAX_HEADERS
    return found, HEADERS if too_much else repeated


def local_path(scope: Scope) -> str:
    """The path without the prefix of a gateway."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if root and path.startswith(root + "/") else path


def _is_health(path: str) -> bool:
    return path.startswith("/health/")


class _TooLarge(HTTPException):
    """Raised to whoever reads the body: the face of the path renders it like its own refusals."""


class RequestContext:
    """One request and its answer, as they pass."""

    __slots__ = (
        "_receive",
        "_received",
        "_send",
        "_sent",
        "began",
        "ceiling",
        "id",
        "path",
        "scope",
        "seconds",
        "status",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.began = perf_counter()
        self.scope = scope
        self.path = local_path(scope)
        self._receive, self._send = receive, send
        self.id = b""
        self.ceiling = self._received = self._sent = 0
        self.seconds: float | None = None
        self.status: int | None = None

    def name(self, given: bytes | None) -> str:
        if given is not None and _REQUEST_ID.fullmatch(given):
            self.id = given
        else:
            self.id = b"%032x" % _ids.getrandbits(128)
        name = self.id.decode()
        self.scope.setdefault("state", {})["request_id"] = name
        return name

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self.ceiling:
            raise _TooLarge(TOO_LARGE.status, TOO_LARGE.detail)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": self._dressed(message.get("headers", ()))}
        elif message["type"] == "http.response.body":
            self._sent += len(message.get("body", b""))
        await self._send(message)

    def _dressed(self, headers: Collection[tuple[bytes, bytes]]) -> Headers:
        dressed = [*headers, (b"x-request-id", self.id), _NOSNIFF, _NO_REFERRER]
        for name, _ in headers:
            if name == b"cache-control":
                return dressed
        dressed.append(_NO_STORE)
        return dressed

    async def refuse(self, refusal: Refusal, render: Render) -> None:
        body, content_type = render(self.path, *refusal)
        headers = [
            (b"content-type", content_type.encode("latin-1")),
            (b"content-length", str(len(body)).encode()),
        ]
        if refusal.status == 503:
            headers.append((b"retry-after", b"1"))
        # Whoever waits for "100 Continue" may keep the body that the server would go on to expect.
        if refusal.status == 400 or any(name == b"expect" for name, _ in self.scope["headers"]):
            headers.append((b"connection", b"close"))
        await self.send(
            {"type": "http.response.start", "status": refusal.status, "headers": headers}
        )
        await self.send({"type": "http.response.body", "body": body})

    def log(self) -> None:
        level = logging.INFO if self.status is not None and self.status < 500 else logging.WARNING
        fields = {
            "method": self.scope["method"],
            "route": route_template(self.scope),
            "status": self.status,
            "duration_ms": round((perf_counter() - self.began) * 1000, 2),
            "bytes": self._sent,
            "principal": self.scope["state"].get("subject"),
        }
        log_access(logging.DEBUG if _is_health(self.path) else level, fields)


class Guard:
    """Wraps the whole application.

    ``render(path, status, code, detail)`` makes the body and the media type of a refusal in the
    shape of the face that the path belongs to. Requests for which ``is_bulk`` holds may be larger
    and take longer.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: Settings,
        render: Render,
        is_bulk: Callable[[Scope], bool],
    ) -> None:
        self._app, self._settings, self._render = app, settings, render
        self._is_bulk = is_bulk
        self._hosts = frozenset(host.lower().encode() for host in settings.allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        context = RequestContext(scope, receive, send)
        headers, refusal = _read_headers(scope["headers"])
        token = request_id.set(context.name(headers.get(b"x-request-id")))
        try:
            refusal = refusal or self._check(context, headers)
            if refusal is not None:
                await context.refuse(refusal, self._render)
            else:
                await self._pass_on(context)
        finally:
            context.log()
            request_id.reset(token)

    def _check(self, context: RequestContext, headers: dict[bytes, bytes]) -> Refusal | None:
        scope, path = context.scope, context.path
        raw_path = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
        if len(raw_path) > MAX_PATH or len(scope["query_string"]) > MAX_QUERY:
            return TOO_LONG
        host = _HOST.fullmatch(headers.get(b"host", b""))
        if host is None:
            return BAD_HOST
        # Orchestrators ask for the health of an address, not of a name.
        if self._hosts and host[1].lower() not in self._hosts and not _is_health(path):
            return WRONG_HOST
        encoding = headers.get(b"content-encoding", b"identity").lower()
        if encoding != b"identity" and scope["method"] not in ("GET", "HEAD"):
            return COMPRESSED
        self._bound(context)
        length = headers.get(b"content-length", b"0")
        if not length.isdigit():
            return BAD_LENGTH
        return TOO_LARGE if len(length) > 18 or int(length) > context.ceiling else None

    def _bound(self, context: RequestContext) -> None:
        bulk, limits = self._is_bulk(context.scope), self._settings
        context.ceiling = limits.max_upload if bulk else limits.max_body
        context.seconds = limits.bulk_timeout if bulk else limits.request_timeout

    async def _pass_on(self, context: RequestContext) -> None:
        """Nothing is raised from here: a server would log the text of the exception."""
        deadline = asyncio.timeout(context.seconds)
        try:
            async with deadline:
                await self._app(context.scope, context.receive, context.send)
        except Exception as error:
            refusal = _explain(error, expired=deadline.expired())
            if context.status is None:
                await context.refuse(refusal, self._render)


def _explain(error: Exception, *, expired: bool) -> Refusal:
    if isinstance(error, _TooLarge):
        return TOO_LARGE
    if expired and isinstance(error, TimeoutError):
        _log.warning("a request passed its deadline")
        return TOO_LATE
    _log.error("a request failed", exc_info=error)
    return CRASHED
