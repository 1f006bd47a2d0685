"""Bodies: JSON, forms and multipart, read when it is their turn.

The route has taken the bytes in; an endpoint asks for the members after it has found the course.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from groupsvc.domain.strict_json import InvalidJsonError, read_json
from groupsvc.faces.openedx.errors import ApiError
from groupsvc.http.routing import app_state

FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
INVALID: Final = "Invalid JSON"
MOST_FIELDS: Final = 100_000
_LARGE: Final = 262_144  # bytes, above which reading would keep other requests waiting
_LONGEST_TYPE: Final = 200


@dataclass(frozen=True, slots=True)
class Upload:
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """Members by name, of which a form may have several of one name. Files are apart."""

    members: Mapping[str, Any] = field(default_factory=dict[str, Any])
    repeated: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    files: Mapping[str, Upload] = field(default_factory=dict[str, Upload])
    is_form: bool = False

    def get(self, name: str) -> Any:
        return self.members.get(name)

    def has(self, name: str) -> bool:
        return name in self.members


async def read_body(request: Request) -> Body:
    """Raises ApiError 400 for a body that cannot be read, 415 for one of another type."""
    content: bytes = request.state.body
    given = request.headers.get("content-type", "")
    kind = given.partition(";")[0].strip().lower()
    if not content:
        return Body(is_form=kind in FORMS)
    if kind in FORMS:
        return await _form(request, content)
    if kind != "application/json":
        raise ApiError(415, f'Unsupported media type "{given[:_LONGEST_TYPE]}" in request.')
    try:
        value = await read_value(request)
    except InvalidJsonError as error:
        raise ApiError(400, f"JSON parse error - {_why(error)}") from error
    if not isinstance(value, dict):
        raise ApiError(400, "Invalid data. Expected a dictionary.")
    return Body(cast("dict[str, Any]", value))


async def read_json_body(request: Request) -> Body:
    """Where there is nothing but JSON: a body that does not say it is JSON is empty."""
    if "application/json" not in request.headers.get("content-type", ""):
        return Body()
    if not request.state.body:
        return Body()
    try:
        value = await read_value(request)
    except InvalidJsonError as error:
        raise ApiError(400, INVALID) from error
    if not isinstance(value, dict):
        raise ApiError(400, INVALID)
    return Body(cast("dict[str, Any]", value))


async def read_value(request: Request) -> Any:
    """The body as JSON, of which one odd text must not spoil the rest. Raises InvalidJsonError."""
    content: bytes = request.state.body
    depth = app_state(request).settings.max_json_depth
    if len(content) > _LARGE:
        return await asyncio.to_thread(read_json, content, max_depth=depth, lenient=True)
    return read_json(content, max_depth=depth, lenient=True)


def _why(error: InvalidJsonError) -> str:
    """In the words of the parser, as the platform has them, when it was the parser that refused."""
    return str(error.__context__) if isinstance(error.__context__, ValueError) else error.message


async def _form(request: Request, content: bytes) -> Body:
    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    again = Request(request.scope, receive)
    try:
        async with again.form(max_fields=MOST_FIELDS, max_part_size=len(content)) as form:
            repeated: dict[str, list[str]] = {}
            files: dict[str, Upload] = {}
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    if value.filename:
                        files[name] = Upload(value.filename, await value.read())
                else:
                    repeated.setdefault(name, []).append(value)
    except (HTTPException, KeyError, ValueError) as error:
        raise ApiError(400, "Multipart form parse error - the form is malformed") from error
    last = {name: values[-1] for name, values in repeated.items()}
    return Body(last, repeated, files, is_form=True)
