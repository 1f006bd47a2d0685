"""Methods of the addresses of v2, and what there is on each of its pages."""

from typing import Any

import httpx
import pytest

from tests.api.openedx.conftest import UNAUTHENTICATED, Callers, Course, envelope, told
from tests.api.openedx.test_v2 import DENIED, refused, shape

VIEWS = {
    "group_configurations": ("Group Configurations List", "GET, HEAD, OPTIONS"),
    "group_configurations/50": ("Group Configuration Detail", "GET, HEAD, OPTIONS"),
    "cohort_settings/": ("Cohort Settings", "GET, PUT, HEAD, OPTIONS"),
    "cohorts/": ("Cohort", "GET, POST, HEAD, OPTIONS"),
    "cohorts/1/": ("Cohort", "GET, PATCH, HEAD, OPTIONS"),
    "cohorts/1/users/": ("Cohort Member", "GET, POST, HEAD, OPTIONS"),
    "cohorts/1/users/bob/": ("Cohort Member", "DELETE, OPTIONS"),
}


@pytest.mark.parametrize("ending", VIEWS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_every_method_that_there_is_not(
    staff: httpx.AsyncClient, course: Course, ending: str, method: str
) -> None:
    allow = VIEWS[ending][1].split(", ")
    if method in allow:
        return
    answer = await staff.request(method, f"{course.v2}/{ending}", content=b"{")
    assert answer.headers["allow"].split(", ") == allow
    if ending.startswith("group"):
        assert told(answer) == (405, envelope(f'Method "{method}" not allowed.'))
    else:
        refused(answer, 405, f'Method "{method}" not allowed.')


@pytest.mark.parametrize("ending", VIEWS)
async def test_options_tell_what_an_address_is(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers, ending: str
) -> None:
    path = f"{course.v2}/{ending}"
    view, allow = VIEWS[ending]
    stranger = await anonymous.options(path)
    learner = await anonymous.options(path, headers=callers["learner"])
    if ending.startswith("group"):
        assert told(stranger) == UNAUTHENTICATED
        assert told(learner) == (403, envelope(DENIED))
    else:
        refused(stranger, 401, "Authentication credentials were not provided.")
        refused(learner, 403, DENIED)
    answer = await anonymous.options(path, headers=callers["course staff"])
    about = {
        "name": view,
        "description": "",
        "renders": ["application/json"],
        "parses": [
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        ],
    }
    assert (told(answer), answer.headers["allow"]) == ((200, about), allow)


def page(path: str, number: int, size: int, total: int, results: list[Any]) -> tuple[int, Any]:
    pages = max(-(-total // size), 1)

    def link(other: int) -> str | None:
        if not 1 <= other <= pages:
            return None
        more = f"page={other}&" if other > 1 else ""
        return f"http://test{path}?{more}page_size={size}"

    body = {
        "next": link(number + 1),
        "previous": link(number - 1),
        "count": total,
        "num_pages": pages,
        "current_page": number,
        "start": (number - 1) * size,
        "results": results,
    }
    return 200, body


@pytest.mark.parametrize(("asked", "number"), [("1", 1), ("2", 2), ("3", 3), ("last", 3)])
async def test_every_page_of_cohorts_and_of_users(
    staff: httpx.AsyncClient, course: Course, asked: str, number: int
) -> None:
    cohorts = [shape(await course.add(name), name) for name in "ABCDE"]
    await course.join(cohorts[0]["id"], *course.world.users)
    cohorts[0]["user_count"] = 5
    people = [
        {**person, "name": f"Given Family{n}"} for n, person in enumerate(await course.people(), 1)
    ]
    here = slice((number - 1) * 2, number * 2)
    query = {"page": asked, "page_size": "2"}
    for path, results in (
        (f"{course.v2}/cohorts/", cohorts),
        (f"{course.v2}/cohorts/{cohorts[0]['id']}/users/", people),
    ):
        answer = await staff.get(path, params=query)
        assert told(answer) == page(path, number, 2, 5, results[here])
        refused(await staff.get(path, params=query | {"page": "4"}), 404, "Invalid page.")


async def test_pages_of_nothing(staff: httpx.AsyncClient, course: Course) -> None:
    path = f"{course.v2}/cohorts/"
    assert told(await staff.get(f"{path}?page_size=7")) == page(path, 1, 7, 0, [])
    path = f"{path}{await course.add('A')}/users/"
    assert told(await staff.get(f"{path}?page_size=7")) == page(path, 1, 7, 0, [])


async def test_a_key_that_fits_no_route(
    staff: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    for client in (staff, anonymous):
        for ending in ("cohorts/", "group_configurations"):
            answer = await client.get(f"/api/cohorts/v2/courses/not-a-key/{ending}")
            assert answer.status_code == 404
