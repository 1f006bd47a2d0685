"""The instructor's routes: settings and cohorts."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.api.openedx.conftest import NOWHERE, Callers, Course, told
from tests.api.openedx.test_cohorts import shape
from tests.conftest import SQL

NO_NAME = (400, {"error": "Cohort name must be specified."})
NO_TYPE = (400, {"error": "Assignment type must be specified."})
NAME_EXISTS = (400, {"error": "A cohort with the same name already exists."})
LAST_RANDOM = (
    400,
    {"error": "There must be one cohort to which students can automatically be assigned."},
)
NAME_TAKEN = (400, {"error": "You cannot create two cohorts with the same name"})
NEEDS_PARTITION = (
    400,
    {"error": "If group_id is specified, user_partition_id must also be specified."},
)
INVALID_JSON = (400, {"error": "Invalid JSON"})
WRITES = ("PUT", "POST", "PATCH")


# Access


def addresses(course: Course, cohort: int) -> dict[str, tuple[str, str]]:
    return {
        "settings": ("GET", f"{course.legacy}/settings"),
        "edit settings": ("PATCH", f"{course.legacy}/settings"),
        "list": ("GET", f"{course.legacy}/"),
        "create": ("POST", f"{course.legacy}/"),
        "read": ("GET", f"{course.legacy}/{cohort}"),
        "replace": ("PUT", f"{course.legacy}/{cohort}"),
        "add": ("POST", f"{course.legacy}/{cohort}/add"),
        "delete": ("POST", f"{course.legacy}/{cohort}/delete"),
    }


PAGES = ("settings", "edit settings", "list", "create", "read", "replace")
NAMES = (*PAGES, "add", "delete")


@pytest.mark.parametrize("name", NAMES)
async def test_strangers_are_sent_to_the_login_or_find_nothing(
    anonymous: httpx.AsyncClient, course: Course, name: str
) -> None:
    method, path = addresses(course, await course.add("A"))[name]
    for headers in ({}, {"authorization": "Bearer unknown"}, {"authorization": "Bearer"}):
        answer = await anonymous.request(method, f"{path}?a=b&c", headers=headers)
        if name in PAGES:
            assert answer.status_code == 302
            place = urlsplit(answer.headers["location"])
            assert place.path == "/login"
            assert parse_qsl(place.query) == [("next", f"{path}?a=b&c")]
        else:
            assert answer.status_code == 404


@pytest.mark.parametrize("caller", ["learner", "staff elsewhere", "moderator", "org staff"])
@pytest.mark.parametrize("name", NAMES)
async def test_others_find_nothing(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers, name: str, caller: str
) -> None:
    method, path = addresses(course, await course.add("A"))[name]
    answer = await anonymous.request(method, path, headers=callers[caller])
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "developer_message" not in answer.text


@pytest.mark.parametrize("caller", ["course staff", "global staff"])
@pytest.mark.parametrize("name", NAMES)
async def test_staff_find_them(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers, name: str, caller: str
) -> None:
    method, path = addresses(course, await course.add("A"))[name]
    answer = await anonymous.request(method, path, headers=callers[caller])
    assert answer.status_code in (200, 400)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [NOWHERE, "foo+bar+baz"])
async def test_a_course_that_is_not_there(
    staff: httpx.AsyncClient, course: Course, wrong: str, name: str
) -> None:
    method, path = addresses(course, await course.add("A"))[name]
    path = path.replace(course.key, wrong)
    assert (await staff.request(method, path)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", ""),
        ("DELETE", "/"),
        ("DELETE", "/1"),
        ("DELETE", "/settings"),
        ("PUT", "/settings"),
        ("POST", "/settings"),
        ("GET", "/1/add"),
        ("PUT", "/1/delete"),
    ],
)
async def test_a_wrong_method_is_405_and_empty_for_everybody(
    anonymous: httpx.AsyncClient,
    staff: httpx.AsyncClient,
    course: Course,
    method: str,
    path: str,
) -> None:
    for client in (anonymous, staff):
        answer = await client.request(method, course.legacy + path)
        assert (answer.status_code, answer.content) == (405, b"")
        assert answer.headers["allow"]


# settings


async def test_settings(staff: httpx.AsyncClient, course: Course, sql: SQL) -> None:
    path = f"{course.legacy}/settings"
    first = await staff.get(path)
    ((number,),) = await sql(
        "SELECT id FROM cohort_settings WHERE course_id = :id", id=course.world.course_id
    )
    assert told(first) == (200, {"id": number, "is_cohorted": False})
    changed = await staff.patch(path, json={"is_cohorted": True, "more": 1})
    assert told(changed) == (200, {"id": number, "is_cohorted": True})
    assert told(await staff.get(path)) == told(changed) == told(await staff.get(course.settings))


@pytest.mark.parametrize(
    ("send", "expected"),
    [
        ({"json": {}}, (400, {"error": "Bad Request"})),
        ({}, (400, {"error": "Bad Request"})),
        ({"data": {"is_cohorted": "true"}}, (400, {"error": "Bad Request"})),
        (
            {"content": '{"is_cohorted": true}', "headers": {"content-type": "text/plain"}},
            (400, {"error": "Bad Request"}),
        ),
        ({"json": {"is_cohorted": "x"}}, (400, {"error": "Cohorted must be a boolean"})),
        ({"json": {"is_cohorted": None}}, (400, {"error": "Cohorted must be a boolean"})),
        ({"content": "{", "headers": {"content-type": "application/json"}}, INVALID_JSON),
        ({"json": []}, INVALID_JSON),
    ],
)
async def test_settings_that_are_refused(
    staff: httpx.AsyncClient, course: Course, send: Any, expected: Any
) -> None:
    assert told(await staff.patch(f"{course.legacy}/settings", **send)) == expected


# cohorts


async def test_all_cohorts_are_listed_by_name(staff: httpx.AsyncClient, course: Course) -> None:
    assert told(await staff.get(f"{course.legacy}/")) == (200, {"cohorts": []})
    made = {name: await course.add(name) for name in "LFKABJCIDHEG"}
    answer = await staff.get(f"{course.legacy}/?page=2&page_size=1&ordering=desc")
    expected = [shape(made[name], name) for name in sorted(made)]
    assert told(answer) == (200, {"cohorts": expected})


async def test_one_cohort(staff: httpx.AsyncClient, course: Course, make_course: Any) -> None:
    cohort = await course.add("A", "random", content_partition_id=50, content_group_id=1)
    expected = shape(cohort, "A", assignment_type="random", user_partition_id=50, group_id=1)
    assert told(await staff.get(f"{course.legacy}/{cohort}")) == (200, expected)
    elsewhere = await (await make_course(1)).add("A")
    for other in (cohort + 10**9, 0, elsewhere, 2**63):
        assert (await staff.get(f"{course.legacy}/{other}")).status_code == 404
        body = {"name": "B", "assignment_type": "manual"}
        assert (await staff.put(f"{course.legacy}/{other}", json=body)).status_code == 404


@pytest.mark.parametrize("method", WRITES)
async def test_creating(staff: httpx.AsyncClient, course: Course, method: str) -> None:
    body = {"name": "A", "assignment_type": "random", "group_id": 0, "user_partition_id": 50}
    answer = await staff.request(method, f"{course.legacy}/", json=body)
    cohort = answer.json()["id"]
    expected = shape(cohort, "A", assignment_type="random", user_partition_id=50, group_id=0)
    assert told(answer) == (200, expected)
    assert told(await staff.get(course.cohort(cohort))) == (200, expected)


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ({"name": "B"}, {"name": "B"}),
        ({"assignment_type": "random"}, {"assignment_type": "random"}),
        (
            {"group_id": 1, "user_partition_id": 50},
            {"group_id": 1, "user_partition_id": 50},
        ),
        ({"group_id": 2, "user_partition_id": 51}, {"group_id": 2, "user_partition_id": 51}),
        ({"group_id": None, "user_partition_id": 51}, {}),
        ({}, {}),
    ],
)
async def test_replacing(
    staff: httpx.AsyncClient, course: Course, method: str, body: Any, changed: Any
) -> None:
    cohort = await course.add("A", content_partition_id=50, content_group_id=1)
    body = {"name": "A", "assignment_type": "manual", **body}
    answer = await staff.request(method, f"{course.legacy}/{cohort}", json=body)
    assert told(answer) == (200, shape(cohort, "A") | changed)


REFUSED: list[tuple[Any, Any, Any]] = [
    ({}, NO_NAME, NO_NAME),
    ({"name": "", "assignment_type": ""}, NO_NAME, NO_NAME),
    ({"assignment_type": "manual"}, NO_NAME, NO_NAME),
    ({"name": "taken"}, NO_TYPE, NO_TYPE),
    ({"name": "taken", "assignment_type": "manual"}, NAME_TAKEN, NAME_EXISTS),
    ({"name": "taken", "assignment_type": "manual", "group_id": 1}, NAME_TAKEN, NAME_EXISTS),
    ({"name": "new", "assignment_type": "random", "group_id": 1}, NEEDS_PARTITION, NEEDS_PARTITION),
    ({"name": "new", "assignment_type": "manual", "group_id": 1}, NEEDS_PARTITION, LAST_RANDOM),
    (
        {"name": "x" * 256, "assignment_type": "random"},
        (400, {"error": "The name must have 1 to 255 characters that can be stored."}),
        (400, {"error": "The name must have 1 to 255 characters that can be stored."}),
    ),
    (
        {"name": "new", "assignment_type": "automatic", "group_id": 1},
        (400, {"error": "The assignment type is manual or random."}),
        LAST_RANDOM,
    ),
    (
        {"name": "new", "assignment_type": "automatic"},
        (400, {"error": "The assignment type is manual or random."}),
        LAST_RANDOM,
    ),
]


@pytest.mark.parametrize(("body", "creating", "replacing"), REFUSED)
async def test_what_is_refused(
    staff: httpx.AsyncClient, course: Course, body: Any, creating: Any, replacing: Any
) -> None:
    await course.add("taken")
    cohort = await course.add("A", "random")
    before = await course.world.log()
    assert told(await staff.post(f"{course.legacy}/", json=body)) == creating
    assert told(await staff.put(f"{course.legacy}/{cohort}", json=body)) == replacing
    assert await course.world.log() == before


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize(
    ("send", "expected"),
    [
        ({}, NO_NAME),
        ({"json": {}}, NO_NAME),
        ({"json": {"name": None, "assignment_type": "manual"}}, NO_NAME),
        ({"json": {"name": "B", "assignment_type": None}}, NO_TYPE),
        ({"data": {"name": "B", "assignment_type": "manual"}}, NO_NAME),
        (
            {
                "content": '{"name": "B", "assignment_type": "manual"}',
                "headers": {"content-type": "text/plain"},
            },
            NO_NAME,
        ),
        ({"content": "{", "headers": {"content-type": "application/json"}}, INVALID_JSON),
    ],
)
async def test_every_method_refuses_alike(
    staff: httpx.AsyncClient, course: Course, method: str, send: Any, expected: Any
) -> None:
    cohort = await course.add("A")
    for path in (f"{course.legacy}/", f"{course.legacy}/{cohort}"):
        assert told(await staff.request(method, path, **send)) == expected
    assert told(await staff.get(f"{course.legacy}/")) == (200, {"cohorts": [shape(cohort, "A")]})


async def test_names_are_checked_before_the_cohort_is_looked_up(
    staff: httpx.AsyncClient, course: Course
) -> None:
    assert told(await staff.put(f"{course.legacy}/999999999", json={})) == NO_NAME


@pytest.mark.parametrize("content", ["{", "[]", "null"])
async def test_what_is_no_object(staff: httpx.AsyncClient, course: Course, content: str) -> None:
    headers = {"content-type": "application/json"}
    answer = await staff.post(f"{course.legacy}/", content=content, headers=headers)
    assert told(answer) == INVALID_JSON


async def test_a_locked_course(staff: httpx.AsyncClient, course: Course) -> None:
    cohort = await course.add("A")
    member = await course.person(course.world.users[0])
    await staff.post(f"{course.legacy}/{cohort}/add", data={"users": member["username"]})
    await course.lock()
    body = {"name": "B", "assignment_type": "manual"}
    for path in (f"{course.legacy}/", f"{course.legacy}/{cohort}"):
        refused = await staff.post(path, json=body)
        assert told(refused) == (400, {"error": "The course is locked."})
