"""The team of a course comes with an import, as far as the platform tells it.

The cohorts are this face's own; the team is answered as platforms of two ages answer it.
"""

import csv
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import pytest
import pytest_asyncio
from fastapi import FastAPI, Form
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from tests.api.openedx.conftest import Course
from tests.api.openedx.importing import run
from tests.conftest import SQL
from tests.live.serving import listening

FORUM = ("Administrator", "Moderator", "Community TA")


class Platform:
    """Tells the ``team`` by the new route, or else ``lists`` by the old ones."""

    def __init__(self) -> None:
        self.team: list[dict[str, Any]] | None = None
        self.lists: dict[str, list[dict[str, str]]] = {}

    def before(self, app: FastAPI) -> FastAPI:
        lms = FastAPI(lifespan=lambda _: app.router.lifespan_context(app))
        lms.get("/api/instructor/v2/courses/{key}/team")(self.get_team)
        for name in ("list_course_role_members", "list_forum_members"):
            lms.post(f"/courses/{{key}}/instructor/api/{name}")(self.get_list)
        lms.mount("/", app)
        return lms

    async def get_team(self, page: int, page_size: int) -> Response:
        if self.team is None:
            return PlainTextResponse("<h1>Not Found</h1>", 404)
        some, rest = self.team[: page * page_size], self.team[page * page_size :]
        following = f"https://lms.example/?page={page + 1}" if rest else None
        return JSONResponse({"next": following, "results": some[(page - 1) * page_size :]})

    async def get_list(self, key: str, rolename: Annotated[str, Form()]) -> Response:
        if rolename in self.lists:
            return JSONResponse({"course_id": key, rolename: self.lists[rolename]})
        return PlainTextResponse("Operation requires staff & forum admin", 400)


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest_asyncio.fixture
async def address(app: FastAPI, platform: Platform) -> AsyncIterator[str]:
    async with listening(platform.before(app)) as address:
        yield address


def person(username: str, *roles: str, **more: str) -> dict[str, Any]:
    names = {"email": f"{username}@x.example", "first_name": "Jean Paul", "last_name": "Martin"}
    held = [{"role": role, "display_name": role.title()} for role in roles]
    return {"username": username, **names, **more} | ({"roles": held} if roles else {})


async def team(sql: SQL) -> list[Any]:
    return await sql(
        "SELECT u.username, r.role, c.key IS NOT NULL FROM roles r JOIN users u ON u.id = r.user_id"
        " LEFT JOIN courses c ON c.id = r.course_id ORDER BY u.username, r.role"
    )


MOOC = ("--department", "MOOC")


async def test_the_team_here_becomes_the_team_there(
    elsewhere: SQL, address: str, platform: Platform, course: Course, token: str
) -> None:
    await elsewhere("INSERT INTO departments (acronym) VALUES ('MOOC')")
    crowd = [person(f"beta{n}", "beta", "Group Moderator") for n in range(99)]
    platform.team = [
        *crowd,
        person("anna", "instructor", "staff", "Administrator"),
        person("ben", "limited_staff", "staff"),
        person("cleo", "Community TA"),
    ]
    first = await run(address, token, course.key, *MOOC)
    assert (first.exit_code, first.stdout, first.stderr) == (0, "team: 5 assigned\n", "")
    assert await team(elsewhere) == [
        ("anna", "instructor", True),
        ("anna", "moderator", True),
        ("anna", "staff", True),
        ("ben", "staff", True),
        ("cleo", "moderator", True),
    ]
    names = "SELECT given_name, family_name, email FROM users WHERE username = 'cleo'"
    assert await elsewhere(names) == [("Jean Paul", "Martin", "cleo@x.example")]
    assert await elsewhere("SELECT count(*) FROM users") == [(3,)]
    platform.team = [person("anna", "staff"), person("ben", "staff", "Moderator")]
    again = await run(address, token, course.key)
    assert again.stdout == "team: 1 assigned, 3 removed, 2 unchanged\n"
    assert await team(elsewhere) == [
        ("anna", "staff", True),
        ("ben", "moderator", True),
        ("ben", "staff", True),
    ]


async def test_older_platforms_tell_the_team_role_by_role(
    elsewhere: SQL, address: str, platform: Platform, course: Course, token: str, tmp_path: Path
) -> None:
    await elsewhere("INSERT INTO departments (acronym) VALUES ('MOOC')")
    anna = person("anna")
    platform.lists = {"staff": [anna], "instructor": [anna], **{name: [anna] for name in FORUM}}
    report = tmp_path / "report.csv"
    result = await run(address, token, course.key, *MOOC, "--report", str(report))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "team: 3 assigned\n", "")
    assert list(csv.reader(report.read_text(encoding="utf-8").splitlines())) == [
        ["course", "cohort", "user", "result", "code"],
        [course.key, "team: staff", "anna", "assigned", ""],
        [course.key, "team: instructor", "anna", "assigned", ""],
        [course.key, "team: moderator", "anna", "assigned", ""],
    ]


async def test_roles_that_are_not_told_stay_as_they_are(
    elsewhere: SQL, address: str, platform: Platform, course: Course, token: str
) -> None:
    """The lists of the forum need more than staff, the one of its administrators most."""
    await elsewhere("INSERT INTO departments (acronym) VALUES ('MOOC')")
    platform.team = [person("anna", "staff", "Moderator")]
    assert (await run(address, token, course.key, *MOOC)).exit_code == 0
    platform.team = None
    platform.lists = {"staff": [], "instructor": [person("anna")], "Moderator": [person("ben")]}
    result = await run(address, token, course.key)
    assert (result.exit_code, result.stdout) == (0, "team: 1 assigned, 1 removed\n")
    said = f"{course.key}: the platform does not tell who has these roles: moderator\n"
    assert result.stderr == said
    assert await team(elsewhere) == [("anna", "instructor", True), ("anna", "moderator", True)]


async def test_members_of_the_team_whom_nobody_knows_are_refused(
    elsewhere: SQL, address: str, platform: Platform, course: Course, token: str
) -> None:
    await elsewhere("INSERT INTO departments (acronym) VALUES ('MOOC')")
    assert (await run(address, token, course.key, *MOOC)).exit_code == 0
    platform.team = [person("anna", "staff")]
    result = await run(address, token, course.key)
    line = f"{course.key}: team: staff: anna: unknown_user"
    assert (result.exit_code, result.stdout) == (3, f"team: 1 refused\n{line}\n")
    assert await team(elsewhere) == []
