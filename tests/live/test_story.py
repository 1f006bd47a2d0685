"""The whole story over a real socket: a roster comes in, is divided, and goes out again."""

import csv
import io
from pathlib import Path
from typing import Any

import httpx

from groupsvc.app import create_app
from groupsvc.db import migrate
from groupsvc.db.engine import make_engine
from groupsvc.settings import Settings
from tests.conftest import EVERYTHING, Auth, MakeDatabase
from tests.live.serving import listening

STUDENTS = 1000
COURSE = "course-v1:STORY+DIV101+2026"
KINDS = ("courses", "roster", "structure", "assignments")


def table(*rows: tuple[object, ...]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def roster() -> str:
    header = ("username", "email", "family_name", "given_name", "student_number", "course_key")
    students = (
        (f"s{n:04}", f"s{n:04}@example.org", f"Name{n % 97}", f"Given{n}", str(n), COURSE)
        for n in range(STUDENTS)
    )
    return table(header, *students)


class Caller:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, status: int, method: str, path: str, **more: Any) -> Any:
        answer = await self._client.request(method, path, **more)
        assert answer.status_code == status, (method, path, answer.text[:500])
        kind = answer.headers.get("content-type", "")
        return answer.json() if "json" in kind and answer.content else answer.text

    async def upload(self, kind: str, text: str) -> Any:
        headers = {"content-type": "text/csv"}
        return await self.ask(
            200, "POST", f"/v1/import/{kind}", content=text.encode(), headers=headers
        )


async def divide(caller: Caller, course: str) -> tuple[int, list[int]]:
    td = await caller.ask(201, "POST", f"{course}/partitions", json={"name": "TD"})
    tp = await caller.ask(201, "POST", f"{course}/partitions", json={"name": "TP"})
    groups = [
        (await caller.ask(201, "POST", f"/v1/partitions/{td['id']}/groups", json=group))["id"]
        for group in ({"name": f"TD{n}", "capacity": 130} for n in range(8))
    ]
    await caller.ask(201, "POST", f"/v1/partitions/{tp['id']}/groups", json={"name": "TP1"})
    rows = [{"user": f"s{n:04}", "group": f"TD{n % 8}"} for n in range(STUDENTS - 10)]
    body = {"rows": rows, "dry_run": True}
    tried = await caller.ask(200, "POST", f"/v1/partitions/{td['id']}/assignments", json=body)
    assert (tried["written"], tried["counts"]) == (False, {"assigned": STUDENTS - 10})
    body = {"rows": rows}
    done = await caller.ask(200, "POST", f"/v1/partitions/{td['id']}/assignments", json=body)
    assert (done["written"], done["counts"]) == (True, {"assigned": STUDENTS - 10})
    return td["id"], groups


def nameless(board: Any) -> Any:
    """A board without the ids, which differ between installations."""
    names = {user["id"]: user["username"] for user in board["users"]}
    return {
        "course": {**board["course"], "id": None},
        "enrolled": board["enrolled"],
        "users": [{**user, "id": None} for user in board["users"]],
        "partitions": [
            {
                **partition,
                "id": None,
                "course_id": None,
                "unassigned": [names[user] for user in partition["unassigned"]],
                "groups": [
                    {
                        **group,
                        "id": None,
                        "course_id": None,
                        "partition_id": None,
                        "members": [names[user] for user in group["members"]],
                    }
                    for group in partition["groups"]
                ],
            }
            for partition in board["partitions"]
        ],
    }


async def test_from_a_roster_to_groups_and_back(
    make_database: MakeDatabase, settings: Settings, home: Path, auth: Auth
) -> None:
    boards = []
    exported: dict[str, str] = {}
    for _ in range(2):
        url = await make_database()
        engine = make_engine(url, settings)
        await migrate.upgrade(engine)
        await engine.dispose()
        app = create_app(settings, url, home)
        headers = auth(*EVERYTHING, subject="registrar")
        async with (
            listening(app) as address,
            httpx.AsyncClient(base_url=address, headers=headers, timeout=60) as client,
        ):
            caller = Caller(client)
            if exported:
                for kind in KINDS:
                    answer = await caller.upload(kind, exported[kind])
                    assert "refused" not in answer["counts"], answer["rows"][:5]
            else:
                await play(caller)
            course = await caller.ask(200, "GET", f"/v1/courses/by-key/{COURSE}")
            boards.append(await caller.ask(200, "GET", f"/v1/courses/{course['id']}/board"))
            if not exported:
                exported = {
                    kind: await caller.ask(200, "GET", f"/v1/export/{kind}") for kind in KINDS
                }
    assert nameless(boards[0]) == nameless(boards[1])
    assert boards[0]["enrolled"] == STUDENTS


async def play(caller: Caller) -> None:
    await caller.ask(201, "PUT", "/v1/departments/STORY", json={"name": "Stories"})
    await caller.upload(
        "courses", table(("department", "course_key", "title"), ("STORY", COURSE, "Division"))
    )
    answer = await caller.upload("roster", roster())
    assert answer["counts"] == {"created": STUDENTS}
    answer = await caller.upload("roster", roster())
    assert answer["counts"] == {"unchanged": STUDENTS}
    course = await caller.ask(200, "GET", f"/v1/courses/by-key/{COURSE}")
    path = f"/v1/courses/{course['id']}"
    partition, groups = await divide(caller, path)
    board = await caller.ask(200, "GET", f"{path}/board")
    user = board["partitions"][0]["groups"][0]["members"][0]
    moved = await caller.ask(200, "PUT", f"/v1/groups/{groups[3]}/members/{user}")
    assert (moved["changed"], moved["previous_group_id"]) == (True, groups[0])
    order = {"ids": groups[::-1]}
    await caller.ask(200, "PUT", f"/v1/partitions/{partition}/groups/order", json=order)
    await caller.ask(200, "PUT", f"{path}/lock")
    refused = await caller.ask(409, "PUT", f"/v1/groups/{groups[0]}/members/{user}")
    assert refused["code"] == "course_locked"
    await caller.ask(200, "DELETE", f"{path}/lock")
    await caller.ask(200, "PUT", f"/v1/groups/{groups[1]}/members/{user}")
    await caller.ask(204, "DELETE", f"/v1/groups/{groups[1]}/members/{user}")
