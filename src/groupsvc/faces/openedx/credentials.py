"""Who is calling: docs/compat/openedx.md, "Credentials".

Pages of the platform keep their token in two cookies.
"""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import UnauthenticatedError
from groupsvc.domain.principal import Principal
from groupsvc.faces.openedx.csrf import refuse_forgery
from groupsvc.faces.openedx.errors import UNAUTHENTICATED, ApiError
from groupsvc.http.routing import app_state

# Errors of bearer tokens are nested in the message, those of the other scheme are not.
_BEARER: Final[Mapping[str, str]] = {
    "token_not_provided": "Invalid token header. No credentials provided.",
    "token_malformed": "Invalid token header. Token string should not contain spaces.",
    "token_nonexistent": "The provided access token does not match any valid tokens.",
    "token_expired": "The provided access token has expired and is no longer valid.",
}
_JWT: Final[Mapping[str, str]] = {
    "token_not_provided": "Invalid Authorization header. No credentials provided.",
    "token_malformed": "Invalid Authorization header. "
    "Credentials string should not contain spaces.",
    "token_nonexistent": "Invalid token.",
    "token_expired": "Token has expired.",
}
_WORDS: Final = {"bearer": _BEARER, "jwt": _JWT}
_COOKIES: Final = ("edx-jwt-cookie-header-payload", "edx-jwt-cookie-signature")


def credentials(request: Request) -> str:
    """Scheme and token, from the header before the cookies; nothing when there are none."""
    if given := request.headers.get("authorization", ""):
        return given
    halves = [request.cookies.get(name) for name in _COOKIES]
    return f"jwt {'.'.join(each for each in halves if each)}" if all(halves) else ""


async def caller(request: Request, uow: UnitOfWork) -> Principal:
    """The caller. Raises ApiError 401, or UnavailableError when nobody can tell."""
    scheme, *given = credentials(request).split() or [""]
    scheme = scheme.lower()
    if scheme not in _WORDS:
        raise ApiError(401, UNAUTHENTICATED)
    if len(given) != 1:
        raise _refused(scheme, "token_malformed" if given else "token_not_provided")
    authenticator = app_state(request).authenticator
    try:
        principal = await authenticator.principal(uow, given[0])
    except UnauthenticatedError as error:
        disabled = await authenticator.disabled(uow, given[0])
        if disabled is not None:
            raise _nested("user_is_disabled", f"User disabled by admin: {disabled}") from error
        known = error.code == "token_expired"
        raise _refused(scheme, "token_expired" if known else "token_nonexistent") from error
    if not request.headers.get("authorization"):
        refuse_forgery(request)
    return principal


def _refused(scheme: str, code: str) -> ApiError:
    words = _WORDS[scheme][code]
    return _nested(code, words) if scheme == "bearer" else ApiError(401, words)


def _nested(code: str, words: str) -> ApiError:
    return ApiError(401, {"error_code": code, "developer_message": words})
