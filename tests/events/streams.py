"""A client of server-sent events over a real connection."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.waiting import PATIENCE

# Each stream has a connection of its own, and waits for as long as it must.
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=0)


@dataclass(frozen=True)
class Event:
    name: str
    data: Any
    id: str | None
    retry: int | None


class Stream:
    """Events as a browser would read them; ``id`` is what it would resume with."""

    def __init__(self, answer: httpx.Response, known: str | None) -> None:
        self.answer, self.id = answer, known
        self.begun: list[str] = []
        self.pings = 0
        self._lines = answer.aiter_lines()

    async def next(self) -> Event | None:
        """None at the end."""
        async with asyncio.timeout(PATIENCE):
            return await self._next()

    async def _next(self) -> Event | None:
        found: dict[str, str] = {}
        async for line in self._lines:
            if line.startswith(":"):
                self.pings += 1
            elif line:
                name, _, value = line.partition(": ")
                found[name] = value
            elif found:
                self.id = found.get("id", self.id)
                retry = int(found["retry"]) if "retry" in found else None
                return Event(found["event"], json.loads(found["data"]), found.get("id"), retry)
        return None

    async def change(self) -> dict[str, Any]:
        event = await self.next()
        assert event is not None
        assert event.name == "change", event
        found: dict[str, Any] = event.data
        return found

    async def rest(self) -> list[Event]:
        found: list[Event] = []
        while (event := await self.next()) is not None:
            found.append(event)
        return found


@asynccontextmanager
async def streaming(
    site: str,
    course: int,
    headers: Mapping[str, str],
    *,
    known: str | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    **query: Any,
) -> AsyncIterator[Stream]:
    """A stream whose event ``ready`` has come; ``begun`` has what came up to it."""
    sent = dict(headers) | ({"last-event-id": known} if known is not None else {})
    async with httpx.AsyncClient(
        base_url=site, timeout=PATIENCE, limits=LIMITS, transport=transport
    ) as client:
        path = f"/v1/courses/{course}/events"
        async with client.stream("GET", path, headers=sent, params=query) as answer:
            assert answer.status_code == 200, await answer.aread()
            stream = Stream(answer, known)
            while "ready" not in stream.begun:
                first = await stream.next()
                assert first is not None
                stream.begun.append(first.name)
            yield stream
