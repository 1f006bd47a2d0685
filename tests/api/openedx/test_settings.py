"""Settings of a course in v1."""

import json
from typing import Any

import httpx
import pytest

from tests.api.openedx.conftest import Course, envelope, told
from tests.conftest import SQL

MISSING = (400, envelope('Missing field "is_cohorted".'))
NOT_BOOLEAN = (400, envelope("Cohorted must be a boolean"))


async def rows(sql: SQL, course: Course) -> list[Any]:
    statement = "SELECT id, is_cohorted FROM cohort_settings WHERE course_id = :id"
    return await sql(statement, id=course.world.course_id)


async def test_the_first_reading_makes_the_settings(
    staff: httpx.AsyncClient, course: Course, sql: SQL
) -> None:
    assert await rows(sql, course) == []
    first = await staff.get(course.settings)
    ((number, _),) = await rows(sql, course)
    assert number > 0
    assert first.text == f'{{"id":{number},"is_cohorted":false}}'
    for _ in range(2):
        assert told(await staff.get(course.settings)) == told(first)
    (line,) = await course.world.log("cohort_settings.%")
    assert line[0] == "cohort_settings.created"


async def test_put_answers_as_get_does(staff: httpx.AsyncClient, course: Course, sql: SQL) -> None:
    for wanted in (True, True, False):
        put = await staff.put(course.settings, json={"is_cohorted": wanted, "more": [1]})
        ((number, stored),) = await rows(sql, course)
        assert stored is wanted
        assert told(put) == (200, {"id": number, "is_cohorted": wanted})
        assert told(await staff.get(course.settings)) == told(put)
    kinds = [line[0] for line in await course.world.log("cohort_settings.%")]
    assert kinds == ["cohort_settings.created", "cohort_settings.updated"]


async def test_put_keeps_how_chance_decides(
    client: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course
) -> None:
    native = f"/v1/courses/{course.world.course_id}/cohort-settings"
    await client.put(native, json={"is_cohorted": False, "random_assignment": "balanced"})
    await staff.put(course.settings, json={"is_cohorted": True})
    read = (await client.get(native)).json()
    assert read == {"is_cohorted": True, "random_assignment": "balanced"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", MISSING),
        ("{}", MISSING),
        ('{"cohorted": true}', MISSING),
        ('{"is_cohorted": "true"}', NOT_BOOLEAN),
        ('{"is_cohorted": 1}', NOT_BOOLEAN),
        ('{"is_cohorted": 0}', NOT_BOOLEAN),
        ('{"is_cohorted": null}', NOT_BOOLEAN),
        ('{"is_cohorted": []}', NOT_BOOLEAN),
        ("abcd", (400, envelope("JSON parse error - Expecting value: line 1 column 1 (char 0)"))),
        ("[]", (400, envelope("Invalid data. Expected a dictionary."))),
        ("null", (400, envelope("Invalid data. Expected a dictionary."))),
    ],
)
async def test_what_put_refuses(
    staff: httpx.AsyncClient, course: Course, sql: SQL, content: str, expected: Any
) -> None:
    headers = {"content-type": "application/json"}
    answer = await staff.put(course.settings, content=content, headers=headers)
    assert told(answer) == expected
    assert await rows(sql, course) == []


@pytest.mark.parametrize(
    "send", [{"data": {"is_cohorted": "true"}}, {"files": {"is_cohorted": "true"}}]
)
async def test_a_form_has_no_booleans(
    staff: httpx.AsyncClient, course: Course, send: dict[str, Any]
) -> None:
    if "files" in send:
        send = {"files": {"is_cohorted": (None, "true")}}
    assert told(await staff.put(course.settings, **send)) == NOT_BOOLEAN


async def test_turning_cohorts_off_keeps_them_and_their_members(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    await course.join(cohort, *course.world.users)
    before = told(await staff.get(course.users(cohort)))
    for wanted in (True, False, True):
        await staff.put(course.settings, json={"is_cohorted": wanted})
        assert told(await staff.get(course.users(cohort))) == before


async def test_a_locked_course_is_read_and_not_changed(
    staff: httpx.AsyncClient, course: Course
) -> None:
    await course.lock()
    assert (await staff.get(course.settings)).json()["is_cohorted"] is False
    refused = await staff.put(course.settings, json={"is_cohorted": True})
    assert told(refused) == (400, envelope("The course is locked.", "course-locked"))


@pytest.mark.parametrize(
    ("content_type", "shown"), [("text/plain", "text/plain"), (None, "")], ids=["text", "none"]
)
async def test_other_media_types(
    staff: httpx.AsyncClient, course: Course, content_type: str | None, shown: str
) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    content = json.dumps({"is_cohorted": True}).encode()
    answer = await staff.put(course.settings, content=content, headers=headers)
    expected = f'Unsupported media type "{shown}" in request.'
    assert told(answer) == (415, envelope(expected))
