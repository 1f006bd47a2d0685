"""The HTTP protocols of the server, with a deadline for receiving a request.

uvicorn waits for ever for a client that sends slowly or not at all. This leans on the inside of
uvicorn's protocols: its version is pinned, and the tests use real sockets.
"""

import asyncio
import re
from typing import Any, ClassVar, Final

import h11
import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD: Final = 65_536

# Lines that end in other ways or go on in the next one, control characters, and a length that is
# told more than once.
_AMBIGUOUS: Final = re.compile(
    rb"(?<!\r)\n|\r(?!\n|\Z)|\n[ \t]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
    rb"|\n(?i:content-length):(?:[^\n]*,|(?s:.)*\n(?i:content-length):)"
)
_OFFER: Final = re.compile(rb"(?i)\nupgrade(?=:)")


def without_offers(data: bytes) -> bytes:
    """The bytes of a head, whose offer of another protocol gets a name that means nothing.

    The parser would take the body for one of that protocol, and lose it. Clients of HTTP/2 make
    such offers, and go on with what is spoken here. The length stays what it was.
    """
    if b"pgrade" not in data and b"PGRADE" not in data:
        return data
    head, end, rest = data.partition(b"\r\n\r\n")
    return _OFFER.sub(b"\nx-offer", head) + end + rest


class ReceiveDeadline:
    """Closes a connection whose request has not arrived whole in time. Answers have no deadline.

    The clock runs from the connection, or from the first byte of a later request, to the end of
    the body; a body that makes progress gets more time. Between requests the keep-alive timeout
    applies.
    """

    receive_timeout: ClassVar[float] = 15.0
    least_rate: ClassVar[int] = 65_536  # bytes of a body in a second
    loop: asyncio.AbstractEventLoop
    app_state: dict[str, Any]
    transport: asyncio.Transport
    flow: FlowControl

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clock: asyncio.TimerHandle | None = None
        self._was_busy = False
        self._body = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)  # type: ignore[misc]  # of the protocol beside it
        # For whoever sends a client what they do not take.
        self.app_state = {**self.app_state, "abort": transport.abort}
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)  # type: ignore[misc]  # as above

    def _is_busy(self) -> bool:
        return self.flow.read_paused

    def _start_clock(self) -> None:
        self._body = 0
        # The setting is made on this class, for both parsers.
        self._clock = self.loop.call_later(self.receive_timeout, self._expire)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _expire(self) -> None:
        busy = self._is_busy()
        moved = self._body >= self.least_rate * self.receive_timeout
        if busy or moved or self._was_busy:
            # This side was at work on what it had, or much of the body has come: the client is
            # given the whole time again.
            self._start_clock()
        else:
            self._clock = None
            self.transport.abort()
        self._was_busy = busy


class DeadlineProtocol(ReceiveDeadline, HttpToolsProtocol):  # type: ignore[misc]  # one adds to the other
    """With the parser httptools."""

    max_head: ClassVar[int] = MAX_HEAD
    parser: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._partial = False
        self._in_head = False
        self._head = 0

    def data_received(self, data: bytes) -> None:
        if self._in_head or not self._partial:
            data = without_offers(data)
        super().data_received(data)
        # Most requests arrive whole and in one piece: those never start a clock.
        if self._partial and self._clock is None:
            self._start_clock()
        if self._in_head or self.headers:
            self._head += len(data)
            if self._head > self.max_head:
                self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._partial = self._in_head = True
        self._head = 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        if not self.url.startswith(b"/") or b"#" in self.url:
            # An absolute target names a host of its own, which nobody would compare with Host.
            raise httptools.HttpParserError("the target is not a path")
        if self.parser.should_upgrade():
            raise httptools.HttpParserError("the body of an upgrade would be lost")
        if not self.parser.get_http_version().startswith("1."):
            raise httptools.HttpParserError("this version is not spoken here")
        super().on_headers_complete()
        # What follows a body was not there when the headers were checked: it is none of them.
        self.headers = []

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._partial = False
        if self._clock is not None:
            self._stop_clock()
        super().on_message_complete()

    def _is_busy(self) -> bool:
        return super()._is_busy() or bool(self.pipeline)


class StrictConnection(h11.Connection):
    """Refuses what the other parser refuses: what a gateway may have read in another way."""

    def next_event(self) -> Any:
        if self.their_state is h11.IDLE:
            data = self.trailing_data[0]
            # Before the end, that would be one search for every piece.
            is_whole = b"\n\r\n" in data or b"\n\n" in data
            if is_whole and _AMBIGUOUS.search(data.partition(b"\r\n\r\n")[0]):
                raise h11.RemoteProtocolError("the head can be read in several ways")
        event = super().next_event()
        if isinstance(event, h11.Request):
            if not event.http_version.startswith(b"1."):
                raise h11.RemoteProtocolError("this version is not spoken here")
            if b"#" in event.target:
                raise h11.RemoteProtocolError("the target is not a path")
        return event


class H11DeadlineProtocol(ReceiveDeadline, H11Protocol):  # type: ignore[misc]  # one adds to the other
    """With the parser h11, which bounds the head of a request by itself.

    It is slower, and written in Python: for whoever does not trust a parser in C.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = StrictConnection(h11.SERVER, MAX_HEAD)

    def data_received(self, data: bytes) -> None:
        if self.conn.their_state is h11.SEND_BODY:
            self._body += len(data)
        super().data_received(data)

    def handle_events(self) -> None:
        super().handle_events()
        if self.transport.is_closing():
            return
        begun = self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])
        if not begun and self.conn.their_state is not h11.SEND_BODY:
            self._stop_clock()
        elif self._clock is None:
            self._start_clock()
