"""What the edge refuses of bodies before they are read."""

import sys
from collections.abc import Callable
from typing import Final, Protocol

from starlette.types import Scope

from groupsvc.http import edge_refusals as refusals
from groupsvc.http.edge_refusals import Refusal
from groupsvc.http.large_bodies import LARGE

_MOST_DIGITS: Final = 18


Whose = Callable[[dict[bytes, bytes]], bytes]


class Context(Protocol):
    """The request: its ceiling is in bytes."""

    scope: Scope
    ceiling: int
    large_from: bytes | None
    house: bytes


def check_body(
    context: Context, headers: dict[bytes, bytes], *, bulk: bool, whose: Whose | None
) -> Refusal | None:
    """Why a body is not taken. The context learns whom a large one is from."""
    encoding = headers.get(b"content-encoding", b"identity").lower()
    if encoding != b"identity" and context.scope["method"] not in ("GET", "HEAD"):
        return refusals.COMPRESSED
    transfer = headers.get(b"transfer-encoding", b"chunked").lower()
    if transfer != b"chunked":
        return refusals.COMPRESSED
    length = headers.get(b"content-length", b"0")
    is_streamed = b"transfer-encoding" in headers
    if not length.isdigit() or (is_streamed and b"content-length" in headers):
        return refusals.BAD_LENGTH
    told = int(length) if len(length) <= _MOST_DIGITS else sys.maxsize
    if told > context.ceiling:
        return refusals.TOO_LARGE
    # A body whose length is not told may get as long as any.
    if bulk and (is_streamed or told > LARGE):
        given = headers.get(b"authorization", b"")
        token = given.partition(b" ")[2].strip() or given
        context.large_from = token or headers.get(b"cookie", b"")
        if whose is not None:
            context.house = whose(headers)
            context.large_from = context.house + b" " + context.large_from
    return None
