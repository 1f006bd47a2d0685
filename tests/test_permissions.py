"""Who may do what where: every permission, in every place, on every kind of route."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.api.refusals import ANONYMOUS, problem, told
from tests.conftest import SQL, Auth
from tests.tour import TOUR, Stage, Visit, put, set_stage

PERMISSIONS = ("groups:read", "groups:write", "roster:write", "admin")
PLACES = {
    "everywhere": "",
    "this department": "@department:{department}",
    "other department": "@department:{other_department}",
    "this course": "@course:{key}",
    "other course": "@course:{other_key}",
}
HERE = ("everywhere", "this department", "this course")
THERE = ("other department", "other course")

# The permission that a kind of route needs, and one route of each kind that is safe to repeat.
KINDS: Mapping[str, tuple[str, Visit]] = {
    "read partition": ("groups:read", TOUR["get_partition"]),
    "read group": ("groups:read", TOUR["list_members"]),
    "read course": ("groups:read", TOUR["get_board"]),
    "read past": (
        "groups:read",
        Visit("GET", "/v1/groups/{group}/members?as_of=2030-01-01T00:00:00Z"),
    ),
    "read settings": ("groups:read", TOUR["get_cohort_settings"]),
    "read enrollment": ("groups:read", TOUR["get_enrollment"]),
    "edit partition": (
        "groups:write",
        Visit("PATCH", "/v1/partitions/{partition}", lambda _: {}),
    ),
    "edit group": ("groups:write", Visit("PATCH", "/v1/groups/{group}", lambda _: {})),
    "order": ("groups:write", TOUR["order_groups"]),
    "assign": ("groups:write", TOUR["assign_member"]),
    "remove": ("groups:write", Visit("DELETE", "/v1/groups/{other}/members/{member}", status=204)),
    "assign many": (
        "groups:write",
        Visit("POST", "/v1/partitions/{partition}/assignments", lambda _: {"rows": []}),
    ),
    "arrive": (
        "groups:write",
        Visit("POST", "/v1/courses/{course}/cohort-assignments", lambda s: {"user_id": s.member}),
    ),
    "put enrollment": (
        "roster:write",
        put("/v1/courses/{course}/enrollments/{member}", lambda _: {"state": "active"}),
    ),
    "declare course": (
        "roster:write",
        put("/v1/courses/by-key/{key}", lambda stage: {"department": stage.department}),
    ),
    "put tracks": ("roster:write", TOUR["put_tracks"]),
    "unlock course": ("admin", TOUR["unlock_course"]),
}


@pytest_asyncio.fixture(scope="module")
async def stages(sql: SQL) -> tuple[Stage, Stage]:
    return await set_stage(sql), await set_stage(sql)


@pytest.fixture
def stage(stages: tuple[Stage, Stage]) -> Stage:
    return stages[0]


@pytest.fixture
def names(stages: tuple[Stage, Stage]) -> dict[str, Any]:
    here, there = stages
    return {**vars(here), "other_department": there.department, "other_key": there.key}


def expected(needed: str, permission: str, place: str, success: int) -> int:
    """Whoever holds the permission nowhere learns nothing about the place: 403 for any place."""
    if permission != needed:
        return 403
    return success if place in HERE else 404


CASES = [
    pytest.param(kind, permission, place, id=f"{kind}-{permission}-{place}")
    for kind in KINDS
    for permission in PERMISSIONS
    for place in PLACES
]


@pytest.mark.parametrize(("kind", "permission", "place"), CASES)
async def test_a_permission_holds_where_it_is_granted_and_for_what_it_says(
    anonymous: httpx.AsyncClient,
    stage: Stage,
    names: dict[str, Any],
    auth: Auth,
    kind: str,
    permission: str,
    place: str,
) -> None:
    needed, visit = KINDS[kind]
    headers = auth(permission + PLACES[place].format(**names))
    answer = await anonymous.request(
        visit.method, visit.path_on(stage), headers=headers, **visit.payload(stage)
    )
    status = expected(needed, permission, place, visit.status)
    assert answer.status_code == status, answer.text
    if status == 403:
        detail = "this needs another permission"
        assert told(answer) == problem(403, "forbidden", detail, permission=needed)


@pytest.mark.parametrize("sight", ["this department", "this course"])
@pytest.mark.parametrize("place", THERE)
@pytest.mark.parametrize("kind", KINDS)
async def test_in_sight_what_is_not_permitted_is_forbidden(
    anonymous: httpx.AsyncClient,
    stage: Stage,
    names: dict[str, Any],
    auth: Auth,
    kind: str,
    place: str,
    sight: str,
) -> None:
    needed, visit = KINDS[kind]
    seen = "admin" if needed != "admin" else "groups:read"
    grants = [needed + PLACES[place].format(**names), seen + PLACES[sight].format(**names)]
    answer = await anonymous.request(
        visit.method, visit.path_on(stage), headers=auth(*grants), **visit.payload(stage)
    )
    detail = "this needs another permission here"
    assert told(answer) == problem(403, "forbidden", detail, permission=needed)


NOTHING = {"course": 2**62, "partition": 2**62, "group": 2**62, "other": 2**62}


@pytest.mark.parametrize("place", THERE)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "declare course"])
async def test_out_of_sight_is_the_same_as_not_there(
    anonymous: httpx.AsyncClient,
    stage: Stage,
    names: dict[str, Any],
    auth: Auth,
    kind: str,
    place: str,
) -> None:
    needed, visit = KINDS[kind]
    headers = auth(needed + PLACES[place].format(**names)) | {"x-request-id": "the-same"}
    hidden, absent = [
        await anonymous.request(
            visit.method, visit.path_on(at), headers=headers, **visit.payload(stage)
        )
        for at in (stage, Stage(**{**vars(stage), **NOTHING}))
    ]
    assert hidden.status_code == absent.status_code == 404
    assert (hidden.content, hidden.headers) == (absent.content, absent.headers)


@pytest.mark.parametrize("kind", KINDS)
async def test_who_holds_nothing_may_do_nothing(
    anonymous: httpx.AsyncClient, stage: Stage, auth: Auth, kind: str
) -> None:
    needed, visit = KINDS[kind]
    answer = await anonymous.request(
        visit.method, visit.path_on(stage), headers=auth(), **visit.payload(stage)
    )
    assert told(answer) == problem(
        403, "forbidden", "this needs another permission", permission=needed
    )


PUBLIC = ("issue_token", "revoke_token")


@pytest.mark.parametrize("name", [name for name in TOUR if name not in PUBLIC])
async def test_who_is_not_known_may_do_nothing(
    anonymous: httpx.AsyncClient, stage: Stage, name: str
) -> None:
    visit = TOUR[name]
    answer = await anonymous.request(visit.method, visit.path_on(stage), **visit.payload(stage))
    assert told(answer) == ANONYMOUS
    assert answer.headers["www-authenticate"] == "Bearer"


# Lists answer what is in sight and nothing else.
LISTS = {
    "/v1/courses": lambda item: item["department"],
    "/v1/departments": lambda item: item["acronym"],
    "/v1/users": lambda item: item["department"],
}


@pytest.mark.parametrize("permission", PERMISSIONS)
@pytest.mark.parametrize(("place", "shown"), [("this department", 0), ("other department", 1)])
@pytest.mark.parametrize("path", LISTS)
async def test_a_list_shows_what_is_in_reach(
    anonymous: httpx.AsyncClient,
    stages: tuple[Stage, Stage],
    names: dict[str, Any],
    auth: Auth,
    path: str,
    place: str,
    shown: int,
    permission: str,
) -> None:
    headers = auth(permission + PLACES[place].format(**names))
    answer = await anonymous.get(path, headers=headers, params={"limit": 200})
    readers = {"groups:read"} | ({"roster:write"} if path == "/v1/users" else set())
    if permission in readers:
        assert {LISTS[path](item) for item in answer.json()["items"]} == {stages[shown].department}
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize("place", ["this course", "other course"])
async def test_who_may_read_one_course_is_listed_that_course(
    anonymous: httpx.AsyncClient, stage: Stage, names: dict[str, Any], auth: Auth, place: str
) -> None:
    headers = auth("groups:read" + PLACES[place].format(**names))
    courses = (await anonymous.get("/v1/courses", headers=headers)).json()["items"]
    key = names["key"] if place == "this course" else names["other_key"]
    assert [course["key"] for course in courses] == [key]
    departments = await anonymous.get("/v1/departments", headers=headers)
    assert departments.json()["items"] == []


async def test_the_groups_of_a_user_are_shown_where_the_caller_may_read(
    anonymous: httpx.AsyncClient, stage: Stage, names: dict[str, Any], auth: Auth
) -> None:
    path = f"/v1/users/{stage.member}/groups"
    for place in HERE:
        headers = auth("groups:read" + PLACES[place].format(**names))
        answer = await anonymous.get(path, headers=headers)
        assert {group["course_key"] for group in answer.json()} == {stage.key}
    for place in THERE:
        headers = auth("groups:read" + PLACES[place].format(**names))
        answer = await anonymous.get(path, headers=headers)
        assert told(answer) == problem(404, "not_found", "no such user")


async def test_a_stranger_is_in_sight_of_whoever_may_read_his_cohort(
    anonymous: httpx.AsyncClient, sql: SQL, auth: Auth
) -> None:
    here, there = await set_stage(sql), await set_stage(sql)
    stranger = there.member
    await sql(
        "WITH cohorts AS (INSERT INTO partitions (course_id, kind, name, position)"
        " VALUES (:course, 'cohorts', 'Cohorts', 3) RETURNING course_id, id),"
        " cohort AS (INSERT INTO groups (course_id, partition_id, name, position)"
        " SELECT course_id, id, 'A', 1 FROM cohorts RETURNING course_id, partition_id, id)"
        " INSERT INTO memberships (course_id, partition_id, group_id, user_id)"
        " SELECT course_id, partition_id, id, :user FROM cohort",
        course=here.course,
        user=stranger,
    )
    headers = auth(f"groups:read@course:{here.key}")
    answer = await anonymous.get(f"/v1/users/{stranger}/groups", headers=headers)
    assert [group["partition_name"] for group in answer.json()] == ["Cohorts"]


async def test_permissions_do_not_imply_one_another(
    anonymous: httpx.AsyncClient, stage: Stage, auth: Auth
) -> None:
    all_but_reading = auth("groups:write", "roster:write", "admin")
    answer = await anonymous.get(f"/v1/courses/{stage.course}/board", headers=all_but_reading)
    assert answer.status_code == 403
