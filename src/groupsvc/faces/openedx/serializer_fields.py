"""Members of bodies as the serializers of the platform read them (Django REST framework 3.18).

Each field is a type for a pydantic model: it coerces what clients send, and refuses the rest in
the words of the original. ``read_members`` reads a whole body so, forms by the rules for forms.
"""

import re
from collections.abc import Callable, Sequence
from types import NoneType
from typing import Annotated, Any, Final, TypeVar, cast, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from groupsvc.faces.openedx.errors import ApiError
from groupsvc.faces.openedx.reading import Body
from groupsvc.faces.openedx.schemas import AssignmentType, Identifier

M = TypeVar("M", bound=BaseModel)

LONGEST_NAME: Final = 255
_LONGEST_NUMBER: Final = 1000
_FLAGS: Final = {
    **dict.fromkeys(("t", "y", "yes", "true", "on", "1"), True),
    **dict.fromkeys(("f", "n", "no", "false", "off", "0"), False),
}
_NO_FRACTION: Final = re.compile(r"\.0*\s*$")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def _invalid(message: str, **facts: object) -> PydanticCustomError:
    return PydanticCustomError("invalid", cast("Any", message), facts)


def _reader(read: Callable[[Any], object]) -> BeforeValidator:
    def read_or_refuse_null(value: object) -> object:
        if value is None:
            raise _invalid("This field may not be null.")
        return read(value)

    return BeforeValidator(read_or_refuse_null)


def _boolean(value: object) -> bool:
    if isinstance(value, str):
        found = _FLAGS.get(value.lower())
    else:
        found = bool(value) if isinstance(value, int | float) and value in (0, 1) else None
    if found is None:
        raise _invalid("Must be a valid boolean.")
    return found


def _integer(value: object) -> int:
    if isinstance(value, str) and len(value) > _LONGEST_NUMBER:
        raise _invalid("String value too large.")
    if isinstance(value, str | int | float):
        try:
            return int(_NO_FRACTION.sub("", str(value)))
        except ValueError:
            pass
    raise _invalid("A valid integer is required.")


def _text(longest: int | None = None) -> BeforeValidator:
    def read(value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise _invalid("Not a valid string.")
        text = str(value).strip()
        if not text:
            raise _invalid("This field may not be blank.")
        if longest is not None and len(text) > longest:
            raise _invalid(f"Ensure this field has no more than {longest} characters.")
        if "\x00" in text:
            raise _invalid("Null characters are not allowed.")
        if (found := _SURROGATE.search(text)) is not None:
            raise _invalid(f"Surrogate characters are not allowed: U+{ord(found[0]):X}.")
        return text

    return _reader(read)


def _choice(*choices: str) -> BeforeValidator:
    def read(value: object) -> object:
        if str(value) not in choices:
            shown = str(value).encode(errors="replace").decode()
            raise _invalid('"{shown}" is not a valid choice.', shown=shown)
        return value

    return _reader(read)


def _list(value: object) -> object:
    if not isinstance(value, list):
        kind = type(value).__name__
        raise _invalid(f'Expected a list of items but got type "{kind}".')
    if not value:
        raise _invalid("This list may not be empty.")
    return cast("object", value)


BooleanField = Annotated[bool, _reader(_boolean)]
IntegerField = Annotated[int, _reader(_integer)]
NameField = Annotated[
    str, Field(min_length=1, max_length=LONGEST_NAME), _text(longest=LONGEST_NAME)
]
AssignmentTypeField = Annotated[AssignmentType, _choice(*get_args(AssignmentType))]
IdentifiersField = Annotated[
    list[Annotated[Identifier, _text()]],
    Field(min_length=1),
    _reader(_list),
]


def read_members(body: Body, model: type[M]) -> M:
    """The members of a model; others are ignored. Raises ApiError 400 for the first fault."""
    given = {
        name: value
        for name, field in model.model_fields.items()
        for value in _values(body, name, field)
    }
    try:
        return model.model_validate(given)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        message = "This field is required." if fault["type"] == "missing" else fault["msg"]
        raise ApiError(400, ": ".join((*map(str, fault["loc"]), message))) from error


def _values(body: Body, name: str, field: FieldInfo) -> Sequence[Any]:
    """The one value of a member, or none. A form cannot say null, false or nothing itself."""
    if not body.is_form:
        return [body.get(name)] if body.has(name) else []
    if get_origin(field.annotation) is list:
        found = body.repeated.get(name) or _indexed(body, name)
        return [found] if found else []
    if not body.has(name):
        return [False] if field.annotation is bool else []
    if body.get(name) == "" and NoneType in get_args(field.annotation):
        return [None]
    return [] if body.get(name) == "" and not field.is_required() else [body.get(name)]


def _indexed(body: Body, name: str) -> list[Any]:
    """``name[0]``, ``name[1]``, in the order of the numbers; whatever is within an item is none."""
    pattern = re.compile(rf"{re.escape(name)}\[([0-9]{{1,18}})\](.*)")
    found: dict[int, Any] = {}
    for member, value in body.members.items():
        if (match := pattern.match(member)) is not None:
            found[int(match[1])] = {} if match[2] else value
    return [found[index] for index in sorted(found)]
