"""Queries that nobody reads are refused where something is written."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request

EXTRA: Final[dict[str, Any]] = {
    "type": "extra_forbidden",
    "msg": "Extra inputs are not permitted",
}


class DeclaredQuery:
    """A dependency that refuses what its route does not declare.

    A ``dry_run`` that belongs into the body would else be a real run.
    """

    def __init__(self) -> None:
        self._names: frozenset[str] = frozenset()

    def read_from(self, route: APIRoute) -> None:
        self._names = frozenset(_names(route.dependant))

    async def __call__(self, request: Request) -> None:
        """Raises RequestValidationError, as an unknown member of a body does."""
        unknown = [name for name in request.query_params if name not in self._names]
        if unknown:
            raise RequestValidationError([EXTRA | {"loc": ("query", name)} for name in unknown])


def _names(dependant: Dependant) -> Iterator[str]:
    yield from (each.alias for each in dependant.query_params)
    for each in dependant.dependencies:
        yield from _names(each)
