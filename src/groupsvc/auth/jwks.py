"""The keys of an identity provider, read again and again from where they are."""

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import cast

from groupsvc.auth.key_documents import KeyDocument
from groupsvc.auth.keys import VerifyingKey, read_key
from groupsvc.domain.errors import UnavailableError

FRESH_SECONDS = 300.0
STALE_SECONDS = 3_600.0
RETRY_SECONDS = 2

logger = logging.getLogger(__name__)


class KeySet:
    """Keys by ``kid``, with bounds on what tokens and the provider can make us do.

    A known key is answered at once. When the keys are older than ``FRESH_SECONDS`` they are fetched
    again behind the caller's back, so that a withdrawn key goes away; while the provider is away
    they serve for ``STALE_SECONDS``. An unknown ``kid`` waits for a fetch, which all such callers
    share and which starts at most once in ``refresh_seconds``. Without any key to go on with it
    may start every ``RETRY_SECONDS``.
    """

    def __init__(
        self,
        document: KeyDocument,
        *,
        refresh_seconds: float,
        timeout: float = 3.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._document = document
        self._refresh_seconds = refresh_seconds
        self._timeout = timeout
        self._clock = clock
        self._keys: Sequence[VerifyingKey] = ()
        self._fetched = self._tried = -math.inf
        self._failed = False
        self._fetch: asyncio.Task[None] | None = None

    async def find(self, kid: str) -> VerifyingKey | None:
        """The provider's key of that name, or nothing when it has none.

        Raises UnavailableError when the name is unknown and the provider could not be asked, or
        when it has been away for longer than its keys are trusted.
        """
        key = self._named(kid)
        await self._refresh(needed=key is None)
        key = key or self._named(kid)
        if key is None and self._failed:
            raise _unavailable()
        return key

    async def every(self, *, again: bool = False) -> Sequence[VerifyingKey]:
        """All keys, for a token that names none; ``again`` when none of them was the right one.

        Raises UnavailableError when there is none because the provider is away.
        """
        await self._refresh(needed=again or not self._usable())
        keys = self._usable()
        if not keys and self._failed:
            raise _unavailable()
        return keys

    async def aclose(self) -> None:
        if self._fetch is not None:
            self._fetch.cancel()
            await asyncio.wait({self._fetch})
        await self._document.aclose()

    def _usable(self) -> Sequence[VerifyingKey]:
        return self._keys if self._clock() - self._fetched <= STALE_SECONDS else ()

    def _named(self, kid: str) -> VerifyingKey | None:
        return next((key for key in self._usable() if key.kid == kid), None)

    async def _refresh(self, *, needed: bool) -> None:
        """Fetch if it is time to; only who ``needed`` it waits for the end."""
        fetch = self._due_fetch(needed=needed)
        if needed and fetch is not None:
            # A caller who gives up must not take the fetch away from the others.
            await asyncio.shield(fetch)

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
                self._keys = read_key_set(await self._document.read())
        except (OSError, TimeoutError, ValueError, RecursionError) as error:
            kind = type(error).__name__
            logger.warning("the identity provider's keys were not fetched: %s: %s", kind, error)
            return
        self._failed = False
        self._fetched = self._clock()


def _unavailable() -> UnavailableError:
    return UnavailableError(
        "the identity provider's keys cannot be fetched", retry_after=RETRY_SECONDS
    )


def read_key_set(body: bytes) -> Sequence[VerifyingKey]:
    """The keys of a JWKS that are of use.

    Raises ValueError when there is none: a provider that publishes nothing is out of order, and
    the keys we have are better.
    """
    document: object = json.loads(body.decode())
    members = cast("dict[str, object]", document).get("keys") if isinstance(document, dict) else ()
    keys = [
        key
        for member in (cast("list[object]", members) if isinstance(members, list) else ())
        if isinstance(member, dict)
        and (key := read_key(cast("dict[str, object]", member))) is not None
    ]
    if not keys:
        raise ValueError("no key to verify signatures with")
    return keys
