"""Waiting for what happens elsewhere: only a test that fails waits to the end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 300.0


async def until(look: Callable[[], Awaitable[T]]) -> T:
    """Look until there is something to see; returns that."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await look()):  # noqa: ASYNC110 - a database sets no event of ours
            await asyncio.sleep(0.01)
    return found
