"""Endpoints return what services return; here it becomes a response."""

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, NamedTuple, get_origin

from starlette.requests import Request
from starlette.responses import Response

from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.http.dependencies import Cursor, Limit, page_size
from groupsvc.http.responses import decode_cursor, page_response, resource_response

Endpoint = Callable[..., Awaitable[Any]]
Resource = JsonResource[Any]
# And whether it was created just now.
Declared = tuple[Resource, bool]


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


def answering(
    endpoint: Endpoint, status: int, location: str | None
) -> Callable[..., Awaitable[Any]]:
    """The endpoint with what it returns as a response.

    For one that takes a ``Paging``, the route has its parameters instead.
    """
    declared = signature(endpoint)
    returns = get_origin(declared.return_annotation) or declared.return_annotation
    if returns not in (JsonResource, tuple, Page):
        return endpoint
    takes_request, takes_page = "request" in declared.parameters, "page" in declared.parameters

    @wraps(endpoint)
    async def answer(request: Request, **given: Any) -> Response:
        if takes_request:
            given["request"] = request
        if takes_page:
            limit = page_size(request, given.pop("limit"))
            given["page"] = Paging(limit, given.pop("cursor"))
        found = await endpoint(**given)
        if returns is Page:
            return page_response(request, found)
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
