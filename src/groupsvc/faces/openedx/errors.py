"""Refusals in the words of Open edX: docs/compat/openedx.md, "Error shapes".

* v1 and the content groups: ``{"developer_message", "error_code"?}``
* the cohorts of v2: a problem with ``type, title, status, detail, instance``
* the instructor's routes: ``{"error": text}`` for 400, pages without content for the rest
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from http.client import responses as phrases
from typing import Any, ClassVar, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import override

from groupsvc.domain import errors as refusals
from groupsvc.faces.openedx.keys import is_course_key
from groupsvc.http.errors import ErrorFace, Refusal

UNAUTHENTICATED: Final = "Authentication credentials were not provided."
FORBIDDEN: Final = "You do not have permission to perform this action."
NOT_FOUND: Final = "Not found."
COURSE_NOT_FOUND: Final = "Course not found."
NAME_EXISTS: Final = "A cohort with the same name already exists."
NAME_EXISTS_CODE: Final = "cohort-name-exists"
NEEDS_PARTITION: Final = "If group_id is specified, user_partition_id must also be specified."
LAST_RANDOM: Final = "There must be one cohort to which students can automatically be assigned."
NOT_ALLOWED: Final = 'Method "{method}" not allowed.'
THROTTLED: Final = "Request was throttled, try again later."
UNAVAILABLE: Final = "Service temporarily unavailable, try again later."
CRASHED: Final = "Internal server error."

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
HTML: Final = "text/html; charset=utf-8"

COHORTS: Final = "/api/cohorts"
COURSES: Final = "/courses"
OAUTH: Final = "/oauth2"
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
    return NOT_ALLOWED.format(method=method)


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


class OpenedxErrors(ErrorFace):
    name = "openedx"
    rules: ClassVar = {
        "missing_content_partition": Refusal(400, NEEDS_PARTITION, "missing-user-partition-id"),
        refusals.UnauthenticatedError: Refusal(401, UNAUTHENTICATED),
        refusals.ForbiddenError: Refusal(403, FORBIDDEN),
        refusals.NotFoundError: Refusal(404, NOT_FOUND),
        refusals.NameTakenError: Refusal(400, NAME_EXISTS, NAME_EXISTS_CODE),
        refusals.LastRandomCohortError: Refusal(400, LAST_RANDOM, "last-random-cohort"),
        refusals.ThrottledError: Refusal(429, THROTTLED),
        refusals.UnavailableError: Refusal(503, UNAVAILABLE),
        refusals.ConflictError: Refusal(400),
        refusals.InvalidError: Refusal(400),
        refusals.GroupsvcError: Refusal(500, CRASHED),
    }
    statuses: ClassVar = {404: NOT_FOUND, 405: NOT_ALLOWED}
    not_found = Refusal(404, NOT_FOUND)
    crashed = Refusal(500, CRASHED)

    @override
    def encode(self, path: str, refusal: Refusal) -> tuple[bytes, str]:
        return shape_of(path)(path, refusal.status, refusal.message, refusal.code)

    @override
    def render(self, path: str, status: int, code: str, detail: str) -> tuple[bytes, str]:
        """The codes of the guard are not those of this dialect."""
        return self.encode(path, Refusal(status, detail))

    @override
    def own_words(self, error: refusals.GroupsvcError, found: Refusal) -> Refusal:
        is_rule = isinstance(error, refusals.ConflictError)
        code = error.code.replace("_", "-") if is_rule else None
        return Refusal(found.status, f"{error.message[:1].upper()}{error.message[1:]}.", code)

    @override
    def http(self, request: Request, error: HTTPException) -> Refusal:
        if isinstance(error, ApiError):
            return Refusal(error.status_code, error.message, error.code, error.headers or {})
        return super().http(request, error)

    @override
    async def refused(self, request: Request, error: Exception) -> Response:
        if isinstance(error, refusals.GroupsvcError) and error.code == "unknown_course":
            error = course_not_found(request.path_params["key"])
            return await self.failed(request, error)
        return await super().refused(request, error)

    @override
    def invalid(self, errors: Sequence[Mapping[str, Any]]) -> Refusal:
        return self.not_found


ERRORS: Final = OpenedxErrors()


def require_course_key(key: str) -> None:
    """Raises ApiError 404 for what fits a route and is no course key."""
    if not is_course_key(key):
        raise course_not_found(key)
