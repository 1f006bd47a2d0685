"""Whoever does a job may die, freeze, stop or be told to let go: it is done once, or not at all."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.conftest import EVERYTHING, SQL, Auth, World, serving
from tests.jobs.conftest import ASYNC, AppOf, Ended, LookAgain
from tests.locks import WAITING, row_locked
from tests.processes import Start, processes
from tests.tour import SECRET
from tests.waiting import until

CSV = {"content-type": "text/csv", **ASYNC}
HURRIED = {
    "GROUPSVC_JOB_POLL": "0.1",
    "GROUPSVC_JOB_SILENCE": "1",
    "GROUPSVC_LOCK_TIMEOUT": "100",
    "GROUPSVC_COMMAND_TIMEOUT": "100",
    "GROUPSVC_STATEMENT_TIMEOUT": "100",
}


async def table_of(world: World, group: str = "B") -> str:
    names = await world.sql(
        "SELECT username FROM users WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id",
        ids=world.users,
    )
    rows = "".join(f"{world.course},{name},TD,{group}\n" for (name,) in names)
    return f"course_key,user,partition,group\n{rows}"


async def leave(client: httpx.AsyncClient, world: World) -> str:
    path = "/v1/import/assignments?create=true"
    answer = await client.post(path, content=await table_of(world), headers=CSV)
    assert answer.status_code == 202, answer.text
    return str(answer.headers["location"])


async def assigned(world: World) -> list[Any]:
    """How often somebody came into a group, and in how many changesets."""
    return await world.sql(
        "SELECT count(*), count(DISTINCT changeset_id) FROM changes"
        " WHERE course_id = :course AND kind LIKE 'membership.%'",
        course=world.course_id,
    )


@pytest_asyncio.fixture
async def start(url: URL, home: Path) -> AsyncIterator[Start]:
    async with processes(url, home) as start:
        yield start


async def test_a_worker_that_is_killed_or_frozen_is_replaced(
    engine: AsyncEngine, start: Start, auth: Auth, sql: SQL
) -> None:
    started = await asyncio.gather(*(start(**HURRIED) for _ in range(3)))
    headers = auth(*EVERYTHING, subject="root")
    by_pid = {process.pid: (site, process) for site, process in started}
    for blow in (signal.SIGKILL, signal.SIGSTOP):
        world = await World(sql).make(5)
        await world.add_partition("TD")
        await strike(blow, by_pid, engine, headers, world)
        assert await assigned(world) == [(5, 1)]


async def strike(
    blow: signal.Signals,
    by_pid: dict[int, Any],
    engine: AsyncEngine,
    headers: dict[str, str],
    world: World,
) -> None:
    """The one who does a job while it waits for a row; another one ends it."""
    sql = world.sql
    async with (
        httpx.AsyncClient(base_url=site_of(by_pid), headers=headers) as client,
        row_locked(engine, "courses", world.course_id),
    ):
        location = await leave(client, world)
        pid = int(await until(lambda: worker_of(sql, location)))
        await until(lambda: sql(WAITING))
        by_pid.pop(pid)[1].send_signal(blow)
    async with httpx.AsyncClient(base_url=site_of(by_pid), headers=headers) as client:

        async def ended() -> dict[str, Any]:
            job: dict[str, Any] = (await client.get(location)).json()
            return job if job["finished_at"] else {}

        job = await until(ended)
        assert (job["state"], job["succeeded"]) == ("succeeded", 5)
        answer = await client.get(f"{location}/results")
        assert answer.json()["counts"] == {"assigned": 5}
    assert await worker_of(sql, location) != str(pid)


def site_of(by_pid: dict[int, Any]) -> str:
    site: str = next(iter(by_pid.values()))[0]
    return site


async def worker_of(sql: SQL, location: str) -> str:
    ((worker,),) = await sql(
        "SELECT worker FROM jobs WHERE id = :id", id=int(location.rpartition("/")[2])
    )
    return worker.split(":")[1] if worker else ""


async def test_a_job_that_is_cancelled_leaves_nothing_behind(
    client: httpx.AsyncClient, engine: AsyncEngine, world: World, sql: SQL, ended: Ended
) -> None:
    await world.add_partition("TD")
    before = await world.log()
    async with row_locked(engine, "courses", world.course_id):
        location = await leave(client, world)
        await until(lambda: sql(WAITING))
        cancelled = await client.post(f"{location}/cancel")
        assert (cancelled.status_code, cancelled.json()["state"]) == (200, "running")
        assert cancelled.json()["is_being_cancelled"] is True
        ((then,),) = await sql("SELECT clock_timestamp()")
        # The worker hears of it while it waits.
        heard = "SELECT 1 FROM jobs WHERE id = :id AND heartbeat_at > :then"
        await until(lambda: sql(heard, id=cancelled.json()["id"], then=then))
    job = await ended(location)
    assert (job["state"], job["is_being_cancelled"]) == ("cancelled", False)
    assert await world.log() == before
    answer = await client.get(f"{location}/results")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_cancelled")
    again = await client.post(f"{location}/cancel")
    assert again.json()["state"] == job["state"]


async def test_a_job_that_waits_is_cancelled_at_once(
    client: httpx.AsyncClient, idle: httpx.AsyncClient, world: World, sql: SQL
) -> None:
    location = await leave(idle, world)
    job = (await idle.post(f"{location}/cancel")).json()
    assert (job["state"], job["is_being_cancelled"]) == ("cancelled", False)
    assert job["finished_at"] is not None
    assert await sql("SELECT 1 FROM job_parts WHERE job_id = :id", id=job["id"]) == []


Granted = tuple[dict[str, str], str]


@pytest_asyncio.fixture
async def account(client: httpx.AsyncClient, world: World) -> Granted:
    """An account that may write the groups of the course: its token, and where it is."""
    name = f"machine-{world.department.lower()}"
    grants = [f"groups:write@department:{world.department}", "groups:read"]
    body = {"grants": grants, "secret": SECRET}
    assert (await client.put(f"/v1/accounts/{name}", json=body)).is_success
    form = {"grant_type": "client_credentials", "client_id": name, "client_secret": SECRET}
    token = (await client.post("/v1/token", data=form)).json()["access_token"]
    return {"authorization": f"Bearer {token}"}, name


async def revoke(client: httpx.AsyncClient, granted: Granted) -> None:
    token = granted[0]["authorization"].removeprefix("Bearer ")
    answer = await client.post("/v1/token/revoke", data={"token": token}, headers=granted[0])
    assert answer.is_success, answer.text


async def disable(client: httpx.AsyncClient, granted: Granted) -> None:
    await client.put(f"/v1/accounts/{granted[1]}", json={"grants": [], "is_active": False})


async def take_away(client: httpx.AsyncClient, granted: Granted) -> None:
    await client.put(f"/v1/accounts/{granted[1]}", json={"grants": ["groups:read"]})


async def leave_alone(client: httpx.AsyncClient, granted: Granted) -> None:
    await client.put(f"/v1/accounts/{granted[1]}", json={"grants": ["groups:write"]})


@pytest.mark.parametrize(
    ("change", "state"),
    [(revoke, "failed"), (disable, "failed"), (take_away, "failed"), (leave_alone, "succeeded")],
)
async def test_who_asked_may_still_do_it_when_it_is_done(
    client: httpx.AsyncClient,
    idle: httpx.AsyncClient,
    look_again: LookAgain,
    account: Granted,
    world: World,
    ended: Ended,
    change: Any,
    state: str,
) -> None:
    await world.add_partition("TD")
    idle.headers.update(account[0])
    location = await leave(idle, world)
    await change(client, account)
    await look_again()
    job = await ended(location)
    assert job["state"] == state, job
    if state == "failed":
        assert job["error"]["code"] == "permission_lost"
        assert await assigned(world) == [(0, 0)]


async def test_roles_count_as_they_are_when_it_is_done(
    client: httpx.AsyncClient,
    idle: httpx.AsyncClient,
    look_again: LookAgain,
    auth: Auth,
    world: World,
    ended: Ended,
) -> None:
    """What the token said is known; the roles of the person whom it names are looked up."""
    await world.add_partition("TD")
    ((name,),) = await world.sql("SELECT username FROM users WHERE id = :id", id=world.users[0])
    team = f"/v1/courses/{world.course_id}/team/{world.users[0]}"
    assert (await client.put(team, json={"roles": ["staff"]})).is_success
    idle.headers.update(auth(subject=name, username=name))
    kept, lost = await leave(idle, world), await leave(idle, world)
    await client.post(f"{lost}/cancel")
    await look_again()
    assert (await ended(kept))["state"] == "succeeded"
    lost = await leave(idle, world)
    assert (await client.put(team, json={"roles": []})).is_success
    await look_again()
    job = await ended(lost)
    assert (job["state"], job["error"]["code"]) == ("failed", "permission_lost")


async def test_a_service_that_stops_leaves_its_job_to_others(
    client: httpx.AsyncClient,
    app_of: AppOf,
    engine: AsyncEngine,
    look_again: LookAgain,
    auth: Auth,
    world: World,
    sql: SQL,
    ended: Ended,
) -> None:
    await world.add_partition("TD")
    async with row_locked(engine, "courses", world.course_id):
        async with serving(app_of()) as stopping:
            stopping.headers.update(auth(*EVERYTHING, subject="root"))
            location = await leave(stopping, world)
            await until(lambda: sql(WAITING))
        job = (await client.get(location)).json()
        assert job["state"] == "queued"
    ((tries,),) = await sql("SELECT tries FROM jobs WHERE id = :id", id=job["id"])
    assert tries == 0
    await look_again()
    assert (await ended(location))["state"] == "succeeded"
    assert await assigned(world) == [(5, 1)]
