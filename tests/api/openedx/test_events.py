"""Events of cohorts, read from the change log."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.openedx.conftest import Course
from tests.api.openedx.event_schema import hold_to_schema
from tests.conftest import SQL
from tests.waiting import until

Event = tuple[str, dict[str, Any]]


class Feed:
    """What happened in a course since the feed was last read."""

    def __init__(self, client: httpx.AsyncClient, course: Course) -> None:
        self.client, self.course = client, course
        self.cursor: str | None = None
        self.items: list[dict[str, Any]] = []

    async def page(self, **query: Any) -> dict[str, Any]:
        query = {"as": "openedx", "course_id": self.course.world.course_id, **query}
        if self.cursor is not None:
            query["cursor"] = self.cursor
        answer = await self.client.get("/v1/changes", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        for event in page["items"]:
            hold_to_schema(event)
        self.cursor = page["next_cursor"] or self.cursor
        return page

    async def read(self, number: int) -> list[Event]:
        """So many events: a transaction elsewhere may hold them back for a moment."""
        self.items = []

        async def read_on() -> bool:
            self.items += (await self.page())["items"]
            return len(self.items) >= number

        await until(read_on)
        assert len(self.items) == number, self.items
        return [(item["name"], item["payload"]) for item in self.items]


@pytest.fixture
def feed(client: httpx.AsyncClient, course: Course) -> Feed:
    return Feed(client, course)


async def make(staff: httpx.AsyncClient, course: Course, name: str, kind: str = "manual") -> int:
    body = {"name": name, "assignment_type": kind}
    return (await staff.post(course.cohorts, json=body)).json()["id"]


def created(cohort: int, name: str) -> Event:
    return "edx.cohort.created", {"cohort_id": cohort, "cohort_name": name}


def creation_requested(cohort: int, name: str) -> Event:
    return "edx.cohort.creation_requested", {"cohort_name": name, "cohort_id": cohort}


def added(cohort: int, name: str, user: int) -> Event:
    return (
        "edx.cohort.user_added",
        {"cohort_id": cohort, "cohort_name": name, "user_id": user},
    )


def removed(cohort: int, name: str, user: int) -> Event:
    return (
        "edx.cohort.user_removed",
        {"cohort_id": cohort, "cohort_name": name, "user_id": user},
    )


def add_requested(
    cohort: int, name: str, user: int, previous: tuple[int, str] | None = None
) -> Event:
    return (
        "edx.cohort.user_add_requested",
        {
            "user_id": user,
            "cohort_id": cohort,
            "cohort_name": name,
            "previous_cohort_id": previous[0] if previous else None,
            "previous_cohort_name": previous[1] if previous else None,
        },
    )


async def changed(course: Course, name: str, user: int) -> Event:
    person = await course.person(user)
    number = course.world.users.index(user) + 1
    return (
        "org.openedx.learning.cohort_membership.changed.v1",
        {
            "cohort": {
                "user": {
                    "pii": {**person, "name": f"Given Family{number}"},
                    "id": user,
                    "is_active": True,
                },
                "course": {
                    "course_key": course.key,
                    "display_name": "",
                    "start": None,
                    "end": None,
                },
                "name": name,
            }
        },
    )


def preassigned(cohort: int, name: str, email: str | None) -> Event:
    return (
        "edx.cohort.email_address_preassigned",
        {"user_email": email, "cohort_id": cohort, "cohort_name": name},
    )


async def test_a_cohort_is_created_and_renamed(
    staff: httpx.AsyncClient, course: Course, feed: Feed
) -> None:
    cohort = await make(staff, course, "A")
    await staff.patch(course.cohort(cohort), json={"name": "B", "assignment_type": "random"})
    assert await feed.read(2) == [created(cohort, "A"), creation_requested(cohort, "A")]
    first, second = feed.items
    assert list(first) == [
        "name",
        "payload",
        "at",
        "course_key",
        "actor",
        "request_id",
        "changeset_id",
        "seq",
    ]
    assert (first["actor"], first["course_key"]) == ("staff", course.key)
    assert first["seq"] == second["seq"]


async def test_users_are_added_moved_and_removed(
    staff: httpx.AsyncClient, course: Course, feed: Feed
) -> None:
    a, b = await make(staff, course, "A"), await make(staff, course, "B")
    await feed.read(4)
    user = course.world.users[0]
    username = (await course.person(user))["username"]
    for cohort in (a, a, b):
        await staff.post(course.users(cohort), json={"users": [username, "nobody", "x@y."]})
    await staff.delete(course.users(b, username))
    await staff.delete(course.users(b, username))
    assert await feed.read(8) == [
        await changed(course, "A", user),
        added(a, "A", user),
        add_requested(a, "A", user),
        removed(a, "A", user),
        added(b, "B", user),
        await changed(course, "B", user),
        add_requested(b, "B", user, (a, "A")),
        removed(b, "B", user),
    ]


async def test_many_users_of_one_request_come_one_after_the_other(
    staff: httpx.AsyncClient, course: Course, feed: Feed
) -> None:
    cohort = await make(staff, course, "A")
    await feed.read(2)
    users = course.world.users
    names = [(await course.person(user))["username"] for user in reversed(users)]
    await staff.post(course.users(cohort), json={"users": names})
    expected = [
        event
        for user in users
        for event in (
            await changed(course, "A", user),
            added(cohort, "A", user),
            add_requested(cohort, "A", user),
        )
    ]
    assert await feed.read(15) == expected
    assert len({item["changeset_id"] for item in feed.items}) == 1


async def test_a_first_visit_requests_no_creation(
    client: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course, feed: Feed
) -> None:
    await staff.put(course.settings, json={"is_cohorted": True})
    user = course.world.users[0]
    path = f"/v1/courses/{course.world.course_id}/cohort-assignments"
    cohort = (await client.post(path, json={"user_id": user})).json()["group_id"]
    assert await feed.read(4) == [
        created(cohort, "Default Group"),
        await changed(course, "Default Group", user),
        added(cohort, "Default Group", user),
        add_requested(cohort, "Default Group", user),
    ]


async def test_an_address_is_told_every_time_while_it_waits(
    client: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course, feed: Feed
) -> None:
    a, b = await make(staff, course, "A"), await make(staff, course, "B")
    await feed.read(4)
    for cohort in (a, b, b):
        await staff.post(course.users(cohort), json={"users": ["new@example.org"]})
    assert await feed.read(3) == [
        preassigned(a, "A", "new@example.org"),
        preassigned(b, "B", "new@example.org"),
        preassigned(b, "B", "new@example.org"),
    ]
    await client.post("/v1/retirements", json={"email": "New@example.org"})
    again = Feed(client, course)
    assert (await again.read(7))[4:] == [
        preassigned(a, "A", None),
        preassigned(b, "B", None),
        preassigned(b, "B", None),
    ]


async def test_native_changes_of_cohorts_are_told_and_those_of_groups_are_not(
    client: httpx.AsyncClient, course: Course, feed: Feed, sql: SQL
) -> None:
    cohort = await course.add("A")
    group = await course.world.add_group(await course.world.add_partition("TD"))
    user = course.world.users[0]
    for each in (group, cohort):
        await client.put(f"/v1/groups/{each}/members/{user}")
    await client.delete(f"/v1/groups/{cohort}")
    await sql("DELETE FROM partitions WHERE id = :id", id=course.partition)
    assert await feed.read(6) == [
        created(cohort, "A"),
        creation_requested(cohort, "A"),
        await changed(course, "A", user),
        added(cohort, "A", user),
        add_requested(cohort, "A", user),
        removed(cohort, "A", user),
    ]


async def test_a_user_who_is_gone_has_no_personal_data(
    client: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course, feed: Feed
) -> None:
    cohort = await make(staff, course, "A")
    user = course.world.users[0]
    await client.put(f"/v1/groups/{cohort}/members/{user}")
    await client.delete(f"/v1/users/{user}")
    events = await feed.read(6)
    nobody = {"username": "", "email": "", "name": ""}
    assert events[2][1]["cohort"]["user"] == {"pii": nobody, "id": user, "is_active": False}
    assert events[5] == removed(cohort, "A", user)


async def test_events_have_the_id_of_the_platform_where_it_was_told(
    client: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course, feed: Feed
) -> None:
    """Even of users who have been deleted here in the meantime."""
    cohort, other = await make(staff, course, "A"), await make(staff, course, "B")
    user, lms = course.world.users[0], course.world.users[0] + 10**12
    given = {"external_ids": {"openedx": lms, "sis": "x"}}
    assert (await client.patch(f"/v1/users/{user}", json=given)).status_code == 200
    await client.put(f"/v1/groups/{cohort}/members/{user}")
    await client.put(f"/v1/groups/{other}/members/{user}")
    await client.delete(f"/v1/users/{user}")
    events = (await feed.read(12))[4:]
    moved = [event for event in events if "membership" in event[0]]
    assert [event[1]["cohort"]["user"]["id"] for event in moved] == [lms, lms]
    assert [event for event in events if event not in moved] == [
        added(cohort, "A", lms),
        add_requested(cohort, "A", lms),
        removed(cohort, "A", lms),
        added(other, "B", lms),
        add_requested(other, "B", lms, (cohort, "A")),
        removed(other, "B", lms),
    ]


async def test_reading_on_misses_nothing_and_repeats_nothing(
    client: httpx.AsyncClient, staff: httpx.AsyncClient, make_course: Any
) -> None:
    course: Course = await make_course(12)
    feed = Feed(client, course)
    cohorts = [await make(staff, course, name) for name in "AB"]
    names = [(await course.person(user))["username"] for user in course.world.users]
    expected, seen = 4, []

    async def read_on() -> bool:
        seen.extend((await feed.page(limit=5))["items"])
        return len(seen) >= expected

    adds = [
        staff.post(course.users(cohorts[n % 2]), json={"users": [name]})
        for n, name in enumerate(names)
    ]
    expected += 3 * len(names)
    await asyncio.gather(until(read_on), *adds)
    keys = [(item["seq"], item["name"]) for item in seen]
    assert len(keys) == len(set(keys)) == expected
    assert (await feed.page())["items"] == []
    assert (await feed.page())["next_cursor"] is None


async def test_a_move_is_told_after_the_one_that_it_rests_on(
    course: Course, feed: Feed, engine: AsyncEngine
) -> None:
    """Though its transaction was the first to begin."""
    a, b, user = await course.add("A"), await course.add("B"), course.world.users[0]
    await course.join(a, user)
    await feed.read(7)
    moves = [
        text(f"UPDATE memberships SET group_id = {to} WHERE user_id = {user}") for to in (b, a)
    ]
    async with engine.connect() as early, engine.connect() as late:
        for each in (early, late):
            await each.execution_options(isolation_level="READ COMMITTED")
        await early.execute(text("SELECT pg_current_xact_id()"))
        await late.execute(moves[0])
        await late.commit()
        await early.execute(moves[1])
        assert (await feed.page())["items"] == []
        await early.commit()
    requests = [told for told in await feed.read(8) if told[0] == "edx.cohort.user_add_requested"]
    assert requests == [
        add_requested(b, "B", user, (a, "A")),
        add_requested(a, "A", user, (b, "B")),
    ]


async def test_a_restored_backup_is_told(course: Course, feed: Feed, sql: SQL) -> None:
    await course.add("A")
    await feed.read(2)
    await sql(
        "WITH allowed AS MATERIALIZED ("
        "    SELECT set_config('session_replication_role', 'replica', true) AS role)"
        " UPDATE changes SET changeset_id = gen_random_uuid() FROM allowed"
        " WHERE role = 'replica' AND course_id = :course",
        course=course.world.course_id,
    )
    query = {"as": "openedx", "cursor": feed.cursor}
    refused = await feed.client.get("/v1/changes", params=query)
    assert (refused.status_code, refused.json()["code"]) == (409, "history_replaced")


async def test_a_cursor_of_another_journal_is_refused(
    client: httpx.AsyncClient, course: Course
) -> None:
    page = (await client.get("/v1/changes?limit=1")).json()
    query = {"as": "openedx", "cursor": page["next_cursor"]}
    assert (await client.get("/v1/changes", params=query)).status_code == 422


async def test_events_are_for_readers_of_the_course(
    client: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course, feed: Feed, auth: Any
) -> None:
    await make(staff, course, "A")
    await feed.read(2)
    query = {"as": "openedx", "course_id": course.world.course_id}
    for grant, number in (
        (f"groups:read@course:{course.key}", 2),
        (f"groups:read@department:{course.world.department}", 2),
        ("groups:read@course:other", 0),
    ):
        answer = await client.get("/v1/changes", params=query, headers=auth(grant))
        assert len(answer.json()["items"]) == number
