"""What has been counted and may still be right: a large course is not counted for each request.

An answer is kept with the moment of which it was true. The statement that would count it again asks
first whether the change log of the course has a single line since.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final

SIZE: Final = 1_000
# A failover may lose changes that a kept answer has seen.
MAX_AGE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A value and the moment of which it is, as ``repositories.moments`` tells it."""

    value: Any
    mark: int
    running: list[str] | None
    until: float

    def moment(self) -> dict[str, Any]:
        return {"mark": self.mark, "running": self.running}


class CountCache:
    """The answers used last."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()

    def get(self, key: Hashable) -> Answer | None:
        answer = self._answers.get(key)
        if answer is None or self._clock() >= answer.until:
            return None
        self._answers.move_to_end(key)
        return answer

    def put(self, key: Hashable, value: Any, row: Any) -> None:
        """Keep the value that a row with its moment has brought."""
        until = self._clock() + MAX_AGE_SECONDS
        self._answers[key] = Answer(value, row.mark, row.running, until)
        self._answers.move_to_end(key)
        if len(self._answers) > SIZE:
            self._answers.popitem(last=False)
