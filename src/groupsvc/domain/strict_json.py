"""Strict JSON: whatever two readers could understand differently is refused.

A dialect whose original is less strict may ask for less.
"""

import json
import math
import re
from itertools import chain
from typing import Any, NoReturn

from groupsvc.domain.errors import InvalidJsonError as InvalidJsonError
from groupsvc.domain.patient_json import patient

# Above so many bytes a body keeps others waiting when it is read at once: read it in a thread.
LARGE = 262_144
# Above so many it keeps all threads waiting.
VERY_LARGE = 1_048_576
MAX_DIGITS = 20
MAX_NUMBER = 40

_CONTAINERS = (dict, list)
_NUMBER_BYTES = bytes.maketrans(b"123456789.eE+-", b"0" * 14)
_LONG_NUMBER = b"0" * (MAX_DIGITS + 1)
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidJsonError("an object has the same name twice")
    return members


def _int(literal: str) -> int:
    if len(literal.lstrip("-")) > MAX_DIGITS:
        raise InvalidJsonError("a number has too many digits")
    return int(literal)


def _float(literal: str) -> float:
    if len(literal) > MAX_NUMBER:
        raise InvalidJsonError("a number has too many digits")
    value = float(literal)
    if math.isinf(value):
        raise InvalidJsonError("a number is too large")
    return value


def _constant(_: str) -> NoReturn:
    raise InvalidJsonError("NaN and Infinity are not JSON")


def decoder(
    parse_int: Any, *, parse_float: Any = _float, pairs_hook: Any = _object
) -> json.JSONDecoder:
    """A decoder that knows no NaN and, unless told otherwise, refuses names that repeat."""
    return json.JSONDecoder(
        object_pairs_hook=pairs_hook,
        parse_float=parse_float,
        parse_int=parse_int,
        parse_constant=_constant,
    )


# A hook for integers costs a call for each, so it is there only when a long one might be.
_SHORT_NUMBERS = decoder(int)
_ANY_NUMBERS = decoder(_int)
_LENIENT = decoder(_int, pairs_hook=None)


def _decode(body: bytes) -> str:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidJsonError("body is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise InvalidJsonError("body starts with a byte order mark")
    return text


def _chosen(body: bytes) -> json.JSONDecoder:
    long_numbers = _LONG_NUMBER in body.translate(_NUMBER_BYTES)
    return _ANY_NUMBERS if long_numbers else _SHORT_NUMBERS


def _parse(decoder: json.JSONDecoder, text: str) -> Any:
    try:
        return decoder.decode(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidJsonError(f"body is not JSON at {where}") from None
    except RecursionError:
        raise InvalidJsonError("body is nested too deeply") from None


def _refuse_depth(value: Any, max_depth: int) -> None:
    """Look one level down at a time: each value is seen once, and no stack grows."""
    level: list[dict[str, Any] | list[Any]] = [value]
    for _ in range(max_depth):
        values = (outer.values() if isinstance(outer, dict) else outer for outer in level)
        level = [inner for inner in chain.from_iterable(values) if type(inner) in _CONTAINERS]
        if not level:
            return
    raise InvalidJsonError("body is nested too deeply")


def _refuse_unstorable_text(text: str, value: Any) -> None:
    """The text is valid UTF-8 without raw controls: only escapes can make what is looked for."""
    if "\\u0000" in text and _ESCAPED_NUL.search(text):
        raise InvalidJsonError("text contains a NUL character")
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise InvalidJsonError("text contains half of a surrogate pair") from None


def read_json(body: bytes, *, max_depth: int, lenient: bool = False) -> Any:
    """The value of a JSON text.

    Integers may have 20 digits, other numbers 40 characters; ``[]`` has depth 1. ``lenient`` takes
    the last of members of one name, and text that cannot be stored: refusing it is left to whoever
    would store it.

    Raises InvalidJsonError for anything but UTF-8, for names that repeat in an object, numbers
    out of range, NUL characters, lone surrogates and deeper nesting.
    """
    if not body or body.isspace():
        raise InvalidJsonError("body is empty")
    text = _decode(body)
    reader = _LENIENT if lenient else _chosen(body)
    if is_large := len(body) > VERY_LARGE:
        reader = patient(reader, None if lenient else _refuse_unstorable_text)
    value: Any = _parse(reader, text)
    if text.count("[") + text.count("{") > max_depth and type(value) in _CONTAINERS:
        _refuse_depth(value, max_depth)
    if "\\u" in text and not lenient and not is_large:
        _refuse_unstorable_text(text, value)
    return value
