"""The events of every way to change a cohort."""

from typing import Any

import httpx
import pytest

from tests.api.openedx.conftest import Course
from tests.api.openedx.test_events import (
    Event,
    Feed,
    add_requested,
    added,
    changed,
    created,
    creation_requested,
    make,
    preassigned,
    removed,
)
from tests.api.openedx.test_upload import file, finished


@pytest.fixture
def feed(client: httpx.AsyncClient, course: Course) -> Feed:
    return Feed(client, course)


async def entered(course: Course, cohort: int, name: str, user: int) -> list[Event]:
    return [
        await changed(course, name, user),
        added(cohort, name, user),
        add_requested(cohort, name, user),
    ]


async def moved(
    course: Course, left: tuple[int, str], cohort: int, name: str, user: int
) -> list[Event]:
    return [
        removed(*left, user),
        added(cohort, name, user),
        await changed(course, name, user),
        add_requested(cohort, name, user, left),
    ]


async def visit(client: httpx.AsyncClient, course: Course, user: int) -> int:
    path = f"/v1/courses/{course.world.course_id}/cohort-assignments"
    cohort: int = (await client.post(path, json={"user_id": user})).json()["group_id"]
    return cohort


@pytest.mark.parametrize("version", ["v2", "instructor"])
async def test_every_explicit_creation_is_requested(
    staff: httpx.AsyncClient, course: Course, feed: Feed, version: str
) -> None:
    path = f"{course.v2}/cohorts/" if version == "v2" else f"{course.legacy}/"
    body = {"name": "A", "assignment_type": "random"}
    cohort = (await staff.post(path, json=body)).json()["id"]
    assert await feed.read(2) == [created(cohort, "A"), creation_requested(cohort, "A")]


async def test_the_routes_of_instructors(
    staff: httpx.AsyncClient, course: Course, feed: Feed
) -> None:
    a, b = await make(staff, course, "A"), await make(staff, course, "B")
    await feed.read(4)
    user = course.world.users[0]
    username = (await course.person(user))["username"]
    for cohort, users in ((a, f"{username},x@y.org nobody foo@bar"), (a, username), (b, username)):
        await staff.post(f"{course.legacy}/{cohort}/add", data={"users": users})
    for _ in range(2):
        await staff.post(f"{course.legacy}/{a}/delete", data={"username": username})
    assert await feed.read(9) == [
        *await entered(course, a, "A", user),
        preassigned(a, "A", "x@y.org"),
        *await moved(course, (a, "A"), b, "B", user),
        removed(b, "B", user),
    ]


async def test_an_upload(
    client: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course, feed: Feed
) -> None:
    a, b = await make(staff, course, "A"), await make(staff, course, "B")
    new, member, other = (await course.people())[:3]
    for cohort, person in ((a, member), (b, other)):
        await staff.post(course.users(cohort), json={"users": [person["username"]]})
    await feed.read(10)
    rows = [
        f"A,{new['username']}",
        f"A,{member['username']}",
        f"A,{other['email']}",
        "A,new@example.org",
        "A,nobody",
        "A,foo@bar",
        f"C,{new['username']}",
        "A,",
    ]
    await staff.post(course.upload, **file("\n".join(["cohort,email", *rows])))
    await finished(client, course)
    found = await feed.read(8)
    # Users of one batch come one after the other; who of them comes first is not said.
    for expected in (
        await entered(course, a, "A", course.world.users[0]),
        await moved(course, (b, "B"), a, "A", course.world.users[2]),
        [preassigned(a, "A", "new@example.org")],
    ):
        first = found.index(expected[0])
        assert found[first : first + len(expected)] == expected
    assert {item["actor"] for item in feed.items} == {"staff"}


async def test_a_visit_that_uses_up_what_waits(
    client: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course, feed: Feed
) -> None:
    await staff.put(course.settings, json={"is_cohorted": True})
    a, chance = await make(staff, course, "A"), await make(staff, course, "B", "random")
    waiting, other = course.world.users[:2]
    email = (await course.person(waiting))["email"]
    await course.world.sql("UPDATE users SET email = NULL WHERE id = :id", id=waiting)
    await staff.post(course.users(a), json={"users": [email]})
    await course.world.sql(
        "UPDATE users SET email = :email WHERE id = :id", email=email, id=waiting
    )
    assert await feed.read(5) != []
    assert await visit(client, course, waiting) == a
    assert await visit(client, course, other) == chance
    assert await visit(client, course, other) == chance
    assert await feed.read(6) == [
        *await entered(course, a, "A", waiting),
        *await entered(course, chance, "B", other),
    ]


async def test_a_default_group_that_is_there_is_not_created(
    client: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course, feed: Feed
) -> None:
    await staff.put(course.settings, json={"is_cohorted": True})
    cohort = await make(staff, course, "Default Group")
    await feed.read(2)
    user = course.world.users[0]
    assert await visit(client, course, user) == cohort
    assert await feed.read(3) == await entered(course, cohort, "Default Group", user)


async def test_enrolling_with_a_cohort(
    client: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course, feed: Feed
) -> None:
    a, b = await make(staff, course, "A"), await make(staff, course, "B")
    await feed.read(4)
    user = course.world.users[0]
    path = f"/v1/courses/{course.world.course_id}/enrollments/{user}"
    bodies: list[Any] = [{"cohort": "A"}, {"cohort": "A"}, {"cohort": "B"}, {"cohort": None}]
    for body in bodies:
        await client.patch(path, json=body)
    assert await feed.read(8) == [
        *await entered(course, a, "A", user),
        *await moved(course, (a, "A"), b, "B", user),
        removed(b, "B", user),
    ]


async def test_settings_links_and_enrollments_are_no_events(
    client: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course, feed: Feed
) -> None:
    cohort = await make(staff, course, "A")
    await feed.read(2)
    await staff.put(course.settings, json={"is_cohorted": True})
    link = {"group_id": 1, "user_partition_id": 50}
    await staff.patch(course.cohort(cohort), json={"name": "B", **link})
    path = f"/v1/courses/{course.world.course_id}/enrollments/{course.world.users[0]}"
    await client.patch(path, json={"state": "withdrawn"})
    user = course.world.users[1]
    await staff.post(course.users(cohort), json={"users": [(await course.person(user))["email"]]})
    assert await feed.read(3) == await entered(course, cohort, "B", user)


async def test_an_address_that_one_request_names_twice_is_told_once(
    staff: httpx.AsyncClient, course: Course, feed: Feed
) -> None:
    cohort = await make(staff, course, "A")
    await feed.read(2)
    given = ["New@example.org", "other@example.org", "new@example.org"]
    answer = await staff.post(course.users(cohort), json={"users": given})
    assert answer.json()["preassigned"] == given
    found = await feed.read(2)
    assert sorted(payload["user_email"] for _, payload in found) == given[:0:-1]
