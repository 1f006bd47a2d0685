"""The compact form of a signed token, read strictly and believed in nothing."""

import base64
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from groupsvc.domain.errors import UnauthenticatedError
from groupsvc.domain.strict_json import InvalidJsonError, read_json

MAX_TOKEN = 8_192
MAX_DEPTH = 32

_ALPHABET = frozenset(string.ascii_letters + string.digits + "-_.")


@dataclass(frozen=True, slots=True)
class Compact:
    """A token whose signature nobody has verified yet."""

    token: str
    header: Mapping[str, object]
    claims: Mapping[str, object]


def refused(message: str, *, code: str = "invalid_token") -> UnauthenticatedError:
    """A refusal. The message must be a constant: what a token says does not belong in logs."""
    return UnauthenticatedError(message, code=code)


def read_compact(token: str) -> Compact:
    """Split and decode a token.

    A name that occurs twice in an object is refused, because the issuer's and our reader could
    disagree on which one counts. Raises UnauthenticatedError.
    """
    if len(token) > MAX_TOKEN:
        raise refused("the token is too long")
    segments = token.split(".")
    if len(segments) != 3 or not _ALPHABET.issuperset(token):
        raise refused("the token is not three parts of base64url")
    try:
        return Compact(token, _read_object(segments[0]), _read_object(segments[1]))
    except (ValueError, InvalidJsonError):
        raise refused("the token is malformed") from None


def _read_object(segment: str) -> Mapping[str, object]:
    text = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    value: object = read_json(text, max_depth=MAX_DEPTH)
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 (bad data, not a programming error)
    return cast("dict[str, object]", value)
