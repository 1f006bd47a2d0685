"""The instructor's routes for the users of a cohort."""

from typing import Any

import httpx
import pytest

from tests.api.openedx.conftest import Course, told

LISTS = ("added", "changed", "present", "unknown", "preassigned", "invalid", "not_allowed")


def result(**lists: Any) -> tuple[int, dict[str, Any]]:
    return 200, {"success": True, **{name: [] for name in LISTS}, **lists}


# add


async def test_adding_from_one_text(staff: httpx.AsyncClient, course: Course) -> None:
    cohort, other = await course.add("A", capacity=3), await course.add("B")
    new, moved, member, last, _ = await course.people()
    await course.join(other, course.world.users[1])
    await course.join(cohort, course.world.users[2])
    text = (
        f" ,{new['username']},, {moved['email']}\n\t{member['username']},nobody "
        f"new@example.org,foo@bar {last['username']} , "
    )
    answer = await staff.post(f"{course.legacy}/{cohort}/add", data={"users": text})
    assert told(answer) == result(
        added=[new],
        changed=[{"email": moved["email"], "previous_cohort": "B", "username": moved["username"]}],
        present=[member["username"]],
        unknown=["nobody"],
        preassigned=["new@example.org"],
        invalid=["foo@bar"],
        not_allowed=[last["username"]],
    )
    assert list(answer.json()) == ["success", *LISTS]


@pytest.mark.parametrize(
    "send", [{}, {"data": {"users": ""}}, {"data": {"more": "x"}}, {"json": {"users": ["a"]}}]
)
async def test_adding_nobody(staff: httpx.AsyncClient, course: Course, send: Any) -> None:
    cohort = await course.add("A")
    assert told(await staff.post(f"{course.legacy}/{cohort}/add", **send)) == result()


async def test_adding_to_a_cohort_of_another_course(
    staff: httpx.AsyncClient, course: Course, make_course: Any
) -> None:
    elsewhere = await (await make_course(1)).add("A")
    for cohort in (elsewhere, 0, 2**63):
        answer = await staff.post(f"{course.legacy}/{cohort}/add", data={"users": "a"})
        assert answer.status_code == 404


# delete


async def test_removing_ignores_the_cohort_of_the_path(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    user = course.world.users[0]
    await course.join(cohort, user)
    form = {"username": (await course.person(user))["username"]}
    for number in (cohort + 10**9, 0, cohort):
        answer = await staff.post(f"{course.legacy}/{number}/delete", data=form)
        assert told(answer) == (200, {"success": True})
        assert await course.members(cohort) == []


@pytest.mark.parametrize(
    ("send", "message"),
    [
        ({}, "No username specified"),
        ({"data": {"user": "x"}}, "No username specified"),
        ({"json": {"username": "x"}}, "No username specified"),
        ({"data": {"username": "bogus"}}, "No user 'bogus'"),
        ({"data": {"username": ""}}, "No user ''"),
        ({"files": {"username": (None, "bogus")}}, "No user 'bogus'"),
        ({"data": {"username": ["x", "bogus"]}}, "No user 'bogus'"),
        ({"data": {"username": "no\x00body"}}, "No user 'no\x00body'"),
    ],
)
async def test_removing_nobody(
    staff: httpx.AsyncClient, course: Course, send: Any, message: str
) -> None:
    answer = await staff.post(f"{course.legacy}/1/delete", **send)
    assert told(answer) == (200, {"success": False, "msg": message})


async def test_a_user_is_removed_by_exact_name_from_this_course_alone(
    staff: httpx.AsyncClient, course: Course, make_course: Any
) -> None:
    elsewhere: Course = await make_course(1)
    user = course.world.users[0]
    here, there = await course.add("A"), await elsewhere.add("A")
    await course.join(here, user)
    await elsewhere.join(there, user)
    person = await course.person(user)
    path = f"{course.legacy}/{there}/delete"
    for name in (person["email"], f" {person['username']} "):
        answer = await staff.post(path, data={"username": name})
        assert told(answer) == (200, {"success": False, "msg": f"No user '{name}'"})
    answer = await staff.post(path, data={"username": person["username"]})
    assert told(answer) == (200, {"success": True})
    assert (await course.members(here), await elsewhere.members(there)) == ([], [user])


async def test_a_course_without_cohorts(staff: httpx.AsyncClient, course: Course) -> None:
    form = {"username": (await course.person(course.world.users[0]))["username"]}
    answer = await staff.post(f"{course.legacy}/1/delete", data=form)
    assert told(answer) == (200, {"success": True})
