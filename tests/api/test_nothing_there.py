"""What the native face answers about cohorts and tracks where there are none."""

from typing import Any

import httpx
import pytest

from tests.api.refusals import problem, told
from tests.conftest import World

UNKNOWN = 10**12


@pytest.mark.parametrize(
    ("method", "path", "payload"),
    [
        ("GET", "preassignments", {}),
        ("GET", "jobs", {}),
        ("POST", "cohort-assignments", {"json": {"user_id": 1}}),
        (
            "POST",
            "cohort-uploads",
            {"content": "username,cohort\nada,A\n", "headers": {"content-type": "text/csv"}},
        ),
    ],
)
async def test_a_course_that_is_not_there_has_no_cohorts(
    client: httpx.AsyncClient, method: str, path: str, payload: dict[str, Any]
) -> None:
    answer = await client.request(method, f"/v1/courses/{UNKNOWN}/{path}", **payload)
    assert told(answer) == problem(404, "not_found", "no such course")


@pytest.mark.parametrize("nothing", [{"cohort": None}, {"track": None}])
async def test_leaving_what_a_course_does_not_have_changes_nothing(
    client: httpx.AsyncClient, world: World, nothing: dict[str, None]
) -> None:
    path = f"/v1/courses/{world.course_id}/enrollments/{world.users[0]}"
    before = (await client.get(path)).content
    answer = await client.put(path, json={"state": "active", **nothing})
    assert (answer.status_code, answer.content) == (200, before)


@pytest.mark.parametrize(
    ("path", "media_type", "message"),
    [
        ("/v1/a%0Ab", "application/problem+json", "no such resource"),
        ("/ScoDoc/a%0Ab/api/partition/1", "application/json", '"error": "Not Found"'),
        ("/api/cohorts/v1/settings/a+b%0A+c", "application/json", "Course not found: a+b"),
        (
            "/api/cohorts/v2/courses/a+b%0A+c/cohorts/",
            "application/problem+json",
            "/api/cohorts/v2/courses/a+b\\n+c/cohorts/",
        ),
        ("/courses/a+b%0A+c/cohorts/", "text/html", "404 Not Found"),
    ],
)
async def test_a_line_break_in_a_path_names_nothing_in_any_face(
    client: httpx.AsyncClient, path: str, media_type: str, message: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert message in answer.text
