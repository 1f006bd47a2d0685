"""Requests whose JSON is read strictly."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from starlette.requests import Request, empty_receive
from starlette.types import Receive, Scope

from groupsvc.domain.patient_json import Taker
from groupsvc.domain.strict_json import LARGE, read_json
from groupsvc.http.spool import spooled_body

_READ: Final = b"{}"


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
    ``taker`` is that of the rows of a body that may have many: such a body is kept on disk.
    """

    def __init__(
        self,
        scope: Scope,
        receive: Receive = empty_receive,
        *,
        max_depth: int = 32,
        taker: Callable[[], Taker] | None = None,
    ) -> None:
        super().__init__(scope, receive)
        self._read = partial(read_json, max_depth=max_depth, taker=taker)
        self.is_spooled = taker is not None

    async def body(self) -> bytes:
        """The whole body, out of its spool when it has gone there.

        FastAPI keeps what it gets as long as the request lasts, and only asks whether there is any
        when it is JSON: that is not read twice.
        """
        if not self.is_spooled and not hasattr(self.state, "spool"):
            return await super().body()
        return _READ if hasattr(self, "_json") else (await spooled_body(self)).read()

    async def size(self) -> int:
        """How many bytes the body has."""
        return (await spooled_body(self)).size() if self.is_spooled else len(await self.body())

    async def json(self) -> Any:
        """The body, read once. Raises InvalidJsonError."""
        if not hasattr(self, "_json"):
            body = await self.body()
            if len(body) > LARGE:
                self._json = await asyncio.to_thread(self._read, body)
            else:
                self._json = self._read(body)
        return self._json
