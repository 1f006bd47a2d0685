"""Refusals in the words of Open edX: docs/compat/openedx.md, "Error shapes".

* v1 and the content groups: ``{"developer_message", "error_code"?}``
* the cohorts of v2: a problem with ``type, title, status, detail, instance``
* the instructor's routes: ``{"error": text}`` for 400, pages without content for the rest
"""

import json
import re
from collections.abc import Callable, Mapping
from http.client import responses as phrases
from types import MappingProxyType
from typing import Any, Final, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from groupsvc.domain import errors as refusals
from groupsvc.faces.openedx.keys import is_course_key
from groupsvc.http.problems import allowed_methods

UNAUTHENTICATED: Final = "Authentication credentials were not provided."
FORBIDDEN: Final = "You do not have permission to perform this action."
NOT_FOUND: Final = "Not found."
COURSE_NOT_FOUND: Final = "Course not found."
NAME_EXISTS: Final = "A cohort with the same name already exists."
NAME_EXISTS_CODE: Final = "cohort-name-exists"
NEEDS_PARTITION: Final = "If group_id is specified, user_partition_id must also be specified."
LAST_RANDOM: Final = "There must be one cohort to which students can automatically be assigned."
CRASHED: Final = "Internal server error."

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
HTML: Final = "text/html; charset=utf-8"

COHORTS: Final = "/api/cohorts"
COURSES: Final = "/courses"
_V2: Final = re.compile(r"/v2/courses/.+/(?:cohorts|cohort_settings)(?:/.*)?", re.DOTALL)
_UPLOAD: Final = re.compile(r".*/instructor/api/add_users_to_cohorts/?", re.DOTALL)

Message = str | Mapping[str, str]
Shape = Callable[[str, int, Message, str | None], tuple[bytes, str]]


class ApiError(HTTPException):
    """A refusal as this dialect words it. ``message`` is nested for errors of tokens."""

    def __init__(
        self,
        status: int,
        message: Message,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message if isinstance(message, str) else None, headers)
        self.message, self.code = message, code


def course_not_found(key: str) -> ApiError:
    return ApiError(404, f"Course not found: {key}.")


def not_allowed(method: str) -> str:
    return f'Method "{method}" not allowed.'


def encode(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _envelope(_path: str, _status: int, message: Message, code: str | None) -> tuple[bytes, str]:
    more = {"error_code": code} if code is not None else {}
    return encode({"developer_message": message, **more}), JSON


def _problem(path: str, status: int, message: Message, _code: str | None) -> tuple[bytes, str]:
    detail = message if isinstance(message, str) else message["developer_message"]
    body = {
        "type": "about:blank",
        "title": phrases.get(status, "Error"),
        "status": status,
        "detail": detail,
        "instance": path,
    }
    return encode(body), PROBLEM


def _page(_path: str, status: int, message: Message, _code: str | None) -> tuple[bytes, str]:
    if status in (400, 403, 413):
        return encode({"error": message}), JSON
    if status == 405:
        return b"", HTML
    title = f"{status} {phrases.get(status, 'Error')}"
    return f"<!DOCTYPE html><title>{title}</title><h1>{title}</h1>".encode(), HTML


def _upload(path: str, status: int, message: Message, code: str | None) -> tuple[bytes, str]:
    if status in (400, 413):
        return _page(path, status, message, code)
    return encode({"detail": message}), JSON


def shape_of(path: str) -> Shape:
    """How refusals of an address look; ``path`` is without the prefix of a gateway."""
    if path.startswith(COURSES + "/"):
        return _upload if _UPLOAD.fullmatch(path) else _page
    return _problem if _V2.fullmatch(path.removeprefix(COHORTS)) else _envelope


def render(path: str, status: int, _code: str, detail: str) -> tuple[bytes, str]:
    """A refusal that was made before this face was asked; as the guard wants it."""
    return shape_of(path)(path, status, detail, None)


_BY_CODE: Final[Mapping[str, tuple[int, str, str]]] = {
    "missing_content_partition": (400, NEEDS_PARTITION, "missing-user-partition-id"),
}
_BY_TYPE: Final[Mapping[type[refusals.GroupsvcError], tuple[int, str | None, str | None]]] = {
    refusals.UnauthenticatedError: (401, UNAUTHENTICATED, None),
    refusals.ForbiddenError: (403, FORBIDDEN, None),
    refusals.NotFoundError: (404, NOT_FOUND, None),
    refusals.NameTakenError: (400, NAME_EXISTS, NAME_EXISTS_CODE),
    refusals.LastRandomCohortError: (400, LAST_RANDOM, "last-random-cohort"),
    refusals.UnavailableError: (503, "Service temporarily unavailable, try again later.", None),
    refusals.ConflictError: (400, None, None),
    refusals.InvalidError: (400, None, None),
    refusals.GroupsvcError: (500, CRASHED, None),
}


def local_path(request: Request) -> str:
    """The path of a request as this service knows it, without the prefix of a gateway."""
    path: str = request.scope["path"]
    root: str = request.scope.get("app_root_path", "")
    return path.removeprefix(root) if root and path.startswith(root + "/") else path


def answer(
    request: Request,
    status: int,
    message: Message,
    code: str | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    path = local_path(request)
    body, media_type = shape_of(path)(path, status, message, code)
    return Response(body, status, dict(headers), media_type)


async def _refused(request: Request, error: Exception) -> Response:
    """A refusal of the rules that no endpoint has put into words of its own."""
    error = cast("refusals.GroupsvcError", error)
    if error.code == "unknown_course":
        return await _http(request, course_not_found(request.path_params["key"]))
    status, message, code = _BY_CODE.get(error.code) or next(
        _BY_TYPE[kind] for kind in type(error).__mro__ if kind in _BY_TYPE
    )
    if message is None:
        message = f"{error.message[:1].upper()}{error.message[1:]}."
        is_rule = isinstance(error, refusals.ConflictError)
        code = error.code.replace("_", "-") if is_rule else None
    headers = {"retry-after": str(error.facts.get("retry_after", 1))} if status == 503 else {}
    return answer(request, status, message, code, headers)


async def _invalid(request: Request, _: Exception) -> Response:
    return answer(request, 404, NOT_FOUND)


async def _http(request: Request, error: Exception) -> Response:
    error = cast("HTTPException", error)
    status, headers = error.status_code, dict(error.headers or {})
    if isinstance(error, ApiError):
        message, code = error.message, error.code
    else:
        plain = error.detail == phrases.get(status)
        message, code = (NOT_FOUND if status == 404 and plain else str(error.detail)), None
    if status == 405 and not isinstance(error, ApiError):
        headers = {"allow": ", ".join(sorted(allowed_methods(request)))}
        message = not_allowed(request.method)
    return answer(request, status, message, code, headers)


async def _crashed(request: Request, _: Exception) -> Response:
    # Logged once and further out, where all faces pass.
    return answer(request, 500, CRASHED)


def install(app: FastAPI) -> None:
    """Answer every refusal and error of the application in the shape of its address."""
    app.add_exception_handler(refusals.GroupsvcError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _crashed)


def require_course_key(key: str) -> None:
    """Raises ApiError 404 for what fits a route and is no course key."""
    if not is_course_key(key):
        raise course_not_found(key)
