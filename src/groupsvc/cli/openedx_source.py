"""Courses of a running Open edX, read through version 1 of its cohorts API.

A course comes with its team, where the platform tells that.
"""

from collections.abc import Callable
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from groupsvc.cli.openedx_team import SourceTeam, SourceUser, read_team
from groupsvc.cli.remote_import import RemoteSystem

ROOT = "/api/cohorts/v1"
PAGE = 100
NOT_FOUND = 404


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
    team: SourceTeam = SourceTeam()


class _Page(BaseModel):
    next: str | None
    results: list[SourceUser]


COURSE = TypeAdapter(SourceCourse)
COHORTS = TypeAdapter(list[SourceCohort])
USERS = TypeAdapter(_Page)


class OpenedxSource(RemoteSystem):
    name = "Open edX"

    async def course(self, key: str, count: Callable[[int], None]) -> SourceCourse:
        """Return a course with its cohorts and their users; ``count`` is called with page sizes.

        Reading the settings of a course creates them there when they are missing.
        """
        path = quote(key, safe="/:+")
        course = await self.get(f"{ROOT}/settings/{path}", COURSE)
        course.cohorts = await self._cohorts(f"{ROOT}/courses/{path}/cohorts/")
        for cohort in course.cohorts:
            users = f"{ROOT}/courses/{path}/cohorts/{cohort.id}/users/"
            cohort.users = await self._users(users, count)
        course.team = await read_team(self, path)
        return course

    async def _cohorts(self, path: str) -> list[SourceCohort]:
        """Return all cohorts. The list does not say whether there is another page."""
        found: list[SourceCohort] = []
        while len(found) % PAGE == 0:
            params = {"page_size": PAGE, "page": len(found) // PAGE + 1}
            page = await self.read(
                "GET", path, COHORTS, params=params, refusals=[NOT_FOUND] if found else []
            )
            found += page or []
            if not page:
                break
        return found

    async def _users(self, path: str, count: Callable[[int], None]) -> list[SourceUser]:
        found: list[SourceUser] = []
        number, has_next = 1, True
        while has_next:
            page = await self.get(path, USERS, params={"page_size": PAGE, "page": number})
            found += page.results
            count(len(page.results))
            number, has_next = number + 1, page.next is not None
        return found
