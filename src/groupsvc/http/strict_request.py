"""Requests whose JSON is read strictly."""

import asyncio
from typing import Any

from starlette.requests import Request, empty_receive
from starlette.types import Receive, Scope

from groupsvc.domain.strict_json import LARGE, read_json
from groupsvc.http.spool import Spool


def media_type_is_json(content_type: str | None) -> bool:
    """Whether a Content-Type means JSON in UTF-8. A missing one means nothing."""
    if content_type == "application/json":
        return True
    media_type, *parameters = (content_type or "").lower().split(";")
    kind, _, subtype = media_type.strip().partition("/")
    if kind != "application" or not (subtype == "json" or subtype.endswith("+json")):
        return False
    pairs = (parameter.partition("=") for parameter in parameters)
    charsets = (value.strip(' \t"') for name, _, value in pairs if name.strip() == "charset")
    return all(charset in ("utf-8", "utf8") for charset in charsets)


class StrictRequest(Request):
    """A request whose JSON is read strictly. FastAPI reads bodies through the request it is given.

    FastAPI wraps what ``json`` raises into an HTTPException 400: the refusal is its ``__cause__``.
    """

    def __init__(
        self, scope: Scope, receive: Receive = empty_receive, *, max_depth: int = 32
    ) -> None:
        super().__init__(scope, receive)
        self._max_depth = max_depth

    async def body(self) -> bytes:
        """The whole body, out of its spool when it has gone there."""
        spool: Spool | None = getattr(self.state, "spool", None)
        if spool is not None:
            spool.seek(0)
            return spool.read()
        return await super().body()

    async def json(self) -> Any:
        """The body, read once. Raises InvalidJsonError."""
        if not hasattr(self, "_json"):
            body = await self.body()
            if len(body) > LARGE:
                self._json = await asyncio.to_thread(read_json, body, max_depth=self._max_depth)
            else:
                self._json = read_json(body, max_depth=self._max_depth)
        return self._json
