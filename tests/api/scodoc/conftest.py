"""A formsemestre, and callers of both prefixes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.api.scodoc.moving import move as move
from tests.api.scodoc.moving import old as old
from tests.api.scodoc.moving import old_address as old_address
from tests.conftest import SQL, Auth, World

NOT_FOUND = (
    "404 Not Found: The requested URL was not found on the server. "
    "If you entered the URL manually please check your spelling and try again."
)
NOT_ALLOWED = "405 Method Not Allowed: The method is not allowed for the requested URL."
LOCKED = "formsemestre verrouillé"
NOT_EDITABLE = "partition non editable"
NOBODY = 2**62


def error(status: int, message: str) -> dict[str, Any]:
    return {"error": HTTPStatus(status).phrase, "message": message, "status": status}


def told(answer: httpx.Response) -> tuple[int, Any]:
    """Status and whole body; every body of this face is JSON."""
    assert answer.headers["content-type"] == "application/json", answer.text
    return answer.status_code, answer.json()


def refused(answer: httpx.Response, status: int, message: str) -> None:
    assert told(answer) == (status, error(status, message))


@dataclass
class Caller:
    """Calls the dialect under one prefix."""

    client: httpx.AsyncClient
    prefix: str
    headers: dict[str, str]

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.client.get(self.prefix + path, headers=self.headers, **more)

    async def post(self, path: str, **more: Any) -> httpx.Response:
        return await self.client.post(self.prefix + path, headers=self.headers, **more)


@dataclass
class Semester:
    """A formsemestre with two partitions, TD (groups A and B) and TP, and five students."""

    world: World
    td: int
    tp: int
    a: int
    b: int
    default: int
    everybody: int

    @property
    def id(self) -> int:
        return self.world.course_id

    @property
    def students(self) -> list[int]:
        return self.world.users

    async def lock(self) -> None:
        await self.world.sql("UPDATE courses SET is_locked = true WHERE id = :id", id=self.id)

    async def put(self, group: int, *students: int) -> None:
        for student in students:
            await self.world.sql(
                "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
                " SELECT course_id, partition_id, :student, id FROM groups WHERE id = :group",
                student=student,
                group=group,
            )

    async def row(self, table: str, row: int) -> dict[str, Any]:
        """A row as it is stored."""
        ((found,),) = await self.world.sql(
            f"SELECT to_jsonb(t) FROM {table} t WHERE id = :id", id=row
        )
        return found

    def partition(self, partition: int, name: str | None, **other: Any) -> dict[str, Any]:
        return {
            "id": partition,
            "partition_id": partition,
            "formsemestre_id": self.id,
            "partition_name": name,
            "numero": 0,
            "bul_show_rank": False,
            "show_in_lists": True,
            "groups_editable": True,
            **other,
        }

    def group(self, partition: int, group: int, name: str | None, **other: Any) -> dict[str, Any]:
        return {
            "id": group,
            "partition_id": partition,
            "group_name": name,
            "name": name,
            "numero": 0,
            "edt_id": None,
            **other,
        }

    def whole_td(self, **other: Any) -> dict[str, Any]:
        groups = {
            str(self.a): self.group(self.td, self.a, "A"),
            str(self.b): self.group(self.td, self.b, "B", numero=1),
        }
        return self.partition(self.td, "TD", **{"groups": groups, **other})


MakeSemester = Callable[..., Awaitable[Semester]]


@pytest_asyncio.fixture(scope="session")
async def make_semester(sql: SQL) -> MakeSemester:
    async def make(students: int = 5) -> Semester:
        world = await World(sql).make(students)
        td = await world.add_partition("TD")
        tp = await world.add_partition("TP", position=2)
        a = await world.add_group(td, "A")
        b = await world.add_group(td, "B", position=2)
        ((default, everybody),) = await sql(
            "SELECT p.id, g.id FROM partitions p JOIN groups g ON g.partition_id = p.id"
            " WHERE p.course_id = :course_id AND p.kind = 'default'",
            course_id=world.course_id,
        )
        return Semester(world, td, tp, a, b, default, everybody)

    return make


@pytest_asyncio.fixture
async def semester(make_semester: MakeSemester) -> Semester:
    return await make_semester()


@pytest.fixture(params=["global", "department"])
def scope(request: pytest.FixtureRequest) -> str:
    return request.param


MakeCaller = Callable[..., Caller]


@pytest.fixture
def make_caller(
    anonymous: httpx.AsyncClient, auth: Auth, scope: str, semester: Semester
) -> MakeCaller:
    """A caller under the prefix of this run who holds permissions there and nowhere else."""

    def make(*permissions: str, subject: str = "tester") -> Caller:
        department = semester.world.department
        place = "" if scope == "global" else f"@department:{department}"
        prefix = "/ScoDoc/api" if scope == "global" else f"/ScoDoc/{department}/api"
        headers = auth(*(permission + place for permission in permissions), subject=subject)
        return Caller(anonymous, prefix, headers)

    return make


@pytest.fixture
def api(make_caller: MakeCaller) -> Caller:
    """ScoView and ScoEtudChangeGroups."""
    return make_caller("groups:read", "groups:write")


@pytest.fixture
def reader(make_caller: MakeCaller) -> Caller:
    return make_caller("groups:read")


@pytest.fixture
def writer(make_caller: MakeCaller) -> Caller:
    """ScoEtudChangeGroups alone: ScoView is neither implied nor needed to write."""
    return make_caller("groups:write")


@pytest_asyncio.fixture
async def parcours(client: httpx.AsyncClient, semester: Semester) -> dict[str, Any]:
    """The Parcours partition of the semester with the codes BDD and DevWeb, in our own words."""
    answer = await client.put(
        f"/v1/courses/{semester.id}/tracks", json={"name": "Parcours", "codes": ["BDD", "DevWeb"]}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()
