"""Refusals in ScoDoc's words: docs/compat/scodoc.md, "Errors"."""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from groupsvc.domain import errors as refusals
from groupsvc.http.problems import allowed_methods

# One client asks for a new token when it reads this very message, and only then.
UNAUTHENTICATED: Final = "Non autorise (logic)"
WRONG_LOGIN: Final = "identifiant ou mot de passe incorrect"
FORBIDDEN: Final = "Non autorise"
LOCKED: Final = "formsemestre verrouillé"
NOT_EDITABLE: Final = "partition non editable"
NOT_ENROLLED: Final = "etud non inscrit au formsemestre du groupe"
FULL: Final = "groupe complet"
NOT_FOUND: Final = (
    "404 Not Found: The requested URL was not found on the server. "
    "If you entered the URL manually please check your spelling and try again."
)
NOT_ALLOWED: Final = "405 Method Not Allowed: The method is not allowed for the requested URL."
INVALID: Final = "requête invalide"
CRASHED: Final = "erreur interne"
UNAVAILABLE: Final = "service momentanément indisponible"

_BY_TYPE: Final[Mapping[type[refusals.GroupsvcError], tuple[int, str | None]]] = {
    refusals.UnauthenticatedError: (401, UNAUTHENTICATED),
    refusals.ForbiddenError: (403, FORBIDDEN),
    refusals.NotFoundError: (404, NOT_FOUND),
    refusals.LockedError: (403, LOCKED),
    refusals.NotEditableError: (403, NOT_EDITABLE),
    refusals.FullError: (403, FULL),
    refusals.NotEnrolledError: (404, NOT_ENROLLED),
    refusals.UnavailableError: (503, UNAVAILABLE),
    refusals.ConflictError: (400, None),
    refusals.InvalidError: (400, None),
    refusals.GroupsvcError: (500, CRASHED),
}
_BY_CODE: Final[Mapping[str, tuple[int, str]]] = {
    "default_partition": (403, NOT_EDITABLE),
    "invalid_client": (401, WRONG_LOGIN),
}
_BY_STATUS: Final[Mapping[int, str]] = {404: NOT_FOUND, 405: NOT_ALLOWED, 500: CRASHED}
_CHALLENGES: Final[Mapping[str, str]] = {
    UNAUTHENTICATED: "Bearer",
    WRONG_LOGIN: 'Basic realm="ScoDoc", charset="UTF-8"',
}


def encode(status: int, message: str) -> bytes:
    body = {"error": HTTPStatus(status).phrase, "message": message, "status": status}
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def render(_path: str, status: int, _code: str, detail: str) -> tuple[bytes, str]:
    """A refusal that was made before this face was asked; as the guard wants it."""
    return encode(status, detail), "application/json"


def answer(
    status: int, message: str, headers: Mapping[str, str] = MappingProxyType({})
) -> Response:
    return Response(encode(status, message), status, dict(headers), "application/json")


def refusal(error: refusals.GroupsvcError) -> Response:
    """A refusal of the rules."""
    by_type = next(_BY_TYPE[kind] for kind in type(error).__mro__ if kind in _BY_TYPE)
    status, message = _BY_CODE.get(error.code, by_type)
    headers: dict[str, str] = {}
    if status == 401 and message is not None:
        headers["WWW-Authenticate"] = _CHALLENGES[message]
    if status == 503:
        headers["Retry-After"] = str(error.facts.get("retry_after", 1))
    return answer(status, message or error.message, headers)


@contextmanager
def translate_errors(words: Mapping[str, str]) -> Generator[None]:
    """Refusals with one of these codes become a 400 with the message that the route has for it."""
    try:
        yield
    except refusals.GroupsvcError as error:
        if error.code not in words:
            raise
        raise HTTPException(400, words[error.code]) from error


async def _refused(_: Request, error: Exception) -> Response:
    return refusal(cast("refusals.GroupsvcError", error))


async def _invalid(_: Request, error: Exception) -> Response:
    found = cast("RequestValidationError", error).errors()
    if any(each["loc"][0] == "path" for each in found):
        return answer(404, NOT_FOUND)
    return answer(400, INVALID)


async def _http(request: Request, error: Exception) -> Response:
    error = cast("HTTPException", error)
    status, headers = error.status_code, dict(error.headers or {})
    if status == 405:
        headers["Allow"] = ", ".join(sorted(allowed_methods(request)))
    plain = error.detail == HTTPStatus(status).phrase
    return answer(status, _BY_STATUS.get(status, error.detail) if plain else error.detail, headers)


async def _crashed(_: Request, __: Exception) -> Response:
    # Logged once and further out, where all faces pass.
    return answer(500, CRASHED)


def install(app: FastAPI) -> None:
    """Answer every refusal and error of the application in this shape."""
    app.add_exception_handler(refusals.GroupsvcError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _crashed)
