"""Real transactions at the same time, through the API."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.conftest import SQL, MakeWorld, World
from tests.gathering import WAYS, gather


@pytest.fixture(autouse=True, params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both with calls that leave as one statement and with each by itself."""
    gather(monkeypatch, request.param)


async def all_of(*requests: Any) -> list[httpx.Response]:
    return list(await asyncio.gather(*requests))


def statuses(answers: list[httpx.Response]) -> dict[int, int]:
    found: dict[int, int] = {}
    for answer in answers:
        found[answer.status_code] = found.get(answer.status_code, 0) + 1
    return found


async def test_64_assignments_of_one_user_leave_one_membership(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    partition = await world.add_partition()
    groups = [await world.add_group(partition, f"G{n}") for n in range(8)]
    user = world.users[0]
    answers = await all_of(
        *(client.put(f"/v1/groups/{groups[n % 8]}/members/{user}") for n in range(64))
    )
    assert statuses(answers) == {200: 64}
    ((group,),) = await sql(
        "SELECT group_id FROM memberships WHERE partition_id = :p AND user_id = :u",
        p=partition,
        u=user,
    )
    lines = await world.log("membership.%")
    assert lines[-1][4]["group_id"] == group
    path = [line[4]["group_id"] for line in lines]
    assert [line[3] and line[3]["group_id"] for line in lines] == [None, *path[:-1]]
    changed = [answer.json() for answer in answers if answer.json()["changed"]]
    assert sorted(
        (answer["previous_group_id"] or 0, answer["group_id"]) for answer in changed
    ) == sorted(zip([0, *path[:-1]], path, strict=True))


async def test_50_users_racing_for_10_places_fill_exactly_10(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    world = await make_world(50)
    group = await world.add_group(await world.add_partition(), capacity=10)
    answers = await all_of(
        *(client.put(f"/v1/groups/{group}/members/{user}") for user in world.users)
    )
    assert statuses(answers) == {200: 10, 409: 40}
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"group_full"}
    assert len(await world.members(group)) == 10
    assert len(await world.log("membership.assigned")) == 10


async def test_a_shrinking_capacity_and_assignments_do_not_pass_each_other(
    client: httpx.AsyncClient, sql: SQL, make_world: MakeWorld
) -> None:
    world = await make_world(20)
    group = await world.add_group(await world.add_partition())
    answers = await all_of(
        *(client.put(f"/v1/groups/{group}/members/{user}") for user in world.users[:10]),
        client.patch(f"/v1/groups/{group}", json={"capacity": 5}),
        *(client.put(f"/v1/groups/{group}/members/{user}") for user in world.users[10:]),
    )
    assert set(statuses(answers)) <= {200, 409}
    ((capacity,),) = await sql("SELECT capacity FROM groups WHERE id = :id", id=group)
    members = len(await world.members(group))
    assert members == 20 if capacity is None else members <= 5


async def test_nothing_is_logged_after_the_lock(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    world = await make_world(50)
    group = await world.add_group(await world.add_partition())
    assignments = [client.put(f"/v1/groups/{group}/members/{user}") for user in world.users]
    assignments.insert(10, client.put(f"/v1/courses/{world.course_id}/lock"))
    answers = await all_of(*assignments)
    kinds = [line[0] for line in await world.log()]
    assert kinds.index("course.updated") == len(kinds) - 1
    refused = [answer for answer in answers if answer.status_code == 409]
    assert {answer.json()["code"] for answer in refused} <= {"course_locked"}
    assert kinds.count("membership.assigned") == 50 - len(refused)


async def test_parallel_creates_of_one_name_give_one_success(
    client: httpx.AsyncClient, world: World
) -> None:
    path = f"/v1/courses/{world.course_id}/partitions"
    answers = await all_of(*(client.post(path, json={"name": "TD"}) for _ in range(12)))
    assert statuses(answers) == {201: 1, 409: 11}
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"name_taken"}


async def test_parallel_creates_take_places_without_gap(
    client: httpx.AsyncClient, world: World
) -> None:
    partition = await world.add_partition()
    path = f"/v1/partitions/{partition}/groups"
    answers = await all_of(*(client.post(path, json={"name": f"G{n}"}) for n in range(12)))
    assert statuses(answers) == {201: 12}
    assert sorted(answer.json()["position"] for answer in answers) == list(range(1, 13))


async def test_parallel_orders_leave_positions_without_gap(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    partition = await world.add_partition()
    groups = [await world.add_group(partition, f"G{n}") for n in range(9)]
    path = f"/v1/partitions/{partition}/groups/order"
    orders = [groups[n:] + groups[:n] for n in range(9)]
    answers = await all_of(*(client.put(path, json={"ids": ids}) for ids in orders))
    assert statuses(answers) == {200: 9}
    rows = await sql(
        "SELECT id, position FROM groups WHERE partition_id = :p ORDER BY position", p=partition
    )
    assert [position for _, position in rows] == list(range(1, 10))
    assert [group for group, _ in rows] in orders


async def test_first_visitors_at_once_share_one_default_cohort(
    client: httpx.AsyncClient, sql: SQL, make_world: MakeWorld
) -> None:
    world = await make_world(40)
    path = f"/v1/courses/{world.course_id}"
    await client.put(f"{path}/cohort-settings", json={"is_cohorted": True})
    answers = await all_of(
        *(client.post(f"{path}/cohort-assignments", json={"user_id": user}) for user in world.users)
    )
    assert statuses(answers) == {200: 40}
    (group,) = {answer.json()["group_id"] for answer in answers}
    assert await world.members(group) == sorted(world.users)
    rows = await sql("SELECT name, assignment_type FROM groups WHERE id = :id", id=group)
    assert rows == [("Default Group", "random")]


async def test_members_of_full_groups_change_places_at_the_same_time(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    """A batch turns a ring of full groups; others push in meanwhile, and find no place."""
    world = await make_world(8)
    partition = await world.add_partition()
    groups = [await world.add_group(partition, f"G{n}", capacity=1) for n in range(4)]
    for group, user in zip(groups, world.users[:4], strict=True):
        await client.put(f"/v1/groups/{group}/members/{user}")

    async def turn(step: int) -> httpx.Response:
        turned = groups[step:] + groups[:step]
        rows = [
            {"user_id": user, "group_id": group}
            for user, group in zip(world.users[:4], turned, strict=True)
        ]
        rows = rows[step:] + rows[:step]
        path = f"/v1/partitions/{partition}/assignments"
        return await client.post(path, json={"rows": rows})

    pushing = [(group, user) for group in groups for user in world.users[4:]]
    answers = await all_of(
        *(turn(n % 4) for n in range(16)),
        *(client.put(f"/v1/groups/{group}/members/{user}") for group, user in pushing),
    )
    assert statuses(answers[:16]) == {200: 16}
    assert [answer.json()["written"] for answer in answers[:16]] == [True] * 16
    assert statuses(answers[16:]) == {409: 16}
    members = [await world.members(group) for group in groups]
    assert sorted(members) == [[user] for user in world.users[:4]]
    ends = [[world.users[(place - step) % 4] for place in range(4)] for step in range(4)]
    assert [user for (user,) in members] in ends
