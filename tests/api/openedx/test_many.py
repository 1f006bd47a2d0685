"""A thousand identifiers of every kind at once, as bulk clients send them."""

import random
from typing import Any

import httpx
import pytest

from tests.api.openedx.conftest import Course, told
from tests.test_statements import statements_of

LISTS = ("added", "changed", "present", "unknown", "preassigned", "invalid", "not_allowed")
ROOM = 20


async def people_of(course: Course) -> list[dict[str, str]]:
    rows = await course.world.sql(
        "SELECT username, email FROM users WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id",
        ids=course.world.users,
    )
    return [{"username": username, "email": email} for username, email in rows]


def identifiers(people: list[dict[str, str]], seed: int) -> list[str]:
    """Two for each user, by name and by address, and as many of those that nobody has."""
    given = [person[name] for person in people for name in ("username", "email")]
    nobody = ("nobody{}", "new{}@example.org", "foo@bar{}", " blank{}@example.org")
    given += [text.format(n) for n in range(len(people) // 2) for text in nobody]
    random.Random(seed).shuffle(given)
    return given


def expected(
    given: list[str], people: list[dict[str, str]], members: set[int], others: set[int], room: int
) -> dict[str, list[Any]]:
    """What is to come of it, decided one identifier after the other."""
    place = {person[name]: n for n, person in enumerate(people) for name in ("username", "email")}
    lists: dict[str, list[Any]] = {name: [] for name in LISTS}
    now = set(members)
    for identifier in given:
        n = place.get(identifier)
        if n is None:
            nobody = {"no": "unknown", "ne": "preassigned", "fo": "invalid", " b": "invalid"}
            lists[nobody[identifier[:2]]].append(identifier)
        elif n in now:
            lists["present"].append(identifier)
        elif room == 0:
            lists["not_allowed"].append(identifier)
        else:
            room -= 1
            now.add(n)
            person = people[n]
            if n in others:
                lists["changed"].append({**person, "previous_cohort": "Other"})
            else:
                lists["added"].append(person)
    return lists


@pytest.mark.parametrize("capacity", [None, 100 + ROOM])
async def test_all_seven_lists_of_a_thousand(
    client: httpx.AsyncClient, make_course: Any, capacity: int | None
) -> None:
    course: Course = await make_course(250)
    users = course.world.users
    cohort, other = await course.add("A", capacity=capacity), await course.add("Other")
    await course.join(cohort, *users[:100])
    await course.join(other, *users[100:180])
    people = await people_of(course)
    given = identifiers(people, seed=7)
    room = len(users) if capacity is None else ROOM
    lists = expected(given, people, set(range(100)), set(range(100, 180)), room)
    assert len(given) == 1_000
    assert all(lists[name] for name in LISTS if capacity is not None or name != "not_allowed")
    answer = await client.post(course.users(cohort), json={"users": given})
    shown = {name: lists[name] for name in LISTS if name != "not_allowed" or lists[name]}
    assert told(answer) == (200, {"success": True, **shown})
    entered = 100 + len(lists["added"]) + len(lists["changed"])
    assert len(await course.members(cohort)) == entered
    assert len(await course.waiting()) == len(lists["preassigned"])
    count = (await client.get(course.cohort(cohort))).json()["user_count"]
    listed = (await client.get(course.users(cohort))).json()["count"]
    assert count == listed == entered


@pytest.mark.parametrize("address", ["v1", "v2", "instructor"])
async def test_every_address_adds_in_a_constant_number_of_statements(
    client: httpx.AsyncClient, make_course: Any, address: str
) -> None:
    sent = set[int]()
    for count in (4, 250):
        course: Course = await make_course(count)
        cohort, other = await course.add("A"), await course.add("Other")
        await course.join(other, *course.world.users[: count // 2])
        given = identifiers(await people_of(course), seed=count)
        calls: dict[str, tuple[str, dict[str, Any]]] = {
            "v1": (course.users(cohort), {"json": {"users": given}}),
            "v2": (f"{course.v2}/cohorts/{cohort}/users/", {"json": {"users": given}}),
            "instructor": (f"{course.legacy}/{cohort}/add", {"data": {"users": ",".join(given)}}),
        }
        path, send = calls[address]
        sent.add(len(await statements_of(client, "POST", path, **send)))
        assert await course.members(cohort) == course.world.users
    assert sent == {5}
