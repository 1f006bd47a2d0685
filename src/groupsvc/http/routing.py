"""What a route declares, and one unit of work for each request.

A route says who may call it with ``Requires`` or ``Public``; without one the application does not
start. The route class owns the unit of work: who is calling is settled first, then the body is
read, then the endpoint runs, and the commit comes before the first byte of the answer. When the
database asks for another try, all of it runs again.
"""

import math
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from fastapi.dependencies.models import Dependant
from fastapi.openapi.models import HTTPBearer
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.accounts.authentication import Authenticator
from groupsvc.core.changes.journal import Journal
from groupsvc.core.changes.tail import Tail
from groupsvc.core.jobs.service import JobRunner
from groupsvc.core.service import Service
from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork
from groupsvc.domain.errors import ThrottledError, UnauthenticatedError
from groupsvc.domain.principal import Permission, Principal, forbidden
from groupsvc.http import idempotency
from groupsvc.http.client_address import client_address
from groupsvc.http.fast_path.compiled_endpoint import Handler as Handler
from groupsvc.http.fast_path.compiled_endpoint import compile_endpoint
from groupsvc.http.log_position import asked_position, tell_position
from groupsvc.http.strict_request import StrictRequest, media_type_is_json
from groupsvc.settings import Settings

S = TypeVar("S", bound=Service)

Headers = tuple[tuple[bytes, bytes], ...]
MINUTE = 60.0
FEW = 100_000  # calls: answers to requests alike are alike while more are left

ANYBODY = Principal("anonymous")
# Bytes of JSON: what it is made into takes several times as much.
MOST_JSON = 16_777_216


class CallRate:
    """How often callers call in a minute, which is the same one for all of them."""

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._policy: Headers = ((b"ratelimit-policy", b'"caller";q=%d;w=60' % most),)
        self._calls: defaultdict[str, int] = defaultdict(int)
        self._ends = 0.0

    def count(self, caller: str, state: dict[str, Any]) -> None:
        """Have the answer say what is left. Raises ThrottledError when that is nothing.

        A request that is tried again counts once.
        """
        if "counted" not in state:
            state["counted"] = self._count(caller)
        state["rate_limit"], refusal = state["counted"]
        if refusal is not None:
            raise refusal

    def _count(self, caller: str) -> tuple[Headers, ThrottledError | None]:
        now = self._clock()
        if now >= self._ends:
            self._calls.clear()
            self._ends = now + MINUTE
        self._calls[caller] = calls = self._calls[caller] + 1
        if (left := self._most - calls) >= FEW:
            return self._policy, None
        seconds = math.ceil(self._ends - now)
        told = (*self._policy, (b"ratelimit", b'"caller";r=%d;t=%d' % (max(left, 0), seconds)))
        if left >= 0:
            return told, None
        why = "there were too many requests in a minute"
        return told, ThrottledError(why, retry_after=seconds)


@dataclass(frozen=True, slots=True)
class AppState:
    settings: Settings
    rate: CallRate
    units: TransactionRunner
    authenticator: Authenticator
    jobs: JobRunner
    journals: Mapping[str, Journal]
    tail: Tail


def app_state(request: Request) -> AppState:
    found: AppState = request.scope["state"]["app_state"]
    return found


class Requires(SecurityBase):
    """A caller who holds a permission somewhere, or with ``None`` any caller who is known.

    Whether they hold it in the place at stake is for the service to decide.
    """

    def __init__(self, permission: Permission | None) -> None:
        self.permission = permission
        self.model = HTTPBearer(description="A development, account or identity provider's token")
        self.scheme_name = "token"

    async def __call__(self, request: Request) -> Principal:
        """The caller; ``authenticate_and_authorize`` has found them before the body was read."""
        return cast("Principal", request.state.principal)

    async def authenticate_and_authorize(self, request: Request, uow: UnitOfWork) -> Principal:
        """Raises UnauthenticatedError or ForbiddenError."""
        token = bearer(request)
        if token is None:
            raise UnauthenticatedError("send a bearer token")
        principal = await app_state(request).authenticator.principal(uow, token)
        if self.permission is not None and not principal.holds(self.permission):
            raise forbidden(self.permission)
        return principal


class Public:
    """A route that anybody may call."""

    async def __call__(self) -> None:
        return None

    async def authenticate_and_authorize(self, request: Request, uow: UnitOfWork) -> Principal:
        uow.context.client = client_address(request, app_state(request).settings)
        uow.context.login_tries = app_state(request).settings.login_tries
        return ANYBODY


def bearer(request: Request) -> str | None:
    """The bearer token of the request, if its Authorization header holds one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def bound(kind: type[S]) -> Callable[[Request], Awaitable[S]]:
    """A dependency that makes a service for the caller in the request's unit of work."""

    async def make(request: Request) -> S:
        state = request.scope["state"]
        return kind(state["uow"], state["principal"])

    return make


class TransactionalRoute(APIRoute):
    """A route whose endpoint finds its unit of work and its caller in ``request.state``."""

    bulk = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.compiled_endpoint = compile_endpoint(self, self.wrap_in_transaction)

    def get_route_handler(self) -> Handler:
        return self.wrap_in_transaction(super().get_route_handler())

    def wrap_in_transaction(self, endpoint: Handler) -> Handler:
        """The endpoint in a unit of work."""
        access = declared_access(self.dependant)
        keyed = is_idempotent(self.dependant)
        if keyed and isinstance(access, Public):
            raise TypeError("anonymous answers are never stored under an idempotency key")
        bulk, has_caller = self.bulk, not isinstance(access, Public)
        has_body = self.body_field is not None
        reading = (self.methods or set()) <= {"GET", "HEAD"}

        async def handle(given: Request) -> Response:
            wired, state = app_state(given), given.scope["state"]
            units = wired.units
            readers = units.standbys if reading else None
            request, hours = given, wired.settings.idempotency_hours
            if not reading:
                depth = wired.settings.max_json_depth
                request = StrictRequest(given.scope, given.receive, max_depth=depth)

            async def work(uow: UnitOfWork) -> Response:
                state["uow"], state["rate_limit"] = uow, ()
                # Some callers are authorised by what is read for it.
                uow.context.position = asked_position(request) if readers else 0
                principal = await access.authenticate_and_authorize(request, uow)
                state["principal"] = principal
                state["subject"] = uow.context.actor = principal.subject
                uow.context.sight = principal.sight
                if has_caller:
                    wired.rate.count(principal.subject, state)
                claim = None
                if keyed:
                    spooled = not has_body
                    claim = await idempotency.claim(request, uow, principal, hours, spooled=spooled)
                if claim is not None and claim.replay is not None:
                    return claim.replay
                if has_body:
                    await read_body(request)
                response = await endpoint(request)
                if claim is not None:
                    await claim.keep(response)
                return response

            response = await units.run(state["request_id"], work, reading=reading, bulk=bulk)
            has_moved = units.standbys is not None and state["uow"].connection.wrote
            return await tell_position(units, given, response) if has_moved else response

        return handle


class BulkTransactionalRoute(TransactionalRoute):
    """A route that may take long, and must not keep connections from the others meanwhile."""

    bulk = True


def declared_access(dependant: Dependant) -> Requires | Public:
    """What the route declares about its callers.

    Raises TypeError when it declares nothing, so that such an application does not start.
    """
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, (Requires, Public)):
            return dependency.call
        try:
            return declared_access(dependency)
        except TypeError:
            continue
    raise TypeError("the route declares no permission")


def is_idempotent(dependant: Dependant) -> bool:
    """Whether the route declares that it is done once for every key."""
    return any(each.call is idempotency.documented_key for each in dependant.dependencies)


async def read_body(request: Request) -> None:
    """Read JSON strictly, before FastAPI does: it would hide why a body was refused."""
    if int(request.headers.get("content-length", "0")) > MOST_JSON:
        raise HTTPException(413, f"JSON may have {MOST_JSON} bytes here")
    body = await request.body()
    if len(body) > MOST_JSON:
        raise HTTPException(413, f"JSON may have {MOST_JSON} bytes here")
    if body and not media_type_is_json(request.headers.get("content-type")):
        raise HTTPException(415, "send application/json")
    await request.json()
