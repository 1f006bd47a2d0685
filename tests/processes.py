"""Processes that serve, to be killed."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from sqlalchemy import URL

from tests.waiting import until

COMMAND = (sys.executable, "-c", "from groupsvc.cli import main; main()", "serve", "--port")
Started = tuple[str, "subprocess.Popen[bytes]"]
Start = Callable[..., Awaitable[Started]]


@asynccontextmanager
async def processes(url: URL, home: Path) -> AsyncIterator[Start]:
    """Starts a process that serves, with settings of its own; answers when it is ready."""
    started: list[subprocess.Popen[bytes]] = []

    async def start(**settings: str) -> Started:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        given = {
            **os.environ,
            "GROUPSVC_DATABASE_URL": url.render_as_string(hide_password=False),
            "GROUPSVC_HOME": str(home),
            **settings,
        }
        command = (*COMMAND, str(port))
        process = await asyncio.to_thread(subprocess.Popen[bytes], command, env=given)
        started.append(process)

        async def is_ready() -> bool:
            assert process.poll() is None
            try:
                async with httpx.AsyncClient() as client:
                    answer = await client.get(f"http://127.0.0.1:{port}/health/ready")
            except httpx.TransportError:
                return False
            return answer.status_code == 200

        await until(is_ready)
        return f"http://127.0.0.1:{port}", process

    yield start
    for process in started:
        process.kill()
        process.wait()
