from typing import Any

import httpx
import pytest

from tests.api.refusals import problem, told
from tests.conftest import SQL, MakeWorld, World

STRANGER = problem(409, "not_enrolled", "the user is not enrolled in the course")
FULL = problem(409, "group_full", "the group has no place left")
NO_USER = problem(404, "not_found", "no such user")
NO_GROUP = problem(404, "not_found", "no such group")
NOBODY = 2**62


async def two_groups(world: World, **columns: Any) -> tuple[int, int, int]:
    partition = await world.add_partition()
    one = await world.add_group(partition, "A", **columns)
    return partition, one, await world.add_group(partition, "B", position=2)


def answer_of(world: World, partition: int, group: int, user: int, **more: Any) -> Any:
    return {
        "course_id": world.course_id,
        "partition_id": partition,
        "group_id": group,
        "user_id": user,
        "changed": True,
        "previous_group_id": None,
        **more,
    }


async def test_a_user_is_assigned_moved_and_left_where_he_is(
    client: httpx.AsyncClient, world: World
) -> None:
    partition, one, two = await two_groups(world)
    user = world.users[0]
    assigned = await client.put(f"/v1/groups/{one}/members/{user}")
    assert (assigned.status_code, assigned.json()) == (
        200,
        answer_of(world, partition, one, user),
    )
    moved = await client.put(f"/v1/groups/{two}/members/{user}")
    assert moved.json() == answer_of(world, partition, two, user, previous_group_id=one)
    again = await client.put(f"/v1/groups/{two}/members/{user}")
    assert again.json() == answer_of(world, partition, two, user, changed=False)
    a = {"group_id": one, "group_name": "A", "partition_name": "TD"}
    b = {"group_id": two, "group_name": "B", "partition_name": "TD"}
    assert await world.log("membership.%") == [
        ("membership.assigned", user, one, None, a),
        ("membership.moved", user, two, a, b),
    ]


async def test_partitions_divide_independently(client: httpx.AsyncClient, world: World) -> None:
    user = world.users[0]
    groups = [await world.add_group(await world.add_partition(name)) for name in ("TD", "TP")]
    for group in groups:
        await client.put(f"/v1/groups/{group}/members/{user}")
    assert [await world.members(group) for group in groups] == [[user], [user]]


@pytest.mark.parametrize("state", ["active", "withdrawn", "defaulted"])
async def test_whoever_is_enrolled_in_any_state_can_be_a_member(
    client: httpx.AsyncClient, world: World, state: str
) -> None:
    _, group, _ = await two_groups(world)
    (user,) = await world.add_users(1)
    await world.enroll(user, state=state)
    answer = await client.put(f"/v1/groups/{group}/members/{user}")
    assert (answer.status_code, await world.members(group)) == (200, [user])


async def test_whoever_is_not_enrolled_cannot(client: httpx.AsyncClient, world: World) -> None:
    _, group, _ = await two_groups(world)
    (stranger,) = await world.add_users(1)
    assert told(await client.put(f"/v1/groups/{group}/members/{stranger}")) == STRANGER
    assert await world.members(group) == []


async def test_a_cohort_takes_any_known_user(client: httpx.AsyncClient, world: World) -> None:
    cohort = await world.add_group(await world.add_partition("Cohorts", "cohorts"))
    (stranger,) = await world.add_users(1)
    answer = await client.put(f"/v1/groups/{cohort}/members/{stranger}")
    assert (answer.status_code, await world.members(cohort)) == (200, [stranger])
    assert told(await client.put(f"/v1/groups/{cohort}/members/{NOBODY}")) == NO_USER


async def test_users_and_groups_that_are_not_there(client: httpx.AsyncClient, world: World) -> None:
    _, group, _ = await two_groups(world)
    user = world.users[0]
    assert told(await client.put(f"/v1/groups/{group}/members/{NOBODY}")) == NO_USER
    assert told(await client.put(f"/v1/groups/{NOBODY}/members/{user}")) == NO_GROUP
    assert told(await client.delete(f"/v1/groups/{NOBODY}/members/{user}")) == NO_GROUP
    refused = await client.delete(f"/v1/partitions/{NOBODY}/members/{user}")
    assert told(refused) == problem(404, "not_found", "no such partition")


async def test_a_full_group_refuses_but_keeps_its_own(
    client: httpx.AsyncClient, world: World
) -> None:
    _, small, large = await two_groups(world, capacity=1)
    one, two = world.users[:2]
    await client.put(f"/v1/groups/{small}/members/{one}")
    await client.put(f"/v1/groups/{large}/members/{two}")
    assert told(await client.put(f"/v1/groups/{small}/members/{two}")) == FULL
    again = await client.put(f"/v1/groups/{small}/members/{one}")
    assert (again.status_code, again.json()["changed"]) == (200, False)
    assert (await world.members(small), await world.members(large)) == ([one], [two])


@pytest.mark.parametrize("by", ["groups/{group}", "partitions/{partition}"])
async def test_a_member_is_removed_and_an_absent_one_is_no_error(
    client: httpx.AsyncClient, world: World, by: str
) -> None:
    partition, group, _ = await two_groups(world)
    user = world.users[0]
    await client.put(f"/v1/groups/{group}/members/{user}")
    path = f"/v1/{by.format(group=group, partition=partition)}/members/{user}"
    removed = await client.delete(path)
    assert (removed.status_code, removed.content) == (204, b"")
    again = await client.delete(path)
    assert (again.status_code, await world.members(group)) == (204, [])
    was = {"group_id": group, "group_name": "A", "partition_name": "TD"}
    assert await world.log("membership.removed") == [("membership.removed", user, group, was, None)]


async def test_a_user_is_removed_from_the_group_that_is_named_and_no_other(
    client: httpx.AsyncClient, world: World
) -> None:
    _, one, two = await two_groups(world)
    user = world.users[0]
    await client.put(f"/v1/groups/{two}/members/{user}")
    assert (await client.delete(f"/v1/groups/{one}/members/{user}")).status_code == 204
    assert await world.members(two) == [user]


async def test_members_are_whole_people_by_id(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    _, group, _ = await two_groups(world)
    user = world.users[1]
    for member in (user, world.users[0]):
        await client.put(f"/v1/groups/{group}/members/{member}")
    await sql("UPDATE users SET student_number = '42', email = NULL WHERE id = :id", id=user)
    ((username,),) = await sql("SELECT username FROM users WHERE id = :id", id=user)
    answer = (await client.get(f"/v1/groups/{group}/members")).json()
    assert [member["id"] for member in answer["items"]] == world.users[:2]
    assert answer["next_cursor"] is None
    assert answer["items"][1] == {
        "id": user,
        "username": username,
        "family_name": "Family2",
        "given_name": "Given",
        "email": None,
        "student_number": "42",
        "state": "active",
    }


async def test_members_come_in_pages(client: httpx.AsyncClient, make_world: MakeWorld) -> None:
    world = await make_world(5)
    _, group, _ = await two_groups(world)
    for user in world.users:
        await client.put(f"/v1/groups/{group}/members/{user}")
    path, pages = f"/v1/groups/{group}/members?limit=2", []
    while path:
        answer = await client.get(path)
        pages.append([member["id"] for member in answer.json()["items"]])
        link = answer.links.get("next", {}).get("url")
        path = link and f"/v1/groups/{group}/members{link}"
    assert pages == [world.users[:2], world.users[2:4], world.users[4:]]


async def test_a_page_that_is_exactly_full_is_the_last(
    client: httpx.AsyncClient, world: World
) -> None:
    _, group, _ = await two_groups(world)
    for user in world.users[:2]:
        await client.put(f"/v1/groups/{group}/members/{user}")
    answer = await client.get(f"/v1/groups/{group}/members?limit=2")
    assert (len(answer.json()["items"]), answer.json()["next_cursor"]) == (2, None)
    assert "link" not in answer.headers


@pytest.mark.parametrize("state", ["active", "withdrawn", "defaulted"])
async def test_members_are_filtered_by_state(
    client: httpx.AsyncClient, sql: SQL, world: World, state: str
) -> None:
    partition, group, _ = await two_groups(world)
    for user, enrolled in zip(world.users, ("active", "withdrawn", "defaulted"), strict=False):
        await client.put(f"/v1/groups/{group}/members/{user}")
        await sql("UPDATE enrollments SET state = :s WHERE user_id = :u", s=enrolled, u=user)
    ((default,),) = await sql(
        "SELECT id FROM groups WHERE course_id = :id AND name IS NULL", id=world.course_id
    )
    answer = await client.get(f"/v1/groups/{group}/members?state={state}")
    assert [member["state"] for member in answer.json()["items"]] == [state]
    everybody = await client.get(f"/v1/groups/{default}/members?state={state}")
    left = await client.get(f"/v1/partitions/{partition}/unassigned?state={state}")
    rest = 2 if state == "active" else 0
    assert len(left.json()["items"]) == rest
    assert len(everybody.json()["items"]) == rest + 1


async def test_members_of_the_default_group_are_the_enrolled_users(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    ((default,),) = await sql(
        "SELECT id FROM groups WHERE course_id = :id AND name IS NULL", id=world.course_id
    )
    answer = (await client.get(f"/v1/groups/{default}/members?limit=4")).json()
    assert [member["id"] for member in answer["items"]] == world.users[:4]
    rest = await client.get(f"/v1/groups/{default}/members?cursor={answer['next_cursor']}")
    assert [member["id"] for member in rest.json()["items"]] == world.users[4:]


async def test_a_member_of_a_cohort_who_is_not_enrolled_has_no_state(
    client: httpx.AsyncClient, world: World
) -> None:
    cohort = await world.add_group(await world.add_partition("Cohorts", "cohorts"))
    (stranger,) = await world.add_users(1)
    for user in (stranger, world.users[0]):
        await client.put(f"/v1/groups/{cohort}/members/{user}")
    answer = (await client.get(f"/v1/groups/{cohort}/members")).json()
    assert [member["state"] for member in answer["items"]] == ["active", None]


async def test_unassigned_are_the_enrolled_users_in_no_group_of_the_partition(
    client: httpx.AsyncClient, world: World
) -> None:
    partition, group, _ = await two_groups(world)
    elsewhere = await world.add_group(await world.add_partition("TP"))
    await world.add_users(1)
    await client.put(f"/v1/groups/{group}/members/{world.users[1]}")
    await client.put(f"/v1/groups/{elsewhere}/members/{world.users[0]}")
    answer = (await client.get(f"/v1/partitions/{partition}/unassigned?limit=2")).json()
    assert [user["id"] for user in answer["items"]] == [world.users[0], world.users[2]]
    rest = await client.get(f"/v1/partitions/{partition}/unassigned?cursor={answer['next_cursor']}")
    assert [user["id"] for user in rest.json()["items"]] == world.users[3:]


async def test_the_groups_of_a_user_in_a_course_are_in_order(
    client: httpx.AsyncClient, world: World
) -> None:
    late = await world.add_partition("late", position=2)
    early = await world.add_partition("early", position=1)
    user = world.users[0]
    groups = {place: await world.add_group(place, capacity=9) for place in (late, early)}
    for group in groups.values():
        await client.put(f"/v1/groups/{group}/members/{user}")
    path = f"/v1/courses/{world.course_id}/users/{user}/groups"
    assert (await client.get(path)).json() == [
        {
            "partition_name": name,
            "id": groups[partition],
            "course_id": world.course_id,
            "partition_id": partition,
            "name": "A",
            "position": 1,
            "capacity": 9,
            "timetable_id": None,
            "assignment_type": "manual",
            "content_link": None,
        }
        for name, partition in (("early", early), ("late", late))
    ]


async def test_a_user_without_groups_has_an_empty_list(
    client: httpx.AsyncClient, world: World
) -> None:
    (stranger,) = await world.add_users(1)
    for user in (world.users[0], stranger):
        path = f"/v1/courses/{world.course_id}/users/{user}/groups"
        assert (await client.get(path)).json() == []
        assert (await client.get(f"/v1/users/{user}/groups")).json() == []
    path = f"/v1/courses/{world.course_id}/users/{NOBODY}/groups"
    assert told(await client.get(path)) == problem(404, "not_found", "no such course or user")
    assert told(await client.get(f"/v1/users/{NOBODY}/groups")) == NO_USER


async def test_the_groups_of_a_user_over_all_courses_are_by_course(
    client: httpx.AsyncClient, world: World
) -> None:
    user, found = world.users[0], []
    for _ in range(2):
        world.course_id, world.course = await world.add_course()
        await world.enroll(user)
        group = await world.add_group(await world.add_partition())
        await client.put(f"/v1/groups/{group}/members/{user}")
        found.append((world.course, "Course", "TD", group))
    answer = (await client.get(f"/v1/users/{user}/groups")).json()
    assert [
        (each["course_key"], each["course_title"], each["partition_name"], each["id"])
        for each in answer
    ] == sorted(found)


async def test_the_callers_own_groups_need_no_permission(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, sql: SQL, world: World, auth: Any
) -> None:
    _, group, _ = await two_groups(world)
    user = world.users[0]
    await client.put(f"/v1/groups/{group}/members/{user}")
    ((username,),) = await sql("SELECT username FROM users WHERE id = :id", id=user)
    mine = await anonymous.get("/v1/me/groups", headers=auth(username=username))
    assert [each["id"] for each in mine.json()] == [group]
    nobody = await anonymous.get("/v1/me/groups", headers=auth(username="nobody"))
    unnamed = await anonymous.get("/v1/me/groups", headers=auth())
    assert (nobody.json(), unnamed.json()) == ([], [])
