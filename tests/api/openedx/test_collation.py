"""What compares as in the database of the platform: order of names, and usernames in any case.

``collated_names.txt`` was sorted by MariaDB 10.11, whose table of weights is that of MySQL, with
``SELECT name FROM names ORDER BY name COLLATE utf8mb4_unicode_ci, BINARY name``.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.api.openedx.conftest import Course, told
from tests.api.openedx.test_upload import counts, uploaded
from tests.api.openedx.test_users import result
from tests.conftest import SQL, UNHURRIED, Auth, serving

NAMES = Path(__file__).with_name("collated_names.txt").read_text().splitlines()


@pytest_asyncio.fixture(scope="module")
async def exact(url: Any, home: Path, auth: Auth) -> AsyncIterator[httpx.AsyncClient]:
    """Global staff of an installation whose platform has another database."""
    settings = Settings(openedx_usernames="exact", openedx_cohort_order="code_point", **UNHURRIED)
    async with serving(create_app(settings, url, home)) as client:
        client.headers.update(auth("groups:write", subject="staff"))
        yield client


async def names(client: httpx.AsyncClient, path: str, **query: Any) -> list[str]:
    found: list[str] = []
    for page in range(1, -(-len(NAMES) // 100) + 1):
        answer = await client.get(path, params={**query, "page": page, "page_size": 100})
        assert answer.status_code == 200
        body = answer.json()
        found += [each["name"] for each in (body if isinstance(body, list) else body["results"])]
    return found


async def test_names_are_in_the_order_of_the_usual_database(
    staff: httpx.AsyncClient, exact: httpx.AsyncClient, course: Course
) -> None:
    for name in reversed(NAMES):
        await course.add(name)
    path = f"{course.v2}/cohorts/"
    assert await names(staff, course.cohorts) == NAMES
    assert await names(staff, course.cohorts, ordering="desc") == NAMES[::-1]
    assert await names(staff, path) == NAMES
    assert await names(staff, path, ordering="-id") == NAMES[::-1]
    every = (await staff.get(f"{course.legacy}/")).json()["cohorts"]
    assert [each["name"] for each in every] == NAMES
    assert await names(exact, course.cohorts) == sorted(NAMES)
    assert await names(exact, path, ordering="-name") == sorted(NAMES)[::-1]


async def adds(client: httpx.AsyncClient, course: Course, cohort: int, name: str) -> list[Any]:
    """Add by each way there is; the answers without ``success``."""
    answers = [
        await client.post(course.users(cohort), json={"users": [name]}),
        await client.post(course.users(cohort, name)),
        await client.post(f"{course.v2}/cohorts/{cohort}/users/", json={"users": [name]}),
        await client.post(f"{course.legacy}/{cohort}/add", data={"users": name}),
    ]
    assert [answer.status_code for answer in answers] == [200] * 4
    ours = ("success", "not_allowed")
    return [
        {key: value for key, value in each.json().items() if key not in ours and value}
        for each in answers
    ]


async def removals(client: httpx.AsyncClient, course: Course, cohort: int, name: str) -> list[Any]:
    answers = [
        await client.delete(course.users(cohort, name)),
        await client.delete(f"{course.v2}/cohorts/{cohort}/users/{name}/"),
        await client.post(f"{course.legacy}/{cohort}/delete", data={"username": name}),
    ]
    return [told(answer)[0] if answer.status_code != 200 else answer.json() for answer in answers]


async def test_a_username_in_another_case_is_that_user(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    user = course.world.users[0]
    person = await course.person(user)
    typed = person["username"].swapcase()
    assert typed != person["username"]
    assert await adds(staff, course, cohort, typed) == [
        {"added": [person]},
        *[{"present": [typed]}] * 3,
    ]
    assert await course.members(cohort) == [user]
    assert await removals(staff, course, cohort, typed) == [204, 400, {"success": True}]
    assert await course.members(cohort) == []
    await course.join(cohort, user)
    assert await removals(staff, course, cohort, person["email"]) == [
        404,
        404,
        {"success": False, "msg": f"No user '{person['email']}'"},
    ]


async def test_where_case_counts_it_is_nobody(exact: httpx.AsyncClient, course: Course) -> None:
    cohort = await course.add("A")
    person = await course.person(course.world.users[0])
    typed = person["username"].swapcase()
    await course.join(cohort, course.world.users[0])
    assert await adds(exact, course, cohort, typed) == [{"unknown": [typed]}] * 4
    refused = {"success": False, "msg": f"No user '{typed}'"}
    assert await removals(exact, course, cohort, typed) == [404, 404, refused]
    assert (
        await adds(exact, course, cohort, person["email"].swapcase())
        == [{"present": [person["email"].swapcase()]}] * 4
    )


@pytest.mark.parametrize("retired", [False, True])
async def test_of_two_usernames_in_any_case_the_exact_one_is_meant_or_none(
    staff: httpx.AsyncClient, course: Course, sql: SQL, retired: bool
) -> None:
    cohort = await course.add("A")
    first, second = course.world.users[:2]
    for user, name in ((first, "Bob"), (second, "bob")):
        await sql(
            "UPDATE users SET username = :name, is_retired = :retired WHERE id = :id",
            name=f"{name}-{course.world.department}",
            retired=retired and user == second,
            id=user,
        )
    exact = f"Bob-{course.world.department}"
    other = f"BOB-{course.world.department}"
    assert await adds(staff, course, cohort, other) == [{"unknown": [other]}] * 4
    assert (await adds(staff, course, cohort, exact))[0] == {"added": [await course.person(first)]}
    assert (await removals(staff, course, cohort, other))[:2] == [404, 404]
    assert await course.members(cohort) == [first]


async def test_a_user_who_is_retired_is_not_found_in_any_case(
    staff: httpx.AsyncClient, course: Course, sql: SQL
) -> None:
    cohort = await course.add("A")
    typed = (await course.person(course.world.users[0]))["username"].swapcase()
    await sql("UPDATE users SET is_retired = true WHERE id = :id", id=course.world.users[0])
    assert await adds(staff, course, cohort, typed) == [{"unknown": [typed]}] * 4


async def test_one_user_in_two_cases_is_added_once(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    person = await course.person(course.world.users[0])
    users = [person["username"].swapcase(), person["username"]]
    answer = await staff.post(course.users(cohort), json={"users": users})
    assert told(answer) == result(added=[person], present=[person["username"]])


async def test_an_upload_finds_usernames_in_any_case(
    client: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    typed = (await course.person(course.world.users[0]))["username"].swapcase()
    job = await uploaded(client, course, f"cohort,username\nA,{typed}\n")
    assert counts(job)[2] == 1, job
    assert await course.members(cohort) == course.world.users[:1]
