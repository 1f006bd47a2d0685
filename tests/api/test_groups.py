from typing import Any

import httpx
import pytest

from tests.api.refusals import invalid, problem, told
from tests.conftest import SQL, World

FROZEN = problem(409, "groups_not_editable", "the groups of this partition are not editable")
TAKEN = problem(409, "name_taken", "a group of the partition has this name")
FULL = problem(409, "group_full", "the group has no place left")
GONE = problem(404, "not_found", "no such group")


def shown(world: World, partition: int, group: int, name: str | None, **more: Any) -> Any:
    """A group as it is answered, where it differs from a plain one at the first place."""
    return {
        "id": group,
        "course_id": world.course_id,
        "partition_id": partition,
        "name": name,
        "position": 1,
        "capacity": None,
        "timetable_id": None,
        "assignment_type": "manual",
        "content_link": None,
        **more,
    }


async def fill(client: httpx.AsyncClient, group: int, *users: int) -> None:
    for user in users:
        await client.put(f"/v1/groups/{group}/members/{user}")


async def test_a_group_is_created_at_the_end(client: httpx.AsyncClient, world: World) -> None:
    partition = await world.add_partition()
    path = f"/v1/partitions/{partition}/groups"
    await client.post(path, json={"name": "B"})
    answer = await client.post(path, json={"name": "A"})
    made = answer.json()
    expected = shown(world, partition, made["id"], "A", position=2)
    assert (answer.status_code, made) == (201, expected)
    assert answer.headers["location"] == f"/v1/groups/{made['id']}"
    read = await client.get(answer.headers["location"])
    assert (read.content, read.headers["etag"]) == (answer.content, answer.headers["etag"])


async def test_a_group_is_created_with_all_it_has(client: httpx.AsyncClient, world: World) -> None:
    partition = await world.add_partition()
    given = {
        "capacity": 24,
        "timetable_id": "RT-1",
        "assignment_type": "random",
        "content_link": {"content_partition_id": 50, "content_group_id": 1},
    }
    answer = await client.post(f"/v1/partitions/{partition}/groups", json={"name": "A", **given})
    assert answer.json() == shown(world, partition, answer.json()["id"], "A", **given)


@pytest.mark.parametrize(
    ("position", "order"),
    [
        (1, ["new", "B", "A"]),
        (2, ["B", "new", "A"]),
        (3, ["B", "A", "new"]),
        (9, ["B", "A", "new"]),
    ],
)
async def test_a_group_is_created_at_a_position_and_pushes_the_others_back(
    client: httpx.AsyncClient, world: World, position: int, order: list[str]
) -> None:
    partition = await world.add_partition()
    path = f"/v1/partitions/{partition}"
    for name in "BA":
        await client.post(f"{path}/groups", json={"name": name})
    answer = await client.post(f"{path}/groups", json={"name": "new", "position": position})
    groups = (await client.get(path)).json()["groups"]
    assert [(group["name"], group["position"]) for group in groups] == list(
        zip(order, (1, 2, 3), strict=True)
    )
    assert answer.json()["position"] == order.index("new") + 1


async def test_a_name_is_used_once_in_a_partition(client: httpx.AsyncClient, world: World) -> None:
    partition, elsewhere = await world.add_partition("TD"), await world.add_partition("TP")
    await world.add_group(partition, "\u00e9")
    refused = await client.post(f"/v1/partitions/{partition}/groups", json={"name": " e\u0301 "})
    assert told(refused) == TAKEN
    taken = await client.post(f"/v1/partitions/{elsewhere}/groups", json={"name": "\u00e9"})
    assert taken.status_code == 201


async def test_a_group_is_not_renamed_to_a_name_in_use(
    client: httpx.AsyncClient, world: World
) -> None:
    partition = await world.add_partition()
    await world.add_group(partition, "A")
    group = await world.add_group(partition, "B")
    assert told(await client.patch(f"/v1/groups/{group}", json={"name": "A"})) == TAKEN


LINK = {"content_partition_id": 0, "content_group_id": 2**63 - 1}


@pytest.mark.parametrize(
    "change",
    [
        {"name": "B"},
        {"capacity": 0},
        {"capacity": 1_000_000},
        {"timetable_id": "x"},
        {"assignment_type": "random"},
        {"content_link": LINK},
    ],
)
async def test_a_patch_changes_what_it_names_and_null_clears(
    client: httpx.AsyncClient, world: World, change: dict[str, Any]
) -> None:
    partition = await world.add_partition()
    group = await world.add_group(partition)
    plain = shown(world, partition, group, "A")
    answer = await client.patch(f"/v1/groups/{group}", json=change)
    assert (answer.status_code, answer.json()) == (200, plain | change)
    back = {name: plain[name] for name in change}
    assert (await client.patch(f"/v1/groups/{group}", json=back)).json() == plain


@pytest.mark.parametrize(
    ("change", "pointer", "code", "message"),
    [
        ({"name": None}, "#/name", "string_type", "Input should be a valid string"),
        ({"assignment_type": None}, "#/assignment_type", "literal_error", None),
        (
            {"capacity": -1},
            "#/capacity",
            "greater_than_equal",
            "Input should be greater than or equal to 0",
        ),
        ({"timetable_id": ""}, "#/timetable_id", "string_too_short", None),
        ({"content_link": {"content_partition_id": 1}}, None, "missing", "Field required"),
        ({"position": 1}, "#/position", "extra_forbidden", "Extra inputs are not permitted"),
        ({"partition_id": 1}, "#/partition_id", "extra_forbidden", None),
    ],
)
async def test_a_patch_that_makes_no_sense_changes_nothing(
    client: httpx.AsyncClient,
    world: World,
    change: dict[str, Any],
    pointer: str | None,
    code: str,
    message: str | None,
) -> None:
    group = await world.add_group(await world.add_partition())
    before = await world.log()
    answer = told(await client.patch(f"/v1/groups/{group}", json=change))
    (entry,) = answer["errors"]
    pointer = pointer or "#/content_link/content_group_id"
    assert answer == invalid(pointer, code, message or entry["message"])
    assert await world.log() == before


async def test_a_patch_without_a_difference_leaves_no_line(
    client: httpx.AsyncClient, world: World
) -> None:
    group = await world.add_group(await world.add_partition(), capacity=3)
    before = await world.log()
    for change in ({}, {"name": "A"}, {"capacity": 3}):
        assert (await client.patch(f"/v1/groups/{group}", json=change)).status_code == 200
    assert await world.log() == before


async def test_a_capacity_is_not_set_below_the_number_of_members(
    client: httpx.AsyncClient, world: World
) -> None:
    group = await world.add_group(await world.add_partition())
    await fill(client, group, *world.users[:3])
    refused = await client.patch(f"/v1/groups/{group}", json={"capacity": 2})
    assert told(refused) == problem(409, "group_full", "the group has more members than that")
    exact = await client.patch(f"/v1/groups/{group}", json={"capacity": 3})
    assert exact.json()["capacity"] == 3


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/partitions/{partition}/groups", {"name": "B"}),
        ("PATCH", "/v1/groups/{group}", {"name": "B"}),
        ("PATCH", "/v1/groups/{group}", {"name": "B", "capacity": 3}),
        ("DELETE", "/v1/groups/{group}", None),
    ],
)
async def test_groups_that_are_not_editable_keep_their_names(
    client: httpx.AsyncClient, world: World, method: str, path: str, body: Any
) -> None:
    partition = await world.add_partition()
    group = await world.add_group(partition)
    await client.patch(f"/v1/partitions/{partition}", json={"groups_editable": False})
    path = path.format(partition=partition, group=group)
    assert told(await client.request(method, path, json=body)) == FROZEN
    read = await client.get(f"/v1/groups/{group}")
    assert read.json() == shown(world, partition, group, "A")


async def test_groups_that_are_not_editable_are_filled_limited_and_ordered(
    client: httpx.AsyncClient, world: World
) -> None:
    partition = await world.add_partition()
    one = await world.add_group(partition, "A")
    two = await world.add_group(partition, "B", position=2)
    path = f"/v1/partitions/{partition}"
    await client.patch(path, json={"groups_editable": False})
    answers = [
        await client.put(f"/v1/groups/{one}/members/{world.users[0]}"),
        await client.put(f"/v1/groups/{two}/members/{world.users[0]}"),
        await client.patch(f"/v1/groups/{one}", json={"capacity": 3}),
        await client.put(f"{path}/groups/order", json={"ids": [two, one]}),
        await client.delete(path),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 204]


async def test_deleting_a_group_ends_its_memberships_one_by_one(
    client: httpx.AsyncClient, world: World
) -> None:
    partition = await world.add_partition()
    group, other = await world.add_group(partition), await world.add_group(partition, "B")
    await fill(client, group, *world.users[:2])
    await fill(client, other, world.users[2])
    before = len(await world.log())
    assert (await client.delete(f"/v1/groups/{group}")).status_code == 204
    was = {"group_id": group, "group_name": "A", "partition_name": "TD"}
    first, second, last = (await world.log())[before:]
    assert first == ("membership.removed", world.users[0], group, was, None)
    assert second == ("membership.removed", world.users[1], group, was, None)
    assert last[:3] == ("group.deleted", None, group)
    assert await world.members(other) == [world.users[2]]
    assert told(await client.delete(f"/v1/groups/{group}")) == GONE


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"capacity": 3}),
        ("PUT", "/members/{user}", None),
        ("DELETE", "/members/{user}", None),
    ],
)
async def test_the_default_group_is_derived(
    client: httpx.AsyncClient, sql: SQL, world: World, method: str, path: str, body: Any
) -> None:
    ((group,),) = await sql(
        "SELECT id FROM groups WHERE course_id = :id AND name IS NULL", id=world.course_id
    )
    before = await world.log()
    path = f"/v1/groups/{group}{path.format(user=world.users[0])}"
    assert told(await client.request(method, path, json=body)) == problem(
        409, "default_partition", "the default group is derived from the roster"
    )
    assert told(await client.delete(f"/v1/groups/{group}")) == FROZEN
    assert await world.log() == before
