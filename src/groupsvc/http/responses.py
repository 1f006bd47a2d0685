"""From documents and pages to responses, and from headers and cursors to what services take."""

import base64
import binascii
import json
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.service import IfMatch
from groupsvc.domain.errors import InvalidError
from groupsvc.domain.json_resource import JsonResource, Page

JSON = "application/json"
LONGEST_CURSOR = 2048


def resource_response(
    request: Request, document: JsonResource[Any], *, status: int = 200, location: str | None = None
) -> Response:
    """The bytes of a document with its entity tag; 304 when the caller has them already."""
    headers = {"etag": document.etag}
    if location is not None:
        headers["location"] = location
    known = request.headers.get("if-none-match")
    if known is not None and request.method == "GET" and _names(known, document.etag):
        return Response(status_code=304, headers=headers)
    return Response(document.body, status, headers, JSON)


def page_response(request: Request, page: Page) -> Response:
    """``{"items": [...], "next_cursor": ...}`` and, when there is more, a ``Link`` to it."""
    items = ",".join(page.items)
    if page.last_key is None:
        return Response(f'{{"items":[{items}],"next_cursor":null}}', media_type=JSON)
    cursor = encode_cursor(page.last_key)
    query = [
        (name, value) for name, value in request.query_params.multi_items() if name != "cursor"
    ]
    link = f'<?{urlencode([*query, ("cursor", cursor)])}>; rel="next"'
    body = f'{{"items":[{items}],"next_cursor":"{cursor}"}}'
    return Response(body, headers={"link": link}, media_type=JSON)


def encode_cursor(key: tuple[Any, ...]) -> str:
    text = json.dumps(key, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, kinds: tuple[type, ...]) -> tuple[Any, ...] | None:
    """The key behind a cursor. Raises InvalidError for one that we did not make."""
    if cursor is None:
        return None
    try:
        padded = cursor[:LONGEST_CURSOR] + "=" * (-len(cursor) % 4)
        key: Any = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if [type(part) for part in key] == list(kinds) and all(map(_is_storable, key)):
            return tuple(key)
    except (ValueError, TypeError, binascii.Error, RecursionError):
        pass
    raise InvalidError(
        "the cursor is not one of ours", code="invalid_cursor", pointer="#/query/cursor"
    )


def _is_storable(part: Any) -> bool:
    if isinstance(part, int):
        return -(2**63) <= part < 2**63
    return "\x00" not in part and not any("\ud800" <= char <= "\udfff" for char in part)


def if_match_header(if_match: str | None) -> IfMatch | None:
    """What ``If-Match`` asks for. Weak tags never match."""
    if if_match is None:
        return None
    if if_match.strip() == "*":
        return IfMatch()
    return IfMatch(frozenset(tag.strip() for tag in if_match.split(",")))


def _names(if_none_match: str, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in tags or "*" in tags
