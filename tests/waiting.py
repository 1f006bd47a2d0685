"""Waiting for what happens elsewhere: only a test that fails waits to the end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx

T = TypeVar("T")

PATIENCE = 300.0


async def until(look: Callable[[], Awaitable[T]]) -> T:
    """Look until there is something to see; returns that."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await look()):  # noqa: ASYNC110 - a database sets no event of ours
            await asyncio.sleep(0.01)
    return found


async def examined(client: httpx.AsyncClient, site: str = "") -> httpx.Response:
    """Whether a replica is ready, once it has looked at its database: on a busy machine a look
    takes longer than its answer may.
    """

    async def look() -> httpx.Response | None:
        ready = await client.get(f"{site}/health/ready")
        return None if ready.json()["checks"].get("database") == "not reachable" else ready

    found = await until(look)
    assert found is not None
    return found
