"""What a route declares, and one unit of work for each request.

A route says who may call it with ``Requires`` or ``Public``; without one the application does not
start. The route class owns the unit of work: who is calling is settled first, then the body is
read, then the endpoint runs, and the commit comes before the first byte of the answer. When the
database asks for another try, all of it runs again.
"""

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
from groupsvc.core.jobs.service import JobRunner
from groupsvc.core.service import Service
from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork
from groupsvc.domain.errors import ForbiddenError, UnauthenticatedError
from groupsvc.domain.principal import Permission, Principal
from groupsvc.http import idempotency
from groupsvc.http.fast_path.compiled_endpoint import Handler as Handler
from groupsvc.http.fast_path.compiled_endpoint import compile_endpoint
from groupsvc.http.strict_request import StrictRequest, media_type_is_json
from groupsvc.settings import Settings

S = TypeVar("S", bound=Service)

ANYBODY = Principal("anonymous")


@dataclass(frozen=True, slots=True)
class AppState:
    settings: Settings
    units: TransactionRunner
    authenticator: Authenticator
    jobs: JobRunner
    journals: Mapping[str, Journal]


def app_state(request: Request) -> AppState:
    return cast("AppState", request.scope["state"]["app_state"])


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
            raise ForbiddenError("this needs another permission", permission=self.permission.value)
        return principal


class Public:
    """A route that anybody may call."""

    async def __call__(self) -> None:
        return None

    async def authenticate_and_authorize(self, _request: Request, _uow: UnitOfWork) -> Principal:
        return ANYBODY


def bearer(request: Request) -> str | None:
    """The bearer token of the request, if its Authorization header holds one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


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
        bulk = self.bulk
        has_body = self.body_field is not None
        reading = (self.methods or set()) <= {"GET", "HEAD"}

        async def handle(given: Request) -> Response:
            wired, state = app_state(given), given.scope["state"]
            request, hours = given, wired.settings.idempotency_hours
            if not reading:
                depth = wired.settings.max_json_depth
                request = StrictRequest(given.scope, given.receive, max_depth=depth)

            async def work(uow: UnitOfWork) -> Response:
                state["uow"] = uow
                principal = await access.authenticate_and_authorize(request, uow)
                state["principal"] = principal
                state["subject"] = uow.context.actor = principal.subject
                claim = None
                if keyed:
                    claim = await idempotency.claim(request, uow, principal, hours)
                if claim is not None and claim.replay is not None:
                    return claim.replay
                if has_body:
                    await read_body(request)
                response = await endpoint(request)
                if claim is not None:
                    await claim.keep(response)
                return response

            return await wired.units.run(state["request_id"], work, reading=reading, bulk=bulk)

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
    if await request.body() and not media_type_is_json(request.headers.get("content-type")):
        raise HTTPException(415, "send application/json")
    await request.json()
