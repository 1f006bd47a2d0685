"""Cohorts in v1: list, read, create and change."""

from typing import Any

import httpx
import pytest

from tests.api.openedx.conftest import Course, envelope, told
from tests.conftest import SQL

NO_COHORT = (404, envelope("CourseUserGroup matching query does not exist."))
INVALID_PAGE = (404, envelope("Invalid page."))
INVALID_ORDERING = (
    400,
    envelope('Invalid ordering value. Must be "asc" or "desc".', "invalid-ordering-value"),
)
NAME_TAKEN = (
    400,
    envelope("You cannot create two cohorts with the same name", "cohort-name-exists"),
)
NAME_EXISTS = (400, envelope("A cohort with the same name already exists.", "cohort-name-exists"))
LAST_RANDOM = (
    400,
    envelope(
        "There must be one cohort to which students can automatically be assigned.",
        "last-random-cohort",
    ),
)
NEEDS_PARTITION = (
    400,
    envelope(
        "If group_id is specified, user_partition_id must also be specified.",
        "missing-user-partition-id",
    ),
)
MISSING_FIELDS = (
    400,
    envelope("Request must include name, assignment_type, and/or group_id.", "missing-fields"),
)
BAD_NAME = (400, envelope("The name must have 1 to 255 characters that can be stored."))
BAD_TYPE = (400, envelope("The assignment type is manual or random."))
BAD_LINK = (400, envelope("Content partitions and groups have integers as ids."))


def shape(cohort_id: int, name: str, **members: Any) -> dict[str, Any]:
    return {
        "name": name,
        "id": cohort_id,
        "user_count": 0,
        "assignment_type": "manual",
        "user_partition_id": None,
        "group_id": None,
        **members,
    }


async def test_a_cohort_and_the_order_of_its_members(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A", "random", content_partition_id=50, content_group_id=0)
    answer = await staff.get(course.cohort(cohort))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.text == (
        f'{{"name":"A","id":{cohort},"user_count":0,"assignment_type":"random",'
        '"user_partition_id":50,"group_id":0}'
    )


async def test_only_active_enrollments_count(
    staff: httpx.AsyncClient, course: Course, sql: SQL
) -> None:
    cohort = await course.add("A")
    (stranger,) = await course.world.add_users(1)
    await course.join(cohort, *course.world.users, stranger)
    for user, state in zip(course.world.users, ("withdrawn", "defaulted"), strict=False):
        await sql(
            "UPDATE enrollments SET state = :state WHERE course_id = :c AND user_id = :u",
            state=state,
            c=course.world.course_id,
            u=user,
        )
    assert told(await staff.get(course.cohort(cohort))) == (200, shape(cohort, "A", user_count=3))
    (listed,) = (await staff.get(course.cohorts)).json()
    assert listed["user_count"] == 3
    assert (await staff.get(course.users(cohort))).json()["count"] == 6


# Lists


async def test_a_course_without_cohorts(staff: httpx.AsyncClient, course: Course) -> None:
    before = await course.world.log()
    assert told(await staff.get(course.cohorts)) == (200, [])
    assert await course.world.log() == before


@pytest.fixture
async def eleven(course: Course) -> list[int]:
    """Eleven cohorts by name, made in another order."""
    made = {name: await course.add(name) for name in "FKABJCIDHEG"}
    return [made[name] for name in sorted(made)]


def ids(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()]


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", 0, 10),
        ("?page=1", 0, 10),
        ("?page=", 0, 10),
        ("?page=2", 10, 11),
        ("?page=last", 10, 11),
        ("?page_size=3", 0, 3),
        ("?page_size=3&page=2", 3, 6),
        ("?page_size=3&page=last", 9, 11),
        ("?page_size=11", 0, 11),
        ("?page_size=11&page=last", 0, 11),
        ("?page_size=1000", 0, 11),
        ("?page_size=0", 0, 10),
        ("?page_size=-1", 0, 10),
        ("?page_size=x", 0, 10),
        ("?page_size=", 0, 10),
        ("?page=3&page=1", 0, 10),
        ("?more=1", 0, 10),
    ],
)
async def test_a_page_is_a_bare_array(
    staff: httpx.AsyncClient, course: Course, eleven: list[int], query: str, first: int, last: int
) -> None:
    assert ids(await staff.get(course.cohorts + query)) == eleven[first:last]


async def test_a_page_has_a_hundred_at_most(staff: httpx.AsyncClient, course: Course) -> None:
    await course.add("first")
    await course.world.sql(
        "INSERT INTO groups (course_id, partition_id, name, position)"
        " SELECT :course, :partition, 'C' || n, 1 FROM generate_series(1, 110) n",
        course=course.world.course_id,
        partition=course.partition,
    )
    for size in ("100", "101", "100000000000000000000000"):
        assert len(ids(await staff.get(course.cohorts, params={"page_size": size}))) == 100


@pytest.mark.parametrize("page", ["0", "-1", "x", "3", "1.0", "9" * 30, "LAST", " "])
async def test_no_such_page(
    staff: httpx.AsyncClient, course: Course, eleven: list[int], page: str
) -> None:
    assert told(await staff.get(course.cohorts, params={"page": page})) == INVALID_PAGE


async def test_the_second_page_of_nothing(staff: httpx.AsyncClient, course: Course) -> None:
    assert told(await staff.get(f"{course.cohorts}?page=last")) == (200, [])
    assert told(await staff.get(f"{course.cohorts}?page=2")) == INVALID_PAGE


@pytest.mark.parametrize(
    ("ordering", "descending"),
    [("asc", False), ("ASC", False), ("desc", True), ("DESC", True), ("Desc", True)],
)
async def test_by_name_in_either_direction(
    staff: httpx.AsyncClient, course: Course, eleven: list[int], ordering: str, descending: bool
) -> None:
    expected = list(reversed(eleven)) if descending else eleven
    for page, part in ((1, expected[:10]), (2, expected[10:])):
        found = await staff.get(course.cohorts, params={"ordering": ordering, "page": page})
        assert ids(found) == part


async def test_names_are_in_the_order_of_the_usual_database(
    staff: httpx.AsyncClient, course: Course
) -> None:
    made = {name: await course.add(name) for name in ("b", "\u00e9", "B", "a", "_", "Z", "10", "9")}
    expected = [made[name] for name in ("_", "10", "9", "a", "B", "b", "\u00e9", "Z")]
    assert ids(await staff.get(course.cohorts)) == expected
    assert ids(await staff.get(f"{course.cohorts}?ordering=desc")) == expected[::-1]


@pytest.mark.parametrize("ordering", ["", "name", "-name", "ascending", " asc"])
async def test_an_ordering_that_is_none_comes_before_the_page(
    staff: httpx.AsyncClient, course: Course, ordering: str
) -> None:
    for page in ("1", "x"):
        found = await staff.get(course.cohorts, params={"ordering": ordering, "page": page})
        assert told(found) == INVALID_ORDERING


async def test_cohorts_are_listed_whether_or_not_the_course_is_cohorted(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    for wanted in (True, False):
        await staff.put(course.settings, json={"is_cohorted": wanted})
        assert ids(await staff.get(course.cohorts)) == [cohort]


async def test_groups_that_are_no_cohorts_are_not_there(
    staff: httpx.AsyncClient, course: Course
) -> None:
    group = await course.world.add_group(await course.world.add_partition("TD"))
    assert told(await staff.get(course.cohorts)) == (200, [])
    assert told(await staff.get(course.cohort(group))) == NO_COHORT


# Reading one


@pytest.mark.parametrize("cohort_id", ["0", "99999999", str(2**63 - 1), str(2**63), "9" * 40])
async def test_no_such_cohort(staff: httpx.AsyncClient, course: Course, cohort_id: str) -> None:
    assert told(await staff.get(course.cohort(cohort_id))) == NO_COHORT
    answer = await staff.patch(course.cohort(cohort_id), json={"name": "B"})
    assert told(answer) == NO_COHORT


async def test_a_cohort_of_another_course(
    staff: httpx.AsyncClient, course: Course, make_course: Any
) -> None:
    other = await make_course(1)
    elsewhere = await other.add("A")
    assert told(await staff.get(course.cohort(elsewhere))) == NO_COHORT
    assert told(await staff.patch(course.cohort(elsewhere), json={"name": "B"})) == NO_COHORT


# Creating


async def test_creating_answers_200_and_the_cohort(
    staff: httpx.AsyncClient, course: Course
) -> None:
    body = {"name": " New ", "assignment_type": "random", "user_count": 7, "more": {}}
    answer = await staff.post(course.cohorts, json=body)
    created = answer.json()["id"]
    assert answer.status_code == 200
    assert answer.text == (
        f'{{"name":"New","id":{created},"user_count":0,"assignment_type":"random",'
        '"user_partition_id":null,"group_id":null}'
    )
    assert told(await staff.get(course.cohort(created))) == told(answer)
    second = await staff.post(course.cohorts, json={"name": "B", "assignment_type": "manual"})
    assert sorted(ids(await staff.get(course.cohorts))) == [created, second.json()["id"]]


async def test_the_first_cohort_makes_its_partition_whatever_that_is_called(
    client: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course
) -> None:
    await course.world.add_partition("Cohorts")
    await staff.post(course.cohorts, json={"name": "A", "assignment_type": "manual"})
    found = (await client.get(f"/v1/courses/{course.world.course_id}/partitions")).json()
    assert [(each["kind"], each["name"]) for each in found] == [
        ("ordinary", "Cohorts"),
        ("cohorts", "Cohorts (2)"),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, envelope('"name" must be specified to create cohort.', "missing-cohort-name"))),
        (
            {"assignment_type": "manual"},
            (400, envelope('"name" must be specified to create cohort.', "missing-cohort-name")),
        ),
        (
            {"name": "", "assignment_type": "manual"},
            (400, envelope('"name" must be specified to create cohort.', "missing-cohort-name")),
        ),
        (
            {"name": "A"},
            (
                400,
                envelope(
                    '"assignment_type" must be specified to create cohort.',
                    "missing-assignment-type",
                ),
            ),
        ),
        (
            {"name": "A", "assignment_type": None},
            (
                400,
                envelope(
                    '"assignment_type" must be specified to create cohort.',
                    "missing-assignment-type",
                ),
            ),
        ),
        ({"name": "taken", "assignment_type": "manual"}, NAME_TAKEN),
        ({"name": " taken ", "assignment_type": "manual"}, NAME_TAKEN),
        ({"name": "taken", "assignment_type": "automatic"}, NAME_TAKEN),
        ({"name": "taken", "assignment_type": "manual", "group_id": 1}, NAME_TAKEN),
        ({"name": "new", "assignment_type": "manual", "group_id": 1}, NEEDS_PARTITION),
        ({"name": "new", "assignment_type": "manual", "group_id": 0}, NEEDS_PARTITION),
        (
            {"name": "n", "assignment_type": "manual", "group_id": 1, "user_partition_id": None},
            NEEDS_PARTITION,
        ),
        (
            {"name": "n", "assignment_type": "manual", "group_id": "x", "user_partition_id": 1},
            BAD_LINK,
        ),
        (
            {"name": "n", "assignment_type": "manual", "group_id": 1, "user_partition_id": 1.5},
            BAD_LINK,
        ),
        (
            {"name": "n", "assignment_type": "manual", "group_id": True, "user_partition_id": 1},
            BAD_LINK,
        ),
        (
            {"name": "n", "assignment_type": "manual", "group_id": 2**63, "user_partition_id": 1},
            BAD_LINK,
        ),
        ({"name": "new", "assignment_type": "automatic"}, BAD_TYPE),
        ({"name": "new", "assignment_type": "x" * 21}, BAD_TYPE),
        ({"name": "new", "assignment_type": ["manual"]}, BAD_TYPE),
        ({"name": "x" * 256, "assignment_type": "manual"}, BAD_NAME),
        ({"name": " ", "assignment_type": "manual"}, BAD_NAME),
        ({"name": 5, "assignment_type": "manual"}, (400, envelope("The name is not a text."))),
    ],
)
async def test_what_creating_refuses_and_leaves_undone(
    staff: httpx.AsyncClient, course: Course, body: dict[str, Any], expected: Any
) -> None:
    taken = await course.add("taken")
    before = await course.world.log()
    assert told(await staff.post(course.cohorts, json=body)) == expected
    assert ids(await staff.get(course.cohorts)) == [taken]
    assert await course.world.log() == before


async def test_a_refused_first_cohort_leaves_no_partition(
    staff: httpx.AsyncClient, course: Course
) -> None:
    before = await course.world.log()
    refused = await staff.post(
        course.cohorts, json={"name": "A", "assignment_type": "manual", "group_id": 1}
    )
    assert told(refused) == NEEDS_PARTITION
    assert await course.world.log() == before


async def test_creating_with_a_content_group(staff: httpx.AsyncClient, course: Course) -> None:
    body = {"assignment_type": "manual", "user_partition_id": 50, "group_id": 0}
    linked = (await staff.post(course.cohorts, json={"name": "A", **body})).json()
    assert (linked["user_partition_id"], linked["group_id"]) == (50, 0)
    body["group_id"] = None  # type: ignore[assignment]
    alone = (await staff.post(course.cohorts, json={"name": "B", **body})).json()
    assert (alone["user_partition_id"], alone["group_id"]) == (None, None)


@pytest.mark.parametrize("multipart", [False, True])
async def test_creating_by_form(staff: httpx.AsyncClient, course: Course, multipart: bool) -> None:
    form = {"name": "A", "assignment_type": "manual", "group_id": "1", "user_partition_id": "50"}
    send: dict[str, Any] = {"data": form}
    if multipart:
        send = {"files": {name: (None, value) for name, value in form.items()}}
    made = (await staff.post(course.cohorts, **send)).json()
    assert made == shape(made["id"], "A", user_partition_id=50, group_id=1)


# Changing


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ({"name": "B"}, {"name": "B"}),
        ({"name": "A"}, {}),
        ({"name": "B", "assignment_type": None}, {"name": "B"}),
        ({"name": None, "assignment_type": "random"}, {"assignment_type": "random"}),
        ({"assignment_type": "manual"}, {}),
        ({"name": "B", "user_partition_id": 60}, {"name": "B"}),
        ({"group_id": None}, {"user_partition_id": None, "group_id": None}),
        (
            {"group_id": None, "user_partition_id": 60},
            {"user_partition_id": None, "group_id": None},
        ),
        ({"group_id": 2, "user_partition_id": 50}, {"group_id": 2}),
        ({"group_id": 1, "user_partition_id": 50}, {}),
        ({"group_id": 0, "user_partition_id": 0}, {"group_id": 0, "user_partition_id": 0}),
        (
            {"name": "B", "assignment_type": "random", "group_id": 3, "user_partition_id": 51},
            {
                "name": "B",
                "assignment_type": "random",
                "group_id": 3,
                "user_partition_id": 51,
            },
        ),
    ],
)
async def test_a_change_answers_nothing(
    staff: httpx.AsyncClient, course: Course, body: dict[str, Any], changed: dict[str, Any]
) -> None:
    cohort = await course.add("A", content_partition_id=50, content_group_id=1)
    answer = await staff.patch(course.cohort(cohort), json=body)
    assert (answer.status_code, answer.content) == (204, b"")
    before = shape(cohort, "A", user_partition_id=50, group_id=1)
    assert told(await staff.get(course.cohort(cohort))) == (200, before | changed)


async def test_unlinking_what_is_not_linked(staff: httpx.AsyncClient, course: Course) -> None:
    cohort = await course.add("A")
    answer = await staff.patch(course.cohort(cohort), json={"group_id": None})
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, MISSING_FIELDS),
        ({"user_partition_id": 50}, MISSING_FIELDS),
        ({"name": "", "assignment_type": ""}, MISSING_FIELDS),
        ({"name": None, "assignment_type": None}, MISSING_FIELDS),
        ({"name": "taken"}, NAME_EXISTS),
        ({"name": "taken", "assignment_type": "manual"}, NAME_EXISTS),
        ({"assignment_type": "manual"}, LAST_RANDOM),
        ({"assignment_type": "automatic"}, LAST_RANDOM),
        ({"name": "new", "assignment_type": "manual"}, LAST_RANDOM),
        ({"assignment_type": "manual", "group_id": 1}, LAST_RANDOM),
        ({"group_id": 1}, NEEDS_PARTITION),
        ({"name": "new", "group_id": 1}, NEEDS_PARTITION),
        ({"group_id": 1, "user_partition_id": "x"}, BAD_LINK),
        ({"name": "", "group_id": None}, BAD_NAME),
        ({"name": "x" * 256}, BAD_NAME),
        ({"name": 5}, (400, envelope("The name is not a text."))),
    ],
)
async def test_what_a_change_refuses_and_leaves_undone(
    staff: httpx.AsyncClient, course: Course, body: dict[str, Any], expected: Any
) -> None:
    await course.add("taken")
    cohort = await course.add("A", "random")
    before = await course.world.log()
    assert told(await staff.patch(course.cohort(cohort), json=body)) == expected
    assert told(await staff.get(course.cohort(cohort))) == (
        200,
        shape(cohort, "A", assignment_type="random"),
    )
    assert await course.world.log() == before


async def test_an_unknown_type_of_a_cohort_that_may_change(
    staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    answer = await staff.patch(course.cohort(cohort), json={"assignment_type": "automatic"})
    assert told(answer) == BAD_TYPE


async def test_one_random_cohort_stays_whatever_the_face(
    client: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course
) -> None:
    first, second = await course.add("A", "random"), await course.add("B", "random")
    manual = {"assignment_type": "manual"}
    assert (await staff.patch(course.cohort(first), json=manual)).status_code == 204
    assert told(await staff.patch(course.cohort(second), json=manual)) == LAST_RANDOM
    native = await client.patch(f"/v1/groups/{second}", json=manual)
    assert (native.status_code, native.json()["code"]) == (409, "last_random_cohort")
    for body in (
        {"assignment_type": "random"},
        {"name": "C"},
        {"assignment_type": "random", "name": "D"},
    ):
        assert (await staff.patch(course.cohort(second), json=body)).status_code == 204
    assert (
        await staff.patch(course.cohort(first), json={"assignment_type": "random"})
    ).status_code == 204
    assert (await staff.patch(course.cohort(second), json=manual)).status_code == 204


async def test_the_last_random_cohort_can_be_deleted_natively(
    client: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A", "random")
    assert (await client.delete(f"/v1/groups/{cohort}")).status_code == 204


async def test_the_body_is_read_before_the_course_is_looked_up(
    staff: httpx.AsyncClient,
) -> None:
    path = "/api/cohorts/v1/courses/course-v1:No+Such+Course/cohorts/1"
    assert told(await staff.patch(path, json={})) == MISSING_FIELDS
    headers = {"content-type": "application/json"}
    answer = await staff.patch(path, content="{", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["developer_message"].startswith("JSON parse error - ")


async def test_methods_of_the_other_address(staff: httpx.AsyncClient, course: Course) -> None:
    cohort = await course.add("A")
    post = await staff.post(course.cohort(cohort), content=b"{")
    assert told(post) == (405, envelope("Please use the parent endpoint.", "wrong-endpoint"))
    patch = await staff.patch(course.cohorts, content=b"{")
    expected = envelope("Request method requires cohort_id in path", "missing-cohort-id")
    assert told(patch) == (405, expected)
    nowhere = "/api/cohorts/v1/courses/course-v1:No+Such+Course/cohorts/1"
    assert told(await staff.post(nowhere)) == told(post)


@pytest.mark.parametrize("method", ["post", "patch"])
async def test_a_locked_course(staff: httpx.AsyncClient, course: Course, method: str) -> None:
    cohort = await course.add("A")
    await course.lock()
    path = course.cohorts if method == "post" else course.cohort(cohort)
    body = {"name": "B", "assignment_type": "manual"}
    refused = await staff.request(method.upper(), path, json=body)
    assert told(refused) == (400, envelope("The course is locked.", "course-locked"))


async def test_a_partition_whose_groups_are_not_editable(
    client: httpx.AsyncClient, staff: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    await client.patch(f"/v1/partitions/{course.partition}", json={"groups_editable": False})
    expected = (
        400,
        envelope("The groups of this partition are not editable.", "groups-not-editable"),
    )
    assert told(await staff.patch(course.cohort(cohort), json={"name": "B"})) == expected
    body = {"name": "B", "assignment_type": "manual"}
    assert told(await staff.post(course.cohorts, json=body)) == expected
