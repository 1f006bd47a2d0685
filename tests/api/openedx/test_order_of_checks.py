"""Of several things that are wrong with a request, the check that comes first answers."""

from typing import Any

import httpx
import pytest

from tests.api.openedx.conftest import (
    FORBIDDEN,
    NOWHERE,
    UNAUTHENTICATED,
    V1,
    Callers,
    Course,
    envelope,
    told,
    unknown,
)
from tests.api.openedx.test_cohorts import (
    BAD_LINK,
    BAD_NAME,
    BAD_TYPE,
    LAST_RANDOM,
    MISSING_FIELDS,
    NAME_EXISTS,
    NAME_TAKEN,
    NEEDS_PARTITION,
    NO_COHORT,
)
from tests.api.openedx.test_settings import MISSING, NOT_BOOLEAN
from tests.api.openedx.test_upload import file
from tests.api.openedx.test_users import no_cohort
from tests.api.openedx.test_v2 import DENIED, refused

LOCKED = (400, envelope("The course is locked.", "course-locked"))
NOT_EDITABLE = (
    400,
    envelope("The groups of this partition are not editable.", "groups-not-editable"),
)
NO_NAME = (400, envelope('"name" must be specified to create cohort.', "missing-cohort-name"))
NO_TYPE = (
    400,
    envelope('"assignment_type" must be specified to create cohort.', "missing-assignment-type"),
)
NO_USER = (404, envelope("User does not exist.", "user-not-found"))
NOT_ACCEPTABLE = "Could not satisfy the request Accept header."
HTML = {"accept": "text/html"}
JSON = {"content-type": "application/json"}
MANUAL = {"assignment_type": "manual"}


async def only_random(course: Course) -> int:
    """A cohort beside one that is called ``taken``, which must stay random."""
    await course.add("taken")
    return await course.add("A", "random")


# v1


async def test_the_format_then_what_is_accepted_then_the_caller(
    anonymous: httpx.AsyncClient, course: Course
) -> None:
    for path in (course.cohorts, course.upload, f"{course.v2}/group_configurations"):
        both = await anonymous.get(f"{path}?format=xml", headers=HTML)
        assert told(both) == (404, envelope("Not found."))
        accepted = await anonymous.get(path, headers=HTML)
        assert told(accepted) == (406, envelope(NOT_ACCEPTABLE))


@pytest.mark.parametrize(
    ("method", "address", "body", "expected"),
    [
        ("PUT", "settings", {}, MISSING),
        ("PUT", "settings", {"is_cohorted": "true"}, NOT_BOOLEAN),
        ("POST", "cohorts", {}, NO_NAME),
        ("POST", "cohorts", {"name": "taken"}, NO_TYPE),
        ("PATCH", "cohort", {}, MISSING_FIELDS),
    ],
)
async def test_what_is_missing_is_said_before_the_lock(
    staff: httpx.AsyncClient,
    course: Course,
    method: str,
    address: str,
    body: dict[str, Any],
    expected: Any,
) -> None:
    cohort = await only_random(course)
    await course.lock()
    paths = {"settings": course.settings, "cohorts": course.cohorts}
    path = paths.get(address) or course.cohort(cohort)
    assert told(await staff.request(method, path, json=body)) == expected


@pytest.mark.parametrize(
    ("method", "address", "content"),
    [
        ("POST", "cohorts", b'{"name": "taken", "assignment_type": "manual"}'),
        ("POST", "cohorts", b'{"name": 5, "assignment_type": "automatic"}'),
        ("PATCH", "cohort", b'{"name": "taken"}'),
        ("PATCH", "cohort", b'{"assignment_type": "manual"}'),
        ("PATCH", "cohort", b'{"group_id": 1}'),
        ("POST", "users", b"{"),
        ("POST", "users", b"{}"),
    ],
)
async def test_the_lock_is_said_before_what_is_wrong_with_values(
    staff: httpx.AsyncClient, course: Course, method: str, address: str, content: bytes
) -> None:
    cohort = await only_random(course)
    await course.lock()
    paths = {"cohorts": course.cohorts, "cohort": course.cohort(cohort)}
    path = paths.get(address) or course.users(cohort)
    answer = await staff.request(method, path, content=content, headers=JSON)
    assert told(answer) == LOCKED


async def test_a_cohort_that_is_not_there_is_said_before_the_lock(
    staff: httpx.AsyncClient, course: Course
) -> None:
    nothing = await only_random(course) + 10**9
    await course.lock()
    assert told(await staff.patch(course.cohort(nothing), json={"name": "taken"})) == NO_COHORT
    expected = no_cohort(course, nothing)
    assert told(await staff.post(course.users(nothing), json={"users": ["a"]})) == expected
    assert told(await staff.delete(course.users(nothing, "nobody"))) == expected


async def test_removing_looks_for_the_user_then_at_the_lock_then_for_the_membership(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    username = (await course.person(course.world.users[0]))["username"]
    await course.lock()
    assert told(await staff.delete(course.users(cohort, "nobody"))) == NO_USER
    assert told(await staff.delete(course.users(cohort, username))) == LOCKED


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "taken", "assignment_type": "automatic", "group_id": 1}, NAME_TAKEN),
        ({"name": " ", "assignment_type": "automatic", "group_id": 1}, BAD_NAME),
        ({"name": "new", "assignment_type": "automatic", "group_id": 1}, BAD_TYPE),
        ({"name": "new", **MANUAL, "group_id": "x"}, NEEDS_PARTITION),
        ({"name": "new", **MANUAL, "group_id": "x", "user_partition_id": 1}, BAD_LINK),
        ({"name": "new", **MANUAL}, NOT_EDITABLE),
    ],
)
async def test_creating_checks_the_name_the_type_the_link_and_last_whether_it_may(
    staff: httpx.AsyncClient,
    client: httpx.AsyncClient,
    course: Course,
    body: dict[str, Any],
    expected: Any,
) -> None:
    await course.add("taken")
    await client.patch(f"/v1/partitions/{course.partition}", json={"groups_editable": False})
    assert told(await staff.post(course.cohorts, json=body)) == expected


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("random", {"name": "taken", **MANUAL, "group_id": 1}, NAME_EXISTS),
        ("random", {"name": "new", "assignment_type": "automatic", "group_id": 1}, LAST_RANDOM),
        ("manual", {"name": "new", "assignment_type": "automatic", "group_id": 1}, BAD_TYPE),
        ("manual", {"name": "new", **MANUAL, "group_id": 1}, NEEDS_PARTITION),
        ("manual", {"name": "new", **MANUAL, "group_id": None}, NOT_EDITABLE),
    ],
)
async def test_a_change_checks_the_name_the_type_the_link_and_last_whether_it_may(
    staff: httpx.AsyncClient,
    client: httpx.AsyncClient,
    course: Course,
    kind: str,
    body: dict[str, Any],
    expected: Any,
) -> None:
    await course.add("taken")
    cohort = await course.add("A", kind)
    await client.patch(f"/v1/partitions/{course.partition}", json={"groups_editable": False})
    assert told(await staff.patch(course.cohort(cohort), json=body)) == expected


async def test_a_cohort_that_is_not_editable_keeps_its_name_alone(
    staff: httpx.AsyncClient, client: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    await client.patch(f"/v1/partitions/{course.partition}", json={"groups_editable": False})
    body = {"name": "A", "assignment_type": "random", "group_id": 1, "user_partition_id": 50}
    answer = await staff.patch(course.cohort(cohort), json=body)
    assert (answer.status_code, answer.content) == (204, b"")
    shown = {"id": cohort, "user_count": 0, **body}
    assert told(await staff.get(course.cohort(cohort))) == (200, shown)


# Content groups


async def test_content_groups_look_at_the_method_last(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers
) -> None:
    path = f"{course.v2}/group_configurations"
    nowhere = path.replace(course.key, NOWHERE)
    assert told(await anonymous.post(nowhere)) == UNAUTHENTICATED
    learner = callers["learner"]
    assert told(await anonymous.post(nowhere, headers=learner)) == unknown(NOWHERE)
    assert told(await anonymous.post(path, headers=learner)) == FORBIDDEN
    method = (405, envelope('Method "POST" not allowed.'))
    assert told(await anonymous.post(path, headers=callers["course staff"])) == method


# Cohorts of v2


async def test_the_second_version_looks_at_the_key_before_anything_else(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers
) -> None:
    path = f"{course.v2}/cohorts/"
    wrong = path.replace(course.key, "a+b+c")
    refused(await anonymous.get(wrong, headers=HTML), 404, "a+b+c is not a valid course key.")
    stranger = await anonymous.put(path)
    refused(stranger, 401, "Authentication credentials were not provided.")
    refused(await anonymous.put(path, headers=callers["moderator"]), 403, DENIED)
    staff = await anonymous.put(path, headers=callers["course staff"])
    refused(staff, 405, 'Method "PUT" not allowed.')


@pytest.mark.parametrize(
    ("method", "path", "body", "detail"),
    [
        ("PUT", "cohort_settings/", {}, "is_cohorted: This field is required."),
        ("POST", "cohorts/", {}, "name: This field is required."),
        (
            "PATCH",
            "cohorts/1/",
            {},
            "Supply at least one of name, assignment_type or group_id.",
        ),
        ("PATCH", "cohorts/1/", {"name": None}, "name: This field may not be null."),
    ],
)
async def test_the_second_version_reads_the_body_before_it_looks_up_the_course(
    staff: httpx.AsyncClient, method: str, path: str, body: dict[str, Any], detail: str
) -> None:
    nowhere = f"/api/cohorts/v2/courses/{NOWHERE}/{path}"
    refused(await staff.request(method, nowhere, json=body), 400, detail)


async def test_lists_of_the_second_version_look_up_the_course_then_the_ordering(
    staff: httpx.AsyncClient, course: Course
) -> None:
    query = "?ordering=size&page=x"
    nowhere = f"/api/cohorts/v2/courses/{NOWHERE}/cohorts/"
    refused(await staff.get(nowhere + query), 404, f"Course not found: {NOWHERE}.")
    detail = "ordering: Cannot order by 'size'. Valid fields: name, id."
    refused(await staff.get(f"{course.v2}/cohorts/{query}"), 400, detail)
    users = f"{course.v2}/cohorts/999999999/users/?page=x"
    refused(await staff.get(users), 404, f"No cohort 999999999 in {course.key}.")


async def test_the_second_version_in_a_locked_course(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await only_random(course)
    username = (await course.person(course.world.users[0]))["username"]
    await course.lock()
    one = f"{course.v2}/cohorts/{cohort}/"
    for method, path, content in (
        ("PUT", f"{course.v2}/cohort_settings/", b'{"is_cohorted": true}'),
        ("POST", f"{course.v2}/cohorts/", b'{"name": "taken", "assignment_type": "manual"}'),
        ("PATCH", one, b'{"name": "taken"}'),
        ("POST", f"{one}users/", b"{"),
        ("DELETE", f"{one}users/{username}/", b""),
    ):
        answer = await staff.request(method, path, content=content, headers=JSON)
        refused(answer, 400, "The course is locked.")
    refused(await staff.delete(f"{one}users/nobody/"), 404, "No user named nobody.")
    nothing = f"{course.v2}/cohorts/999999999/users/nobody/"
    refused(await staff.delete(nothing), 404, f"No cohort 999999999 in {course.key}.")


# The routes of instructors

PAGE = b"<!DOCTYPE html><title>404 Not Found</title><h1>404 Not Found</h1>"


def is_page(answer: httpx.Response) -> bool:
    kind = answer.headers["content-type"]
    return (answer.status_code, answer.content, kind) == (404, PAGE, "text/html; charset=utf-8")


async def test_instructors_find_a_page_that_tells_nothing(
    anonymous: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course, callers: Callers
) -> None:
    cohort = await course.add("A")
    learner = callers["learner"]
    assert is_page(await anonymous.get(f"{course.legacy}/", headers=learner))
    assert is_page(await anonymous.post(f"{course.legacy}/{cohort}/add"))
    assert is_page(await staff.get(f"/courses/{NOWHERE}/cohorts/"))
    assert is_page(await staff.get("/courses/a+b+c/cohorts/"))
    assert is_page(await staff.get(f"{course.legacy}/{cohort + 10**9}"))
    assert is_page(await staff.get(f"{course.legacy}/debug"))


@pytest.mark.parametrize(
    ("method", "ending", "send", "error"),
    [
        ("PATCH", "settings", {"json": {}}, "Bad Request"),
        ("PATCH", "settings", {"json": {"is_cohorted": 1}}, "Cohorted must be a boolean"),
        ("PATCH", "settings", {"json": {"is_cohorted": True}}, "The course is locked."),
        ("POST", "", {"json": {}}, "Cohort name must be specified."),
        ("POST", "", {"json": {"name": "taken"}}, "Assignment type must be specified."),
        ("POST", "", {"json": {"name": "taken", **MANUAL}}, "The course is locked."),
        ("PUT", "{cohort}", {"json": {"name": "taken"}}, "Assignment type must be specified."),
        ("PUT", "{cohort}", {"json": {"name": "taken", **MANUAL}}, "The course is locked."),
        ("POST", "{cohort}/add", {"data": {"users": "a@b.org"}}, "The course is locked."),
        ("POST", "{cohort}/add", {}, "The course is locked."),
        ("POST", "{cohort}/delete", {"data": {"username": "{member}"}}, "The course is locked."),
        ("POST", "0/delete", {"data": {"username": "{other}"}}, "The course is locked."),
    ],
)
async def test_instructors_in_a_locked_course(
    staff: httpx.AsyncClient, course: Course, method: str, ending: str, send: Any, error: str
) -> None:
    cohort = await only_random(course)
    member, other = (await course.people())[:2]
    await course.join(cohort, course.world.users[0])
    await course.lock()
    names = {"member": member["username"], "other": other["username"]}
    if "data" in send:
        send = {"data": {name: value.format(**names) for name, value in send["data"].items()}}
    path = f"{course.legacy}/{ending.format(cohort=cohort)}"
    before = await course.world.log()
    assert told(await staff.request(method, path, **send)) == (400, {"error": error})
    assert await course.world.log() == before


async def test_removing_names_the_user_before_the_lock(
    staff: httpx.AsyncClient, course: Course
) -> None:
    await course.add("A")
    await course.lock()
    path = f"{course.legacy}/1/delete"
    for form, message in (
        ({}, "No username specified"),
        ({"username": "nobody"}, "No user 'nobody'"),
    ):
        answer = await staff.post(path, data=form)
        assert told(answer) == (200, {"success": False, "msg": message})


async def test_the_upload_of_instructors_looks_at_the_course_before_the_permission(
    anonymous: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course, callers: Callers
) -> None:
    def path(key: str) -> str:
        return f"/courses/{key}/instructor/api/add_users_to_cohorts"

    learner = callers["learner"]
    accepted = await anonymous.post(path(NOWHERE), headers=HTML)
    assert told(accepted) == (406, {"detail": NOT_ACCEPTABLE})
    stranger = await anonymous.post(path(NOWHERE))
    assert told(stranger) == (401, {"detail": "Authentication credentials were not provided."})
    for wrong in (NOWHERE, "a+b+c"):
        missing = (404, {"detail": f"Course not found: {wrong}."})
        answer = await anonymous.post(path(wrong), headers=learner, **file("email\n"))
        assert told(answer) == missing
        assert told(await staff.post(path(wrong), **file("email\n"))) == missing
    answer = await anonymous.post(path(course.key), headers=learner, **file("email\n"))
    assert told(answer) == (403, {"detail": DENIED})


# What is the first of all


async def test_the_size_of_a_body_before_the_caller_and_the_course(
    anonymous: httpx.AsyncClient,
) -> None:
    path = f"{V1}/courses/{NOWHERE}/cohorts/"
    answer = await anonymous.post(path, content=b" " * 2_000_000, headers=JSON)
    assert told(answer) == (413, envelope("the body is too large"))
