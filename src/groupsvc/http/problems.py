"""Refusals in the native face: RFC 9457 ``application/problem+json``.

Nothing of the input is repeated in a problem, but for the names of fields in ``errors[].pointer``.
"""

import json
import re
from collections.abc import Mapping, Sequence
from http.client import responses as phrases
from types import MappingProxyType
from typing import Any, Final, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException

from groupsvc.domain import errors as refusals
from groupsvc.http.strict_json import InvalidJsonError
from groupsvc.logs import request_id

MEDIA_TYPE: Final = "application/problem+json"
MOST_ERRORS: Final = 100

REGISTRY: Final[Mapping[type[refusals.GroupsvcError], tuple[int, str]]] = {
    InvalidJsonError: (400, "Bad request"),
    refusals.UnauthenticatedError: (401, "Not authenticated"),
    refusals.ForbiddenError: (403, "Not permitted"),
    refusals.NotFoundError: (404, "Not found"),
    refusals.ConflictError: (409, "Conflict"),
    refusals.PreconditionFailedError: (412, "Changed in the meantime"),
    refusals.InvalidError: (422, "Invalid input"),
    refusals.UnavailableError: (503, "Temporarily unavailable"),
    refusals.GroupsvcError: (500, "Internal error"),
}
_TITLES: Final[dict[int, str]] = dict(REGISTRY.values())
_CODES: Final = {401: "unauthenticated", 404: "not_found", 413: "body_too_large"}
_NOT_FOUND: Final = "no such resource"
_STOCK: Final = "HTTPValidationError"

# A name that a client made up may be a megabyte long: such a pointer stops at its parent.
_NAME: Final = re.compile(r"[A-Za-z0-9_.:/~-]{1,64}", re.ASCII)


_EXAMPLES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("invalid_json", "body is not JSON at line 1, column 12"),
    401: ("invalid_token", "the token has expired"),
    403: ("forbidden", "this needs another permission here"),
    404: ("not_found", _NOT_FOUND),
    405: ("method_not_allowed", "Method Not Allowed"),
    409: ("name_taken", "a group with this name already exists"),
    412: ("precondition_failed", "the group is not what you last saw"),
    413: ("body_too_large", "the body is too large"),
    415: ("unsupported_media_type", "send application/json"),
    422: ("invalid", "one value is not valid"),
    428: ("precondition_required", "send If-Match"),
    500: ("internal_error", "an unexpected error, which has been logged"),
    503: ("unavailable", "the database is not available"),
}


class FieldProblem(BaseModel):
    """One value that is not valid."""

    pointer: str = Field(description="JSON pointer into the body, or `#/query/<name>`")
    code: str
    message: str


class Problem(BaseModel):
    """Why a request was refused (RFC 9457). Some codes add members of their own."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="`urn:groupsvc:problem:<code>`")
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable: the thing to compare with")
    request_id: str | None = Field(description="What to quote when asking for help")
    errors: list[FieldProblem] = Field([], description="Which values are not valid")


def problem(
    status: int, code: str, detail: str, more: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """The members of a problem, in order; ``more`` cannot replace the standard ones."""
    standard = {
        "type": f"urn:groupsvc:problem:{code}",
        "title": _TITLES.get(status) or phrases.get(status, "Error"),
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id.get(),
    }
    return standard | {name: value for name, value in more.items() if name not in standard}


def encode(document: Mapping[str, Any]) -> bytes:
    """JSON that can always be sent: what UTF-8 cannot hold is replaced, unknown types are text."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.encode("utf-8", "replace")


def render(_path: str, status: int, code: str, detail: str) -> tuple[bytes, str]:
    """A refusal that was made before any face was asked; as the guard wants it."""
    return encode(problem(status, code, detail)), MEDIA_TYPE


def answer(document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(encode(document), document["status"], headers, MEDIA_TYPE)


def _headers(status: int, error: refusals.GroupsvcError) -> dict[str, str]:
    if status == 401:
        invalid = error.code == "invalid_token"
        return {"www-authenticate": 'Bearer error="invalid_token"' if invalid else "Bearer"}
    if status == 503 or "retry_after" in error.facts:
        return {"retry-after": str(error.facts.get("retry_after", 1))}
    return {}


def refusal(error: refusals.GroupsvcError) -> Response:
    """A refusal of the rules. A ``pointer`` among its facts becomes an entry of ``errors``."""
    status = next(REGISTRY[kind][0] for kind in type(error).__mro__ if kind in REGISTRY)
    facts = dict(error.facts)
    if pointer := facts.pop("pointer", None):
        facts["errors"] = [{"pointer": pointer, "code": error.code, "message": error.message}]
    return answer(problem(status, error.code, error.message, facts), _headers(status, error))


def _pointer(location: Sequence[str | int]) -> str:
    parts = [str(part) for part in (location[1:] if location[0] == "body" else location)]
    known = next((i for i, part in enumerate(parts) if not _NAME.fullmatch(part)), len(parts))
    escaped = (part.replace("~", "~0").replace("/", "~1") for part in parts[:known])
    return "/".join(["#", *escaped])


def _message(error: Mapping[str, Any]) -> str:
    """Pydantic's words, without the part that some of them take from the input."""
    text: str = error["msg"]
    context = error.get("ctx", {})
    if error["type"] in ("value_error", "assertion_error"):
        text, given = text.partition(", ")[2], error.get("input")
        return "Input is not valid" if isinstance(given, str) and given in text else text
    if "tag" in context:
        return "Input has an unknown kind"
    return text.partition(", ")[0] if "error" in context else text


def _entry(error: Mapping[str, Any]) -> dict[str, str]:
    return {"pointer": _pointer(error["loc"]), "code": error["type"], "message": _message(error)}


def allowed_methods(request: Request) -> set[str]:
    """Every method that some route of the application has for the path of the request."""
    root, path = request.scope.get("root_path", ""), request.scope["path"]
    path = path.removeprefix(root) if path.startswith(root + "/") else path
    found: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.methods and route.path_regex.match(path):
            found |= route.methods
    return found


async def _refused(_: Request, error: Exception) -> Response:
    return refusal(cast("refusals.GroupsvcError", error))


async def _invalid(_: Request, error: Exception) -> Response:
    found = cast("RequestValidationError", error).errors()
    # A path whose ids cannot be ids names nothing.
    if any(each["loc"][0] == "path" for each in found):
        return answer(problem(404, "not_found", _NOT_FOUND))
    if any(each["type"] == "json_invalid" for each in found):
        return answer(problem(400, "invalid_json", "body is not JSON"))
    detail = "one value is not valid" if len(found) == 1 else f"{len(found)} values are not valid"
    entries = [_entry(each) for each in found[:MOST_ERRORS]]
    return answer(problem(422, "invalid", detail, {"errors": entries}))


async def _http(request: Request, error: Exception) -> Response:
    error = cast("HTTPException", error)
    if isinstance(error.__cause__, refusals.GroupsvcError):
        return refusal(error.__cause__)
    status, headers = error.status_code, dict(error.headers or {})
    if status < 200 or status in (204, 205, 304):
        return Response(status_code=status, headers=headers)
    if status == 405 and (methods := allowed_methods(request)):
        headers["Allow"] = ", ".join(sorted(methods))
    phrase = phrases.get(status, "Error")
    code = _CODES.get(status) or re.sub(r"\W+", "_", phrase.lower())
    plain = status == 404 and error.detail == phrase
    return answer(problem(status, code, _NOT_FOUND if plain else str(error.detail)), headers)


async def _crashed(_: Request, __: Exception) -> Response:
    # Logged once and further out, where all faces and what runs after an answer pass.
    return answer(problem(500, "internal_error", "an unexpected error, which has been logged"))


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route may answer besides success, for ``responses=``; needs an installed app."""
    return {status: _documented(status) for status in statuses}


def _documented(status: int) -> dict[str, Any]:
    example = problem(status, *_EXAMPLES[status]) | {"request_id": "5f3c9a7e1b2d4c60"}
    if status == 422:
        entry = {"pointer": "#/name", "code": "missing", "message": "Field required"}
        example["errors"] = [entry]
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": example["title"],
        "content": {MEDIA_TYPE: {"schema": schema, "example": example}},
    }


def _replace_stock_refusals(document: dict[str, Any]) -> None:
    """FastAPI documents a refusal in its own shape; a path alone never leads to one here."""
    for operation in (each for item in document["paths"].values() for each in item.values()):
        responses, parameters = operation["responses"], operation.get("parameters", ())
        if _STOCK in str(responses.get("422")):
            del responses["422"]
            if "requestBody" in operation or any(each["in"] != "path" for each in parameters):
                responses["422"] = _documented(422)
        operation["responses"] = dict(sorted(responses.items()))
    for name in (_STOCK, "ValidationError"):
        document.get("components", {}).get("schemas", {}).pop(name, None)


def install(app: FastAPI) -> None:
    """Answer every refusal and error of the application with a problem, and document them."""
    app.add_exception_handler(refusals.GroupsvcError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _crashed)
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        _replace_stock_refusals(document)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        template = "#/components/schemas/{model}"
        schemas |= models_json_schema([(Problem, "validation")], ref_template=template)[1]["$defs"]
        return document

    app.openapi = openapi  # type: ignore[method-assign]
