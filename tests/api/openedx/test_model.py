"""What of the model shows in v1, and cohorts as forms make and change them."""

from typing import Any

import httpx
import pytest

from tests.api.openedx.conftest import Course, envelope, told
from tests.api.openedx.test_cohorts import shape
from tests.api.openedx.test_users import result


async def test_names_are_unique_in_a_course_and_ids_everywhere(
    staff: httpx.AsyncClient, course: Course, make_course: Any
) -> None:
    other: Course = await make_course(1)
    body = {"name": "A", "assignment_type": "manual"}
    first = (await staff.post(course.cohorts, json=body)).json()
    second = (await staff.post(other.cohorts, json=body)).json()
    assert (first, second) == (shape(first["id"], "A"), shape(second["id"], "A"))
    assert first["id"] != second["id"]
    taken = envelope("You cannot create two cohorts with the same name", "cohort-name-exists")
    assert told(await staff.post(course.cohorts, json=body)) == (400, taken)


async def test_names_are_compared_exactly(staff: httpx.AsyncClient, course: Course) -> None:
    await course.add("a")
    made = await staff.post(course.cohorts, json={"name": "A", "assignment_type": "manual"})
    assert told(made) == (200, shape(made.json()["id"], "A"))


async def test_several_cohorts_point_at_a_group_that_nobody_declared(
    staff: httpx.AsyncClient, course: Course
) -> None:
    link = {"user_partition_id": 987654321, "group_id": 123456789}
    made: list[dict[str, Any]] = []
    for name in "AB":
        body = {"name": name, "assignment_type": "random", **link}
        answer = await staff.post(course.cohorts, json=body)
        made.append(shape(answer.json()["id"], name, assignment_type="random", **link))
        assert told(answer) == (200, made[-1])
    assert told(await staff.get(course.cohorts)) == (200, made)


async def test_a_user_has_a_cohort_in_every_course(
    staff: httpx.AsyncClient, course: Course, make_course: Any
) -> None:
    other: Course = await make_course(1)
    person = await course.person(course.world.users[0])
    sent = {"users": [person["username"], "new@example.org"]}
    for each in (course, other):
        cohort = await each.add("A")
        answer = await staff.post(each.users(cohort), json=sent)
        assert told(answer) == result(added=[person], preassigned=["new@example.org"])
        assert await each.waiting() == {"new@example.org": cohort}
        counted = 1 if each is course else 0
        expected = shape(cohort, "A", user_count=counted)
        assert told(await staff.get(each.cohort(cohort))) == (200, expected)


@pytest.mark.parametrize("method", ["DELETE", "PUT"])
async def test_no_cohort_is_deleted(staff: httpx.AsyncClient, course: Course, method: str) -> None:
    cohort = await course.add("A")
    answer = await staff.request(method, course.cohort(cohort))
    assert told(answer) == (405, envelope(f'Method "{method}" not allowed.'))
    assert told(await staff.get(course.cohort(cohort))) == (200, shape(cohort, "A"))


@pytest.mark.parametrize("multipart", [False, True])
@pytest.mark.parametrize(
    ("form", "changed"),
    [
        ({"name": "B"}, {"name": "B"}),
        ({"assignment_type": "random"}, {"assignment_type": "random"}),
        (
            {"group_id": "7", "user_partition_id": "50"},
            {"group_id": 7, "user_partition_id": 50},
        ),
    ],
)
async def test_changing_by_form(
    staff: httpx.AsyncClient,
    course: Course,
    form: dict[str, str],
    changed: dict[str, Any],
    multipart: bool,
) -> None:
    cohort = await course.add("A")
    send: dict[str, Any] = {"data": form}
    if multipart:
        send = {"files": {name: (None, value) for name, value in form.items()}}
    answer = await staff.patch(course.cohort(cohort), **send)
    assert (answer.status_code, answer.content) == (204, b"")
    expected = shape(cohort, "A") | changed
    assert told(await staff.get(course.cohort(cohort))) == (200, expected)


@pytest.mark.parametrize("multipart", [False, True])
async def test_a_form_beats_the_name_in_the_path(
    staff: httpx.AsyncClient, course: Course, multipart: bool
) -> None:
    cohort = await course.add("A")
    first, second = (await course.people())[:2]
    send: dict[str, Any] = {"data": {"users": first["username"]}}
    if multipart:
        send = {"files": {"users": (None, first["username"])}}
    answer = await staff.post(course.users(cohort, second["username"]), **send)
    assert told(answer) == result(added=[first])


async def test_a_name_in_two_ways_of_writing_is_one_name(
    staff: httpx.AsyncClient, course: Course
) -> None:
    body = {"name": "e\u0301", "assignment_type": "manual"}
    made = await staff.post(course.cohorts, json=body)
    assert told(made) == (200, shape(made.json()["id"], "\u00e9"))
    taken = envelope("You cannot create two cohorts with the same name", "cohort-name-exists")
    assert told(await staff.post(course.cohorts, json={**body, "name": "\u00e9"})) == (400, taken)
