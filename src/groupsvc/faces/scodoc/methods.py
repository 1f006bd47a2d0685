"""What the framework of the original answers by itself: HEAD, OPTIONS, and repeated slashes."""

import re
from typing import Final

from starlette._utils import get_route_path
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from groupsvc.http.head_as_get import HeadAsGet

SLASHES: Final = re.compile("/{2,}")


class FrameworkMethods:
    def __init__(self, app: ASGIApp) -> None:
        self._as_get = HeadAsGet(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if "//" in scope["path"] and await self._redirect(scope, receive, send):
                return
            if scope["method"] == "OPTIONS" and (methods := _methods(scope, get_route_path(scope))):
                headers = {"Allow": ", ".join(sorted(methods))}
                await Response(headers=headers)(scope, receive, send)
                return
        await self._as_get(scope, receive, send)

    async def _redirect(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """To the single slash, where that is a route."""
        if not _methods(scope, SLASHES.sub("/", get_route_path(scope))):
            return False
        url = Request(scope).url
        target = SLASHES.sub("/", url.path) + (f"?{url.query}" if url.query else "")
        await Response(status_code=308, headers={"Location": target})(scope, receive, send)
        return True


def _methods(scope: Scope, path: str) -> set[str]:
    """What the routes with this path answer; nothing when there is none."""
    found: set[str] = set()
    for route in scope["app"].routes:
        if isinstance(route, Route) and route.path_regex.match(path):
            found |= route.methods or set()
    if found:
        found |= {"OPTIONS", *(["HEAD"] if "GET" in found else [])}
    return found
