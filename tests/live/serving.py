"""A real uvicorn on a loopback socket, in the event loop of the test."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import uvicorn
from starlette.types import ASGIApp


@asynccontextmanager
async def listening(
    app: ASGIApp, http: Literal["auto", "h11", "httptools"] | type[asyncio.Protocol] = "auto"
) -> AsyncIterator[str]:
    """The address of the application, which stops with the block."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, http=http, log_config=None, access_log=False, ws="none")
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        running = asyncio.create_task(server.serve(sockets=[sock]))
        while not server.started:
            if running.done():
                await running
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running
