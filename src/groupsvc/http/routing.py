"""One request is one unit of work.

The route class owns it: who is calling is settled first, then the body is read, then the endpoint
runs, and the commit comes before the first byte of the answer. When the database asks for another
try, all of it runs again.
"""

import re
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.http import idempotency
from groupsvc.http.access import Public, Requires
from groupsvc.http.app_state import app_state
from groupsvc.http.fast_path.compiled_endpoint import DirectCall, direct_call
from groupsvc.http.strict_json import StrictRequest, media_type_is_json

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Direct:
    """How a route answers a plain request by itself."""

    def __init__(self, call: DirectCall, wrap_in_transaction: Callable[[Handler], Handler]) -> None:
        self.read = call.read

        async def endpoint(request: Request) -> Response:
            return await call.answer(request, request.scope["groupsvc.values"])

        self.handle = wrap_in_transaction(endpoint)


class TransactionalRoute(APIRoute):
    """A route whose endpoint finds its unit of work and its caller in ``request.state``."""

    bulk = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        call = direct_call(self)
        self.direct = Direct(call, self.wrap_in_transaction) if call is not None else None

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
            request = given
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
                    claim = await idempotency.claim(request, uow, principal)
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


def bulk_paths(routes: Iterable[BaseRoute]) -> Callable[[str], object]:
    """Whether a path is that of a route that is declared ``bulk``, of whatever method."""
    return re.compile("|".join(dict.fromkeys(_bulk_patterns(routes, "")))).fullmatch


def _bulk_patterns(routes: Iterable[BaseRoute], prefix: str) -> Iterator[str]:
    for route in routes:
        if isinstance(route, Mount):
            yield from _bulk_patterns(route.routes, prefix + re.escape(route.path))
        elif isinstance(route, TransactionalRoute) and route.bulk:
            # A name may be used once in a pattern; both spellings of an address are one.
            own = re.sub(r"\?P<\w+>", "?:", route.path_regex.pattern)
            own = own.removeprefix("^").removesuffix("$").removesuffix("/")
            yield f"{prefix}{own}/?"
