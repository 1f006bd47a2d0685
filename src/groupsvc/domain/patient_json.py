"""A JSON decoder for large texts, which lets other threads run between their values.

The decoder of the standard library is one call of C from the first byte to the last: whatever
thread it runs in, all others wait for it.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from json import decoder as standard
from typing import Any, Final, cast

from groupsvc.domain.errors import InvalidJsonError

# No body of ours has as many, short containers counted as one.
MOST_VALUES: Final = 250_000
TOO_LARGE: Final = "body_too_large"
_SHORT: Final = 1_024  # characters, of a container that is read at once
_CLOSING: Final = {"{": "}", "[": "]"}

# Of the standard library, where they are what its decoder falls back on without C.
_read_object: Final[Any] = vars(standard)["JSONObject"]
_read_array: Final[Any] = vars(standard)["JSONArray"]

Check = Callable[[str, Any], None]


def patient(quick: Any, check: Check | None) -> json.JSONDecoder:
    """A decoder like ``quick`` for one text, which refuses the same in the same words.

    ``check`` is called with parts of the text that have escapes, and their values. Decoding raises
    InvalidJsonError for too many values.
    """
    decoder: Any = copy(quick)
    decoder.scan_once = _Scanner(quick, check).scan
    return cast("json.JSONDecoder", decoder)


class _Scanner:
    def __init__(self, quick: Any, check: Check | None) -> None:
        self._scan_at_once = quick.scan_once
        self._make_object: Any = quick.object_pairs_hook or dict
        self._check = check
        self._seen = 0

    def scan(self, text: str, at: int) -> Any:
        """The value that begins there, and where it ends."""
        self._seen += 1
        if self._seen > MOST_VALUES:
            raise InvalidJsonError(f"there are more than {MOST_VALUES} values", code=TOO_LARGE)
        closing = _CLOSING.get(text[at : at + 1])
        if closing is None:
            value, end = self._scan_at_once(text, at)
            return self._checked(text[at:end], value), end
        end = text.find(closing, at, at + _SHORT) + 1
        if end:
            part = text[at:end]
            # What fails ends further on, or is wrong in a place that is told from the whole text.
            with suppress(StopIteration, json.JSONDecodeError):
                return self._checked(part, self._scan_at_once(part, 0)[0]), end
        if closing == "}":
            return _read_object((text, at + 1), True, self.scan, None, self._object, {})
        return _read_array((text, at + 1), self.scan)

    def _checked(self, part: str, value: Any) -> Any:
        if self._check is not None and "\\u" in part:
            self._check(part, value)
        return value

    def _object(self, pairs: list[tuple[str, Any]]) -> Any:
        for name, _ in pairs:
            self._checked(json.dumps(name), name)
        return self._make_object(pairs)
