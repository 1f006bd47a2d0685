from typing import Any

import httpx

from tests.api.refusals import problem, told
from tests.conftest import SQL, MakeWorld, World


def person(user: int, name: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": user,
        "username": name,
        "family_name": f"Family{number}",
        "given_name": "Given",
        "email": f"{name}@example.org",
        "student_number": None,
        "state": "active",
        **more,
    }


async def test_a_board_shows_the_whole_course(
    client: httpx.AsyncClient, sql: SQL, make_world: MakeWorld
) -> None:
    world = await make_world(3)
    one, two, three = world.users
    late = await world.add_partition("late", position=2)
    early = await world.add_partition("early", position=1, show_rank_on_report=True)
    b = await world.add_group(early, "B", position=1, capacity=5, timetable_id="x")
    a = await world.add_group(early, "A", position=2, content_partition_id=5, content_group_id=6)
    await sql("UPDATE users SET sort_key = 'z' WHERE id = :id", id=one)
    for user in (one, two):
        await client.put(f"/v1/groups/{b}/members/{user}")
    usernames = dict(
        await sql("SELECT id, username FROM users WHERE department_id = :d", d=world.department_id)
    )
    group = {
        "course_id": world.course_id,
        "partition_id": early,
        "assignment_type": "manual",
    }
    partition = {
        "course_id": world.course_id,
        "kind": "ordinary",
        "groups_editable": True,
        "show_in_lists": True,
    }
    link = {"content_partition_id": 5, "content_group_id": 6}
    answer = await client.get(f"/v1/courses/{world.course_id}/board")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "course": {
                "id": world.course_id,
                "key": world.course,
                "department": world.department,
                "title": "Course",
                "is_locked": False,
            },
            "enrolled": 3,
            "partitions": [
                {
                    **partition,
                    "id": early,
                    "name": "early",
                    "position": 1,
                    "show_rank_on_report": True,
                    "groups": [
                        {
                            **group,
                            "id": b,
                            "name": "B",
                            "position": 1,
                            "capacity": 5,
                            "timetable_id": "x",
                            "content_link": None,
                            "member_count": 2,
                            "members": [two, one],
                        },
                        {
                            **group,
                            "id": a,
                            "name": "A",
                            "position": 2,
                            "capacity": None,
                            "timetable_id": None,
                            "content_link": link,
                            "member_count": 0,
                            "members": [],
                        },
                    ],
                    "unassigned_count": 1,
                    "unassigned": [three],
                },
                {
                    **partition,
                    "id": late,
                    "name": "late",
                    "position": 2,
                    "show_rank_on_report": False,
                    "groups": [],
                    "unassigned_count": 3,
                    "unassigned": [two, three, one],
                },
            ],
            "users": [
                person(two, usernames[two], 2),
                person(three, usernames[three], 3),
                person(one, usernames[one], 1),
            ],
        },
    )


async def test_a_board_of_counts_leaves_out_the_people_and_nothing_else(
    client: httpx.AsyncClient, world: World
) -> None:
    group = await world.add_group(await world.add_partition())
    await client.put(f"/v1/groups/{group}/members/{world.users[0]}")
    path = f"/v1/courses/{world.course_id}/board"
    whole = (await client.get(path)).json()
    whole["users"] = None
    for partition in whole["partitions"]:
        partition["unassigned"] = None
        for each in partition["groups"]:
            each["members"] = None
    assert (await client.get(f"{path}?members=false")).json() == whole
    assert whole["partitions"][0]["groups"][0]["member_count"] == 1


async def test_whoever_is_in_a_cohort_is_on_the_board_enrolled_or_not(
    client: httpx.AsyncClient, world: World
) -> None:
    cohort = await world.add_group(await world.add_partition("Cohorts", "cohorts"))
    (stranger,) = await world.add_users(1)
    await client.put(f"/v1/groups/{cohort}/members/{stranger}")
    board = (await client.get(f"/v1/courses/{world.course_id}/board")).json()
    (partition,) = board["partitions"]
    assert partition["groups"][0]["members"] == [stranger]
    assert partition["unassigned"] == world.users
    states = {user["id"]: user["state"] for user in board["users"]}
    assert states == {**dict.fromkeys(world.users, "active"), stranger: None}
    assert board["enrolled"] == 5


async def test_users_of_every_state_are_on_the_board(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    user = world.users[0]
    await sql("UPDATE enrollments SET state = 'defaulted' WHERE user_id = :id", id=user)
    await world.add_partition()
    board = (await client.get(f"/v1/courses/{world.course_id}/board")).json()
    assert board["partitions"][0]["unassigned_count"] == 5
    assert board["users"][0]["state"] == "defaulted"


async def test_a_board_of_nothing_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/v1/courses/{2**62}/board")
    assert told(answer) == problem(404, "not_found", "no such course")
