"""What native endpoints take, and how what they return becomes a response.

They return what services return: documents and pages.
"""

import re
from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import Parameter, Signature, signature
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin
from urllib.parse import urlencode

from fastapi import Depends, Header, Query
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.service import IfMatch
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.http.cursors import decode_cursor, encode_cursor
from groupsvc.http.log_position import mark_cursor
from groupsvc.http.routing import app_state

JSON = "application/json"
LONGEST_CURSOR = 2048
MOST_ITEMS = 200

_COMPRESSED = re.compile(r'-(?:gzip|br|zstd|deflate)"$')

Endpoint = Callable[..., Awaitable[Any]]
Resource = JsonResource[Any]
# And whether it was created just now.
Declared = tuple[Resource, bool]


async def expected_tags(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            max_length=1024,
            description="Entity tags, of which one must still be right",
        ),
    ] = None,
) -> IfMatch | None:
    """A weak tag counts, unlike in RFC 9110: a gateway that compresses makes ours weak."""
    if if_match is None:
        return None
    if if_match.strip() == "*":
        return IfMatch()
    return IfMatch(_tags(if_match))


IfMatchDep = Annotated[IfMatch | None, Depends(expected_tags)]

Limit = Annotated[
    int | None, Query(ge=1, le=MOST_ITEMS, description="Items on the page, 50 unless set otherwise")
]
Cursor = Annotated[
    str | None, Query(max_length=LONGEST_CURSOR, description="`next_cursor` of the page before")
]


class Paging(NamedTuple):
    """What a caller asks for by ``limit`` and ``cursor``."""

    limit: int
    cursor: str | None

    def after(self, *first: int | str) -> tuple[Any, ...]:
        """The key that the page begins behind, or that of the first page. Raises InvalidError."""
        return decode_cursor(self.cursor, tuple(map(type, first))) or first


_PAGING = [
    Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=kind)
    for name, kind in (("limit", Limit), ("cursor", Cursor))
]


def returned(endpoint: Endpoint) -> Any:
    """What an endpoint returns; the first, if it answers some requests by itself."""
    declared = signature(endpoint).return_annotation
    if get_origin(declared) in (Union, UnionType):
        declared = get_args(declared)[0]
    return get_origin(declared) or declared


def answering(
    endpoint: Endpoint, status: int, location: str | None
) -> Callable[..., Awaitable[Any]]:
    """The endpoint with what it returns as a response.

    For one that takes a ``Paging``, the route has its parameters instead.
    """
    declared, returns = signature(endpoint), returned(endpoint)
    if returns not in (JsonResource, tuple, Page):
        return endpoint
    takes_request, takes_page = "request" in declared.parameters, "page" in declared.parameters

    @wraps(endpoint)
    async def answer(request: Request, **given: Any) -> Response:
        if takes_request:
            given["request"] = request
        if takes_page:
            limit = given.pop("limit") or app_state(request).settings.page_size
            given["page"] = Paging(limit, given.pop("cursor"))
        found = await endpoint(**given)
        if isinstance(found, Response):
            return found
        if returns is Page:
            return await page_response(request, found)
        resource, code = found, status
        if returns is tuple:
            resource, is_new = found
            code = 201 if is_new else 200
        where = location.format_map(resource.data) if location is not None else None
        return resource_response(request, resource, status=code, location=where)

    own = [Parameter("request", Parameter.KEYWORD_ONLY, annotation=Request)]
    own += [
        each.replace(kind=Parameter.KEYWORD_ONLY)
        for name, each in declared.parameters.items()
        if name not in ("request", "page")
    ]
    if takes_page:
        own += _PAGING
    answer.__signature__ = Signature(own, return_annotation=Response)  # type: ignore[attr-defined]
    return answer


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


async def page_response(request: Request, page: Page) -> Response:
    """``{"items": [...], "next_cursor": ...}`` and, when there is more, a ``Link`` to it."""
    items = ",".join(page.items)
    if page.last_key is None:
        return Response(f'{{"items":[{items}],"next_cursor":null}}', media_type=JSON)
    uow = request.scope["state"]["uow"]
    cursor = await mark_cursor(app_state(request).units, uow, encode_cursor(page.last_key))
    query = [
        (name, value) for name, value in request.query_params.multi_items() if name != "cursor"
    ]
    link = f'<?{urlencode([*query, ("cursor", cursor)])}>; rel="next"'
    body = f'{{"items":[{items}],"next_cursor":"{cursor}"}}'
    return Response(body, headers={"link": link}, media_type=JSON)


def _names(if_none_match: str, etag: str) -> bool:
    tags = _tags(if_none_match)
    return etag in tags or "*" in tags


def _tags(header: str) -> frozenset[str]:
    """Without what gateways add to our tags when they compress: most ``W/``, some a suffix."""
    tags = (tag.strip().removeprefix("W/") for tag in header.split(","))
    return frozenset(_COMPRESSED.sub('"', tag) for tag in tags)
