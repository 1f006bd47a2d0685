"""Replicas on real sockets: streams cannot be had without."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
import uvicorn
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.http.receive_deadline import DeadlineProtocol
from groupsvc.http.serving import Server
from groupsvc.settings import Settings
from tests.waiting import PATIENCE

SMALL = 4096  # bytes that wait at the server's end of a connection


class Replicas:
    """Called, it starts one more, with some settings of its own; answers its address."""

    def __init__(self, url: URL, settings: Settings, home: Path) -> None:
        self._url, self._settings, self._home = url, settings, home
        self._running: dict[str, tuple[Server, asyncio.Task[None]]] = {}

    async def __call__(self, drain: float = 0, **own: Any) -> str:
        app = create_app(self._settings.model_copy(update=own), self._url, self._home)
        started = asyncio.Event()
        config = uvicorn.Config(
            app, http=DeadlineProtocol, ws="none", lifespan="on", log_config=None, access_log=False
        )
        server = Server(config, drain=drain, on_start=started.set)
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        listener.bind(("127.0.0.1", 0))
        site = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._running[site] = server, asyncio.create_task(server.serve([listener]))
        async with asyncio.timeout(PATIENCE):
            await started.wait()
        return site

    def terminate(self, site: str) -> None:
        """As the supervisor of containers does."""
        self._running[site][0].handle_exit(signal.SIGTERM, None)

    async def stopped(self, site: str) -> None:
        async with asyncio.timeout(PATIENCE):
            await self._running[site][1]

    async def stop(self) -> None:
        for server, _ in self._running.values():
            server.should_exit = True
        for _, task in self._running.values():
            await task


@pytest_asyncio.fixture
async def replica(url: URL, settings: Settings, home: Path) -> AsyncIterator[Replicas]:
    replicas = Replicas(url, settings, home)
    yield replicas
    await replicas.stop()


@pytest_asyncio.fixture
async def site(replica: Replicas) -> str:
    return await replica(event_poll=0.01)
