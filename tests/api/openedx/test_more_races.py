"""What else may happen at the same time, and how it ends."""

import asyncio
from collections import Counter
from typing import Any

import httpx

from tests.api.openedx.conftest import Course
from tests.api.openedx.test_upload import counts, file, finished
from tests.conftest import SQL
from tests.test_concurrency import statuses


def visits(client: httpx.AsyncClient, course: Course, users: list[int]) -> list[Any]:
    path = f"/v1/courses/{course.world.course_id}/cohort-assignments"
    return [client.post(path, json={"user_id": user}) for user in users]


async def test_balance_holds_among_visitors_who_come_at_once(
    client: httpx.AsyncClient, make_course: Any
) -> None:
    course: Course = await make_course(60)
    cohorts = [await course.add(name, "random") for name in "ABC"]
    path = f"/v1/courses/{course.world.course_id}/cohort-settings"
    settings = {"is_cohorted": True, "random_assignment": "balanced"}
    assert (await client.put(path, json=settings)).status_code == 200
    answers = await asyncio.gather(*visits(client, course, course.world.users))
    assert statuses(answers) == {200: 60}
    given = Counter(answer.json()["group_id"] for answer in answers)
    assert given == dict.fromkeys(cohorts, 20)


async def test_an_address_that_waits_is_used_up_once(
    client: httpx.AsyncClient, course: Course
) -> None:
    waiting = await course.add("A")
    await course.add("B", "random")
    await client.put(course.settings, json={"is_cohorted": True})
    user = course.world.users[0]
    email = (await course.person(user))["email"]
    await course.world.sql("UPDATE users SET email = NULL WHERE id = :id", id=user)
    await client.post(course.users(waiting), json={"users": [email]})
    await course.world.sql("UPDATE users SET email = :email WHERE id = :id", email=email, id=user)
    answers = await asyncio.gather(*visits(client, course, [user] * 20))
    assert statuses(answers) == {200: 20}
    assert {answer.json()["group_id"] for answer in answers} == {waiting}
    assert await course.waiting() == {}
    assert len(await course.world.log("membership.%")) == 1
    assert len(await course.world.log("preassignment.deleted")) == 1


async def test_the_first_readings_of_settings_make_them_once(
    staff: httpx.AsyncClient, course: Course, sql: SQL
) -> None:
    paths = [course.settings, f"{course.legacy}/settings"] * 10
    answers = await asyncio.gather(*(staff.get(path) for path in paths))
    assert statuses(answers) == {200: 20}
    ((number,),) = await sql(
        "SELECT id FROM cohort_settings WHERE course_id = :id", id=course.world.course_id
    )
    assert {answer.text for answer in answers} == {f'{{"id":{number},"is_cohorted":false}}'}


async def test_first_visitors_and_first_cohorts(
    client: httpx.AsyncClient, make_course: Any
) -> None:
    course: Course = await make_course(30)
    await client.put(course.settings, json={"is_cohorted": True})
    creating = [
        client.post(course.cohorts, json={"name": f"C{n % 4}", "assignment_type": "random"})
        for n in range(8)
    ]
    answers = await asyncio.gather(*creating, *visits(client, course, course.world.users))
    assert statuses(answers[:8]) == {200: 4, 400: 4}
    assert statuses(answers[8:]) == {200: 30}
    shown = (await client.get(f"{course.cohorts}?page_size=100")).json()
    names = Counter(cohort["name"] for cohort in shown)
    assert names - Counter(["Default Group"]) == Counter(["C0", "C1", "C2", "C3"])
    assert sum(cohort["user_count"] for cohort in shown) == 30


async def test_adding_and_removing_one_user(staff: httpx.AsyncClient, course: Course) -> None:
    cohorts = [await course.add(name) for name in "AB"]
    username = (await course.person(course.world.users[0]))["username"]
    asked = [
        each
        for cohort in cohorts * 5
        for each in (
            staff.post(course.users(cohort), json={"users": [username]}),
            staff.delete(course.users(cohort, username)),
            staff.post(f"{course.legacy}/{cohort}/delete", data={"username": username}),
        )
    ]
    answers = await asyncio.gather(*asked)
    assert set(statuses(answers)) <= {200, 204, 400}
    assert all("not-in-cohort" in answer.text for answer in answers if answer.status_code == 400)
    listed = [(await staff.get(course.users(cohort))).json()["count"] for cohort in cohorts]
    counted = [(await staff.get(course.cohort(cohort))).json()["user_count"] for cohort in cohorts]
    assert listed == counted
    assert sum(listed) <= 1


async def test_uploads_and_adds_and_visits_of_the_same_users(
    client: httpx.AsyncClient, make_course: Any
) -> None:
    course: Course = await make_course(40)
    cohorts = [await course.add(name, "random") for name in "AB"]
    await client.put(course.settings, json={"is_cohorted": True})
    names = [person["username"] for person in await course.people()]
    tables = [
        "".join(["cohort,username\n", *(f"{name},{user}\n" for user in names)]) for name in "AB"
    ]
    answers = await asyncio.gather(
        *(client.post(course.upload, **file(table)) for table in tables),
        *(client.post(course.users(cohort), json={"users": names[::-1]}) for cohort in cohorts),
        *visits(client, course, course.world.users),
    )
    assert statuses(answers) == {204: 2, 200: 42}
    for job in await finished(client, course, 2):
        assert job["state"] == "done"
        assert counts(job)[:2] == (40, 40)
        assert sum(counts(job)[2:4]) == 40
    members = [await course.members(cohort) for cohort in cohorts]
    assert sorted(members[0] + members[1]) == sorted(course.world.users)


async def test_cohorts_that_go_while_an_upload_is_done(
    client: httpx.AsyncClient, make_course: Any
) -> None:
    course: Course = await make_course(30)
    cohorts = {name: await course.add(name) for name in "ABCD"}
    names = [person["username"] for person in await course.people()]
    # One of them is called D or E all the time.
    rows = [f"{name},{user}\n" for user in names for name in (*cohorts, "E")]
    uploads = [
        client.post(course.upload, **file("cohort,username\n" + "".join(rows))) for _ in range(4)
    ]
    changes = [client.delete(f"/v1/groups/{cohorts[name]}") for name in "ABC"]
    renames = [client.patch(course.cohort(cohorts["D"]), json={"name": name}) for name in "ED"]
    answers = await asyncio.gather(*uploads[:2], *changes, *uploads[2:], *renames)
    assert statuses(answers) == {204: 9}
    for job in await finished(client, course, 4):
        assert (job["state"], job["result"]["error"], job["attempted"]) == ("done", None, 150)
    assert set(await course.members(cohorts["D"])) <= set(course.world.users)
    assert await course.world.log("membership.%") != []
