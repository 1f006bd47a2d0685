"""What ``docs/openedx.md`` tells operators to do, done."""

import json
import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from groupsvc.settings import Settings
from tests.api.openedx.conftest import told

GUIDE = Path(__file__).parents[3].joinpath("docs", "openedx.md").read_text(encoding="utf-8")
PROCESS = {"GROUPSVC_OPENEDX_TOKEN"}  # of the command, not of the service
KEY = "course-v1:Org+C+R"


def test_settings_that_are_named_exist() -> None:
    named = set(re.findall(r"GROUPSVC_[A-Z_]+", GUIDE)) - PROCESS
    assert {name.removeprefix("GROUPSVC_").lower() for name in named} <= set(Settings.model_fields)


def test_addresses_that_are_named_exist(app: FastAPI) -> None:
    known = {
        (method.upper(), re.sub(r"\{[^}]*\}", "{}", path))
        for path, operations in app.openapi()["paths"].items()
        for method in operations
    }
    named = re.findall(r"\b(GET|PUT|POST|PATCH|DELETE)\s+(/v1/[^\s`?]+)", GUIDE)
    assert len(named) > 10
    for method, path in named:
        plain = re.sub(r"\{[^}]*\}", "{}", path)
        for example in ("/alovelace", f"/{KEY}", "/Org"):
            plain = plain.replace(example, "/{}")
        assert (method, plain) in known


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("/courses/course-v1:Org+C+R/cohorts", True),
        ("/courses/course-v1:Org+C+R/cohorts/", True),
        ("/courses/course-v1:Org+C+R/cohorts/settings", True),
        ("/courses/course-v1:Org+C+R/cohorts/7/add", True),
        ("/courses/Org/C/R/cohorts/7/delete", True),
        ("/courses/Org/C/R/instructor/api/add_users_to_cohorts", True),
        ("/courses/Org/C/R/instructor/api/students_update_enrollment", False),
        ("/courses/Org/C/R/discussion/topics", False),
        ("/courses/Org/C/R/cohortsome", False),
        ("/courses/course-v1:Org+C+R/about", False),
    ],
)
def test_what_the_gateway_sends_here(path: str, ours: bool) -> None:
    (place,) = re.findall(r"location ~ (\S+) \{", GUIDE)
    assert bool(re.search(place, path)) is ours


async def test_a_course_is_put_in_place(
    client: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    lines = re.findall(r"^ +PUT (/v1/\S+) +(\{.*\})$", GUIDE, re.MULTILINE)
    assert len(lines) == 4
    ids = dict[str, int]()
    for _ in range(2):
        for path, body in lines:
            course, user = ids.get("course", 0), ids.get("user", 0)
            place = path.replace("{user_id}", str(user)).replace("{id}", str(course))
            answer = await client.put(place, json=json.loads(body))
            assert answer.status_code in (200, 201), answer.text
            kind = path.split("/")[2].removesuffix("s")
            ids.setdefault(kind, answer.json().get("id", 0))
    cohorts = f"/api/cohorts/v1/courses/{KEY}/cohorts/"
    made = await staff.post(cohorts, json={"name": "Group A", "assignment_type": "random"})
    place = f"/v1/courses/{ids['course']}/enrollments/{ids['user']}"
    (body,) = re.findall(r"`(\{\"state\".*?\})` enrolls", GUIDE)
    assert (await client.put(place, json=json.loads(body))).status_code == 200
    cohort = made.json()["id"]
    listed = (await staff.get(f"{cohorts}{cohort}/users/")).json()["results"]
    assert listed == [{"username": "alovelace", "email": "ada@example.org", "name": "Ada Lovelace"}]
    shown = {**made.json(), "user_count": 1}
    assert told(await staff.get(f"{cohorts}{cohort}")) == (200, shown)
    await client.put(place, json={"state": "withdrawn"})
    shown["user_count"] = 0
    assert told(await staff.get(f"{cohorts}{cohort}")) == (200, shown)
