"""How many large bodies a worker takes in at a time: they, and what they become, are held whole.

A client waits before its body is read; the server takes no more of it than it buffers.
"""

import asyncio
import ctypes
import hashlib
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext, suppress

from cachetools import LRUCache

from groupsvc.db.pool import ConnectionLimiter

# Bytes above which a body counts as large. Other limits bound what smaller ones can do.
LARGE = 262_144
# Of one client, so that it never holds all places.
EACH = 1
MOST_KNOWN = 1_000


class LargeBodies:
    """First come first served, but for clients who have their share already.

    Clients who have been answered before have as many places as those of whom nothing is known:
    nobody who invents credentials keeps them waiting. All wait for as long as somebody leaves every
    ``patience`` seconds, and no more than ``most`` of each kind. Of several houses one has half of
    the places, and may have as many waiting by itself.
    """

    def __init__(self, places: int, patience: float, most: int = 500) -> None:
        self._clients = _Shares(EACH, patience)
        self._houses = _Shares(max(1, places // 2), patience)
        self._places = _Shares(places, patience)
        self._known = LRUCache[bytes, None](MOST_KNOWN)
        self._most = most
        self._there = Counter[bytes]()

    def remember(self, client: bytes) -> None:
        """One whose credentials were good; they are not kept themselves."""
        self._known[_digest(client)] = None

    @asynccontextmanager
    async def place(self, client: bytes, house: bytes = b"") -> AsyncGenerator[None]:
        """Raises TimeoutError when the queue stands still, or is long enough already."""
        # Whose somebody is of whom nothing is known is only what they say.
        crowd = b"known " + house if _digest(client) in self._known else b"strangers"
        if self._there[crowd] >= self._most:
            raise TimeoutError("enough wait already")
        self._there[crowd] += 1
        try:
            async with self._clients.of(client):
                kind = b"known" if _digest(client) in self._known else b"strangers"
                async with (
                    self._houses.of(kind + b" " + house) if house else nullcontext(),
                    self._places.of(kind),
                ):
                    yield
        finally:
            self._there[crowd] -= 1
            if not self._there[crowd]:
                del self._there[crowd]
            if not self._there:
                await asyncio.to_thread(_return_free_memory)


class _Shares:
    """So many places for each, whoever it is."""

    def __init__(self, slots: int, patience: float) -> None:
        self._slots, self._patience = slots, patience
        self.used: dict[bytes, tuple[ConnectionLimiter, int]] = {}

    @asynccontextmanager
    async def of(self, name: bytes) -> AsyncGenerator[None]:
        """Raises TimeoutError when those who are in their places stay there."""
        limiter, users = self.used.get(name) or (ConnectionLimiter(self._slots, self._patience), 0)
        self.used[name] = limiter, users + 1
        try:
            await limiter.enter()
            try:
                yield
            finally:
                limiter.leave()
        finally:
            _, users = self.used.pop(name)
            if users > 1:
                self.used[name] = limiter, users - 1


def _digest(client: bytes) -> bytes:
    return hashlib.sha256(client).digest()


def _return_free_memory() -> None:
    """To the system: what was freed in between lies among what is still in use."""
    with suppress(AttributeError, OSError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)
