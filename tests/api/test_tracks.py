from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from tests.api.refusals import problem, told
from tests.conftest import SQL, World

FROZEN = problem(409, "groups_not_editable", "the groups of this partition are not editable")


async def declare(client: httpx.AsyncClient, world: World, *codes: str, **more: Any) -> Any:
    path = f"/v1/courses/{world.course_id}/tracks"
    answer = await client.put(path, json={"codes": codes, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def groups_by_name(partition: dict[str, Any]) -> dict[str, int]:
    return {group["name"]: group["id"] for group in partition["groups"]}


async def tracks_of(sql: SQL, world: World) -> dict[int, str | None]:
    rows = "SELECT user_id, track FROM enrollments WHERE course_id = :id ORDER BY user_id"
    return dict(await sql(rows, id=world.course_id))


async def test_tracks_are_groups_of_one_partition_in_the_order_given(
    client: httpx.AsyncClient, world: World
) -> None:
    partition = await declare(client, world, "B", " A ")
    groups = partition.pop("groups")
    assert partition == {
        "id": partition["id"],
        "course_id": world.course_id,
        "kind": "tracks",
        "name": "Parcours",
        "position": 1,
        "groups_editable": False,
        "show_in_lists": True,
        "show_rank_on_report": False,
    }
    assert [(group["name"], group["position"]) for group in groups] == [("B", 1), ("A", 2)]
    read = await client.get(f"/v1/partitions/{partition['id']}")
    assert read.json() == {**partition, "groups": groups}


async def test_tracks_may_have_a_partition_of_another_name(
    client: httpx.AsyncClient, world: World
) -> None:
    assert (await declare(client, world, name="Tracks"))["name"] == "Tracks"


async def test_declaring_the_same_tracks_again_changes_nothing(
    client: httpx.AsyncClient, world: World
) -> None:
    first = await declare(client, world, "A", "B")
    before = await world.log()
    assert await declare(client, world, "A", "B") == first
    assert await world.log() == before


async def test_tracks_come_go_and_change_places(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    old = groups_by_name(await declare(client, world, "A", "B", "C"))
    for user, name in zip(world.users, "ABC", strict=False):
        await client.put(f"/v1/groups/{old[name]}/members/{user}")
    partition = await declare(client, world, "D", "C", "A")
    new = groups_by_name(partition)
    assert list(new) == ["D", "C", "A"]
    assert (new["A"], new["C"]) == (old["A"], old["C"])
    assert list((await tracks_of(sql, world)).values()) == ["A", None, "C", None, None]
    assert await world.members(old["B"]) == []


async def test_membership_is_the_track_whoever_sets_it(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    partition = await declare(client, world, "A", "B")
    groups, (one, two, three, *_) = groups_by_name(partition), world.users
    await client.put(f"/v1/groups/{groups['A']}/members/{one}")
    rows = [{"user_id": user, "group": "A"} for user in (two, three)]
    await client.post(f"/v1/partitions/{partition['id']}/assignments", json={"rows": rows})
    await client.put(f"/v1/groups/{groups['B']}/members/{two}")
    await client.delete(f"/v1/groups/{groups['A']}/members/{three}")
    assert [(await tracks_of(sql, world))[user] for user in (one, two, three)] == ["A", "B", None]


async def test_the_track_of_an_enrollment_is_a_membership(
    client: httpx.AsyncClient, world: World
) -> None:
    groups = groups_by_name(await declare(client, world, "A"))
    user = world.users[0]
    path = f"/v1/courses/{world.course_id}/enrollments/{user}"
    await client.patch(path, json={"track": "A"})
    assert await world.members(groups["A"]) == [user]
    await client.patch(path, json={"track": None})
    assert await world.members(groups["A"]) == []


async def test_both_changes_are_one_changeset(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    groups = groups_by_name(await declare(client, world, "A"))
    await client.put(f"/v1/groups/{groups['A']}/members/{world.users[0]}")
    lines = await sql(
        "SELECT kind, changeset_id FROM changes WHERE course_id = :id AND user_id = :user"
        " AND kind IN ('membership.assigned', 'enrollment.updated')",
        id=world.course_id,
        user=world.users[0],
    )
    assert sorted(kind for kind, _ in lines) == ["enrollment.updated", "membership.assigned"]
    assert len({changeset for _, changeset in lines}) == 1


async def test_deleting_the_partition_clears_the_tracks(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    partition = await declare(client, world, "A")
    (group,) = groups_by_name(partition).values()
    await client.put(f"/v1/groups/{group}/members/{world.users[0]}")
    assert (await client.delete(f"/v1/partitions/{partition['id']}")).status_code == 204
    assert set((await tracks_of(sql, world)).values()) == {None}


async def test_tracks_are_not_edited_as_groups(client: httpx.AsyncClient, world: World) -> None:
    partition = await declare(client, world, "A")
    (group,) = groups_by_name(partition).values()
    path = f"/v1/partitions/{partition['id']}"
    refused = [
        await client.post(f"{path}/groups", json={"name": "B"}),
        await client.patch(f"/v1/groups/{group}", json={"name": "B"}),
        await client.delete(f"/v1/groups/{group}"),
    ]
    assert [told(answer) for answer in refused] == [FROZEN] * 3
    assert told(await client.patch(path, json={"groups_editable": True})) == problem(
        409, "tracks_partition", "the groups of a tracks partition are never editable"
    )


@pytest.mark.parametrize("codes", [["A", "A"], ["A", " A"], ["e\u0301", "\u00e9"]])
async def test_a_track_is_named_once(
    client: httpx.AsyncClient, world: World, codes: Sequence[str]
) -> None:
    path = f"/v1/courses/{world.course_id}/tracks"
    message = "a track is named twice"
    assert told(await client.put(path, json={"codes": codes})) == problem(
        422,
        "invalid",
        message,
        errors=[{"pointer": "#/codes", "code": "invalid", "message": message}],
    )
    assert (await client.get(f"/v1/courses/{world.course_id}/partitions")).json() == []


async def test_a_partition_that_is_called_so_is_in_the_way(
    client: httpx.AsyncClient, world: World
) -> None:
    await world.add_partition("Parcours")
    path = f"/v1/courses/{world.course_id}/tracks"
    refused = await client.put(path, json={"codes": ["A"]})
    assert told(refused) == problem(409, "name_taken", "a partition of the course has this name")
