"""Keys, encoding and slashes."""

from typing import Any

import httpx
import pytest

from tests.api.openedx.conftest import NOWHERE, Course, envelope, told
from tests.conftest import SQL

FORMS = [
    "course-v1:{0}+Course+Run",
    "{0}/Course/Run",
    "ccx-v1:{0}+C+R+ccx@1",
    "course-v1:{0}.x+C~-_+R:1",
]


@pytest.fixture(params=FORMS)
async def any_key(request: pytest.FixtureRequest, course: Course, sql: SQL) -> str:
    """The course has this key by now."""
    key: str = request.param.format(course.world.department)
    await sql("UPDATE courses SET key = :key WHERE id = :id", key=key, id=course.world.course_id)
    course.world.course = key
    return key


async def test_every_form_of_a_key_on_every_route(
    staff: httpx.AsyncClient, course: Course, any_key: str
) -> None:
    cohort = await course.add("A")
    assert (await staff.get(course.settings)).status_code == 200
    assert (await staff.get(course.cohorts)).json()[0]["id"] == cohort
    assert (await staff.get(course.cohort(cohort))).status_code == 200
    assert (await staff.get(course.users(cohort))).status_code == 200
    named = await staff.get(course.users(cohort, "a/b"))
    assert named.status_code == 200
    files = {"uploaded-file": ("a.csv", b"cohort,email\n")}
    assert (await staff.post(course.upload, files=files)).status_code == 204
    assert (await staff.get(f"{course.v2}/group_configurations")).status_code == 200
    assert (await staff.get(f"{course.v2}/cohorts/")).status_code == 200
    assert (await staff.get(f"{course.legacy}/")).status_code == 200
    missing = await staff.get(f"{course.users(cohort + 10**9)}")
    expected = envelope(f"Cohort (ID {cohort + 10**9}) not found for {any_key}", "cohort-not-found")
    assert told(missing) == (404, expected)


@pytest.mark.parametrize("safe", ["", ":", "+", "/"])
async def test_an_encoded_key_is_the_key(
    staff: httpx.AsyncClient, course: Course, any_key: str, safe: str
) -> None:
    from urllib.parse import quote

    cohort = await course.add("A")
    encoded = quote(any_key, safe=safe)
    answer = await staff.get(f"/api/cohorts/v1/courses/{encoded}/cohorts/{cohort}")
    assert (answer.status_code, answer.json()["id"]) == (200, cohort)


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "{settings}", 200),
        ("GET", "{settings}/", 200),
        ("GET", "{bare}", 200),
        ("GET", "{bare}/", 200),
        ("GET", "{bare}/{cohort}", 200),
        ("GET", "{bare}/{cohort}/", 200),
        ("GET", "{bare}/{cohort}/users", 200),
        ("GET", "{bare}/{cohort}/users/", 200),
        ("POST", "{upload}", 400),
        ("POST", "{upload}/", 400),
        ("POST", "{singular}", 400),
        ("POST", "{singular}/", 400),
        ("GET", "{v2}/group_configurations", 200),
        ("GET", "{v2}/group_configurations/", 200),
        ("GET", "{v2}/cohorts", 200),
        ("GET", "{v2}/cohorts/", 200),
        ("GET", "{v2}/cohorts/{cohort}", 200),
        ("GET", "{v2}/cohorts/{cohort}/", 200),
        ("GET", "{v2}/cohorts/{cohort}/users", 200),
        ("GET", "{v2}/cohorts/{cohort}/users/", 200),
        ("GET", "{v2}/cohort_settings", 200),
        ("GET", "{v2}/cohort_settings/", 200),
        ("GET", "{legacy}", 200),
        ("GET", "{legacy}/", 200),
        ("GET", "{legacy}/{cohort}", 200),
        ("GET", "{legacy}/{cohort}/", 200),
        ("GET", "{legacy}/settings", 200),
        ("GET", "{legacy}/settings/", 200),
        ("GET", "{bare}//", 404),
        ("GET", "{bare}/x", 404),
        ("GET", "{bare}/-1", 404),
        ("GET", "{bare}/1.0", 404),
        ("GET", "{v2}/cohorts/{cohort}/user/", 404),
        ("DELETE", "{v2}/cohorts/{cohort}/users/a/b/", 404),
        ("GET", "{legacy}/debug", 404),
        ("GET", "{legacy}/topics", 404),
    ],
)
async def test_either_spelling_of_the_end(
    staff: httpx.AsyncClient, course: Course, method: str, address: str, status: int
) -> None:
    cohort = await course.add("A")
    path = address.format(
        settings=course.settings,
        bare=course.cohorts.removesuffix("/"),
        cohort=cohort,
        upload=course.upload,
        singular=course.upload.removesuffix("s"),
        v2=course.v2,
        legacy=course.legacy,
    )
    assert (await staff.request(method, path)).status_code == status


async def test_the_rest_of_the_path_is_the_username(
    staff: httpx.AsyncClient, course: Course, sql: SQL
) -> None:
    cohort = await course.add("A")
    name = f"bob/{course.world.department}"
    user = course.world.users[0]
    await sql("UPDATE users SET username = :name WHERE id = :id", name=name, id=user)
    missing = (404, envelope("User does not exist.", "user-not-found"))
    assert told(await staff.delete(course.users(cohort, f"{name}/"))) == missing
    assert told(await staff.delete(course.users(cohort, f"%2F{name}"))) == missing
    added = await staff.post(course.users(cohort, name))
    assert added.json()["added"] == [await course.person(user)]
    strange = await staff.post(course.users(cohort, f"{name}/"))
    assert strange.json()["unknown"] == [f"{name}/"]
    assert (await staff.delete(course.users(cohort, f"bob%2F{name[4:]}"))).status_code == 204


@pytest.mark.parametrize("name", ["%00", "%FF", "a%3Fb", "%ED%A0%80"])
async def test_usernames_that_nobody_can_have(
    staff: httpx.AsyncClient, course: Course, name: str
) -> None:
    cohort = await course.add("A")
    missing = (404, envelope("User does not exist.", "user-not-found"))
    assert told(await staff.delete(course.users(cohort, name))) == missing
    answer = await staff.post(course.users(cohort, name))
    assert (answer.status_code, len(answer.json()["unknown"])) == (200, 1)


async def test_v1_tells_its_successor(
    staff: httpx.AsyncClient, anonymous: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    key = course.key.replace(":", "%3A").replace("+", "%2B")
    v2 = f"/api/cohorts/v2/courses/{key}"
    for path, successor in (
        (course.settings, f"{v2}/cohort_settings/"),
        (course.cohorts, f"{v2}/cohorts/"),
        (course.cohort(cohort), f"{v2}/cohorts/{cohort}/"),
        (course.users(cohort), f"{v2}/cohorts/{cohort}/users/"),
        (course.users(cohort, "bob"), f"{v2}/cohorts/{cohort}/users/bob/"),
    ):
        for client in (staff, anonymous):
            answer = await client.get(path)
            assert answer.headers["deprecation"] == "true"
            assert answer.headers["link"] == f'<{successor}>; rel="successor-version"'
    for path in (course.upload, f"{course.v2}/cohorts/", f"{course.legacy}/"):
        assert "deprecation" not in (await staff.get(path)).headers


async def test_what_the_guard_refuses_is_in_this_shape(
    anonymous: httpx.AsyncClient, course: Course
) -> None:
    long = {"headers": {"x-long": "x" * 40_000}}
    refused = await anonymous.get(course.cohorts, **long)
    detail = "there are too many headers, or too long ones"
    assert told(refused) == (431, envelope(detail))
    problem = (await anonymous.get(f"{course.v2}/cohorts/", **long)).json()
    assert (problem["status"], problem["detail"]) == (431, detail)
    assert (await anonymous.get(f"{course.legacy}/", **long)).status_code == 431
    digits = await anonymous.get(course.cohort("9" * 5_000))
    assert told(digits) == (414, envelope("the path or the query is too long"))


async def test_a_body_that_is_too_large(staff: httpx.AsyncClient, course: Course) -> None:
    body: Any = {"name": "x" * 2_000_000, "assignment_type": "manual"}
    refused = await staff.post(course.cohorts, json=body)
    assert told(refused) == (413, envelope("the body is too large"))

    async def pieces() -> Any:
        for _ in range(40):
            yield b" " * 50_000

    headers = {"content-type": "application/json"}
    refused = await staff.post(course.cohorts, content=pieces(), headers=headers)
    assert told(refused) == (413, envelope("the body is too large"))


async def test_an_idempotency_key_means_nothing_here(
    staff: httpx.AsyncClient, course: Course
) -> None:
    headers = {"idempotency-key": "a key, with spaces"}
    for name in "AB":
        body = {"name": name, "assignment_type": "manual"}
        made = await staff.post(course.cohorts, json=body, headers=headers)
        assert (made.status_code, made.json()["name"]) == (200, name)


async def test_no_address_is_told_apart_for_strangers(anonymous: httpx.AsyncClient) -> None:
    path = f"/api/cohorts/v1/courses/{NOWHERE}/cohorts/"
    assert (await anonymous.get(path)).status_code == 401
