"""What a route says about who may call it. A route without one of these fails the tests."""

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import Request

from groupsvc.core.service import Service
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import ForbiddenError, UnauthenticatedError
from groupsvc.domain.principal import Permission, Principal
from groupsvc.http.app_state import app_state

S = TypeVar("S", bound=Service)

ANYBODY = Principal("anonymous")


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
