"""The server's protocol and the guard, over real sockets."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import uvicorn

from groupsvc.faces.v1.conflicts import PROBLEMS
from groupsvc.http.edge import Guard
from groupsvc.http.receive_deadline import (
    DeadlineProtocol,
    H11DeadlineProtocol,
)
from groupsvc.settings import Settings

DEADLINE = 1.0
# How long a test waits for what must happen: only a failing test waits so long.
PATIENCE = 120.0
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers the size of the body; ``/slow`` only well after the deadline for receiving."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    if scope["path"] == "/slow":
        await asyncio.sleep(DEADLINE * 1.5)
    await _answer(send, str(size).encode())


async def _answer(send: Any, body: bytes) -> None:
    length = str(len(body)).encode()
    headers = [(b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class Impatient(DeadlineProtocol):
    receive_timeout = DEADLINE


class ImpatientH11(H11DeadlineProtocol):
    receive_timeout = DEADLINE


impatient = pytest.mark.parametrize("protocol", [Impatient, ImpatientH11])


class Patient(DeadlineProtocol):
    receive_timeout = PATIENCE * 2


@contextlib.asynccontextmanager
async def serving(app: Any, protocol: type[Any], *, keep_alive: float = 60) -> AsyncGenerator[int]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_keep_alive=keep_alive,  # type: ignore[arg-type]
    )
    server = Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    async with asyncio.timeout(PATIENCE):
        await server.listening.wait()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task


async def connect(port: int, data: bytes = b"") -> Streams:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    return reader, writer


async def answered(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The status and the body of one answer."""
    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in head.split(b"\r\n") if line.startswith(b"content-length:")]
        body = await reader.readexactly(int(lengths[0].split(b":")[1]))
    return int(head.split()[1]), body


async def ended(streams: Streams) -> bytes:
    """What still comes before the other side closes."""
    reader, writer = streams
    rest = b""
    async with asyncio.timeout(PATIENCE):
        with contextlib.suppress(ConnectionError):
            rest = await reader.read()
    await leave(writer)
    return rest


async def leave(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def drip(streams: Streams, data: bytes) -> None:
    """Send a byte at a time, always well within any timeout for a single read."""
    with contextlib.suppress(ConnectionError):
        while not streams[1].is_closing():
            streams[1].write(data)
            await streams[1].drain()
            await asyncio.sleep(DEADLINE / 10)


async def ends_while_dripping(streams: Streams, data: bytes) -> bytes:
    task = asyncio.create_task(drip(streams, data))
    rest = await ended(streams)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return rest


@impatient
async def test_slow_requests_are_closed_and_others_are_not_disturbed(protocol: type[Any]) -> None:
    async with serving(echo, protocol) as port:
        silent = await connect(port)
        started = await connect(port, b"GET")
        header = await connect(port, b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        body = await connect(port, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n")
        chunked = await connect(
            port, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        later = await connect(port, GET)
        assert await answered(later[0]) == (200, b"0")
        later[1].write(b"GET / HT")
        slow = await connect(port, GET.replace(b"/", b"/slow", 1))
        rest = await asyncio.gather(
            ended(silent),
            ended(started),
            ends_while_dripping(header, b"x"),
            ends_while_dripping(body, b"x"),
            ends_while_dripping(chunked, b"1\r\nx\r\n"),
            ended(later),
        )
        assert rest == [b""] * 6
        assert await answered(slow[0]) == (200, b"0")
        await leave(slow[1])


@impatient
async def test_a_kept_connection_is_used_again_and_may_rest(protocol: type[Any]) -> None:
    async with serving(echo, protocol) as port:
        reader, writer = await connect(port)
        for _ in range(5):
            writer.write(GET)
            assert await answered(reader) == (200, b"0")
        await asyncio.sleep(DEADLINE * 1.5)
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
        await asyncio.sleep(DEADLINE / 4)
        writer.write(b"abc")
        assert await answered(reader) == (200, b"3")
        writer.write(GET)
        assert await answered(reader) == (200, b"0")
        await leave(writer)


@impatient
async def test_a_request_that_waits_behind_a_slow_answer_is_not_late(protocol: type[Any]) -> None:
    async with serving(echo, protocol) as port:
        post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab"
        reader, writer = await connect(port, GET.replace(b"/", b"/slow", 1) + post)
        assert await answered(reader) == (200, b"0")
        await asyncio.sleep(DEADLINE / 4)
        writer.write(b"c")
        assert await answered(reader) == (200, b"3")
        await leave(writer)


@impatient
async def test_a_large_body_may_wait_for_a_busy_application(protocol: type[Any]) -> None:
    async def busy(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(DEADLINE * 1.5)
        await echo(scope, receive, send)

    size = 3_000_000
    head = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode()
    async with serving(busy, protocol) as port:
        reader, writer = await connect(port, head + b"x" * size)
        assert await answered(reader) == (200, str(size).encode())
        await leave(writer)


class Lenient(Impatient):
    least_rate = 10


async def test_a_body_that_makes_progress_may_take_longer() -> None:
    async with serving(echo, Lenient) as port:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 25000\r\n\r\n"
        reader, writer = await connect(port, head)
        for _ in range(25):
            await asyncio.sleep(DEADLINE / 10)
            writer.write(b"x" * 1_000)
        assert await answered(reader) == (200, b"25000")
        await leave(writer)


async def test_an_endless_head_is_cut_off() -> None:
    async with serving(echo, Patient) as port:
        streams = await connect(port, b"GET / HTTP/1.1\r\n")
        line = b"X: " + b"y" * 1_000 + b"\r\n"
        task = asyncio.create_task(drip(streams, line * 8))
        assert await ended(streams) == b""
        await asyncio.gather(task, return_exceptions=True)


async def test_targets_that_are_not_paths_are_refused() -> None:
    async with serving(echo, DeadlineProtocol) as port:
        for target in (b"http://evil/", b"*", b"evil:80"):
            method = b"CONNECT" if target == b"evil:80" else b"OPTIONS"
            request = method + b" " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n"
            rest = await ended(await connect(port, request))
            assert rest.startswith(b"HTTP/1.1 400 ")


async def test_the_guard_refuses_targets_that_the_parser_lets_through() -> None:
    async with serving(guard_of(), H11DeadlineProtocol) as port:
        for target in (b"http://evil/", b"*"):
            request = b"OPTIONS " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n"
            rest = await ended(await connect(port, request))
            assert (rest.split()[1], b"invalid_target" in rest) == (b"400", True)


def guard_of() -> Guard:
    limits = Settings().model_copy(update={"max_body": 1_000, "max_upload": 1_000})
    return Guard(echo, settings=limits, render=PROBLEMS.render, is_bulk=lambda *_: False)


async def test_the_guard_on_the_wire() -> None:
    async with serving(guard_of(), DeadlineProtocol) as port:
        cases = {
            b"GET / HTTP/1.1\r\n\r\n": b"400",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n": b"400",
            b"GET / HTTP/1.0\r\n\r\n": b"400",
            b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n": (
                b"413"
            ),
        }
        for request, status in cases.items():
            rest = await ended(await connect(port, request))
            assert rest.split()[1] == status
            assert rest.count(b"HTTP/1.1 ") == 1
            assert b"x-request-id: " in rest


async def test_a_body_that_is_too_large_still_gets_its_answer() -> None:
    async with serving(guard_of(), DeadlineProtocol) as port:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n"
        reader, writer = await connect(port, head + b"x" * 300_000)
        status, body = await answered(reader)
        assert (status, b"body_too_large" in body) == (413, True)
        writer.write(GET)
        assert (await answered(reader))[0] == 200
        await leave(writer)


async def test_a_chunked_body_that_is_too_large_is_refused_while_it_comes() -> None:
    async with serving(guard_of(), DeadlineProtocol) as port:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        reader, writer = await connect(port, head + b"3e9\r\n" + b"x" * 1_001 + b"\r\n")
        status, body = await answered(reader)
        assert (status, b"body_too_large" in body) == (413, True)
        await leave(writer)
