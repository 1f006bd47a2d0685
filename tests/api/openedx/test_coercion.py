"""Bodies of v2 that need not be of the types that are documented: serializer_fields.py."""

from typing import Any

import httpx
import pytest

from tests.api.openedx.conftest import Course, told
from tests.api.openedx.test_v2 import refused, shape
from tests.conftest import SQL

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"json": {"is_cohorted": "true"}}, True),
        ({"json": {"is_cohorted": 1}}, True),
        ({"data": {"is_cohorted": "true"}}, True),
        ({"files": {"is_cohorted": (None, "on")}}, True),
        ({"json": {"is_cohorted": "No"}}, False),
        ({"data": {"another": "x"}}, False),
        ({"content": b"", "headers": FORM}, False),
    ],
)
async def test_settings_are_booleans_in_many_words(
    staff: httpx.AsyncClient, course: Course, sql: SQL, sent: Any, expected: bool
) -> None:
    path = f"{course.v2}/cohort_settings/"
    await staff.put(path, json={"is_cohorted": not expected})
    answer = await staff.put(path, **sent)
    (stored,) = await sql(
        "SELECT id, is_cohorted FROM cohort_settings WHERE course_id = :id",
        id=course.world.course_id,
    )
    assert stored[1] is expected
    assert told(answer) == (200, {"id": stored[0], "is_cohorted": expected})


@pytest.mark.parametrize(
    ("sent", "members"),
    [
        (
            {"json": {"name": "A", "group_id": "5", "user_partition_id": "50.0"}},
            {"name": "A", "group_id": 5, "user_partition_id": 50},
        ),
        (
            {"json": {"name": "A", "group_id": 5.0, "user_partition_id": -50}},
            {"name": "A", "group_id": 5, "user_partition_id": -50},
        ),
        ({"json": {"name": 2026}}, {"name": "2026"}),
        ({"json": {"name": " A\u3000"}}, {"name": "A"}),
        (
            {"data": {"name": " A ", "group_id": "5", "user_partition_id": "50"}},
            {"name": "A", "group_id": 5, "user_partition_id": 50},
        ),
        ({"data": {"name": ["A", "B"], "group_id": ""}}, {"name": "B"}),
        ({"files": {"name": (None, "A"), "group_id": (None, "")}}, {"name": "A"}),
    ],
)
async def test_cohorts_are_made_and_changed_of_numbers_and_texts(
    staff: httpx.AsyncClient, course: Course, sent: dict[str, Any], members: dict[str, Any]
) -> None:
    ((how, body),) = sent.items()
    kind: Any = (None, "random") if how == "files" else "random"
    made = await staff.post(f"{course.v2}/cohorts/", **{how: {**body, "assignment_type": kind}})
    expected = shape(made.json()["id"], "", assignment_type="random") | members
    assert told(made) == (201, expected)
    path = f"{course.v2}/cohorts/{expected['id']}/"
    other = {"name": "Z", "group_id": 1, "user_partition_id": 1}
    assert (await staff.patch(path, json=other)).json() == {**expected, **other}
    changed = await staff.patch(path, **sent)
    if "group_id" not in body:
        expected |= {"group_id": 1, "user_partition_id": 1}
    assert told(changed) == (200, expected)


async def test_what_a_form_leaves_empty_is_no_change_of_a_name(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A", "random")
    path = f"{course.v2}/cohorts/{cohort}/"
    refused(
        await staff.patch(path, data={"name": "", "assignment_type": ""}),
        400,
        "Supply at least one of name, assignment_type or group_id.",
    )
    changed = await staff.patch(path, data={"name": "", "assignment_type": "", "group_id": ""})
    assert told(changed) == (200, shape(cohort, "A", assignment_type="random"))


@pytest.mark.parametrize("indexed", [False, True])
async def test_users_are_trimmed_and_may_be_numbers(
    staff: httpx.AsyncClient, course: Course, indexed: bool
) -> None:
    cohort = await course.add("A")
    first = await course.person(course.world.users[0])
    lists: dict[str, Any] = {
        "added": [first],
        "changed": [],
        "present": [],
        "unknown": ["7"],
        "preassigned": ["new@x.org"],
        "invalid": [],
    }
    users = [f" {first['username']}", " new@x.org ", 7]
    form = {f"users[{place}]": str(user) for place, user in enumerate(users)}
    sent: dict[str, Any] = {"data": form} if indexed else {"json": {"users": users}}
    answer = await staff.post(f"{course.v2}/cohorts/{cohort}/users/", **sent)
    assert told(answer) == (200, lists)
    assert await course.waiting() == {"new@x.org": cohort}


async def test_a_number_that_no_database_holds_is_refused(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    sent = {"group_id": "1" * 30, "user_partition_id": 1}
    answer = await staff.patch(f"{course.v2}/cohorts/{cohort}/", json=sent)
    refused(answer, 400, "Content partitions and groups have integers as ids.")
