"""Bodies with many rows: validated in a thread, some rows at a time, and no longer than it helps.

Validated at once, a long list keeps all other requests waiting, and a list in which everything is
wrong makes more errors than anybody reads. Of a very large body the rows are validated while it is
read, and are never there at once.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Protocol, TypeVar, cast

from fastapi.exceptions import RequestValidationError
from pydantic import (
    ModelWrapValidatorHandler,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from groupsvc.core.aside import aside
from groupsvc.faces.v1.schemas import Input

MOST_ERRORS: Final = 1_000
_AT_ONCE: Final = 500
_VALIDATE: Final = {"validate": True}
Errors = list[Any]


class Rows(Protocol):
    """What valid rows are put into."""

    def extend(self, rows: Iterable[Any], /) -> None: ...


class RowsIn(Input):
    """A body whose ``rows`` may be many: FastAPI hands it on as it came, for ``validated``."""

    kept_in: ClassVar[type[Rows]] = list[Any]

    @classmethod
    def rows_taker(cls) -> "RowsTaker":
        return RowsTaker(cls)

    @model_validator(mode="wrap")
    @classmethod
    def _later(
        cls, given: Any, validate: ModelWrapValidatorHandler[Any], info: ValidationInfo
    ) -> Any:
        return validate(given) if info.context is _VALIDATE else given


B = TypeVar("B", bound=RowsIn)


class RowsTaker:
    """Validates rows as they come."""

    def __init__(self, model: type[RowsIn]) -> None:
        self._each, self._all = _adapters(model)
        self.rows = model.kept_in()
        self.errors: Errors = []
        self.count = 0

    def __len__(self) -> int:
        return self.count

    def take(self, values: list[Any]) -> None:
        start, self.count = self.count, self.count + len(values)
        if len(self.errors) >= MOST_ERRORS:
            return
        try:
            self.rows.extend(self._each.validate_python(values))
        except ValidationError as error:
            self.errors += _located(error, "body", "rows", start=start)

    def refusals(self) -> Errors:
        """If there are too many rows, that alone."""
        try:
            self._all.validate_python([None] * self.count)
        except ValidationError as error:
            return list(_located(error, "body", "rows"))
        return self.errors


async def validated(model: type[B], given: Any) -> tuple[B, Any]:
    """The body as a model without its rows, and what these are kept in.

    Raises RequestValidationError.
    """
    rows = _rows(given)
    return await aside(len(rows or ()), _validated, model, given, rows)


def _rows(given: Any) -> "list[Any] | RowsTaker | None":
    """Nothing when the body is of another form, which its model knows to say."""
    rows: list[Any] | RowsTaker
    try:
        rows = given["rows"]
    except (KeyError, TypeError):
        return None
    return rows if type(rows) in (list, RowsTaker) else None


def _validated(model: type[B], given: Any, rows: list[Any] | RowsTaker | None) -> tuple[B, Any]:
    taker = model.rows_taker()
    if isinstance(rows, RowsTaker):
        taker = rows
    elif rows is not None:
        for start in range(0, len(rows), _AT_ONCE):
            taker.take(rows[start : start + _AT_ONCE])
    else:
        return _validate(model, given, []), taker.rows
    return _validate(model, {**given, "rows": []}, taker.refusals()), taker.rows


def _validate(model: type[B], given: Any, found: Errors) -> B:
    errors = [*found]
    try:
        body = model.model_validate(given, from_attributes=True, context=_VALIDATE)
    except ValidationError as error:
        errors += _located(error, "body")
    else:
        if not errors:
            return body
    raise RequestValidationError(errors[:MOST_ERRORS])


@cache
def _adapters(model: type[RowsIn]) -> tuple[TypeAdapter[Any], TypeAdapter[Any]]:
    """Of some rows, and of how many there are."""
    field = model.model_fields["rows"]
    how_many: Any = Annotated[list[Any], *field.metadata]
    return TypeAdapter(cast("Any", field.annotation)), TypeAdapter(how_many)


def _located(error: ValidationError, *place: str, start: int | None = None) -> Iterator[Any]:
    for each in error.errors(include_url=False, include_input=False):
        loc = each["loc"]
        if start is not None:
            loc = (start + cast("int", loc[0]), *loc[1:])
        yield {**each, "loc": (*place, *loc)}
