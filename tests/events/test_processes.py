"""Streams of processes of their own, one of which is killed."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest_asyncio
from sqlalchemy import URL

from tests.conftest import Auth, World
from tests.events.streams import streaming
from tests.waiting import until

COMMAND = (sys.executable, "-c", "from groupsvc.cli import main; main()", "serve", "--port")
Started = tuple[str, subprocess.Popen[bytes]]


@pytest_asyncio.fixture
async def start(url: URL, home: Path) -> AsyncIterator[Callable[[], Awaitable[Started]]]:
    """Starts a process that serves; answers when it is ready."""
    processes: list[subprocess.Popen[bytes]] = []

    async def start() -> Started:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        given = {
            **os.environ,
            "GROUPSVC_DATABASE_URL": url.render_as_string(hide_password=False),
            "GROUPSVC_HOME": str(home),
        }
        command = (*COMMAND, str(port))
        process = await asyncio.to_thread(subprocess.Popen[bytes], command, env=given)
        processes.append(process)

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
    for process in processes:
        process.kill()
        process.wait()


async def test_whoever_followed_a_process_that_was_killed_goes_on_at_another(
    start: Callable[[], Awaitable[Started]], auth: Auth, world: World
) -> None:
    (first, process), (second, _) = await asyncio.gather(start(), start())
    partition = await world.add_partition("TD")
    headers, names = auth("groups:read"), [f"G{number:02}" for number in range(20)]
    told: list[str] = []
    async with streaming(first, world.course_id, headers) as stream:
        for name in names[:10]:
            await world.add_group(partition, name)
        told += [(await stream.change())["after"]["name"] for _ in range(5)]
        process.send_signal(signal.SIGKILL)
        for name in names[10:]:
            await world.add_group(partition, name)
        with suppress(httpx.TransportError):
            while (event := await stream.next()) is not None:
                told.append(event.data["after"]["name"])
    async with streaming(second, world.course_id, headers, known=stream.id) as resumed:
        while told[-1] != names[-1]:
            told.append((await resumed.change())["after"]["name"])
    assert told == names
