"""The fast path from the guard to an endpoint; ``docs/fast-path.md`` says why there is one.

A plain request to a route with a compiled endpoint passes neither the router nor what FastAPI puts
around it, but the same middleware of its face, the same unit of work and the same handlers of
errors. Everything else goes on as it always does.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from fastapi import FastAPI
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from groupsvc.http.edge import local_path
from groupsvc.http.fast_path.compiled_endpoint import VALUES, CompiledEndpoint
from groupsvc.http.head_as_get import HeadAsGet

_METHODS: Final = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE"))
# The convertors whose parameters stay within one segment of a path.
_WITHIN: Final = ("str", "int", "float", "uuid")
_FOUND: Final = "groupsvc.found"
_ENDPOINT: Final = "groupsvc.endpoint"


class FoundRoute(NamedTuple):
    """``path`` is that of the request without the prefix of a gateway."""

    app: "MountedApp"
    route: Route
    path_params: dict[str, Any]
    path: str


class RouteIndex:
    """Finds the route of a request without trying all of them.

    Routes are tried in their order, but only those that answer the method and have as many
    segments.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        known = [route for route in routes if isinstance(route, Route)]
        lengths = {_segments(route) for route in known} | {None}
        found: defaultdict[tuple[str, int | None], list[Route]] = defaultdict(list)
        for route in known:
            own = _segments(route)
            for length in lengths if own is None else {own}:
                for method in route.methods or ():
                    found[method, length].append(route)
        self._found = dict(found)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, Any]] | None:
        """The route and the parameters in the path; None leaves it to the router to say why."""
        length = path.count("/")
        for route in self._found.get((method, length)) or self._found.get((method, None)) or ():
            match = route.path_regex.match(path)
            if match is not None:
                convertors = route.param_convertors
                given = match.groupdict()
                return route, {name: convertors[name].convert(given[name]) for name in given}
        return None


class RouteTable:
    """The routes of an application and of those mounted in it, which are complete."""

    def __init__(self, application: FastAPI) -> None:
        self._own = MountedApp("", application)
        self._mounted = [
            MountedApp(route.path, route.app)
            for route in application.routes
            if isinstance(route, Mount) and isinstance(route.app, FastAPI)
        ]
        self._prefixes = tuple(app.prefix for app in self._mounted)

    def find(self, scope: Scope, path: str | None = None) -> FoundRoute | None:
        """Looked for once in a request, whoever asks first. ``path`` is the local one."""
        if _FOUND not in scope:
            path = local_path(scope) if path is None else path
            app = self._own
            if path.startswith(self._prefixes):
                app = next(each for each in self._mounted if path.startswith(each.prefix))
            found = app.index.find(scope["method"], path[len(app.path) :])
            scope[_FOUND] = FoundRoute(app, *found, path) if found is not None else None
        found_route: FoundRoute | None = scope[_FOUND]
        return found_route

    def is_own(self, scope: Scope) -> bool:
        """Whether the path is not that of a mounted application."""
        return not local_path(scope).startswith(self._prefixes)

    def is_bulk(self, scope: Scope, path: str) -> bool:
        """Whether the route may bring much and take long."""
        found = self.find(scope, path)
        return found is not None and getattr(found.route, "bulk", False)


class FastPathMiddleware:
    """The innermost middleware of an application."""

    def __init__(self, app: ASGIApp, *, table: RouteTable) -> None:
        self._otherwise = app
        self._head = HeadAsGet(app)
        self._table = table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD" and self._table.is_own(scope):
            await self._head(scope, receive, send)
            return
        if scope["type"] == "http" and scope["method"] in _METHODS:
            found = self._table.find(scope)
            if found is not None and found.app.takes(scope, found):
                await found.app.answer(scope, receive, send)
                return
        await self._otherwise(scope, receive, send)


class MountedApp:
    """An application with what stands between its mount and its routes."""

    def __init__(self, path: str, app: FastAPI) -> None:
        self.path, self.prefix = path, f"{path}/"
        self.index = RouteIndex(app.routes)
        self._app = app
        handlers: Any = {
            kind: handler
            for kind, handler in app.exception_handlers.items()
            if kind not in (500, Exception)
        }
        self.answer: ASGIApp = ExceptionMiddleware(_answer, handlers=handlers)
        if path:
            for cls, arguments, options in reversed(app.user_middleware):
                self.answer = cls(self.answer, *arguments, **options)
            crashed: Any = app.exception_handlers.get(Exception)
            self.answer = ServerErrorMiddleware(self.answer, handler=crashed)

    def takes(self, scope: Scope, found: FoundRoute) -> bool:
        """Whether a request can be answered here; if so, its scope is made ready."""
        root: str = scope.get("root_path", "") if self.path else ""
        if root and found.path == scope["path"]:
            # A mount knows its own paths by the prefix of the gateway.
            return False
        endpoint: CompiledEndpoint | None = getattr(found.route, "compiled_endpoint", None)
        values = endpoint.read(scope, found.path_params) if endpoint is not None else None
        if values is None:
            return False
        if self.path:
            scope.setdefault("app_root_path", root)
            scope["root_path"] = root + self.path
        scope["app"] = self._app
        scope["route"] = found.route
        scope["endpoint"] = found.route.endpoint
        scope["path_params"] = found.path_params
        scope[_ENDPOINT], scope[VALUES] = endpoint, values
        return True


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    response = await scope[_ENDPOINT].handle(Request(scope, receive, send))
    await response(scope, receive, send)


def _segments(route: Route) -> int | None:
    """How many; None when a parameter may have several."""
    within = all(
        type(convertor).__name__.lower().startswith(_WITHIN)
        for convertor in route.param_convertors.values()
    )
    return route.path.count("/") if within else None
