"""Every committed change once, and after those that it rests on, whatever happens meanwhile."""

import asyncio
import random
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tests.conftest import SQL, Auth, World
from tests.events.conftest import Replicas
from tests.events.streams import streaming

WRITERS = READERS = 20
MOVES = 10
LAST = "END"


async def move(connection: AsyncConnection, world: World, groups: list[int], user: int) -> None:
    await connection.execute(
        text(
            "UPDATE memberships SET group_id = :group"
            " WHERE course_id = :course AND user_id = :user AND group_id <> :group"
        ),
        {"group": random.choice(groups), "course": world.course_id, "user": user},
    )


async def transaction(engine: AsyncEngine) -> AsyncConnection:
    connection = await engine.connect()
    await connection.execution_options(isolation_level="READ COMMITTED")
    return connection


async def write(engine: AsyncEngine, world: World, groups: list[int]) -> None:
    """Transactions of several changes each, in the same order of users, which meet one another."""
    connection = await transaction(engine)
    for _ in range(MOVES):
        # Some have an id long before they change anything.
        await connection.execute(text("SELECT pg_current_xact_id()"))
        for user in sorted(random.sample(world.users[:-1], random.randint(1, 3))):
            await move(connection, world, groups, user)
        await (connection.rollback() if random.random() < 0.2 else connection.commit())
    await connection.close()


async def read(sites: list[str], world: World, headers: dict[str, str], start: str) -> list[Any]:
    """All changes up to the last one, over many connections that are cut at random."""
    found: list[Any] = []
    known = start
    while True:
        async with streaming(random.choice(sites), world.course_id, headers, known=known) as stream:
            for _ in range(random.randint(1, 40)):
                found.append(await stream.change())
                known = stream.id or known
                if (found[-1]["after"] or {}).get("name") == LAST:
                    return found


class ByHighestNumber:
    """The control: what must not be done."""

    def __init__(self, sql: SQL, course: int, last: int) -> None:
        self._sql, self._course, self._last = sql, course, last
        self.found: list[int] = []

    async def look(self) -> None:
        rows = await self._sql(
            "SELECT seq FROM changes WHERE course_id = :course AND seq > :last ORDER BY seq",
            course=self._course,
            last=self._last,
        )
        self.found += [seq for (seq,) in rows]
        self._last = self.found[-1] if self.found else self._last


async def logged(sql: SQL, course: int, after: int) -> list[int]:
    rows = await sql(
        "SELECT seq FROM changes WHERE course_id = :course AND seq > :after ORDER BY seq",
        course=course,
        after=after,
    )
    return [seq for (seq,) in rows]


async def grouped(world: World) -> list[int]:
    """All students in the first of three groups."""
    partition = await world.add_partition()
    groups = [await world.add_group(partition, name) for name in "ABC"]
    await world.sql(
        "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
        " SELECT :course, :partition, u, :group FROM unnest(CAST(:users AS bigint[])) u",
        course=world.course_id,
        partition=partition,
        group=groups[0],
        users=world.users,
    )
    return groups


async def newest(client: httpx.AsyncClient, course: int) -> str:
    answer = await client.get(f"/v1/courses/{course}/changes", params={"after": "now"})
    assert answer.status_code == 200, answer.text
    cursor: str = answer.json()["next_cursor"]
    return cursor


async def test_20_readers_miss_nothing_of_20_writers_and_read_nothing_twice(
    replica: Replicas, client: httpx.AsyncClient, engine: AsyncEngine, sql: SQL, auth: Auth,
    world: World,
) -> None:  # fmt: skip
    sites = [await replica(event_poll=0.01), await replica(event_poll=0.01)]
    groups = await grouped(world)
    ((before,),) = await sql("SELECT max(seq) FROM changes")
    start = await newest(client, world.course_id)
    control = ByHighestNumber(sql, world.course_id, before)
    headers = auth("groups:read")
    async with asyncio.TaskGroup() as tasks:
        readers = [tasks.create_task(read(sites, world, headers, start)) for _ in range(READERS)]
        early = await transaction(engine)
        await early.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        await move(early, world, groups[1:], world.users[-1])
        writers = [write(engine, world, groups) for _ in range(WRITERS)]
        await asyncio.gather(*writers[: WRITERS // 2])
        await control.look()
        await early.commit()
        await early.close()
        await asyncio.gather(*writers[WRITERS // 2 :], control.look())
        await world.add_partition(LAST)
        await control.look()
    expected = await logged(sql, world.course_id, before)
    assert len(expected) > WRITERS * MOVES / 2
    for reader in readers:
        assert [change["seq"] for change in reader.result()] == expected
    at: dict[int, int] = dict.fromkeys(world.users, groups[0])
    for change in readers[0].result():
        if change["kind"] == "membership.moved":
            assert change["before"]["group_id"] == at[change["user_id"]]
            at[change["user_id"]] = change["after"]["group_id"]
    assert set(control.found) < set(expected)
    assert await pages(client, world.course_id, start) == readers[0].result()


async def pages(client: httpx.AsyncClient, course: int, after: str) -> list[Any]:
    found: list[Any] = []
    more = True
    while more:
        answer = await client.get(
            f"/v1/courses/{course}/changes", params={"after": after, "limit": 7}
        )
        page = answer.json()
        found += page["items"]
        after, more = page["next_cursor"], page["has_more"]
    return found


async def test_a_change_comes_after_the_one_that_it_rests_on(
    site: str, engine: AsyncEngine, sql: SQL, auth: Auth, world: World
) -> None:
    """Not in the order of transactions: the first of them may act on what the second has done."""
    first, second, _ = await grouped(world)
    user = world.users[0]
    async with streaming(site, world.course_id, auth("groups:read")) as stream:
        early = await transaction(engine)
        await early.execute(text("SELECT pg_current_xact_id()"))
        late = await transaction(engine)
        await move(late, world, [second], user)
        await late.commit()
        await move(early, world, [first], user)
        await early.commit()
        for each in (early, late):
            await each.close()
        told = [await stream.change(), await stream.change()]
    assert [change["after"]["group_id"] for change in told] == [second, first]
    by_transaction = await sql(
        "SELECT seq FROM changes WHERE seq = ANY (CAST(:told AS bigint[]))"
        " ORDER BY transaction_id, seq",
        told=[change["seq"] for change in told],
    )
    assert [seq for (seq,) in by_transaction] == [told[1]["seq"], told[0]["seq"]]
