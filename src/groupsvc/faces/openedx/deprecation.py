"""Every answer of v1, refusals included, names its successor."""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SETTINGS: Final = re.compile(r"/v1/settings/(.+?)/?", re.DOTALL)
_COHORTS: Final = re.compile(r"/v1(/courses/.+/cohorts(?:/.*)?)", re.DOTALL)


class Deprecation:
    """Adds ``Deprecation`` and ``Link`` to answers of v1."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root: str = scope.get("root_path", "")
        path = successor(scope["path"].removeprefix(root)) if scope["type"] == "http" else None
        if path is None:
            await self._app(scope, receive, send)
            return
        link = _link(root + path)

        async def add_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["deprecation"], headers["link"] = "true", link
            await send(message)

        await self._app(scope, receive, add_headers)


@lru_cache(maxsize=200)  # paths may be long
def _link(path: str) -> str:
    return f'<{quote(path)}>; rel="successor-version"'


@lru_cache(maxsize=200)  # paths may be long
def successor(path: str) -> str | None:
    """The path in v2, if this one is of v1 and has any."""
    if settings := _SETTINGS.fullmatch(path):
        return f"/v2/courses/{settings[1]}/cohort_settings/"
    if cohorts := _COHORTS.fullmatch(path):
        return f"/v2{cohorts[1].removesuffix('/')}/"
    return None
