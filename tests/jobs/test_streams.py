"""How far a job is, as events. Streams end with their jobs, so that answers here are whole."""

import asyncio
import json
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.conftest import EVERYTHING, SQL, Auth, World, serving
from tests.jobs.conftest import AppOf, Ended
from tests.jobs.test_workers import Granted, account, leave, revoke
from tests.locks import WAITING, row_locked
from tests.waiting import until

__all__ = ["account"]


def events(answer: httpx.Response) -> list[tuple[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for event in answer.text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in event.splitlines() if line[0] != ":")
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


async def test_a_stream_tells_how_far_it_is_and_ends_with_the_job(
    client: httpx.AsyncClient, engine: AsyncEngine, world: World, sql: SQL, ended: Ended
) -> None:
    await world.add_partition("TD")
    async with row_locked(engine, "courses", world.course_id):
        location = await leave(client, world)
        await until(lambda: sql(WAITING))
        followed = asyncio.create_task(client.get(f"{location}/events"))
        begun = events(await client.get(f"{location}/events?seconds=0"))
        assert [(name, data.get("state")) for name, data in begun] == [
            ("progress", "running"),
            ("end", None),
        ]
    told = events(await followed)
    assert [name for name, _ in told[:-1]] == ["progress"] * (len(told) - 1)
    assert told[-1] == ("end", {"reason": "over"})
    last = told[-2][1]
    assert last == await ended(location)
    assert last["state"] == "succeeded"


async def test_whoever_may_not_any_more_is_told_no_more(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    account: Granted,
    engine: AsyncEngine,
    world: World,
    sql: SQL,
    ended: Ended,
) -> None:
    await world.add_partition("TD")
    anonymous.headers.update(account[0])
    async with row_locked(engine, "courses", world.course_id):
        location = await leave(anonymous, world)
        await until(lambda: sql(WAITING))
        followed = asyncio.create_task(anonymous.get(f"{location}/events"))
        await anonymous.get(f"{location}/events?seconds=0")
        await revoke(client, account)
        told = events(await followed)
        assert told[-1] == ("end", {"reason": "token_ended"})
    del anonymous.headers["authorization"]
    # It had begun before; what it does not know is that nobody waits for it.
    assert (await ended(location))["finished_at"]


async def test_streams_end_when_the_service_stops(
    client: httpx.AsyncClient,
    app_of: AppOf,
    engine: AsyncEngine,
    auth: Auth,
    world: World,
    sql: SQL,
    ended: Ended,
) -> None:
    await world.add_partition("TD")
    async with row_locked(engine, "courses", world.course_id):
        location = await leave(client, world)
        await until(lambda: sql(WAITING))
        app = app_of()
        async with serving(app) as other:
            other.headers.update(auth(*EVERYTHING, subject="root"))
            followed = asyncio.create_task(other.get(f"{location}/events"))
            await other.get(f"{location}/events?seconds=0")
        told = events(await followed)
        assert told[-1] == ("end", {"reason": "stopping"})
    assert (await ended(location))["state"] == "succeeded"
