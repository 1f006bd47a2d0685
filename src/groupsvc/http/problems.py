"""Refusals in the native face: RFC 9457 ``application/problem+json``.

Nothing of the input is repeated in a problem, but for the names of fields in ``errors[].pointer``.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from http.client import responses as phrases
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from typing_extensions import override

from groupsvc.domain import errors as refusals
from groupsvc.http.documents import STOCK, headers, operations
from groupsvc.http.errors import ErrorFace, Refusal, challenge
from groupsvc.logs import request_id

MEDIA_TYPE: Final = "application/problem+json"
MOST_ERRORS: Final = 100
# Of refusals that say what is there now.
_CONFLICTS: Final = (409, 412)

_TITLES: Final[Mapping[int, str]] = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not permitted",
    404: "Not found",
    409: "Conflict",
    412: "Changed in the meantime",
    # The phrases differ between versions of Python.
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    422: "Invalid input",
    429: "Too many requests",
    500: "Internal error",
    503: "Temporarily unavailable",
}
_HEADERS: Final[Mapping[int, Sequence[str]]] = {
    401: ("WWW-Authenticate",),
    409: ("Retry-After",),
}
_CODES: Final = {401: "unauthenticated", 404: "not_found", 413: "body_too_large"}
_NOT_FOUND: Final = "no such resource"
_CRASHED: Final = "an unexpected error, which has been logged"

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
    414: ("target_too_long", "the path or the query is too long"),
    415: ("unsupported_media_type", "send application/json"),
    422: ("invalid", "one value is not valid"),
    428: ("precondition_required", "send If-Match"),
    429: ("too_many_requests", "there were too many requests in a minute"),
    500: ("internal_error", _CRASHED),
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


class MissedChange(BaseModel):
    """A line of the change log that the caller may not have seen."""

    seq: int
    course_id: int | None
    at: datetime
    actor: str
    request_id: str | None
    changeset_id: str
    cause: str | None
    kind: str = Field(examples=["group.updated"])
    partition_id: int | None
    group_id: int | None
    user_id: int | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class ConflictProblem(Problem):
    """Why a request was refused that others or the rules stand in the way of.

    What is there now is told where it is one thing that the caller may read.
    """

    etag: str | None = Field(description="Of what is there now; null when it is gone")
    current: dict[str, Any] | list[Any] | None = Field(
        description="What is there now, as it is read; null when it is gone"
    )
    changes: list[MissedChange] = Field(description="The last changes of it, newest first")


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


class Problems(ErrorFace):
    name = "native"
    rules: ClassVar = {
        "body_too_large": Refusal(413),
        refusals.InvalidJsonError: Refusal(400),
        "invalid_token": Refusal(401, headers=challenge('Bearer error="invalid_token"')),
        refusals.UnauthenticatedError: Refusal(401, headers=challenge("Bearer")),
        refusals.ForbiddenError: Refusal(403),
        refusals.NotFoundError: Refusal(404),
        refusals.ConflictError: Refusal(409),
        refusals.PreconditionFailedError: Refusal(412),
        refusals.InvalidError: Refusal(422),
        refusals.ThrottledError: Refusal(429),
        refusals.UnavailableError: Refusal(503),
        refusals.GroupsvcError: Refusal(500),
    }
    statuses: ClassVar = {404: _NOT_FOUND}
    not_found = Refusal(404, _NOT_FOUND)
    crashed = Refusal(500, _CRASHED, "internal_error")

    @override
    def encode(self, path: str, refusal: Refusal) -> tuple[bytes, str]:
        status, code = refusal.status, refusal.code or _CODES.get(refusal.status)
        code = code or re.sub(r"\W+", "_", phrases.get(status, "Error").lower())
        return encode(problem(status, code, refusal.message, refusal.facts)), MEDIA_TYPE

    @override
    def own_words(self, error: refusals.GroupsvcError, found: Refusal) -> Refusal:
        """A ``pointer`` among the facts of an error becomes an entry of ``errors``."""
        facts = dict(error.facts)
        if pointer := facts.pop("pointer", None):
            facts["errors"] = [{"pointer": pointer, "code": error.code, "message": error.message}]
        return found._replace(message=error.message, code=error.code, facts=facts)

    @override
    def http(self, request: Request, error: HTTPException) -> Refusal:
        # FastAPI has wrapped what reading the body raised.
        if isinstance(error.__cause__, refusals.GroupsvcError):
            return self.rule(error.__cause__)
        return super().http(request, error)

    @override
    def invalid(self, errors: Sequence[Mapping[str, Any]]) -> Refusal:
        if any(each["type"] == "json_invalid" for each in errors):
            return Refusal(400, "body is not JSON", "invalid_json")
        entries = [_entry(each) for each in errors[:MOST_ERRORS]]
        count = len(errors)
        detail = "one value is not valid" if count == 1 else f"{count} values are not valid"
        return Refusal(422, detail, "invalid", facts={"errors": entries})


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


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route may answer besides success, for ``responses=``; see ``document_problems``."""
    return {status: _documented(status) for status in statuses}


def _documented(status: int) -> dict[str, Any]:
    example = problem(status, *_EXAMPLES[status]) | {"request_id": "5f3c9a7e1b2d4c60"}
    if status == 422:
        entry = {"pointer": "#/name", "code": "missing", "message": "Field required"}
        example["errors"] = [entry]
    if status in _CONFLICTS:
        example |= {"etag": '"9f86d081884c7d65"', "current": {"id": 42}, "changes": []}
    model = ConflictProblem if status in _CONFLICTS else Problem
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {
        "description": example["title"],
        "content": {MEDIA_TYPE: {"schema": schema, "example": example}},
        **headers(*_HEADERS.get(status, ())),
    }


def document_problems(document: dict[str, Any]) -> None:
    """FastAPI documents a refusal in its own shape; a path alone never leads to one here."""
    for _, operation in operations(document):
        responses, parameters = operation["responses"], operation.get("parameters", ())
        if STOCK in str(responses.get("422")):
            del responses["422"]
            if "requestBody" in operation or any(each["in"] != "path" for each in parameters):
                responses["422"] = _documented(422)
        operation["responses"] = dict(sorted(responses.items()))
    models: list[tuple[type[BaseModel], Literal["validation"]]]
    models = [(each, "validation") for each in (Problem, ConflictProblem)]
    template = "#/components/schemas/{model}"
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas |= models_json_schema(models, ref_template=template)[1]["$defs"]
