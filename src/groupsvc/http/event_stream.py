"""Server-sent events of a course: what the tail hands out, as an answer that goes on."""

import asyncio
import json
import random
from contextlib import suppress
from typing import Any, Final

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from groupsvc.core.changes.feed import Line, Position
from groupsvc.core.changes.reader import End, Follower, Reader
from groupsvc.core.changes.tail import Tail
from groupsvc.domain.errors import UnavailableError
from groupsvc.http.cursors import encode_cursor
from groupsvc.http.edge_refusals import TooLargeError

MEDIA_TYPE: Final = "text/event-stream"
# Milliseconds until a client comes again. When a process stops, not all at the same time.
RETRY: Final = 2_000
SPREAD: Final = (200, 3_000)
# Gateways are neither to compress it, nor to wait for more of it.
HEADERS: Final = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}


def render_line(line: Line) -> bytes:
    return format_sse_event(data_str=line.body, event="change", id=encode_cursor(line.position))


def _ready(position: Position, quiet: float) -> bytes:
    cursor = encode_cursor(position)
    data = {"cursor": cursor, "heartbeat_seconds": quiet}
    return format_sse_event(data_str=json.dumps(data), event="ready", id=cursor, retry=RETRY)


def _reset() -> bytes:
    return format_sse_event(data_str=json.dumps({"reason": End.PAST.value}), event="reset")


def _end(why: End) -> bytes:
    retry = random.randint(*SPREAD) if why is End.STOPPING else RETRY  # noqa: S311 - no secret
    return format_sse_event(data_str=json.dumps({"reason": why.value}), event="end", retry=retry)


class EventStream(Response):
    """Whoever counts requests under way is told that this one is none any more (``on_stream``).

    ``is_resumed`` is false when the client asked for a place that the log does not have.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self, tail: Tail, follower: Follower, position: Position, *, is_resumed: bool
    ) -> None:
        self.status_code, self.background = 200, None
        self.init_headers(HEADERS)
        self._tail, self._follower = tail, follower
        self._position, self._is_resumed = position, is_resumed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises ThrottledError and UnavailableError before anything is sent."""
        state: dict[str, Any] = scope["state"]
        reader = self._tail.open(self._follower)
        gone = asyncio.create_task(_notice(receive, reader))
        try:
            for told in state.get("on_stream", ()):
                told()
            for name in ("uow", "principal"):
                state.pop(name, None)
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            if state.get("is_head"):
                reader.end(End.OVER)
            await self._send_all(reader, send)
        finally:
            gone.cancel()
            self._tail.leave(reader)

    async def _send_all(self, reader: Reader, send: Send) -> None:
        loop = asyncio.get_running_loop()
        quiet = self._tail.terms.quiet
        part: bytes | None = _ready(self._position, quiet)
        if not self._is_resumed:
            part = _reset() + _ready(self._position, quiet)
        while part is not None:
            reader.begin_sending(loop.time())
            await send({"type": "http.response.body", "body": part, "more_body": True})
            reader.has_sent(loop.time())
            try:
                part = await reader.next_part(quiet)
            except UnavailableError:
                reader.end(End.UNAVAILABLE)
                part = None
            if part == b"":
                part = KEEPALIVE_COMMENT
        assert reader.ended is not None
        await send({"type": "http.response.body", "body": _end(reader.ended)})


async def _notice(receive: Receive, reader: Reader) -> None:
    """End it when the client has gone. What else comes is the body of the request, if any."""
    with suppress(TooLargeError):
        while (await receive())["type"] != "http.disconnect":
            pass
    reader.end(End.GONE)
