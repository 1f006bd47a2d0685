"""The short way from the guard to an endpoint.

A plain request to a route that can be called directly passes neither the router nor what FastAPI
puts around it, but the same middleware of its face, the same unit of work and the same handlers
of refusals. Everything else goes on as it always does. Nobody else needs to know of this.
"""

from typing import Any, Final

from fastapi import FastAPI
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from groupsvc.http.fast_path.route_index import RouteIndex
from groupsvc.http.routing import TransactionalRoute

_METHODS: Final = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE"))
_ROUTE: Final = "groupsvc.route"


class FastPathMiddleware:
    """The innermost middleware of an application whose routes are complete when it starts."""

    def __init__(self, app: ASGIApp, *, application: FastAPI) -> None:
        self._otherwise = app
        self._own = MountedApp("", application)
        self._mounted = [
            MountedApp(route.path, route.app)
            for route in application.routes
            if isinstance(route, Mount) and isinstance(route.app, FastAPI)
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in _METHODS:
            path = _local_path(scope)
            for face in self._mounted:
                if path.startswith(face.prefix):
                    break
            else:
                face = self._own
            if face.takes(scope, path):
                await face.answer(scope, receive, send)
                return
        await self._otherwise(scope, receive, send)


class MountedApp:
    def __init__(self, path: str, app: FastAPI) -> None:
        self.prefix = f"{path}/"
        self._path, self._app = path, app
        self._index = RouteIndex(app.routes)
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

    def takes(self, scope: Scope, path: str) -> bool:
        """Whether a request can be answered directly; if so, its scope is made ready."""
        root: str = scope.get("root_path", "")
        if self._path and root and path == scope["path"]:
            # A mount knows its own paths by the prefix of the gateway.
            return False
        found = self._index.find(scope["method"], path[len(self._path) :])
        if found is None:
            return False
        route, given = found
        direct = route.direct if isinstance(route, TransactionalRoute) else None
        values = direct.read(scope, given) if direct is not None else None
        if values is None:
            return False
        if self._path:
            scope.setdefault("app_root_path", root)
            scope["root_path"] = root + self._path
        scope["app"] = self._app
        scope["route"] = scope[_ROUTE] = route
        scope["endpoint"] = route.endpoint
        scope["path_params"] = given
        scope["groupsvc.values"] = values
        return True


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    response = await scope[_ROUTE].direct.handle(Request(scope, receive, send))
    await response(scope, receive, send)


def _local_path(scope: Scope) -> str:
    """The path without the prefix of a gateway."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(f"{root}/") else path
