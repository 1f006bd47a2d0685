"""Principals of tokens that have been verified before."""

import time
from collections import OrderedDict
from collections.abc import Callable

from groupsvc.auth.passwords import token_digest
from groupsvc.auth.principal import Principal

SIZE = 10_000
MAX_AGE_SECONDS = 300.0


class PrincipalCache:
    """The most recently used principals, by digest of the token and never by the token.

    An entry ends with its token, and after ``max_age`` at the latest: a key that its issuer
    withdraws must not go on working here until the last token expires.
    """

    def __init__(
        self,
        *,
        size: int = SIZE,
        max_age: float = MAX_AGE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._size = size
        self._max_age = max_age
        self._clock = clock
        self._entries: OrderedDict[bytes, tuple[Principal, float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, token: str) -> tuple[Principal, float] | None:
        """The principal and when the token expires."""
        digest = token_digest(token)
        entry = self._entries.get(digest)
        if entry is None:
            return None
        principal, expires, until = entry
        if self._clock() >= until:
            del self._entries[digest]
            return None
        self._entries.move_to_end(digest)
        return principal, expires

    def put(self, token: str, principal: Principal, expires: float) -> None:
        digest = token_digest(token)
        until = min(expires, self._clock() + self._max_age)
        self._entries[digest] = principal, expires, until
        self._entries.move_to_end(digest)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)
