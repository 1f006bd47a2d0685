"""How the server stops, over real sockets."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import uvicorn

from groupsvc.http.receive_deadline import DeadlineProtocol, H11DeadlineProtocol
from groupsvc.http.serving import Server

PATIENCE = 120.0
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Application:
    """Answers when it may, and keeps the event that tells it to stop."""

    def __init__(self) -> None:
        self.stopping, self.may_answer = asyncio.Event(), asyncio.Event()
        self.may_answer.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            scope["state"]["stopping"] = self.stopping
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await self.may_answer.wait()
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})


class Running:
    def __init__(self, server: Server, app: Application, port: int) -> None:
        self.server, self.app, self.port = server, app, port

    async def connect(self, data: bytes = b"") -> Streams:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        return reader, writer

    def terminate(self) -> None:
        self.server.handle_exit(signal.SIGTERM, None)


@contextlib.asynccontextmanager
async def serving(
    protocol: type[asyncio.Protocol], drain: float, *, shared: bool = False
) -> AsyncGenerator[Running]:
    started = asyncio.Event()
    app = Application()
    config = uvicorn.Config(app, http=protocol, ws="none", lifespan="on", log_config=None)
    server = Server(config, drain=drain, on_start=started.set)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        task = asyncio.create_task(server.serve([listener.dup() if shared else listener]))
        async with asyncio.timeout(PATIENCE):
            await started.wait()
        yield Running(server, app, port)
        server.should_exit = True
        app.may_answer.set()
        await task
        assert app.stopping.is_set()


async def answer(streams: Streams) -> bytes:
    async with asyncio.timeout(PATIENCE):
        return await streams[0].readuntil(b"ok")


async def is_closed(streams: Streams) -> bool:
    async with asyncio.timeout(PATIENCE):
        rest = await streams[0].read()
    streams[1].close()
    return rest == b""


protocols = pytest.mark.parametrize("protocol", [DeadlineProtocol, H11DeadlineProtocol])


@protocols
async def test_while_it_drains_it_serves_and_asks_clients_to_leave(
    protocol: type[asyncio.Protocol],
) -> None:
    async with serving(protocol, drain=PATIENCE) as running:
        kept = await running.connect(GET)
        assert b"connection: close" not in (await answer(kept)).lower()
        running.app.may_answer.clear()
        begun = await running.connect(GET)
        running.terminate()
        async with asyncio.timeout(PATIENCE):
            await running.app.stopping.wait()
        running.app.may_answer.set()
        kept[1].write(GET)
        for streams in (begun, kept, await running.connect(GET)):
            assert b"connection: close" in (await answer(streams)).lower()
            assert await is_closed(streams)


@protocols
async def test_who_is_connected_is_answered_and_who_comes_later_is_refused(
    protocol: type[asyncio.Protocol],
) -> None:
    async with serving(protocol, drain=0) as running:
        silent = await running.connect()
        running.app.may_answer.clear()
        begun = await running.connect(GET)
        running.terminate()
        async with asyncio.timeout(PATIENCE):
            await running.app.stopping.wait()
        silent[1].write(GET)
        running.app.may_answer.set()
        for streams in (silent, begun):
            assert b"connection: close" in (await answer(streams)).lower()
            assert await is_closed(streams)
    with pytest.raises(ConnectionRefusedError):
        await running.connect()


async def test_a_second_signal_ends_the_wait() -> None:
    async with serving(DeadlineProtocol, drain=10 * PATIENCE) as running:
        running.terminate()
        running.terminate()
        assert running.server.should_exit


async def test_who_is_replaced_leaves_the_socket_to_others() -> None:
    async with serving(DeadlineProtocol, drain=PATIENCE, shared=True) as running:
        running.server.retire()
        async with asyncio.timeout(PATIENCE):
            await running.app.stopping.wait()
        for _ in range(3):
            streams = await running.connect(GET)  # waits for another process to take it
            streams[1].close()
