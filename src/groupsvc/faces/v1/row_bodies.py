"""Bodies with many rows: validated in a thread, some rows at a time, and no longer than it helps.

Validated at once, a long list keeps all other requests waiting, and a list in which everything is
wrong makes more errors than anybody reads.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final, TypeVar, cast

from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError

from groupsvc.core.aside import aside
from groupsvc.faces.v1.schemas import VALIDATE, RowsIn

MOST_ERRORS: Final = 1_000
_AT_ONCE: Final = 500
Errors = list[Any]


B = TypeVar("B", bound=RowsIn)


async def validated(model: type[B], given: Any) -> B:
    """The body as a model. Raises RequestValidationError."""
    rows = _rows(given)
    return await aside(len(rows), _validate_rows, model, given, rows)


def _rows(given: Any) -> list[Any]:
    """Nothing when the body is of another form, which its model knows to say."""
    try:
        rows: list[Any] = given["rows"]
    except (KeyError, TypeError):
        return []
    return rows if type(rows) is list else []


def _validate(model: type[B], given: Any, found: Errors | None = None) -> B:
    errors = found or []
    try:
        body = model.model_validate(given, from_attributes=True, context=VALIDATE)
    except ValidationError as error:
        errors += _located(error, "body")
    else:
        if not errors:
            return body
    raise RequestValidationError(errors[:MOST_ERRORS])


def _validate_rows(model: type[B], given: Any, rows: list[Any]) -> B:
    if len(rows) <= _AT_ONCE:
        return _validate(model, given)
    field = model.model_fields["rows"]
    length: TypeAdapter[Any] = TypeAdapter(Annotated[list[Any], *field.metadata])
    each: TypeAdapter[Any] = TypeAdapter(cast("Any", field.annotation))
    errors: Errors = []
    valid: list[Any] = []
    try:
        length.validate_python(rows)
    except ValidationError as error:
        errors += _located(error, "body", "rows")
        rows = []
    for start in range(0, len(rows), _AT_ONCE):
        try:
            valid += each.validate_python(rows[start : start + _AT_ONCE])
        except ValidationError as error:
            errors += _located(error, "body", "rows", start=start)
            if len(errors) >= MOST_ERRORS:
                break
    body = _validate(model, {**given, "rows": []}, errors)
    return body.model_copy(update={"rows": valid})


def _located(error: ValidationError, *place: str, start: int | None = None) -> Iterator[Any]:
    for each in error.errors(include_url=False, include_input=False):
        loc = each["loc"]
        if start is not None:
            loc = (start + cast("int", loc[0]), *loc[1:])
        yield {**each, "loc": (*place, *loc)}
