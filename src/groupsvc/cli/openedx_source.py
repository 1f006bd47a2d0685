"""A running Open edX, read through the first version of its cohorts API."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from groupsvc.domain.errors import InvalidError

T = TypeVar("T")

SECONDS = 60.0
ROOT = "/api/cohorts/v1"
PAGE = 100
NO_PAGE = 404


class SourceUser(BaseModel):
    username: str
    email: str = ""
    name: str = ""


class SourceCohort(BaseModel):
    id: int
    name: str
    assignment_type: str
    user_count: int = 0
    user_partition_id: int | None = None
    group_id: int | None = None
    users: list[SourceUser] = []


class SourceCourse(BaseModel):
    is_cohorted: bool
    cohorts: list[SourceCohort] = []


class _Page(BaseModel):
    next: str | None
    results: list[SourceUser]


COHORTS = TypeAdapter(list[SourceCohort])


class OpenedxSource:
    """Raises InvalidError for whatever it does not answer as Open edX would."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def course(self, key: str, tell: Callable[[int], None]) -> SourceCourse:
        """The settings of a course and its cohorts with their users; tells how many it has read.

        Asking for the settings makes them there, if nobody has asked before.
        """
        course = await self._get(f"/settings/{_path(key)}", TypeAdapter(SourceCourse))
        course.cohorts = await self._cohorts(key)
        for cohort in course.cohorts:
            cohort.users = await self._users(key, cohort.id, tell)
        return course

    async def _cohorts(self, key: str) -> list[SourceCohort]:
        """All of them: the list does not say whether there are more."""
        found: list[SourceCohort] = []
        while len(found) % PAGE == 0:
            query = {"page_size": PAGE, "page": len(found) // PAGE + 1}
            path = f"/courses/{_path(key)}/cohorts/"
            page = await self._get(path, COHORTS, query=query, beyond=[] if found else None)
            found += page
            if not page:
                break
        return found

    async def _users(
        self, key: str, cohort_id: int, tell: Callable[[int], None]
    ) -> list[SourceUser]:
        found: list[SourceUser] = []
        number, page = 1, _Page(next="", results=[])
        while page.next is not None:
            path = f"/courses/{_path(key)}/cohorts/{cohort_id}/users/"
            query = {"page_size": PAGE, "page": number}
            page = await self._get(path, TypeAdapter(_Page), query=query)
            found += page.results
            tell(len(page.results))
            number += 1
        return found

    async def _get(
        self,
        path: str,
        answers: TypeAdapter[T],
        *,
        query: dict[str, Any] | None = None,
        beyond: T | None = None,
    ) -> T:
        """``beyond`` is what a page is that is not there, if it need not be."""
        try:
            response = await self._http.get(ROOT + path, params=query)
        except httpx.HTTPError as error:
            raise InvalidError(f"Open edX does not answer: {type(error).__name__}") from error
        if response.status_code == NO_PAGE and beyond is not None:
            return beyond
        if not response.is_success:
            raise InvalidError(f"Open edX answers {response.status_code} to GET {ROOT}{path}")
        try:
            return answers.validate_json(response.content)
        except ValidationError:
            raise InvalidError(f"{path} is not answered as Open edX does") from None


@asynccontextmanager
async def open_source(url: str, token: str, scheme: str) -> AsyncGenerator[OpenedxSource]:
    """Raises InvalidError for what is no address."""
    headers = {"authorization": f"{scheme} {token}"}
    try:
        http = httpx.AsyncClient(base_url=url, headers=headers, timeout=SECONDS)
    except httpx.InvalidURL:
        raise InvalidError("this is not the address of an Open edX") from None
    async with http:
        yield OpenedxSource(http)


def _path(key: str) -> str:
    return quote(key, safe="/:+")
