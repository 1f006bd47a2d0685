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
