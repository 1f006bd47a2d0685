"""Whose a request is: what lies further in finds the institution in its state, and knows no other.

The host name says it; at hosts that institutions share, the issuer of the token does. Nobody has
verified that token: it only chooses by whose keys it will be.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from groupsvc import logs
from groupsvc.auth.compact import read_compact
from groupsvc.domain.errors import GroupsvcError, UnauthenticatedError, UnavailableError
from groupsvc.http.cross_origin import cross_origin
from groupsvc.http.edge import HEALTH, local_path
from groupsvc.http.edge_headers import HOST
from groupsvc.http.edge_refusals import WRONG_HOST
from groupsvc.http.errors import ErrorFace, Refusal
from groupsvc.recorder import Recorder
from groupsvc.tenants.fleet import Fleet, Served, host_name
from groupsvc.tenants.registry import Tenant

READING: Final = frozenset(("GET", "HEAD", "OPTIONS"))
SECONDS_TO_MOVE: Final = 10
MOST_KNOWN: Final = 1_000


class Misdirected(Exception):  # noqa: N818 - no failure of anybody here
    """The institution has just left the list."""


class Stay:
    """Of a request at an institution; one that has become a stream is not under way any more."""

    __slots__ = ("is_stream", "served")

    def __init__(self, served: Served) -> None:
        self.served, self.is_stream = served, False

    def goes_on(self) -> None:
        self.is_stream = True
        self.served.under_way -= 1
        self.served.streams += 1


class TenantEdge:
    """``face`` finds the face of a path, and ``is_document`` paths that are alike for all."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        fleet: Fleet,
        face: Callable[[str], ErrorFace],
        is_document: Callable[[str], bool],
        recorder: Recorder,
    ) -> None:
        self._app, self._fleet, self._face = app, fleet, face
        self._is_document, self._recorder = is_document, recorder
        self._counts = fleet.settings.metrics_tenants
        self._called_from = lru_cache(MOST_KNOWN)(self._with_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        logs.tenant.set(None)
        path = local_path(scope)
        try:
            tenant = self._choose(scope, path)
            if tenant is None:
                await self._app(scope, receive, send)
                return
            logs.tenant.set(tenant.name)
            served = self._admit(tenant, scope["method"])
        except Misdirected:
            refusal = Refusal(WRONG_HOST.status, WRONG_HOST.detail, WRONG_HOST.code)
        except GroupsvcError as error:
            refusal = self._face(path).rule(error)
        else:
            await self._serve(served, scope, receive, send)
            return
        body, media_type = self._face(path).encode(path, refusal)
        answer = Response(body, refusal.status, dict(refusal.headers), media_type)
        await answer(scope, receive, send)

    def _choose(self, scope: Scope, path: str) -> Tenant | None:
        """None for what concerns the process alone. Raises GroupsvcError and Misdirected."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        host = _host(headers)
        tenant = self._fleet.of_host(host)
        if tenant is not None or path.startswith(HEALTH):
            return tenant
        if not self._fleet.known:
            raise UnavailableError("the institutions are not known yet")
        if host not in self._fleet.shared_hosts:
            raise Misdirected
        if self._is_document(path):
            return None
        tenant = self._fleet.of_issuer(_issuer(headers.get(b"authorization", b"")))
        if tenant is None:
            raise UnauthenticatedError("send a bearer token")
        return tenant

    def _admit(self, tenant: Tenant, method: str) -> Served:
        """Raises UnavailableError; the institution is in use unless it does."""
        if tenant.target_url is not None and method not in READING:
            raise UnavailableError(
                "this is being moved, and only read meanwhile", retry_after=SECONDS_TO_MOVE
            )
        served = self._fleet.use(tenant)
        if served.under_way > self._fleet.most_of_one:
            self._fleet.leave(served)
            raise UnavailableError("too many requests are being worked on")
        return served

    async def _serve(self, served: Served, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"].update(served.institution.request_state)
        app = self._called_from(served.institution.settings.cors_origins)
        stay = Stay(served)
        scope["state"]["on_stream"].append(stay.goes_on)
        try:
            await app(scope, receive, self._counting(served, send) if self._counts else send)
        finally:
            self._fleet.leave(served, streamed=stay.is_stream)

    def _with_origins(self, origins: tuple[str, ...]) -> ASGIApp:
        return CORSMiddleware(self._app, **cross_origin(origins)) if origins else self._app

    def _counting(self, served: Served, send: Send) -> Send:
        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._recorder.served(served.tenant.name, message["status"])
            await send(message)

        return counting


def whose(fleet: Fleet, headers: dict[bytes, bytes]) -> bytes:
    """The name of the institution that a request concerns; else the host that it was sent to."""
    host = _host(headers)
    tenant = fleet.of_host(host) or fleet.of_issuer(_issuer(headers.get(b"authorization", b"")))
    return (host if tenant is None else tenant.name).encode()


def _host(headers: dict[bytes, bytes]) -> str:
    """Whatever port it tells."""
    told = HOST.fullmatch(headers.get(b"host", b""))
    return host_name(told[1] if told is not None else b"")


def _issuer(authorization: bytes) -> Any:
    """What the token says of its issuer, if it is one that says anything."""
    token = authorization.decode("latin-1").partition(" ")[2].strip()
    with suppress(GroupsvcError):
        return read_compact(token).claims.get("iss")
    return None
