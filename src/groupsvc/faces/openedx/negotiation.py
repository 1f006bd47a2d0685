"""What a caller accepts: there is JSON, or there is nothing.

The cases are in docs/compat/openedx.md, "Negotiation and methods".
"""

from typing import Final

from starlette.requests import Request

from groupsvc.faces.openedx.errors import NOT_FOUND, ApiError

NOT_ACCEPTABLE: Final = "Could not satisfy the request Accept header."
_ANYTHING: Final = "*/*"
_TYPES: Final = ("application", "*")
_SUBTYPES: Final = ("json", "*")


def negotiate(request: Request) -> None:
    """Raises ApiError 404 for a ``format`` that there is not, and 406."""
    if b"format" in request.scope["query_string"]:
        wanted = request.query_params.get("format")
        if wanted not in (None, "", "json"):
            raise ApiError(404, NOT_FOUND)
    accepted = request.headers.getlist("accept")
    if accepted and accepted != [_ANYTHING] and not _accepts_json(",".join(accepted)):
        raise ApiError(406, NOT_ACCEPTABLE)


def _accepts_json(header: str) -> bool:
    """Qualities and other parameters count for nothing, as on the platform."""
    for each in header.lower().split(","):
        kind, _, subtype = each.partition(";")[0].strip().partition("/")
        if kind in _TYPES and subtype in _SUBTYPES:
            return True
    return False
