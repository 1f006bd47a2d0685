"""Where to read on, as callers are told: opaque to them."""

import base64
import binascii
import json
from typing import Any

from groupsvc.domain.errors import InvalidError
from groupsvc.http.log_position import read_cursor


def encode_cursor(key: tuple[Any, ...]) -> str:
    text = json.dumps(key, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(
    cursor: str | None, kinds: tuple[type, ...], pointer: str = "#/query/cursor"
) -> tuple[Any, ...] | None:
    """The key behind a cursor. Raises InvalidError for one that we did not make."""
    if cursor is None:
        return None
    try:
        text, _ = read_cursor(cursor)
        padded = text + "=" * (-len(text) % 4)
        key: Any = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if [type(part) for part in key] == list(kinds) and all(map(_is_storable, key)):
            return tuple(key)
    except (ValueError, TypeError, binascii.Error, RecursionError):
        pass
    raise InvalidError("the cursor is not one of ours", code="invalid_cursor", pointer=pointer)


def _is_storable(part: Any) -> bool:
    if isinstance(part, int):
        return -(2**63) <= part < 2**63
    return "\x00" not in part and not any("\ud800" <= char <= "\udfff" for char in part)
