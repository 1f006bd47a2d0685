"""Changes that are asked for with cookies: docs/compat/openedx.md, "Credentials".

A browser sends the cookies from the pages of other sites as well. To change something, a caller
must therefore send one of two headers, which those pages cannot.
"""

import string
from typing import Final

from starlette.requests import Request

from groupsvc.faces.openedx.errors import ApiError

_ASKED: Final = "use-jwt-cookie"
_HEADER: Final = "x-csrftoken"
_COOKIE: Final = "csrftoken"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_SECRET_LENGTH: Final = 32
_ALPHABET: Final = string.ascii_letters + string.digits


def refuse_forgery(request: Request) -> None:
    """Raises ApiError 403 for a change that a page of another site may have sent."""
    headers = request.headers
    if request.method in _SAFE or headers.get(_ASKED):
        return
    given, kept = headers.get(_HEADER, ""), request.cookies.get(_COOKIE)
    if not given:
        raise ApiError(403, "CSRF Failed: CSRF token missing.")
    # The cookie may belong to a domain that sends it to the platform alone.
    if kept and not _is_same_secret(given, kept):
        raise ApiError(403, "CSRF Failed: CSRF token from the 'X-Csrftoken' HTTP header incorrect.")


def _is_same_secret(first: str, second: str) -> bool:
    """Whether two tokens of Django hide the same secret, each under a mask of its own or none."""
    secrets = [_unmask(first), _unmask(second)]
    return secrets[0] is not None and secrets[0] == secrets[1]


def _unmask(token: str) -> str | None:
    """Source: django.middleware.csrf, where a token is a secret or a mask and the sum of both."""
    if not all(each in _ALPHABET for each in token):
        return None
    if len(token) != 2 * _SECRET_LENGTH:
        return token
    pairs = zip(token[:_SECRET_LENGTH], token[_SECRET_LENGTH:], strict=True)
    return "".join(_ALPHABET[_ALPHABET.index(c) - _ALPHABET.index(m)] for m, c in pairs)
