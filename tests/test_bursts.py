"""More requests at once than there are connections, as at the start of a term."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.api.refusals import told
from tests.conftest import EVERYTHING, SQL, Auth, World, serving
from tests.locks import row_locked, until_it_waits
from tests.waiting import until

BURST = 1000
REFUSED = {
    "type": "urn:groupsvc:problem:unavailable",
    "title": "Temporarily unavailable",
    "status": 503,
    "detail": "the database is not available",
    "code": "unavailable",
    "retry_after": 1,
}
Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def serve(url: URL, settings: Settings, home: Path, auth: Auth) -> Serve:
    """An application with one connection."""

    @asynccontextmanager
    async def start(**changes: Any) -> AsyncIterator[httpx.AsyncClient]:
        changed = settings.model_copy(update={"pool_size": 1, **changes})
        async with serving(create_app(changed, url, home)) as client:
            client.headers.update(auth(*EVERYTHING))
            yield client

    return start


@asynccontextmanager
async def rename_held_up(
    client: httpx.AsyncClient, engine: AsyncEngine, sql: SQL, world: World
) -> AsyncIterator[asyncio.Task[httpx.Response]]:
    """A change that has the only connection, and waits for a lock until the block ends."""
    partition = await world.add_partition()
    async with row_locked(engine, "courses", world.course_id):
        path = f"/v1/partitions/{partition}"
        held_up = asyncio.create_task(client.patch(path, json={"name": "Renamed"}))
        await until_it_waits(sql, held_up)
        yield held_up


@pytest.mark.parametrize("writing", [False, True], ids=["reads", "writes"])
async def test_a_burst_is_answered_however_long_its_queue(
    serve: Serve, make_world: Any, writing: bool
) -> None:
    world: World = await make_world(BURST)
    group = await world.add_group(await world.add_partition())
    async with serve(pool_timeout=1) as client:
        path = f"/v1/courses/{world.course_id}"
        assert (await client.get(path)).status_code == 200  # it is connected by now
        if writing:
            calls = [client.put(f"/v1/groups/{group}/members/{user}") for user in world.users]
        else:
            calls = [client.get(path) for _ in range(BURST)]
        answers = await asyncio.gather(*calls)
    assert [answer.status_code for answer in answers] == [200] * BURST
    assert await world.members(group) == (world.users if writing else [])


async def test_whoever_waits_in_a_queue_that_stands_still_is_told_to_come_again(
    serve: Serve, engine: AsyncEngine, sql: SQL, world: World
) -> None:
    path = f"/v1/courses/{world.course_id}/partitions"
    async with serve(pool_timeout=0.05) as client:
        async with rename_held_up(client, engine, sql, world) as held_up:
            waiting = [client.get(path), client.post(path, json={"name": "Other"})]
            for answer in await asyncio.gather(*waiting):
                assert told(answer) == REFUSED
                assert answer.headers["retry-after"] == "1"
            assert not held_up.done()
        assert (await held_up).json()["name"] == "Renamed"
        listed = (await client.get(path)).json()
    assert [partition["name"] for partition in listed if partition["name"]] == ["Renamed"]


async def test_a_request_that_waits_for_a_connection_still_has_a_deadline(
    serve: Serve, engine: AsyncEngine, sql: SQL, world: World
) -> None:
    path = f"/v1/courses/{world.course_id}"
    async with serve(pool_timeout=200, request_timeout=0.2) as client:
        async with row_locked(engine, "courses", world.course_id):
            locks = [client.put(f"{path}/lock") for _ in range(5)]
            for answer in await asyncio.gather(*locks):
                assert (answer.status_code, answer.json()["code"]) == (503, "deadline_passed")
                assert answer.headers["retry-after"] == "1"

        async def is_answered() -> bool:
            return (await client.get(path)).status_code == 200

        assert await until(is_answered)
