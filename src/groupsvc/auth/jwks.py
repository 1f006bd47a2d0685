"""The keys of an identity provider, fetched from where it publishes them."""

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import cast

import httpx

from groupsvc.auth.keys import VerifyingKey, read_key
from groupsvc.domain.errors import UnavailableError

MAX_BYTES = 262_144
FRESH_SECONDS = 300.0
STALE_SECONDS = 3_600.0
RETRY_SECONDS = 2

# No compression: its bombs would get past the limit on what is read.
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}

logger = logging.getLogger(__name__)


class KeySet:
    """Keys by ``kid``, with bounds on what tokens and the provider can make us do.

    A known key is answered at once. When the keys are older than ``FRESH_SECONDS`` they are fetched
    again behind the caller's back, so that a withdrawn key goes away; while the provider is away
    they serve for ``STALE_SECONDS``. An unknown ``kid`` waits for a fetch, which all such callers
    share and which starts at most once in ``refresh_seconds``. Without any key to go on with it
    may start every ``RETRY_SECONDS``.

    Raises ValueError for an address that is none.
    """

    def __init__(
        self,
        url: str,
        *,
        refresh_seconds: float,
        timeout: float = 3.0,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = _address(url)
        self._refresh_seconds = refresh_seconds
        self._timeout = timeout
        self._clock = clock
        self._client = httpx.AsyncClient(
            transport=transport, timeout=timeout, headers=_HEADERS, follow_redirects=False
        )
        self._keys: Mapping[str, VerifyingKey] = {}
        self._fetched = self._tried = -math.inf
        self._failed = False
        self._fetch: asyncio.Task[None] | None = None

    async def find(self, kid: str) -> VerifyingKey | None:
        """The provider's key of that name, or nothing when it has none.

        Raises UnavailableError when the name is unknown and the provider could not be asked, or
        when it has been away for longer than its keys are trusted.
        """
        key = self._usable().get(kid)
        fetch = self._due_fetch(needed=key is None)
        if key is None and fetch is not None:
            # A caller who gives up must not take the fetch away from the others.
            await asyncio.shield(fetch)
            key = self._usable().get(kid)
        if key is None and self._failed:
            raise UnavailableError(
                "the identity provider's keys cannot be fetched", retry_after=RETRY_SECONDS
            )
        return key

    async def aclose(self) -> None:
        if self._fetch is not None:
            self._fetch.cancel()
            await asyncio.wait({self._fetch})
        await self._client.aclose()

    def _usable(self) -> Mapping[str, VerifyingKey]:
        return self._keys if self._clock() - self._fetched <= STALE_SECONDS else {}

    def _due_fetch(self, *, needed: bool) -> asyncio.Task[None] | None:
        """The fetch under way, or a new one if there is a reason and enough time has passed."""
        if self._fetch is not None and not self._fetch.done():
            return self._fetch
        now = self._clock()
        pause = self._refresh_seconds
        if not self._usable():
            pause = min(pause, RETRY_SECONDS)
        wanted = needed or now - self._fetched > FRESH_SECONDS
        if not wanted or now - self._tried < pause:
            return None
        self._tried = now
        self._fetch = asyncio.create_task(self._replace())
        return self._fetch

    async def _replace(self) -> None:
        self._failed = True
        try:
            async with asyncio.timeout(self._timeout):
                self._keys = _read_document(await self._download())
        except (httpx.HTTPError, TimeoutError, ValueError, RecursionError) as error:
            kind = type(error).__name__
            logger.warning("the identity provider's keys were not fetched: %s: %s", kind, error)
            return
        self._failed = False
        self._fetched = self._clock()

    async def _download(self) -> bytes:
        body = bytearray()
        async with self._client.stream("GET", self._url) as response:
            if response.status_code != HTTPStatus.OK:
                raise ValueError(f"status {response.status_code}")
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise ValueError("too many bytes")
        return bytes(body)


def _address(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"no address to fetch keys from: {error}") from None


def _read_document(body: bytes) -> Mapping[str, VerifyingKey]:
    """The keys of a JWKS that are of use.

    Raises ValueError when there is none: a provider that publishes nothing is out of order, and
    the keys we have are better.
    """
    document: object = json.loads(body.decode())
    members = cast("dict[str, object]", document).get("keys") if isinstance(document, dict) else ()
    keys: dict[str, VerifyingKey] = {}
    for member in cast("list[object]", members) if isinstance(members, list) else ():
        key = read_key(cast("dict[str, object]", member)) if isinstance(member, dict) else None
        if key is not None:
            keys.setdefault(key.kid, key)
    if not keys:
        raise ValueError("no key to verify signatures with")
    return keys
