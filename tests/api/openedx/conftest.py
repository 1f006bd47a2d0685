"""A course with cohorts and callers of every kind."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from tests.conftest import SQL, Auth, MakeWorld, World, serving

V1 = "/api/cohorts/v1"


@dataclass
class Course:
    """Addresses and members of a course; its cohorts are made by raw SQL."""

    world: World
    partition: int = 0
    names: dict[int, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.world.course

    @property
    def settings(self) -> str:
        return f"{V1}/settings/{self.key}"

    @property
    def cohorts(self) -> str:
        return f"{V1}/courses/{self.key}/cohorts/"

    def cohort(self, cohort_id: int | str) -> str:
        return f"{self.cohorts}{cohort_id}"

    def users(self, cohort_id: int | str, username: str = "") -> str:
        return f"{self.cohort(cohort_id)}/users/{username}"

    @property
    def upload(self) -> str:
        return f"{V1}/courses/{self.key}/users"

    @property
    def v2(self) -> str:
        return f"/api/cohorts/v2/courses/{self.key}"

    @property
    def legacy(self) -> str:
        return f"/courses/{self.key}/cohorts"

    async def add(self, name: str, assignment_type: str = "manual", **columns: Any) -> int:
        if not self.partition:
            self.partition = await self.world.add_partition("Cohorts", "cohorts")
        columns = {"assignment_type": assignment_type, **columns}
        return await self.world.add_group(self.partition, name, **columns)

    async def join(self, cohort_id: int, *users: int) -> None:
        await self.world.sql(
            "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
            " SELECT :course, :partition, u, :group FROM unnest(CAST(:users AS bigint[])) u",
            course=self.world.course_id,
            partition=self.partition,
            group=cohort_id,
            users=list(users),
        )

    async def person(self, user: int) -> dict[str, str]:
        ((username, email),) = await self.world.sql(
            "SELECT username, email FROM users WHERE id = :id", id=user
        )
        return {"username": username, "email": email}

    async def people(self) -> list[dict[str, str]]:
        return [await self.person(user) for user in self.world.users]

    async def members(self, cohort_id: int) -> list[int]:
        return await self.world.members(cohort_id)

    async def waiting(self) -> dict[str, int]:
        """Cohorts by the addresses that wait in them."""
        rows = await self.world.sql(
            "SELECT email, group_id FROM preassignments WHERE course_id = :id ORDER BY id",
            id=self.world.course_id,
        )
        return dict(rows)

    async def lock(self) -> None:
        await self.world.sql(
            "UPDATE courses SET is_locked = true WHERE id = :id", id=self.world.course_id
        )


@pytest.fixture
def course(world: World) -> Course:
    return Course(world)


@dataclass
class Callers:
    """Headers of callers by what they are to the course."""

    auth: Auth
    key: str
    department: str

    def __getitem__(self, kind: str) -> dict[str, str]:
        return {
            "anonymous": {},
            "learner": self.auth(),
            "staff elsewhere": self.auth("groups:write@course:course-v1:Other+C+2026"),
            "org staff": self.auth(f"groups:write@department:{self.department}"),
            "moderator": self.auth(f"groups:read@course:{self.key}"),
            "course staff": self.auth(f"groups:write@course:{self.key}"),
            "global staff": self.auth("groups:write"),
        }[kind]


@pytest.fixture
def callers(auth: Auth, course: Course) -> Callers:
    return Callers(auth, course.key, course.world.department)


@pytest_asyncio.fixture(scope="session")
async def staff(app: FastAPI, auth: Auth) -> AsyncIterator[httpx.AsyncClient]:
    """Global staff: ``groups:write`` everywhere and nothing else."""
    async with serving(app) as client:
        client.headers.update(auth("groups:write", subject="staff"))
        yield client


def envelope(message: Any, code: str | None = None) -> dict[str, Any]:
    more = {} if code is None else {"error_code": code}
    return {"developer_message": message, **more}


def told(answer: httpx.Response) -> tuple[int, Any]:
    """Status and body, which is JSON in an order of its own or nothing."""
    body = json.loads(answer.content) if answer.content else None
    return answer.status_code, body


UNAUTHENTICATED = (401, envelope("Authentication credentials were not provided."))
FORBIDDEN = (403, envelope("You do not have permission to perform this action."))
HIDDEN = (404, envelope("Course not found."))


def unknown(key: str) -> tuple[int, Any]:
    return 404, envelope(f"Course not found: {key}.")


NOWHERE = "course-v1:Nobody+Nothing+Never"
MakeCourse = Any


@pytest.fixture
def make_course(make_world: MakeWorld) -> MakeCourse:
    async def make(students: int = 5) -> Course:
        return Course(await make_world(students))

    return make


__all__ = ["SQL"]


@pytest.fixture
def token(callers: Callers) -> str:
    """Of course staff."""
    return callers["course staff"]["authorization"].partition(" ")[2]
