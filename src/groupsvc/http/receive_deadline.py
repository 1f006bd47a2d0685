"""The HTTP protocol of the server, with a deadline for receiving a request.

uvicorn waits for ever for a client that sends slowly or not at all. This leans on the inside of
uvicorn's httptools protocol: its version is pinned, and the tests use real sockets.
"""

import asyncio
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class DeadlineProtocol(HttpToolsProtocol):
    """Closes a connection whose request has not arrived whole in time. Answers have no deadline.

    The clock runs from the connection, or from the first byte of a later request, to the end of
    the body. Between requests the keep-alive timeout applies.
    """

    receive_timeout: ClassVar[float] = 15.0
    max_head: ClassVar[int] = 65_536

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clock: asyncio.TimerHandle | None = None
        self._was_busy = False
        self._partial = False
        self._in_head = False
        self._head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # Most requests arrive whole and in one piece: those never start a clock.
        if self._partial and self._clock is None:
            self._start_clock()
        if self._in_head:
            self._head += len(data)
            if self._head > self.max_head:
                self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._partial = self._in_head = True
        self._head = 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        if not self.url.startswith(b"/"):
            # An absolute target names a host of its own, which nobody would compare with Host.
            raise httptools.HttpParserError("the target is not a path")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._partial = False
        if self._clock is not None:
            self._stop_clock()
        super().on_message_complete()

    def _start_clock(self) -> None:
        self._clock = self.loop.call_later(self.receive_timeout, self._expire)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _expire(self) -> None:
        busy = self.flow.read_paused or bool(self.pipeline)
        if busy or self._was_busy:
            # This side was at work on what it had: the client is given the whole time again.
            self._start_clock()
        else:
            self._clock = None
            self.transport.abort()
        self._was_busy = busy
