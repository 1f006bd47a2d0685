"""Counts of a course: a large one is not counted for each request.

A count is cached with the version of the change log of which it was true. The statement that would
count again asks first whether the change log of the course has a single line since.
"""

import time
from collections.abc import Callable, Hashable
from typing import Any, Final, NamedTuple

from cachetools import TTLCache

SIZE: Final = 1_000
# A failover may lose changes that a cached count has seen.
MAX_AGE_SECONDS: Final = 60.0
# The version that no course has: what such a statement is asked for is counted.
NEVER: Final[dict[str, Any]] = {"mark": None, "running": None}


class Count(NamedTuple):
    """A value and the version of the change log of which it is."""

    value: Any
    mark: int
    running: list[str] | None

    def moment(self) -> dict[str, Any]:
        return {"mark": self.mark, "running": self.running}


class CountCache:
    """The counts used last."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._counts = TTLCache[Hashable, Count](SIZE, MAX_AGE_SECONDS, timer=clock)

    def get(self, key: Hashable) -> Count | None:
        return self._counts.get(key)

    def put(self, key: Hashable, value: Any, row: Any) -> None:
        """Cache the value that a row with its version has brought."""
        self._counts[key] = Count(value, row.mark, row.running)
