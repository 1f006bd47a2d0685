"""v2: content groups and cohorts."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.api.openedx.conftest import (
    FORBIDDEN,
    NOWHERE,
    UNAUTHENTICATED,
    Callers,
    Course,
    envelope,
    told,
    unknown,
)
from tests.conftest import SQL, UNHURRIED, serving

GROUPS = [{"id": 1, "name": "One"}, {"id": 2, "name": "Two"}]
SHOWN = [{**group, "version": 1, "usage": []} for group in GROUPS]


async def declare(client: httpx.AsyncClient, course: Course, number: int, **values: Any) -> None:
    path = f"/v1/courses/{course.world.course_id}/content-partitions/{number}"
    body = {"name": f"Partition {number}", "groups": GROUPS, **values}
    assert (await client.put(path, json=body)).status_code == 201


# Content groups


async def test_content_groups(
    client: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course
) -> None:
    path = f"{course.v2}/group_configurations"
    link = f"/course/{course.key}/group_configurations"
    nothing = {"id": None, "groups": [], "studio_content_groups_link": link}
    assert told(await staff.get(path)) == (200, nothing)
    await declare(client, course, 51, scheme="random")
    assert told(await staff.get(path)) == (200, nothing)
    await declare(client, course, 50)
    await declare(client, course, 7, groups=[])
    answer = await staff.get(path)
    expected = {"id": 50, "groups": SHOWN, "studio_content_groups_link": link}
    assert told(answer) == (200, expected)
    assert list(answer.json()) == list(expected)


async def test_where_studio_is(
    app: FastAPI, url: Any, home: Any, auth: Any, course: Course
) -> None:
    settings = Settings(studio_url="https://studio.example.org/", **UNHURRIED)
    async with serving(create_app(settings, url, home)) as client:
        path = f"{course.v2}/group_configurations"
        found = (await client.get(path, headers=auth("groups:write"))).json()
    expected = f"https://studio.example.org/course/{course.key}/group_configurations"
    assert found["studio_content_groups_link"] == expected


async def test_one_configuration(
    client: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course
) -> None:
    await declare(client, course, 51, scheme="random")
    await declare(client, course, 50, description="What", is_active=False)
    await declare(client, course, 52)
    answer = await staff.get(f"{course.v2}/group_configurations/50")
    expected = {
        "id": 50,
        "name": "Partition 50",
        "scheme": "cohort",
        "description": "What",
        "parameters": {},
        "groups": SHOWN,
        "active": False,
        "version": 3,
        "is_read_only": False,
    }
    assert told(answer) == (200, expected)
    assert list(answer.json()) == list(expected)
    assert (await staff.get(f"{course.v2}/group_configurations/52")).json()["id"] == 52
    for number in (51, 53, 2**70):
        answer = await staff.get(f"{course.v2}/group_configurations/{number}")
        missing = {"error": f"Content group configuration {number} not found"}
        assert told(answer) == (404, missing)


@pytest.mark.parametrize("ending", ["group_configurations", "group_configurations/50"])
async def test_who_sees_content_groups(
    anonymous: httpx.AsyncClient,
    client: httpx.AsyncClient,
    course: Course,
    callers: Callers,
    ending: str,
) -> None:
    await declare(client, course, 50)
    path = f"{course.v2}/{ending}"
    nowhere = path.replace(course.key, NOWHERE)
    malformed = path.replace(course.key, "a+b+c")
    for caller, expected in (
        ("anonymous", UNAUTHENTICATED),
        ("learner", FORBIDDEN),
        ("staff elsewhere", FORBIDDEN),
        ("moderator", FORBIDDEN),
        ("org staff", None),
        ("course staff", None),
        ("global staff", None),
    ):
        answer = await anonymous.get(path, headers=callers[caller])
        if expected is None:
            assert answer.status_code == 200
        else:
            assert told(answer) == expected
        answers = [
            told(await anonymous.get(each, headers=callers[caller]))
            for each in (nowhere, malformed)
        ]
        if caller == "anonymous":
            assert answers == [UNAUTHENTICATED] * 2
        else:
            assert answers == [unknown(NOWHERE), unknown("a+b+c")]
    answer = await anonymous.post(path, headers=callers["course staff"])
    assert told(answer) == (405, envelope('Method "POST" not allowed.'))


# Cohorts


def problem(status: int, title: str, detail: str, path: str) -> tuple[int, Any]:
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": path,
    }
    return status, body


def refused(answer: httpx.Response, status: int, detail: str) -> None:
    titles = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
    title = titles.get(status, "Method Not Allowed")
    assert told(answer) == problem(status, title, detail, answer.request.url.path)
    assert answer.headers["content-type"] == "application/problem+json"


def shape(cohort_id: int, name: str, **members: Any) -> dict[str, Any]:
    return {
        "id": cohort_id,
        "name": name,
        "assignment_type": "manual",
        "user_count": 0,
        "user_partition_id": None,
        "group_id": None,
        **members,
    }


DENIED = "You do not have permission to perform this action."


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "cohort_settings/"),
        ("PUT", "cohort_settings/"),
        ("GET", "cohorts/"),
        ("POST", "cohorts/"),
        ("GET", "cohorts/{cohort}/"),
        ("PATCH", "cohorts/{cohort}/"),
        ("GET", "cohorts/{cohort}/users/"),
        ("POST", "cohorts/{cohort}/users/"),
        ("DELETE", "cohorts/{cohort}/users/nobody/"),
    ],
)
async def test_who_manages_cohorts(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers, method: str, path: str
) -> None:
    cohort = await course.add("A")
    path = f"{course.v2}/{path.format(cohort=cohort)}"
    reads = method == "GET"
    for caller, welcome in (
        ("learner", False),
        ("staff elsewhere", False),
        ("moderator", reads),
        ("org staff", True),
        ("course staff", True),
        ("global staff", True),
    ):
        answer = await anonymous.request(method, path, headers=callers[caller])
        if welcome:
            assert answer.status_code in (200, 400, 404)
        else:
            refused(answer, 403, DENIED)
    refused(
        await anonymous.request(method, path), 401, "Authentication credentials were not provided."
    )
    expired = {"authorization": "Bearer x"}
    message = "The provided access token does not match any valid tokens."
    refused(await anonymous.request(method, path, headers=expired), 401, message)
    nowhere = path.replace(course.key, NOWHERE)
    refused(await anonymous.request(method, nowhere, headers=callers["course staff"]), 403, DENIED)
    malformed = path.replace(course.key, "a+b+c")
    refused(await anonymous.request(method, malformed), 404, "a+b+c is not a valid course key.")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "cohort_settings/", None),
        ("PUT", "cohort_settings/", {"is_cohorted": True}),
        ("GET", "cohorts/", None),
        ("POST", "cohorts/", {"name": "A", "assignment_type": "manual"}),
        ("GET", "cohorts/1/", None),
        ("PATCH", "cohorts/1/", {"name": "A"}),
        ("GET", "cohorts/1/users/", None),
        ("POST", "cohorts/1/users/", {"users": ["a"]}),
        ("DELETE", "cohorts/1/users/nobody/", None),
    ],
)
async def test_a_course_that_is_not_there(
    staff: httpx.AsyncClient, method: str, path: str, body: Any
) -> None:
    more = {} if body is None else {"json": body}
    answer = await staff.request(method, f"/api/cohorts/v2/courses/{NOWHERE}/{path}", **more)
    refused(answer, 404, f"Course not found: {NOWHERE}.")


async def test_reading_settings_makes_none(
    staff: httpx.AsyncClient, course: Course, sql: SQL
) -> None:
    path = f"{course.v2}/cohort_settings/"
    assert told(await staff.get(path)) == (200, {"id": None, "is_cohorted": False})
    put = await staff.put(path, json={"is_cohorted": True})
    ((number,),) = await sql(
        "SELECT id FROM cohort_settings WHERE course_id = :id", id=course.world.course_id
    )
    assert told(put) == (200, {"id": number, "is_cohorted": True})
    assert told(await staff.get(path)) == told(put) == told(await staff.get(course.settings))


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "is_cohorted: This field is required."),
        ({"is_cohorted": "x"}, "is_cohorted: Must be a valid boolean."),
        ({"is_cohorted": None}, "is_cohorted: This field may not be null."),
        ([], "Invalid data. Expected a dictionary."),
    ],
)
async def test_settings_that_are_refused(
    staff: httpx.AsyncClient, course: Course, body: Any, detail: str
) -> None:
    refused(await staff.put(f"{course.v2}/cohort_settings/", json=body), 400, detail)


async def test_lists_of_cohorts_are_pages(staff: httpx.AsyncClient, course: Course) -> None:
    made = {name: await course.add(name) for name in "FKABJCIDHEG"}
    path = f"{course.v2}/cohorts/"
    ascending = [shape(made[name], name) for name in sorted(made)]
    answer = await staff.get(path)
    assert told(answer) == (
        200,
        {
            "next": f"http://test{path}?page=2",
            "previous": None,
            "count": 11,
            "num_pages": 2,
            "current_page": 1,
            "start": 0,
            "results": ascending[:10],
        },
    )
    assert list(answer.json()["results"][0]) == list(shape(0, ""))
    for ordering, descending in (
        ("name", False),
        ("-name", True),
        ("id", False),
        ("-id", True),
        ("", False),
        ("-", True),
    ):
        query = {"ordering": ordering, "page_size": 11}
        found = (await staff.get(path, params=query)).json()["results"]
        assert found == (ascending[::-1] if descending else ascending)
    detail = "ordering: Cannot order by 'user_count'. Valid fields: name, id."
    refused(await staff.get(f"{path}?ordering=-user_count"), 400, detail)
    refused(await staff.get(f"{path}?page=3"), 404, "Invalid page.")
    refused(await staff.get(f"{path}?page=x"), 404, "Invalid page.")


async def test_a_cohort_is_made_read_and_changed(staff: httpx.AsyncClient, course: Course) -> None:
    body = {"name": "A", "assignment_type": "random", "group_id": 1, "user_partition_id": 50}
    made = await staff.post(f"{course.v2}/cohorts/", json=body)
    cohort = made.json()["id"]
    expected = shape(cohort, "A", assignment_type="random", group_id=1, user_partition_id=50)
    assert told(made) == (201, expected)
    path = f"{course.v2}/cohorts/{cohort}/"
    assert told(await staff.get(path)) == (200, expected)
    expected["name"] = "B"
    assert told(await staff.patch(path, json={"name": "B"})) == (200, expected)
    expected |= {"group_id": None, "user_partition_id": None}
    assert told(await staff.patch(path, json={"group_id": None})) == (200, expected)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "name: This field is required."),
        ({"name": "B"}, "assignment_type: This field is required."),
        ({"name": None, "assignment_type": "manual"}, "name: This field may not be null."),
        (
            {"name": "taken", "assignment_type": "manual"},
            "name: A cohort with that name already exists in this course.",
        ),
        (
            {"name": "B", "assignment_type": "automatic"},
            'assignment_type: "automatic" is not a valid choice.',
        ),
        (
            {"name": "x" * 256, "assignment_type": "manual"},
            "name: Ensure this field has no more than 255 characters.",
        ),
        (
            {"name": "B", "assignment_type": "manual", "group_id": 1},
            "user_partition_id: Required when group_id is supplied.",
        ),
    ],
)
async def test_a_cohort_that_is_not_made(
    staff: httpx.AsyncClient, course: Course, body: Any, detail: str
) -> None:
    await course.add("taken")
    refused(await staff.post(f"{course.v2}/cohorts/", json=body), 400, detail)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "Supply at least one of name, assignment_type or group_id."),
        ({"name": "taken"}, "name: A cohort with that name already exists in this course."),
        (
            {"assignment_type": "manual"},
            "There must be one cohort to which students can automatically be assigned.",
        ),
        ({"group_id": 1}, "user_partition_id: Required when group_id is supplied."),
        ({"name": None}, "name: This field may not be null."),
    ],
)
async def test_a_change_that_is_refused(
    staff: httpx.AsyncClient, course: Course, body: Any, detail: str
) -> None:
    await course.add("taken")
    cohort = await course.add("A", "random")
    refused(await staff.patch(f"{course.v2}/cohorts/{cohort}/", json=body), 400, detail)


async def test_users_of_a_cohort(staff: httpx.AsyncClient, course: Course) -> None:
    cohort, other = await course.add("A"), await course.add("B")
    path = f"{course.v2}/cohorts/{cohort}/users/"
    first, second = (await course.people())[:2]
    await course.join(other, course.world.users[1])
    users = [first["username"], second["email"], first["email"], "x", "x@y.org", "x@y"]
    answer = await staff.post(path, json={"users": users})
    assert told(answer) == (
        200,
        {
            "added": [first],
            "changed": [
                {
                    "email": second["email"],
                    "previous_cohort": "B",
                    "username": second["username"],
                }
            ],
            "present": [first["email"]],
            "unknown": ["x"],
            "preassigned": ["x@y.org"],
            "invalid": ["x@y"],
        },
    )
    found = await staff.get(path)
    assert told(found) == (
        200,
        {
            "next": None,
            "previous": None,
            "count": 2,
            "num_pages": 1,
            "current_page": 1,
            "start": 0,
            "results": [{**first, "name": "Given Family1"}, {**second, "name": "Given Family2"}],
        },
    )
    gone = await staff.delete(f"{path}{first['username']}/")
    assert (gone.status_code, gone.content) == (204, b"")
    name = first["username"]
    detail = f"username: {name} is not a member of this cohort."
    refused(await staff.delete(f"{path}{name}/"), 400, detail)
    refused(await staff.delete(f"{path}nobody/"), 404, "No user named nobody.")
    refused(await staff.get(f"{path}?page=2"), 404, "Invalid page.")


async def test_a_user_without_names_has_an_empty_one(
    staff: httpx.AsyncClient, course: Course, sql: SQL
) -> None:
    cohort = await course.add("A")
    first, second = course.world.users[:2]
    await course.join(cohort, first, second)
    await sql("UPDATE users SET given_name = '', family_name = '' WHERE id = :id", id=first)
    await sql("UPDATE users SET given_name = '' WHERE id = :id", id=second)
    found = (await staff.get(f"{course.v2}/cohorts/{cohort}/users/")).json()["results"]
    people = (await course.people())[:2]
    assert found == [{**people[0], "name": ""}, {**people[1], "name": "Family2"}]


async def test_a_cohort_that_is_full_says_whom_it_does_not_take(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A", capacity=1)
    first, second = (await course.people())[:2]
    users = [first["username"], second["email"]]
    path = f"{course.v2}/cohorts/{cohort}/users/"
    lists: dict[str, list[Any]] = {
        name: [] for name in ("changed", "present", "unknown", "preassigned", "invalid")
    }
    expected = {"added": [first], **lists, "not_allowed": [second["email"]]}
    assert told(await staff.post(path, json={"users": users})) == (200, expected)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "users: This field is required."),
        ({"users": "x"}, 'users: Expected a list of items but got type "str".'),
        ({"users": []}, "users: This list may not be empty."),
        ({"users": ["a", " "]}, "users: 1: This field may not be blank."),
        ({"users": [True]}, "users: 0: Not a valid string."),
    ],
)
async def test_users_that_are_refused(
    staff: httpx.AsyncClient, course: Course, body: Any, detail: str
) -> None:
    cohort = await course.add("A")
    path = f"{course.v2}/cohorts/{cohort}/users/"
    refused(await staff.post(path, json=body), 400, detail)


async def test_no_such_cohort(staff: httpx.AsyncClient, course: Course) -> None:
    path = f"{course.v2}/cohorts/999999999/"
    detail = f"No cohort 999999999 in {course.key}."
    for answer in (
        await staff.get(path),
        await staff.patch(path, json={"name": "A"}),
        await staff.get(f"{path}users/"),
        await staff.post(f"{path}users/", json={"users": ["a"]}),
        await staff.delete(f"{path}users/bob/"),
    ):
        refused(answer, 404, detail)
