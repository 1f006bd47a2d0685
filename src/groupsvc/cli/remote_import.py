"""An import from another running system: read over HTTP, write, report the result of every row."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from groupsvc.cli.report import Report
from groupsvc.cli.runtime import OperatorRunner, open_and_run
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import InvalidError

T = TypeVar("T")

SECONDS = 60.0


class RemoteSystem:
    """Raises InvalidError for every answer that the system would not give."""

    name: ClassVar[str]

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def request(
        self, method: str, path: str, *, allowed: Collection[int] = (), **options: Any
    ) -> httpx.Response:
        """Return a response of success, or one with an ``allowed`` status."""
        try:
            response = await self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise InvalidError(f"{self.name} does not answer: {type(error).__name__}") from error
        if response.is_success or response.status_code in allowed:
            return response
        raise InvalidError(f"{self.name} answers {response.status_code} to {method} {path}")

    async def get(self, path: str, schema: TypeAdapter[T], **options: Any) -> T:
        response = await self.request("GET", path, **options)
        return self._parse(path, schema, response)

    async def read(
        self,
        method: str,
        path: str,
        schema: TypeAdapter[T],
        *,
        refusals: Collection[int],
        **options: Any,
    ) -> T | None:
        """Return the parsed body, or None for a status among the ``refusals``."""
        response = await self.request(method, path, allowed=refusals, **options)
        return self._parse(path, schema, response) if response.is_success else None

    def _parse(self, path: str, schema: TypeAdapter[T], response: httpx.Response) -> T:
        try:
            return schema.validate_json(response.content)
        except ValidationError:
            raise InvalidError(f"{path} is not answered as {self.name} does") from None


def make_client(url: str, system: str, **headers: str) -> httpx.AsyncClient:
    """Raises InvalidError when the URL cannot be used. ``system`` is its name with an article."""
    if not url.startswith(("https://", "http://")):
        raise InvalidError("the address begins with https:// or http://")
    try:
        return httpx.AsyncClient(base_url=url, headers=headers, timeout=SECONDS)
    except httpx.InvalidURL:
        raise InvalidError(f"this is not the address of {system}") from None


@dataclass(frozen=True, slots=True)
class CopiedRow:
    """The result for one user in one place: the names of a group, or a role."""

    place: tuple[str, ...]
    user: str
    result: str
    code: str | None = None
    subject: str = "memberships"


Copy = Callable[[UnitOfWork], Awaitable[list[CopiedRow]]]


def import_copies(copies: Sequence[tuple[object, Copy]], report: Report, *, dry_run: bool) -> None:
    """Write each copy in a transaction of its own, and print the results.

    All of a copy is written, except for the rows that are refused. A dry run rolls it back. All
    copies are tried before the first is written, so that a refusal of one leaves nothing behind.
    """

    async def write(runner: OperatorRunner) -> None:
        if len(copies) > 1 and not dry_run:
            for _, copy in copies:
                await runner.run(copy, rollback=True)
        for origin, copy in copies:
            for row in await runner.run(copy, rollback=dry_run):
                refusal = f"{origin}: {' '.join(row.place)}: {row.user}: {row.code}"
                cells = (origin, *row.place, row.user, row.result, row.code or "")
                report.add(row.subject, row.result, cells, refusal)

    open_and_run(write)
    report.finish()
