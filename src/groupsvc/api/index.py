"""Finding the route of a request without trying all of them.

Routes are tried in their order, but only those that answer the method and have as many segments.
What none of them answers is left to the router: other methods, other spellings, other addresses.
"""

from collections import defaultdict
from typing import Final

from fastapi import APIRouter
from starlette.routing import Match, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

# Their parameters stay within one segment of a path.
_WITHIN: Final = ("str", "int", "float", "uuid")


def install_index(router: APIRouter) -> None:
    """Put the index before a router whose routes are complete."""
    router.middleware_stack = _RouteIndex(router)


class _RouteIndex:
    def __init__(self, router: APIRouter) -> None:
        self._router = router
        self._otherwise: ASGIApp = router.app
        self._mounts = [route for route in router.routes if isinstance(route, Mount)]
        routes = [route for route in router.routes if isinstance(route, Route)]
        lengths = {_segments(route) for route in routes}
        found: defaultdict[tuple[str, int | None], list[Route]] = defaultdict(list)
        for route in routes:
            own = _segments(route)
            for length in lengths if own is None else {own}:
                for method in route.methods or ():
                    found[method, length].append(route)
        self._found = dict(found)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._find(scope) if scope["type"] == "http" else None
        if route is None:
            await self._otherwise(scope, receive, send)
            return
        _, child = route.matches(scope)
        scope.setdefault("router", self._router)
        scope.setdefault("route", route)
        scope.update(child)
        await route.handle(scope, receive, send)

    def _find(self, scope: Scope) -> Route | Mount | None:
        path = _local_path(scope)
        for mount in self._mounts:
            if path.startswith(f"{mount.path}/"):
                return mount if mount.matches(scope)[0] is Match.FULL else None
        method, length = scope["method"], path.count("/")
        for route in self._found.get((method, length)) or self._found.get((method, None)) or ():
            if route.path_regex.match(path):
                return route
        return None


def _local_path(scope: Scope) -> str:
    """The path below the mount that the router is behind."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


def _segments(route: Route) -> int | None:
    """How many; None when a parameter may have several."""
    within = all(
        type(convertor).__name__.lower().removesuffix("convertor").startswith(_WITHIN)
        for convertor in route.param_convertors.values()
    )
    return route.path.count("/") if within else None
