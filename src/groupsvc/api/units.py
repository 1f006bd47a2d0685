"""One request is one unit of work.

The route class owns it: who is calling is settled first, then the body is read, then the endpoint
runs, and the commit comes before the first byte of the answer. When the database asks for another
try, all of it runs again.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from groupsvc.api import idempotency
from groupsvc.api.access import Public, Requires
from groupsvc.api.direct import DirectCall, direct_call
from groupsvc.api.reading import StrictRequest, media_type_is_json
from groupsvc.api.wiring import wiring
from groupsvc.repositories.unit_of_work import UnitOfWork

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class UnitRoute(APIRoute):
    """A route whose endpoint finds its unit of work and its caller in ``request.state``."""

    bulk = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        call = direct_call(self)
        if call is not None:
            self.app = self._direct(call, stock=self.app)

    def get_route_handler(self) -> Handler:
        return self.around(super().get_route_handler())

    def _direct(self, call: DirectCall, *, stock: ASGIApp) -> ASGIApp:
        """Answers plain requests by itself, and leaves the others to FastAPI."""

        async def endpoint(request: Request) -> Response:
            return await call.answer(request, request.scope["groupsvc.values"])

        handle = self.around(endpoint)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive, send)
            values = call.read(request)
            if values is None:
                await stock(scope, receive, send)
            else:
                scope["groupsvc.values"] = values
                response = await handle(request)
                await response(scope, receive, send)

        return app

    def around(self, endpoint: Handler) -> Handler:
        """A unit of work around the endpoint."""
        access = declared_access(self.dependant)
        # What nobody in particular asked for must not be told to the next stranger.
        keyed = isinstance(access, Requires)
        bulk = self.bulk
        has_body = self.body_field is not None
        reading = (self.methods or set()) <= {"GET", "HEAD"}

        async def handle(request: Request) -> Response:
            request = StrictRequest(
                request.scope,
                request.receive,
                max_depth=wiring(request).settings.max_json_depth,
            )

            async def work(uow: UnitOfWork) -> Response:
                request.state.uow = uow
                principal = await access.admit(request, uow)
                request.state.principal = principal
                request.state.subject = uow.context.actor = principal.subject
                claim = None
                if keyed:
                    claim = await idempotency.claim(request, uow, principal)
                if claim is not None and claim.replay is not None:
                    return claim.replay
                if has_body:
                    await read_body(request)
                response = await endpoint(request)
                if claim is not None:
                    await claim.keep(response)
                return response

            return await wiring(request).units.run(
                request.state.request_id, work, reading=reading, bulk=bulk
            )

        return handle


class BulkRoute(UnitRoute):
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


async def read_body(request: Request) -> None:
    """Read JSON strictly, before FastAPI does: it would hide why a body was refused."""
    if await request.body() and not media_type_is_json(request.headers.get("content-type")):
        raise HTTPException(415, "send application/json")
    await request.json()
