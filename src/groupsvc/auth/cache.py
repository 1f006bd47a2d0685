"""What is known of tokens that have been seen before."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from groupsvc.auth.passwords import token_digest

T = TypeVar("T")

SIZE = 10_000
MAX_AGE_SECONDS = 300.0


class TokenCache(Generic[T]):
    """What the most recently used tokens stand for, by their digest and never by the token.

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
        self._entries: OrderedDict[bytes, tuple[T, float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, token: str) -> tuple[T, float] | None:
        """What it stands for and when the token expires."""
        digest = token_digest(token)
        entry = self._entries.get(digest)
        if entry is None:
            return None
        known, expires, until = entry
        if self._clock() >= until:
            del self._entries[digest]
            return None
        self._entries.move_to_end(digest)
        return known, expires

    def put(self, token: str, known: T, expires: float) -> None:
        digest = token_digest(token)
        until = min(expires, self._clock() + self._max_age)
        self._entries[digest] = known, expires, until
        self._entries.move_to_end(digest)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)
