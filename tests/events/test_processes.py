"""Streams of processes of their own, one of which is killed."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest_asyncio
from sqlalchemy import URL

from tests.conftest import Auth, World
from tests.events.streams import streaming
from tests.processes import Start, processes


@pytest_asyncio.fixture
async def start(url: URL, home: Path) -> AsyncIterator[Start]:
    async with processes(url, home) as start:
        yield start


async def test_whoever_followed_a_process_that_was_killed_goes_on_at_another(
    start: Start, auth: Auth, world: World
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
