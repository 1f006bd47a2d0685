"""Real transactions at the same time."""

import asyncio
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.api.openedx.conftest import Course
from tests.conftest import EVERYTHING, SQL, UNHURRIED, serving
from tests.locks import row_locked, until_it_waits
from tests.test_concurrency import statuses


async def test_200_first_visitors_of_a_server_with_its_default_pool(
    url: Any, home: Any, auth: Any, make_course: Any, sql: SQL
) -> None:
    course: Course = await make_course(200)
    course_id = course.world.course_id
    # Only how long a queue may stand still is left as it is: the rest would measure the machine.
    async with serving(create_app(Settings(**UNHURRIED), url, home)) as client:
        client.headers.update(auth(*EVERYTHING))
        await client.put(course.settings, json={"is_cohorted": True})
        path = f"/v1/courses/{course_id}/cohort-assignments"
        answers = await asyncio.gather(
            *(client.post(path, json={"user_id": user}) for user in course.world.users)
        )
        assert statuses(answers) == {200: 200}
        (cohort,) = (await client.get(course.cohorts)).json()
    assert (cohort["name"], cohort["assignment_type"]) == ("Default Group", "random")
    assert cohort["user_count"] == 200
    assert {answer.json()["group_id"] for answer in answers} == {cohort["id"]}
    assert await course.members(cohort["id"]) == sorted(course.world.users)
    assert len(await course.world.log("membership.assigned")) == 200


async def test_visits_of_one_user_end_with_one_cohort(
    client: httpx.AsyncClient, course: Course
) -> None:
    cohorts = [await course.add(f"C{n}", "random") for n in range(5)]
    await client.put(course.settings, json={"is_cohorted": True})
    path = f"/v1/courses/{course.world.course_id}/cohort-assignments"
    user = course.world.users[0]
    answers = await asyncio.gather(*(client.post(path, json={"user_id": user}) for _ in range(30)))
    assert statuses(answers) == {200: 30}
    (chosen,) = {answer.json()["group_id"] for answer in answers}
    assert chosen in cohorts
    assert sum(answer.json()["assigned"] for answer in answers) == 1
    assert await course.members(chosen) == [user]


async def test_adds_of_one_user_to_different_cohorts_both_succeed(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohorts = [await course.add(name) for name in "AB"]
    user = course.world.users[0]
    person = await course.person(user)
    for _ in range(10):
        answers = await asyncio.gather(
            *(
                staff.post(course.users(cohort), json={"users": [person["username"]]})
                for cohort in cohorts * 4
            )
        )
        assert statuses(answers) == {200: 8}
        counts = [
            (await staff.get(course.cohort(cohort))).json()["user_count"] for cohort in cohorts
        ]
        listed = [(await staff.get(course.users(cohort))).json()["count"] for cohort in cohorts]
        assert sorted(counts) == [0, 1]
        assert counts == listed


async def test_what_racing_adds_are_told_fits_the_log(
    staff: httpx.AsyncClient, make_course: Any
) -> None:
    course: Course = await make_course(20)
    cohorts = [await course.add(name) for name in "AB"]
    names = [(await course.person(user))["username"] for user in course.world.users]
    answers = await asyncio.gather(
        *(
            staff.post(course.users(cohorts[n % 2]), json={"users": names[:: 1 if n % 3 else -1]})
            for n in range(12)
        )
    )
    assert statuses(answers) == {200: 12}
    bodies = [answer.json() for answer in answers]
    kinds = [line[0] for line in await course.world.log("membership.%")]
    assert kinds.count("membership.assigned") == sum(len(body["added"]) for body in bodies) == 20
    assert kinds.count("membership.moved") == sum(len(body["changed"]) for body in bodies)
    members = [await course.members(cohort) for cohort in cohorts]
    assert sorted(members[0] + members[1]) == sorted(course.world.users)


async def test_racing_creates_of_one_name_give_one_cohort(
    staff: httpx.AsyncClient, course: Course
) -> None:
    body = {"name": "A", "assignment_type": "manual"}
    answers = await asyncio.gather(*(staff.post(course.cohorts, json=body) for _ in range(12)))
    assert statuses(answers) == {200: 1, 400: 11}
    codes = {answer.json()["error_code"] for answer in answers if answer.status_code == 400}
    assert codes == {"cohort-name-exists"}
    assert len((await staff.get(course.cohorts)).json()) == 1


async def test_two_random_cohorts_do_not_both_cease_to_be(
    staff: httpx.AsyncClient, course: Course
) -> None:
    for n in range(8):
        pair = [await course.add(f"{name}{n}", "random") for name in "AB"]
        for other in (await staff.get(f"{course.cohorts}?page_size=100")).json():
            if other["id"] not in pair:
                await staff.patch(course.cohort(other["id"]), json={"assignment_type": "manual"})
        answers = await asyncio.gather(
            *(staff.patch(course.cohort(each), json={"assignment_type": "manual"}) for each in pair)
        )
        assert statuses(answers) == {204: 1, 400: 1}


async def test_adding_and_locking_and_deleting_leave_no_5xx(
    client: httpx.AsyncClient, make_course: Any
) -> None:
    course: Course = await make_course(30)
    cohorts = [await course.add(f"C{n}") for n in range(4)]
    names = [(await course.person(user))["username"] for user in course.world.users]
    adds = [
        client.post(course.users(cohorts[n % 4]), json={"users": [*names, f"x{n}@y.org"]})
        for n in range(24)
    ]
    adds.insert(8, client.delete(f"/v1/groups/{cohorts[0]}"))
    adds.insert(12, client.delete(f"/v1/groups/{cohorts[1]}"))
    adds.insert(16, client.put(f"/v1/courses/{course.world.course_id}/lock"))
    answers = await asyncio.gather(*adds)
    # 409: the native face refuses to delete in a locked course.
    assert set(statuses(answers)) <= {200, 204, 400, 404, 409}


async def test_adds_that_wait_for_their_cohort_hold_up_no_member(
    staff: httpx.AsyncClient, course: Course, engine: AsyncEngine, sql: SQL
) -> None:
    """Whoever deletes a cohort takes it before its members: the other order would be a deadlock."""
    first, second = [await course.add(name) for name in "AB"]
    user = course.world.users[0]
    names = [(await course.person(user))["username"]]
    await staff.post(course.users(first), json={"users": names})
    async with row_locked(engine, "groups", second):
        add = asyncio.create_task(staff.post(course.users(second), json={"users": names}))
        await until_it_waits(sql, add)
        held = "SELECT user_id FROM memberships WHERE group_id = :cohort FOR UPDATE NOWAIT"
        assert await sql(held, cohort=first) == [(user,)]
    answer = await add
    assert (answer.status_code, len(answer.json()["changed"])) == (200, 1)
    assert await course.members(second) == [user]
