"""Users of a cohort in v1: list, add and remove."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.api.openedx.conftest import Course, envelope, told
from tests.conftest import SQL

LISTS = ("added", "changed", "present", "unknown", "preassigned", "invalid")


def result(**lists: Any) -> tuple[int, dict[str, Any]]:
    return 200, {"success": True, **{name: [] for name in LISTS}, **lists}


def no_cohort(course: Course, cohort_id: int | str) -> tuple[int, Any]:
    message = f"Cohort (ID {cohort_id}) not found for {course.key}"
    return 404, envelope(message, "cohort-not-found")


MISSING_USERS = (400, envelope("Missing users key in payload", "missing-users"))


# Listing


async def test_members_and_the_order_of_everything(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    await course.join(cohort, *reversed(course.world.users[:2]))
    first, second = (await course.people())[:2]
    answer = await staff.get(course.users(cohort))
    assert answer.status_code == 200
    assert answer.text == (
        '{"next":null,"previous":null,"count":2,"num_pages":1,"current_page":1,"start":0,"results":'
        f'[{{"username":"{first["username"]}","email":"{first["email"]}","name":"Given Family1"}},'
        f'{{"username":"{second["username"]}","email":"{second["email"]}",'
        '"name":"Given Family2"}]}'
    )


async def test_members_need_no_enrollment(
    staff: httpx.AsyncClient, course: Course, sql: SQL
) -> None:
    cohort = await course.add("A")
    (stranger,) = await course.world.add_users(1)
    await course.join(cohort, *course.world.users, stranger)
    await sql("DELETE FROM enrollments WHERE user_id = :id", id=course.world.users[0])
    found = (await staff.get(course.users(cohort))).json()
    assert found["count"] == 6
    assert (await staff.get(course.cohort(cohort))).json()["user_count"] == 4


async def test_a_user_without_names_and_address(
    staff: httpx.AsyncClient, course: Course, sql: SQL
) -> None:
    cohort = await course.add("A")
    user = course.world.users[0]
    await course.join(cohort, user)
    await sql(
        "UPDATE users SET given_name = '', family_name = '', email = NULL WHERE id = :id", id=user
    )
    username = (await course.person(user))["username"]
    (found,) = (await staff.get(course.users(cohort))).json()["results"]
    assert found == {"username": username, "email": "", "name": " "}


async def test_an_empty_cohort(staff: httpx.AsyncClient, course: Course) -> None:
    cohort = await course.add("A")
    empty = {
        "next": None,
        "previous": None,
        "count": 0,
        "num_pages": 1,
        "current_page": 1,
        "start": 0,
        "results": [],
    }
    for query in ("", "?page=1", "?page=last"):
        assert told(await staff.get(course.users(cohort) + query)) == (200, empty)
    refused = await staff.get(f"{course.users(cohort)}?page=2")
    assert told(refused) == (404, envelope("Invalid page."))


@pytest.mark.parametrize(
    ("query", "page", "pages", "start", "shown"),
    [
        ("", 1, 3, 0, 10),
        ("?page=3", 3, 3, 20, 5),
        ("?page=last", 3, 3, 20, 5),
        ("?page_size=100", 1, 1, 0, 25),
        ("?page_size=1000", 1, 1, 0, 25),
        ("?page_size=0", 1, 3, 0, 10),
        ("?page_size=24&page=2", 2, 2, 24, 1),
    ],
)
async def test_pages_of_members(
    staff: httpx.AsyncClient,
    make_course: Any,
    query: str,
    page: int,
    pages: int,
    start: int,
    shown: int,
) -> None:
    course: Course = await make_course(25)
    cohort = await course.add("A")
    await course.join(cohort, *course.world.users)
    people = await course.people()
    found = (await staff.get(course.users(cohort) + query)).json()
    assert (found["count"], found["num_pages"], found["current_page"]) == (25, pages, page)
    assert found["start"] == start
    usernames = [each["username"] for each in found["results"]]
    assert usernames == [each["username"] for each in people[start : start + shown]]
    assert (found["previous"] is None, found["next"] is None) == (page == 1, page == pages)


@pytest.mark.parametrize("page", ["0", "-1", "4", "x"])
async def test_no_such_page(staff: httpx.AsyncClient, make_course: Any, page: str) -> None:
    course: Course = await make_course(25)
    cohort = await course.add("A")
    await course.join(cohort, *course.world.users)
    answer = await staff.get(course.users(cohort), params={"page": page})
    assert told(answer) == (404, envelope("Invalid page."))
    missing = await staff.get(course.users(cohort + 10**9), params={"page": page})
    assert told(missing) == no_cohort(course, cohort + 10**9)


async def test_links_keep_what_else_was_asked(staff: httpx.AsyncClient, make_course: Any) -> None:
    course: Course = await make_course(9)
    cohort = await course.add("A")
    await course.join(cohort, *course.world.users)
    path = course.users(cohort)
    first = (await staff.get(f"{path}?z=1&page_size=3&a=%20&page=1&z=2&b=")).json()
    assert first["previous"] is None
    assert first["next"] == f"http://test{path}?a=+&b=&page=2&page_size=3&z=1&z=2"
    second = (await staff.get(first["next"])).json()
    assert second["previous"] == f"http://test{path}?a=+&b=&page_size=3&z=1&z=2"
    assert second["next"] == f"http://test{path}?a=+&b=&page=3&page_size=3&z=1&z=2"
    bare = (await staff.get(f"{path}?page_size=5&page=2")).json()
    assert parse_qs(urlsplit(bare["previous"]).query) == {"page_size": ["5"]}
    last = (await staff.get(f"{path}?page=last&page_size=8")).json()
    assert last["previous"] == f"http://test{path}?page_size=8"
    assert last["next"] is None


async def test_links_lead_back_through_a_gateway(
    staff: httpx.AsyncClient, make_course: Any
) -> None:
    course: Course = await make_course(11)
    cohort = await course.add("A")
    await course.join(cohort, *course.world.users)
    headers = {"x-forwarded-proto": "https", "host": "lms.example.org"}
    found = (await staff.get(course.users(cohort), headers=headers)).json()
    assert found["next"] == f"https://lms.example.org{course.users(cohort)}?page=2"


async def test_a_name_in_the_path_is_ignored_by_get(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    await course.join(cohort, *course.world.users)
    listed = (await staff.get(course.users(cohort))).json()
    assert told(await staff.get(course.users(cohort, "nobody"))) == (200, listed)


@pytest.mark.parametrize("cohort_id", ["0", "999999999", str(2**63 - 1), str(2**63), "9" * 40])
async def test_no_such_cohort_whatever_the_method(
    staff: httpx.AsyncClient, course: Course, cohort_id: str
) -> None:
    expected = no_cohort(course, cohort_id)
    for answer in (
        await staff.get(course.users(cohort_id)),
        await staff.post(course.users(cohort_id), content=b"{"),
        await staff.post(course.users(cohort_id, "bob")),
        await staff.delete(course.users(cohort_id, "bob")),
    ):
        assert told(answer) == expected


async def test_a_cohort_of_another_course_and_a_group_that_is_none(
    staff: httpx.AsyncClient, course: Course, make_course: Any
) -> None:
    other: Course = await make_course(1)
    group = await course.world.add_group(await course.world.add_partition("TD"))
    for cohort in (await other.add("A"), group):
        assert told(await staff.get(course.users(cohort))) == no_cohort(course, cohort)
        answer = await staff.post(course.users(cohort), json={"users": ["bob"]})
        assert told(answer) == no_cohort(course, cohort)


# Adding


async def test_all_lists_in_the_order_of_the_input(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort, other = await course.add("A"), await course.add("Other")
    new, moved, member, by_mail, late = await course.people()
    users = course.world.users
    await course.join(other, users[1])
    await course.join(cohort, users[2])
    sent = [
        "nobody",
        "new@example.org",
        late["username"],
        by_mail["email"],
        "foo@bar",
        moved["username"],
        member["email"],
        "email@",
        new["username"],
        "@email",
        "zoe@example.org",
        "x@y.",
        "other nobody",
        " blank@example.org ",
    ]
    answer = await staff.post(course.users(cohort), json={"users": sent})
    assert told(answer) == result(
        added=[late, by_mail, new],
        changed=[
            {"email": moved["email"], "previous_cohort": "Other", "username": moved["username"]}
        ],
        present=[member["email"]],
        unknown=["nobody", "other nobody"],
        preassigned=["new@example.org", "zoe@example.org"],
        invalid=["foo@bar", "email@", "@email", "x@y.", " blank@example.org "],
    )
    assert list(answer.json()) == ["success", *LISTS]
    assert list(answer.json()["changed"][0]) == ["email", "previous_cohort", "username"]
    assert list(answer.json()["added"][0]) == ["username", "email"]
    assert await course.members(cohort) == sorted(users)
    assert await course.members(other) == []
    assert await course.waiting() == {"new@example.org": cohort, "zoe@example.org": cohort}


async def test_a_name_is_looked_up_without_the_space_around_it(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    first, second = (await course.people())[:2]
    sent = [f"  {first['username']}\n", f"\t{second['email'].upper()} ", "  ", f" {first['email']}"]
    answer = await staff.post(course.users(cohort), json={"users": sent})
    expected = result(added=[first, second], unknown=["  "], present=[f" {first['email']}"])
    assert told(answer) == expected


async def test_case_matters_neither_in_usernames_nor_in_addresses(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    first, second = (await course.people())[:2]
    sent = [first["username"].upper(), second["email"].title()]
    answer = await staff.post(course.users(cohort), json={"users": sent})
    assert told(answer) == result(added=[first, second])


async def test_an_exact_username_is_meant_before_an_address(
    staff: httpx.AsyncClient, course: Course, sql: SQL
) -> None:
    cohort = await course.add("A")
    first, second = course.world.users[:2]
    email = (await course.person(second))["email"]
    await sql("UPDATE users SET username = :name WHERE id = :id", name=email, id=first)
    await staff.post(course.users(cohort), json={"users": [email]})
    assert await course.members(cohort) == [first]


async def test_an_address_need_not_have_an_at(
    staff: httpx.AsyncClient, course: Course, sql: SQL
) -> None:
    cohort = await course.add("A")
    user = course.world.users[0]
    odd = f"odd-{course.world.department}"
    await sql("UPDATE users SET email = :email WHERE id = :id", email=odd, id=user)
    answer = await staff.post(course.users(cohort), json={"users": [odd]})
    assert told(answer) == result(added=[await course.person(user)])


async def test_a_user_who_is_being_retired_is_not_found(
    staff: httpx.AsyncClient, course: Course, sql: SQL
) -> None:
    cohort = await course.add("A")
    user = course.world.users[0]
    person = await course.person(user)
    await sql("UPDATE users SET is_retired = true WHERE id = :id", id=user)
    answer = await staff.post(course.users(cohort), json={"users": list(person.values())})
    expected = result(unknown=[person["username"]], preassigned=[person["email"]])
    assert told(answer) == expected


async def test_whoever_is_not_enrolled_is_added_while_cohorts_are_off(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A", "random")
    users = await course.world.add_users(2)
    people = [await course.person(user) for user in users]
    sent = [person["username"] for person in people]
    answer = await staff.post(course.users(cohort), json={"users": sent})
    assert told(answer) == result(added=people)


async def test_of_duplicates_the_first_decides(staff: httpx.AsyncClient, course: Course) -> None:
    cohort, other = await course.add("A"), await course.add("B")
    new, moved = (await course.people())[:2]
    await course.join(other, course.world.users[1])
    sent = [
        new["username"],
        moved["email"],
        new["email"],
        "x@example.org",
        "nobody",
        moved["username"],
        new["username"],
        "x@example.org",
        "X@Example.org",
        "nobody",
        "foo@bar",
        "foo@bar",
    ]
    answer = await staff.post(course.users(cohort), json={"users": sent})
    assert told(answer) == result(
        added=[new],
        changed=[{"email": moved["email"], "previous_cohort": "B", "username": moved["username"]}],
        present=[new["email"], moved["username"], new["username"]],
        unknown=["nobody", "nobody"],
        preassigned=["x@example.org", "x@example.org", "X@Example.org"],
        invalid=["foo@bar", "foo@bar"],
    )
    assert await course.waiting() == {"X@Example.org": cohort}


async def test_an_address_waits_in_the_last_cohort_it_was_given(
    staff: httpx.AsyncClient, course: Course
) -> None:
    first, second = await course.add("A"), await course.add("B")
    sent = {"users": ["new@example.org"]}
    for cohort in (first, second, second):
        answer = await staff.post(course.users(cohort), json=sent)
        assert told(answer) == result(preassigned=["new@example.org"])
        assert await course.waiting() == {"new@example.org": cohort}
    kinds = [line[0] for line in await course.world.log("preassignment.%")]
    assert kinds == ["preassignment.created", *["preassignment.updated"] * 2]
    found = (await staff.get(course.users(second))).json()
    assert (found["count"], (await staff.get(course.cohort(second))).json()["user_count"]) == (0, 0)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, MISSING_USERS),
        ({"users": []}, MISSING_USERS),
        ({"users": ""}, MISSING_USERS),
        ({"users": None}, MISSING_USERS),
        ({"users": {}}, MISSING_USERS),
        ({"users": 0}, MISSING_USERS),
        ({"users": [""]}, result()),
        ({"users": ["", None, ""]}, result()),
        ({"users": "nobody"}, result(unknown=["nobody"])),
        (
            {"users": [5, "nobody", True, {"a": "b@c.de"}, ["x"], 0]},
            result(unknown=["5", "nobody", "true", '{"a": "b@c.de"}', '["x"]', "0"]),
        ),
        ({"users": 5}, (400, envelope("users must be a list of usernames and e-mail addresses."))),
        (
            {"users": {"a": 1}},
            (400, envelope("users must be a list of usernames and e-mail addresses.")),
        ),
        (["nobody"], (400, envelope("Invalid data. Expected a dictionary."))),
        ("nobody", (400, envelope("Invalid data. Expected a dictionary."))),
    ],
)
async def test_odd_bodies(
    staff: httpx.AsyncClient, course: Course, body: Any, expected: Any
) -> None:
    cohort = await course.add("A")
    assert told(await staff.post(course.users(cohort), json=body)) == expected


@pytest.mark.parametrize("multipart", [False, True])
async def test_each_value_of_a_form_is_one_identifier(
    staff: httpx.AsyncClient, course: Course, multipart: bool
) -> None:
    cohort = await course.add("A")
    first, second = (await course.people())[:2]
    values = [first["username"], "nobody", second["email"]]
    send: dict[str, Any] = {"data": {"users": values}}
    if multipart:
        send = {"files": [("users", (None, value)) for value in values]}
    answer = await staff.post(course.users(cohort), **send)
    assert told(answer) == result(added=[first, second], unknown=["nobody"])


@pytest.mark.parametrize("body", [b"users=a%00b&users=%ff", b"users=%ed%a0%80"])
async def test_values_that_cannot_be_stored_are_nobody(
    staff: httpx.AsyncClient, course: Course, body: bytes
) -> None:
    cohort = await course.add("A")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await staff.post(course.users(cohort), content=body, headers=headers)
    assert answer.status_code == 200
    assert len(answer.json()["unknown"]) == body.count(b"users")


async def test_a_broken_form_is_refused(staff: httpx.AsyncClient, course: Course) -> None:
    cohort = await course.add("A")
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = await staff.post(course.users(cohort), content=b"no form", headers=headers)
    message = "Multipart form parse error - the form is malformed"
    assert told(answer) == (400, envelope(message))


@pytest.mark.parametrize(
    "send",
    [{}, {"content": b""}, {"json": {}}, {"json": {"users": []}}, {"data": {"users": ""}}],
)
async def test_the_name_in_the_path_is_added_without_users_in_the_body(
    staff: httpx.AsyncClient, course: Course, send: dict[str, Any]
) -> None:
    cohort = await course.add("A")
    person = await course.person(course.world.users[0])
    path = course.users(cohort, person["username"])
    assert told(await staff.post(path, **send)) == result(added=[person])
    assert told(await staff.post(path, **send)) == result(present=[person["username"]])


async def test_users_in_the_body_beat_the_path(staff: httpx.AsyncClient, course: Course) -> None:
    cohort = await course.add("A")
    first, second = (await course.people())[:2]
    path = course.users(cohort, first["username"])
    answer = await staff.post(path, json={"users": [second["username"]]})
    assert told(answer) == result(added=[second])
    assert told(await staff.post(path, json={"users": [""]})) == result()


async def test_a_cohort_that_is_full_says_whom_it_does_not_take(
    staff: httpx.AsyncClient, client: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A", capacity=2)
    people = await course.people()
    await course.join(cohort, course.world.users[4])
    names = [person["username"] for person in people]
    answer = await staff.post(course.users(cohort), json={"users": names})
    assert told(answer) == result(added=people[:1], present=names[4:], not_allowed=names[1:4])
    assert await course.members(cohort) == [course.world.users[0], course.world.users[4]]


async def test_a_locked_course(staff: httpx.AsyncClient, course: Course) -> None:
    cohort = await course.add("A")
    user = course.world.users[0]
    await course.join(cohort, user)
    username = (await course.person(user))["username"]
    await course.lock()
    locked = (400, envelope("The course is locked.", "course-locked"))
    assert told(await staff.post(course.users(cohort), json={"users": ["x@y.org"]})) == locked
    assert told(await staff.delete(course.users(cohort, username))) == locked
    assert (await course.members(cohort), await course.waiting()) == ([user], {})


# Removing


async def test_a_member_is_removed_by_name(staff: httpx.AsyncClient, course: Course) -> None:
    cohort = await course.add("A")
    user = course.world.users[0]
    await course.join(cohort, user)
    path = course.users(cohort, (await course.person(user))["username"])
    answer = await staff.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await course.members(cohort) == []
    elsewhere = (400, envelope("User not assigned to the given cohort.", "user-not-in-cohort"))
    assert told(await staff.delete(path)) == elsewhere


async def test_whom_removing_does_not_find(staff: httpx.AsyncClient, course: Course) -> None:
    cohort, other = await course.add("A"), await course.add("B")
    user = course.world.users[0]
    await course.join(other, user)
    person = await course.person(user)
    missing = (404, envelope("User does not exist.", "user-not-found"))
    for name in ("nobody", person["email"], f"{person['username']} "):
        assert told(await staff.delete(course.users(cohort, name))) == missing
    elsewhere = (400, envelope("User not assigned to the given cohort.", "user-not-in-cohort"))
    assert told(await staff.delete(course.users(cohort, person["username"]))) == elsewhere
    assert await course.members(other) == [user]


async def test_removing_needs_a_name_before_anything_else(
    staff: httpx.AsyncClient, course: Course
) -> None:
    expected = (405, envelope("Missing username in path", "missing-username"))
    assert told(await staff.delete(course.users(999999999))) == expected
    nowhere = "/api/cohorts/v1/courses/course-v1:No+Such+Course/cohorts/1/users/"
    assert told(await staff.delete(nowhere)) == expected
    assert told(await staff.delete(nowhere.removesuffix("/"))) == expected
