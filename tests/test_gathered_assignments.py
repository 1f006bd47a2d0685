"""Assignments of several callers that leave as one statement."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.conftest import SQL, Auth, MakeWorld, World
from tests.gathering import gather
from tests.locks import row_locked, until_it_waits

LINES = """
SELECT user_id, kind, actor, request_id, changeset_id, coalesce(cause, '')
FROM changes WHERE course_id = :course AND user_id IS NOT NULL AND seq > :since ORDER BY seq
"""


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    gather(monkeypatch, "together")


async def assign(
    client: httpx.AsyncClient, auth: Auth, group: int, user: int, *grants: str
) -> httpx.Response:
    headers = auth(*(grants or ["groups:read", "groups:write"]), subject=f"caller-{user}")
    headers["x-request-id"] = f"request-{user}"
    return await client.put(f"/v1/groups/{group}/members/{user}", headers=headers)


async def statements_of(sql: SQL, course: int) -> int:
    """How many transactions wrote memberships of a course."""
    ((count,),) = await sql(
        "SELECT count(DISTINCT transaction_id) FROM changes"
        " WHERE course_id = :course AND kind = 'membership.assigned'",
        course=course,
    )
    return int(count)


@pytest.mark.parametrize("kind", ["ordinary", "tracks"])
async def test_every_line_names_its_own_caller(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    auth: Auth,
    sql: SQL,
    make_world: MakeWorld,
    kind: str,
) -> None:
    world = await make_world(12)
    if kind == "tracks":
        answer = await client.put(f"/v1/courses/{world.course_id}/tracks", json={"codes": ["T"]})
        group = answer.json()["groups"][0]["id"]
    else:
        group = await world.add_group(await world.add_partition())
    ((since,),) = await sql("SELECT coalesce(max(seq), 0) FROM changes")
    answers = await asyncio.gather(*(assign(anonymous, auth, group, u) for u in world.users))
    assert [answer.json()["user_id"] for answer in answers] == world.users
    lines = await sql(LINES, course=world.course_id, since=since)
    kinds = ["membership.assigned", *(["enrollment.updated"] if kind == "tracks" else [])]
    for user in world.users:
        own = [line for line in lines if line[0] == user]
        assert sorted(line[1] for line in own) == sorted(kinds)
        assert {line[2:4] for line in own} == {(f"caller-{user}", f"request-{user}")}
    changesets = {(line[0], line[4]) for line in lines}
    assert len(changesets) == len({changeset for _, changeset in changesets}) == len(world.users)
    assert await statements_of(sql, world.course_id) < len(world.users)


async def test_each_is_answered_by_what_they_may_do(
    anonymous: httpx.AsyncClient, auth: Auth, make_world: MakeWorld
) -> None:
    world, other = await make_world(6), await make_world(1)
    group = await world.add_group(await world.add_partition())
    here, elsewhere = f"course:{world.course}", f"course:{other.course}"
    department = f"department:{world.department}"
    writes, reads = f"groups:write@{here}", f"groups:read@{here}"
    grants = [
        ("groups:read", "groups:write"),
        (reads, writes),
        (reads,),
        (f"groups:read@{elsewhere}", f"groups:write@{elsewhere}"),
        (
            f"groups:read@{department}",
            f"groups:write@{department}",
        ),
        ("groups:read", f"groups:write@{elsewhere}"),
    ]
    calls = zip(world.users, grants, strict=True)
    answers = await asyncio.gather(*(assign(anonymous, auth, group, u, *g) for u, g in calls))
    assert [answer.status_code for answer in answers] == [200, 200, 403, 404, 200, 403]
    assert await world.members(group) == [world.users[place] for place in (0, 1, 4)]


async def test_a_refusal_is_that_of_one(
    client: httpx.AsyncClient, sql: SQL, make_world: MakeWorld
) -> None:
    world, other = await make_world(12), await make_world(1)
    partition = await world.add_partition()
    small = await world.add_group(partition, "small", capacity=1)
    large = await world.add_group(partition, "large")
    assert (await client.put(f"/v1/groups/{small}/members/{world.users[0]}")).is_success
    places = [(small, world.users[1]), (large, other.users[0]), (large, 10**15)]
    places += [(large, user) for user in world.users[2:]]
    answers = await asyncio.gather(
        *(client.put(f"/v1/groups/{group}/members/{user}") for group, user in places)
    )
    told = [(answer.status_code, answer.json().get("code")) for answer in answers]
    assert told[:3] == [(409, "group_full"), (409, "not_enrolled"), (404, "not_found")]
    assert told[3:] == [(200, None)] * 10
    assert await world.members(large) == world.users[2:]


async def test_who_waits_for_a_lock_holds_up_nobody_else(
    client: httpx.AsyncClient, engine: AsyncEngine, sql: SQL, make_world: MakeWorld
) -> None:
    world, locked = await make_world(5), await make_world(1)
    group = await world.add_group(await world.add_partition())
    held = await locked.add_group(await locked.add_partition())

    def put(group: int, user: int) -> asyncio.Task[Any]:
        return asyncio.create_task(client.put(f"/v1/groups/{group}/members/{user}"))

    async with row_locked(engine, "courses", locked.course_id):
        waiting = put(held, locked.users[0])
        others = [put(group, user) for user in world.users]
        assert [answer.status_code for answer in await asyncio.gather(*others)] == [200] * 5
        await until_it_waits(sql, waiting)
    assert (await waiting).status_code == 200


async def test_a_line_of_nobody_is_refused(engine: AsyncEngine, world: World) -> None:
    """What a statement for several callers does not tell about is not written by it."""
    group = await world.add_group(await world.add_partition())
    async with engine.connect() as one:
        await one.execution_options(isolation_level="READ COMMITTED")
        await one.exec_driver_sql("SELECT set_config('groupsvc.callers', '{\"0\": []}', true)")
        with pytest.raises(Exception, match="none of the callers"):
            await one.exec_driver_sql(f"UPDATE groups SET name = 'B' WHERE id = {group}")
