"""What the native face has for cohorts beyond the dialect."""

from typing import Any

import httpx
import pytest

from groupsvc.faces.v1.schemas import GroupOut
from tests.api.openedx.conftest import Callers, Course
from tests.api.openedx.test_upload import file, finished
from tests.conftest import SQL

Native = str


@pytest.fixture
def native(course: Course) -> Native:
    return f"/v1/courses/{course.world.course_id}"


async def arrive(client: httpx.AsyncClient, native: Native, user: int) -> int | None:
    answer = await client.post(f"{native}/cohort-assignments", json={"user_id": user})
    assert answer.status_code == 200, answer.text
    return answer.json()["group_id"]


# Preassignments


async def test_addresses_that_wait_are_listed_and_cancelled(
    client: httpx.AsyncClient, course: Course, native: Native
) -> None:
    cohort = await course.add("A")
    addresses = [f"{name}@example.org" for name in "abc"]
    await client.post(course.users(cohort), json={"users": addresses})
    first = (await client.get(f"{native}/preassignments?limit=2")).json()
    rest = (await client.get(f"{native}/preassignments?cursor={first['next_cursor']}")).json()
    found = first["items"] + rest["items"]
    assert [each["email"] for each in found] == addresses
    assert {(each["group_id"], each["group_name"]) for each in found} == {(cohort, "A")}
    path = f"{native}/preassignments/{found[1]['id']}"
    for _ in range(2):
        assert (await client.delete(path)).status_code == 204
    assert list(await course.waiting()) == [addresses[0], addresses[2]]
    await course.lock()
    refused = await client.delete(f"{native}/preassignments/{found[0]['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "course_locked")


async def test_who_sees_and_cancels_what_waits(
    anonymous: httpx.AsyncClient, course: Course, callers: Callers, native: Native
) -> None:
    await course.add("A")
    for caller, reading, cancelling in (
        ("anonymous", 401, 401),
        ("learner", 403, 403),
        ("staff elsewhere", 403, 404),
        ("moderator", 200, 403),
        ("course staff", 403, 204),
    ):
        headers = callers[caller]
        read = await anonymous.get(f"{native}/preassignments", headers=headers)
        cancelled = await anonymous.delete(f"{native}/preassignments/1", headers=headers)
        assert (read.status_code, cancelled.status_code) == (reading, cancelling)


async def test_a_row_that_is_stale_waits_for_the_next_visit(
    client: httpx.AsyncClient, course: Course, native: Native
) -> None:
    a, b = await course.add("A"), await course.add("B")
    await client.put(course.settings, json={"is_cohorted": True})
    user = course.world.users[0]
    person = await course.person(user)
    await course.world.sql("UPDATE users SET email = NULL WHERE id = :id", id=user)
    await client.post(course.users(a), json={"users": [person["email"]]})
    await course.world.sql(
        "UPDATE users SET email = :email WHERE id = :id", email=person["email"].upper(), id=user
    )
    assert await course.waiting() == {person["email"]: a}
    await client.post(course.users(b), json={"users": [person["username"]]})
    assert await arrive(client, native, user) == b
    assert await course.waiting() == {person["email"]: a}
    await client.delete(course.users(b, person["username"]))
    assert await arrive(client, native, user) == a
    assert await course.waiting() == {}


# Retirement


async def test_an_address_is_forgotten_everywhere(
    client: httpx.AsyncClient, course: Course, make_course: Any, sql: SQL
) -> None:
    other: Course = await make_course(1)
    email = f"gone-{course.world.department}@Example.org"
    for each in (course, other):
        cohort = await each.add("A")
        await client.post(each.users(cohort), json={"users": [email, "stays@example.org"]})
    upload = file(f"cohort,email\nA,{email}\nA,stays@example.org\n")
    await client.post(course.upload, **upload)
    await finished(client, course)
    user = course.world.users[0]
    await sql("UPDATE users SET email = :email WHERE id = :id", email=email, id=user)
    await other.lock()
    answer = await client.post("/v1/retirements", json={"email": email.lower()})
    expected = {"preassignments": 2, "jobs": 1, "users": 1}
    assert (answer.status_code, answer.json()) == (200, expected)
    assert list(await course.waiting()) == list(await other.waiting()) == ["stays@example.org"]
    (job,) = await finished(client, course)
    addresses = job["result"]["cohorts"][0]["preassigned_learners"]
    assert addresses == ["[retired]", "stays@example.org"]
    added = (
        await client.post(
            course.users(cohort := await course.add("B")),
            json={"users": [(await course.person(user))["username"]]},
        )
    ).json()
    assert (added["added"], added["unknown"]) == ([], [(await course.person(user))["username"]])
    assert await course.members(cohort) == []
    again = await client.post("/v1/retirements", json={"email": email})
    assert again.json() == {"preassignments": 0, "jobs": 0, "users": 0}
    lines = await sql(
        "SELECT kind, cause FROM changes WHERE course_id = :id AND kind = 'preassignment.deleted'",
        id=other.world.course_id,
    )
    assert lines == [("preassignment.deleted", "retirement")]


@pytest.mark.parametrize(
    ("grants", "status"),
    [
        (("admin",), 200),
        (("roster:write",), 200),
        (("groups:write", "groups:read"), 403),
        (("roster:write@department:X", "admin@department:X"), 403),
        ((), 403),
    ],
)
async def test_who_may_have_an_address_forgotten(
    anonymous: httpx.AsyncClient, auth: Any, grants: tuple[str, ...], status: int
) -> None:
    body = {"email": "nobody@example.org"}
    answer = await anonymous.post("/v1/retirements", json=body, headers=auth(*grants))
    assert answer.status_code == status


# Enrolling with a cohort


async def test_enrolling_with_a_cohort_in_one_call(
    client: httpx.AsyncClient, course: Course, native: Native
) -> None:
    a, b = await course.add("A"), await course.add("B")
    (user,) = await course.world.add_users(1)
    path = f"{native}/enrollments/{user}"
    made = await client.put(path, json={"state": "active", "cohort": "A"})
    assert (made.status_code, await course.members(a)) == (201, [user])
    moved = await client.put(path, json={"state": "active", "cohort": " B "})
    assert (moved.status_code, await course.members(a), await course.members(b)) == (
        200,
        [],
        [user],
    )
    await client.patch(path, json={"state": "withdrawn"})
    assert await course.members(b) == [user]
    await client.patch(path, json={"cohort": None})
    assert await course.members(b) == []


async def test_a_cohort_that_is_not_there_enrolls_nobody(
    client: httpx.AsyncClient, course: Course, native: Native
) -> None:
    (user,) = await course.world.add_users(1)
    path = f"{native}/enrollments/{user}"
    for other in "BC":
        refused = await client.put(path, json={"state": "active", "cohort": "A"})
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_cohort")
        assert refused.json()["errors"][0]["pointer"] == "#/cohort"
        assert (await client.get(path)).status_code == 404
        await course.add(other)


async def test_enrolling_with_a_cohort_needs_both_permissions(
    anonymous: httpx.AsyncClient, course: Course, native: Native, auth: Any
) -> None:
    await course.add("A")
    (user,) = await course.world.add_users(1)
    path, body = f"{native}/enrollments/{user}", {"state": "active", "cohort": "A"}
    roster = f"roster:write@course:{course.key}"
    refused = await anonymous.put(path, json=body, headers=auth(roster))
    assert refused.status_code == 403
    both = auth(roster, f"groups:write@course:{course.key}")
    assert (await anonymous.put(path, json=body, headers=both)).status_code == 201


async def test_a_cohort_that_is_full_or_locked_enrolls_nobody(
    client: httpx.AsyncClient, course: Course, native: Native
) -> None:
    await course.add("A", capacity=0)
    (user,) = await course.world.add_users(1)
    path = f"{native}/enrollments/{user}"
    for code in ("group_full", "course_locked"):
        refused = await client.put(path, json={"state": "active", "cohort": "A"})
        assert (refused.status_code, refused.json()["code"]) == (409, code)
        assert (await client.get(path)).status_code == 404
        await course.lock()


# Content groups of users


async def test_the_content_group_of_a_user(
    client: httpx.AsyncClient, course: Course, native: Native
) -> None:
    cohort = await course.add("A")
    user = course.world.users[0]
    body = {"name": "Content", "groups": [{"id": 0, "name": "Zero"}, {"id": 1, "name": "One"}]}
    for number in (50, 60):
        await client.put(f"{native}/content-partitions/{number}", json=body)
    await client.put(f"{native}/content-partitions/51", json={"name": "x", "scheme": "random"})
    await course.join(cohort, user)

    async def found(number: int = 50) -> Any:
        path = f"{native}/content-partitions/{number}/users/{user}/group"
        return (await client.get(path)).json()

    def nothing(reason: str, cohort_id: int | None = cohort) -> dict[str, Any]:
        return {"content_group_id": None, "cohort_id": cohort_id, "reason": reason}

    assert await found() == nothing("no_cohort", None)
    await client.put(course.settings, json={"is_cohorted": True})
    assert await found() == nothing("no_link")
    for group, other, expected in (
        (1, 50, {"content_group_id": 1, "cohort_id": cohort, "reason": None}),
        (0, 50, {"content_group_id": 0, "cohort_id": cohort, "reason": None}),
        (9, 50, nothing("group_not_found")),
        (1, 60, nothing("partition_mismatch")),
    ):
        link = {"group_id": group, "user_partition_id": other}
        await client.patch(course.cohort(cohort), json=link)
        assert await found() == expected
    assert (await found(60))["content_group_id"] == 1
    for number in (51, 52):
        assert (await found(number))["code"] == "not_found"


async def test_reading_a_content_group_gives_no_cohort_and_asking_for_it_does(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    course: Course,
    native: Native,
    callers: Callers,
) -> None:
    link = {"content_partition_id": 50, "content_group_id": 1}
    cohort = await course.add("A", "random", **link)
    body = {"name": "Content", "groups": [{"id": 1, "name": "One"}]}
    await client.put(f"{native}/content-partitions/50", json=body)
    await client.put(course.settings, json={"is_cohorted": True})
    user = course.world.users[0]
    path = f"{native}/content-partitions/50/users/{user}/group"
    nothing = {"content_group_id": None, "cohort_id": None, "reason": "no_cohort"}
    assert (await client.get(path)).json() == nothing
    assert await course.members(cohort) == []
    given = {"content_group_id": 1, "cohort_id": cohort, "reason": None}
    for method in ("POST", "POST", "GET"):
        assert (await client.request(method, path)).json() == given
    assert await course.members(cohort) == [user]
    for caller, method, status in (
        ("moderator", "GET", 200),
        ("moderator", "POST", 403),
        ("course staff", "GET", 403),
        ("course staff", "POST", 200),
        ("staff elsewhere", "POST", 404),
    ):
        answer = await anonymous.request(method, path, headers=callers[caller])
        assert answer.status_code == status


async def test_the_first_visitor_gets_what_the_default_cohort_has(
    client: httpx.AsyncClient, course: Course, native: Native
) -> None:
    await client.put(f"{native}/content-partitions/50", json={"name": "Content"})
    await client.put(course.settings, json={"is_cohorted": True})
    path = f"{native}/content-partitions/50/users/{course.world.users[0]}/group"
    found = (await client.post(path)).json()
    (cohort,) = (await client.get(course.cohorts)).json()
    assert found == {"content_group_id": None, "cohort_id": cohort["id"], "reason": "no_link"}


# Deleting


async def test_a_cohort_is_deleted_with_what_waits_in_it(
    client: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A", "random")
    await client.post(course.users(cohort), json={"users": ["a@example.org"]})
    assert (await client.delete(f"/v1/groups/{cohort}")).status_code == 204
    assert (await client.get(course.cohorts)).json() == []
    assert await course.waiting() == {}


async def test_a_content_group_below_zero_is_what_the_document_says(
    staff: httpx.AsyncClient, client: httpx.AsyncClient, course: Course
) -> None:
    body = {"name": "A", "assignment_type": "manual", "user_partition_id": -1, "group_id": -2}
    made = (await staff.post(course.cohorts, json=body)).json()
    shown = (await client.get(f"/v1/groups/{made['id']}")).json()
    assert shown["content_link"] == {"content_partition_id": -1, "content_group_id": -2}
    GroupOut.model_validate(shown)
