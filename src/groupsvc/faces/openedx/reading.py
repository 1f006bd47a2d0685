"""Bodies: JSON, forms and multipart, read when it is their turn.

The route has taken the bytes in; an endpoint asks for the members after it has found the course.
"""

import asyncio
import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import parse_qsl

from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from groupsvc.domain.patient_json import TOO_LARGE
from groupsvc.domain.strict_json import LARGE, InvalidJsonError, read_json
from groupsvc.faces.openedx.errors import ApiError
from groupsvc.http.routing import app_state

FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
INVALID: Final = "Invalid JSON"
UTF_8: Final = "utf-8"
# Of Python alone: nobody writes bodies in them, and some are slow.
NO_CHARSETS: Final = ("idna", "punycode", "unicode-escape", "raw-unicode-escape")
MOST_FIELDS: Final = 100_000
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
    """In the charset that the request names, as the platform reads it.

    Raises ApiError 400 for a body that cannot be read, 415 for one of another type.
    """
    content: bytes = request.state.body
    given = request.headers.get("content-type", "")
    kind = given.partition(";")[0].strip().lower()
    if not content:
        return Body(is_form=kind in FORMS)
    if kind in FORMS:
        charset = _charset(given) if kind == FORMS[0] else UTF_8
        return await _form(request, content) if charset == UTF_8 else _fields(content, charset)
    if kind != "application/json":
        raise ApiError(415, f'Unsupported media type "{given[:_LONGEST_TYPE]}" in request.')
    charset = _charset(given)
    try:
        if charset != UTF_8:
            content = content.decode(charset).encode()
        value = await _read_value(request, content)
    except (InvalidJsonError, UnicodeError) as error:
        if isinstance(error, InvalidJsonError) and error.code == TOO_LARGE:
            raise ApiError(413, "the body is too large") from error
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
        value = await _read_value(request, request.state.body)
    except InvalidJsonError as error:
        raise ApiError(400, INVALID) from error
    if not isinstance(value, dict):
        raise ApiError(400, INVALID)
    return Body(cast("dict[str, Any]", value))


async def _read_value(request: Request, content: bytes) -> Any:
    """The body as JSON, of which one odd text must not spoil the rest. Raises InvalidJsonError."""
    depth = app_state(request).settings.max_json_depth
    if len(content) > LARGE:
        return await asyncio.to_thread(read_json, content, max_depth=depth, lenient=True)
    return read_json(content, max_depth=depth, lenient=True)


def _charset(content_type: str) -> str:
    """The name of a charset of texts; one that Python does not know counts as UTF-8.

    Raises ApiError 400 for anything else that Python calls a codec.
    """
    given = parse_options_header(content_type)[1].get(b"charset", b"").decode("latin-1")
    try:
        found = codecs.lookup(given or UTF_8).name
    except (LookupError, ValueError):
        return UTF_8
    try:
        "".encode(found)  # no text is fit for compression and the like
    except (LookupError, UnicodeError):
        found = NO_CHARSETS[0]
    if found in NO_CHARSETS:
        raise ApiError(400, f'Unsupported charset "{given}" in request Content-Type header.')
    return found


def _why(error: InvalidJsonError | UnicodeError) -> str:
    """In the words of the parser, as the platform has them, when it was the parser that refused."""
    if isinstance(error, UnicodeError):
        return str(error)
    return str(error.__context__) if isinstance(error.__context__, ValueError) else error.message


def _fields(content: bytes, charset: str) -> Body:
    """Fields of a form whose escapes are bytes of another charset."""
    try:
        text = content.decode(charset)
    except UnicodeError:
        text = content.decode("latin-1")
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, encoding=charset, max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise ApiError(400, "the form has too many fields") from error
    return _form_body(pairs, {})


async def _form(request: Request, content: bytes) -> Body:
    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    again = Request(request.scope, receive)
    try:
        async with again.form(max_fields=MOST_FIELDS, max_part_size=len(content)) as form:
            pairs: list[tuple[str, str]] = []
            files: dict[str, Upload] = {}
            for name, value in form.multi_items():
                if isinstance(value, str):
                    pairs.append((name, value))
                elif value.filename:
                    files[name] = Upload(value.filename, await value.read())
    except (HTTPException, KeyError, ValueError) as error:
        raise ApiError(400, "Multipart form parse error - the form is malformed") from error
    return _form_body(pairs, files)


def _form_body(pairs: Sequence[tuple[str, str]], files: Mapping[str, Upload]) -> Body:
    """Of several fields of one name the last is the member."""
    repeated: dict[str, list[str]] = {}
    for name, value in pairs:
        repeated.setdefault(name, []).append(value)
    return Body(dict(pairs), repeated, files, is_form=True)
