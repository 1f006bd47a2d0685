"""Bodies, read as JSON whatever their media type says, and checked when it is their turn."""

from typing import Any, Final, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request

from groupsvc.domain.strict_json import InvalidJsonError, decoder

NOT_JSON: Final = "le corps de la requête n'est pas du JSON"
NOT_AN_OBJECT: Final = "le corps de la requête n'est pas un objet JSON"

# Further digits do not matter: no number of this dialect is that large.
_MAX_DIGITS: Final = 20
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1


def _int(literal: str) -> int:
    return int(literal[:_MAX_DIGITS])


_DECODER: Final = decoder(_int, parse_float=float, pairs_hook=None)


def read_text(request: Request) -> tuple[str, Any]:
    """The body as text, and its value. Raises HTTPException 400 when it is not JSON."""
    try:
        text = cast("bytes", request.state.body).decode("utf-8-sig")
        return text, _DECODER.decode(text)
    except (ValueError, RecursionError, InvalidJsonError):
        raise HTTPException(400, NOT_JSON) from None


def read_object(request: Request, otherwise: str = NOT_AN_OBJECT) -> dict[str, Any]:
    """The members of the body; ``otherwise`` is said of JSON that is not an object."""
    _, value = read_text(request)
    if not isinstance(value, dict):
        raise HTTPException(400, otherwise)
    return cast("dict[str, Any]", value)


def read_ids(request: Request, otherwise: str) -> list[int]:
    """The list of ids in the body, none of them twice; ``otherwise`` is said of anything else."""
    _, value = read_text(request)
    ids = cast("list[Any]", value)
    if not isinstance(value, list) or not all(type(each) is int for each in ids):
        raise HTTPException(400, otherwise)
    if len(set(ids)) != len(ids):
        raise HTTPException(400, otherwise)
    return ids


def numero(value: object) -> int:
    """Raises HTTPException 400 for anything but an integer of 32 bits."""
    if type(value) is not int or not _SMALLEST <= value <= _LARGEST:
        raise HTTPException(400, "invalid type for numero")
    return value


def flag(name: str, value: object) -> bool:
    """Raises HTTPException 400 for anything but a JSON boolean."""
    if not isinstance(value, bool):
        raise HTTPException(400, f"invalid type for {name}")
    return value


def is_same(value: object, current: object) -> bool:
    """Whether the original takes both for the same: 0, 0.0 and false are one for a flag."""
    return value == current and (isinstance(current, bool) or not isinstance(value, bool))
