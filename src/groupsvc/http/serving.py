"""The server, which stops without leaving a request unanswered.

Told to stop by SIGTERM it first drains: it is not ready any more, serves on, and asks every client
to come again on another connection. Then it takes what has come already, refuses what comes, and
ends when the last answer is out. Told by SIGHUP, since another process takes its place on the same
socket, it does without the first and refuses nobody. This leans on the inside of uvicorn, whose
version is pinned.
"""

import asyncio
import ctypes
import os
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FrameType
from typing import Any, Final

import uvicorn

# How long a connection that was idle may still bring the request that it was opened for.
LAST_CALL: Final = 1.0
# What is on its way through the handshake when newcomers are turned away.
HANDSHAKE: Final = 0.1
STEP: Final = 0.02

SO_ATTACH_FILTER: Final = 26  # of Linux
# Drops what begins a connection and passes on the rest: to a client it is as if its first packet
# were lost, so that it tries again a moment later, and is refused by then.
FILTER: Final = (
    (0x30, 0, 0, 13),  # the flags of TCP,
    (0x54, 0, 0, 0x12),  # of them SYN and ACK:
    (0x15, 0, 1, 0x02),  # when it is SYN alone,
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # else pass on
)


class Server(uvicorn.Server):
    """``drain`` seconds are served on after SIGTERM. ``on_start`` is called when it answers."""

    def __init__(
        self, config: uvicorn.Config, *, drain: float, on_start: Callable[[], None] | None = None
    ) -> None:
        super().__init__(config)
        self._drain, self._on_start = drain, on_start
        self._told = self._replaced = False
        self._until: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first SIGTERM drains; anything more ends it at once, as does Ctrl-C."""
        if sig != signal.SIGTERM:
            super().handle_exit(sig, frame)
        elif self._told:
            self.should_exit = True
        self._told = True

    def finish(self) -> None:
        """Without draining."""
        self.should_exit = True

    def retire(self) -> None:
        """Leave the socket to other processes."""
        self.should_exit = self._replaced = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._on_start is not None:
            self._on_start()

    async def on_tick(self, counter: int) -> bool:
        now = asyncio.get_running_loop().time()
        if self._told and self._until is None:
            self._until = now + self._drain
            self._ask_clients_to_leave()
        if self._until is not None and now >= self._until:
            self.should_exit = True
        return await super().on_tick(counter)

    def _ask_clients_to_leave(self) -> None:
        self.lifespan.state["stopping"].set()
        close = (b"connection", b"close")
        # For every answer from now on, and for those that were begun.
        self.config.encoded_headers.append(close)
        self.server_state.default_headers.append(close)
        for cycle in self._cycles():
            if cycle is not None and not cycle.response_complete:
                cycle.keep_alive = False

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._until is None:
            self._ask_clients_to_leave()
        if not self._replaced:
            for server in self.servers:
                for listener in server.sockets:
                    _turn_away(listener.fileno())
            await asyncio.sleep(HANDSHAKE)
        for server in self.servers:
            server.close()
        await self._last_call()
        await super().shutdown(sockets)

    async def _last_call(self) -> None:
        """Closing an idle connection loses a request that is under way on it."""
        loop = asyncio.get_running_loop()
        end = loop.time() + LAST_CALL
        while self._has_idle() and loop.time() < end and not self.force_exit:  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(STEP)

    def _has_idle(self) -> bool:
        return any(cycle is None or cycle.response_complete for cycle in self._cycles())

    def _cycles(self) -> Iterator[Any]:
        """The last request of each connection, None before the first."""
        return (getattr(each, "cycle", None) for each in self.server_state.connections)


def _turn_away(listener: int) -> None:
    """Let nobody in any more who would be cut off when the socket is closed. On Linux only."""
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in FILTER))
    given = struct.pack("HP", len(FILTER), ctypes.addressof(program))
    with suppress(OSError), socket.socket(fileno=os.dup(listener)) as duplicate:
        duplicate.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, given)
