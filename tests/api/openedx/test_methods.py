"""Methods and what is accepted, as the framework of the platform answers."""

from typing import Any

import httpx
import pytest

from tests.api.openedx.conftest import (
    FORBIDDEN,
    HIDDEN,
    UNAUTHENTICATED,
    Callers,
    Course,
    envelope,
    told,
)

NOT_ACCEPTABLE = (406, envelope("Could not satisfy the request Accept header."))
NOT_FOUND = (404, envelope("Not found."))


def paths(course: Course, cohort: int) -> dict[str, str]:
    return {
        "settings": course.settings,
        "cohorts": course.cohorts,
        "cohort": course.cohort(cohort),
        "users": course.users(cohort),
        "user": course.users(cohort, "bob"),
        "upload": course.upload,
    }


@pytest.mark.parametrize("address", ["settings", "cohorts", "cohort", "users", "user"])
async def test_head_is_get_without_a_body(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers, address: str
) -> None:
    path = paths(course, await course.add("A"))[address]
    for caller in ("anonymous", "learner", "moderator", "course staff"):
        got = await anonymous.get(path, headers=callers[caller])
        head = await anonymous.head(path, headers=callers[caller])
        assert (head.status_code, head.content) == (got.status_code, b"")
        for name in ("content-type", "content-length", "deprecation", "link"):
            assert head.headers[name] == got.headers[name]


async def test_head_where_there_is_no_get(staff: httpx.AsyncClient, course: Course) -> None:
    head = await staff.head(course.upload)
    assert (head.status_code, head.content, head.headers["allow"]) == (405, b"", "POST, OPTIONS")


async def test_options_of_the_upload(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers
) -> None:
    assert told(await anonymous.options(course.upload)) == UNAUTHENTICATED
    answer = await anonymous.options(course.upload, headers=callers["global staff"])
    assert (answer.status_code, answer.json()["name"]) == (200, "Cohort CSV")
    assert answer.headers["allow"] == "POST, OPTIONS"


@pytest.mark.parametrize(
    ("address", "view", "allow"),
    [
        ("settings", "Cohort Settings", "GET, PUT, HEAD, OPTIONS"),
        ("cohorts", "Cohort Handler", "GET, POST, HEAD, OPTIONS"),
        ("cohort", "Cohort Handler", "GET, PATCH, HEAD, OPTIONS"),
        ("users", "Cohort Users", "GET, POST, HEAD, OPTIONS"),
        ("user", "Cohort Users", "GET, POST, DELETE, HEAD, OPTIONS"),
    ],
)
async def test_options_tell_what_an_address_is(
    anonymous: httpx.AsyncClient,
    course: Course,
    callers: Callers,
    address: str,
    view: str,
    allow: str,
) -> None:
    path = paths(course, await course.add("A"))[address]
    assert told(await anonymous.options(path)) == UNAUTHENTICATED
    assert told(await anonymous.options(path, headers=callers["learner"])) == FORBIDDEN
    answer = await anonymous.options(path, headers=callers["course staff"])
    forms = ["application/x-www-form-urlencoded", "multipart/form-data"]
    about = {
        "name": view,
        "description": "",
        "renders": ["application/json"],
        "parses": ["application/json", *forms],
    }
    assert told(answer) == (200, about)
    assert answer.headers["allow"] == allow


ELSEWHERE = {
    ("cohorts", "PATCH"): ("Request method requires cohort_id in path", "missing-cohort-id"),
    ("cohort", "POST"): ("Please use the parent endpoint.", "wrong-endpoint"),
    ("users", "DELETE"): ("Missing username in path", "missing-username"),
}
THERE = {
    "settings": ("GET", "PUT"),
    "cohorts": ("GET", "POST"),
    "cohort": ("GET", "PATCH"),
    "users": ("GET", "POST"),
    "user": ("GET", "POST", "DELETE"),
    "upload": ("POST",),
}


@pytest.mark.parametrize("address", THERE)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"])
async def test_every_method_that_there_is_not(
    staff: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    course: Course,
    address: str,
    method: str,
) -> None:
    if method in THERE[address]:
        return
    path = paths(course, 1)[address]
    assert told(await anonymous.request(method, path)) == UNAUTHENTICATED
    answer = await staff.request(method, path, content=b"{")
    words = ELSEWHERE.get((address, method), (f'Method "{method}" not allowed.', None))
    assert told(answer) == (405, envelope(*words))
    assert answer.headers["content-type"] == "application/json"
    for other in set(THERE[address]):
        assert other in answer.headers["allow"].split(", ")
    assert method not in answer.headers["allow"].split(", ")


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "application/json",
        "APPLICATION/JSON",
        "application/*",
        "application/json; version=1",
        "application/json, text/plain, */*",
        "text/html,application/xhtml+xml,*/*;q=0.8",
        "*/*;q=0",
    ],
)
async def test_whoever_accepts_json_has_json(
    staff: httpx.AsyncClient, course: Course, accept: str
) -> None:
    answer = await staff.get(course.cohorts, headers={"accept": accept})
    assert told(answer) == (200, [])
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("accept", ["text/html", "application/xml, text/*", "garbage", "", "json"])
@pytest.mark.parametrize("address", THERE)
async def test_whoever_accepts_something_else_has_nothing(
    staff: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    course: Course,
    address: str,
    accept: str,
) -> None:
    path = paths(course, 1)[address]
    for client in (staff, anonymous):
        for method in ("GET", "POST", "DELETE"):
            answer = await client.request(method, path, headers={"accept": accept})
            assert told(answer) == NOT_ACCEPTABLE


async def test_what_is_accepted_comes_in_several_headers(
    staff: httpx.AsyncClient, course: Course
) -> None:
    headers = [("accept", "text/html"), ("accept", "application/json")]
    assert told(await staff.get(course.cohorts, headers=headers)) == (200, [])


async def test_a_format_in_the_query(
    staff: httpx.AsyncClient, anonymous: httpx.AsyncClient, course: Course
) -> None:
    for query in ("format=json", "format=", "reformat=xml"):
        assert told(await staff.get(f"{course.cohorts}?{query}")) == (200, [])
    for query in ("format=api", "format=xml", "format=json&format=csv", "format=JSON"):
        for client in (staff, anonymous):
            assert told(await client.get(f"{course.cohorts}?{query}")) == NOT_FOUND


async def test_second_version_and_instructors(
    staff: httpx.AsyncClient, anonymous: httpx.AsyncClient, course: Course
) -> None:
    """The first uses the same framework, in its own shape; the other looks at no headers."""
    headers = {"accept": "text/html"}
    path = f"{course.v2}/cohorts/"
    refused: dict[str, Any] = (await anonymous.get(path, headers=headers)).json()
    assert refused == {
        "type": "about:blank",
        "title": "Not Acceptable",
        "status": 406,
        "detail": "Could not satisfy the request Accept header.",
        "instance": path,
    }
    assert told(await staff.get(f"{course.legacy}/", headers=headers)) == (200, {"cohorts": []})
    assert (await staff.head(path)).status_code == 200
    refusal = await staff.head(f"{course.legacy}/")
    assert (refusal.status_code, refusal.content) == (405, b"")


async def test_a_moderator_reads_cohorts_alone(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers
) -> None:
    """The course goes missing for them before any page of it does."""
    moderator = callers["moderator"]
    cohort = await course.add("A")
    for query in ("", "?page=9", "?page=x"):
        answer = await anonymous.get(course.users(cohort) + query, headers=moderator)
        assert told(answer) == HIDDEN
    assert told(await anonymous.get(course.users(10**9), headers=moderator)) == HIDDEN
    assert told(await anonymous.get(f"{course.cohorts}?page=9", headers=moderator)) == (
        404,
        envelope("Invalid page."),
    )
