import uuid

import httpx
import pytest

from tests.api.people import ABSENT, NO_DEPARTMENT, put
from tests.api.refusals import ANONYMOUS, problem, told
from tests.conftest import Auth, MakeWorld, World

FORBIDDEN = problem(
    403, "forbidden", "this needs another permission here", permission="roster:write"
)


@pytest.fixture
def name() -> str:
    return f"w{uuid.uuid4().hex[:10]}"


ELSEWHERE = "@department:ELSEWHERE"
HERE = "@department:{0}"
COURSE = "@course:{1}"


@pytest.mark.parametrize(
    ("grants", "reading", "writing", "deleting"),
    [
        (["groups:read"], 200, 403, 403),
        (["groups:read" + HERE], 200, 403, 403),
        (["groups:read" + COURSE], 200, 403, 403),
        (["groups:read" + ELSEWHERE], 404, 403, 403),
        (["groups:read" + ELSEWHERE, "groups:write" + COURSE], 403, 403, 403),
        (["roster:write"], 200, 200, 403),
        (["roster:write" + HERE], 200, 200, 403),
        (["roster:write" + COURSE], 200, 403, 403),
        (["roster:write" + ELSEWHERE], 404, 404, 403),
        (["roster:write" + ELSEWHERE, "admin" + HERE], 403, 403, 204),
        (["groups:write"], 403, 403, 403),
        (["admin"], 403, 403, 204),
        (["admin" + COURSE], 403, 403, 403),
        (["admin" + ELSEWHERE], 404, 403, 404),
        ([], 404, 403, 403),
    ],
)
async def test_who_may_read_change_and_delete_a_user(
    grants: list[str],
    reading: int,
    writing: int,
    deleting: int,
    world: World,
    anonymous: httpx.AsyncClient,
    auth: Auth,
) -> None:
    headers = auth(*(grant.format(world.department, world.course) for grant in grants))
    number = world.users[0]
    path = f"/v1/users/{number}"
    ((name,),) = await world.sql("SELECT username FROM users WHERE id = :id", id=number)
    named = f"/v1/users/by-name/{name}"
    assert (await anonymous.get(path, headers=headers)).status_code == reading
    assert (await anonymous.get(named, headers=headers)).status_code == reading
    patched = await anonymous.patch(path, json={"civility": "M"}, headers=headers)
    assert patched.status_code == writing
    body = {"department": world.department}
    assert (await anonymous.put(named, json=body, headers=headers)).status_code == writing
    assert (await anonymous.delete(path, headers=headers)).status_code == deleting


async def test_a_user_is_nothing_for_the_unknown(
    world: World, anonymous: httpx.AsyncClient
) -> None:
    number = world.users[0]
    for path in (f"/v1/users/{number}", "/v1/users/1000000000", "/v1/users/by-name/x"):
        assert told(await anonymous.get(path)) == ANONYMOUS
    assert told(await anonymous.get("/v1/users")) == ANONYMOUS
    assert told(await anonymous.put("/v1/users/by-name/x", content=b"{")) == ANONYMOUS
    assert told(await anonymous.patch(f"/v1/users/{number}", content=b"{")) == ANONYMOUS
    assert told(await anonymous.delete(f"/v1/users/{number}")) == ANONYMOUS


async def test_out_of_sight_is_told_like_absent(
    world: World, anonymous: httpx.AsyncClient, auth: Auth
) -> None:
    headers = auth("roster:write" + ELSEWHERE, "admin" + ELSEWHERE)
    for number in (world.users[0], 2**63 - 1):
        path = f"/v1/users/{number}"
        assert told(await anonymous.get(path, headers=headers)) == ABSENT
        assert told(await anonymous.patch(path, json={}, headers=headers)) == ABSENT
        assert told(await anonymous.delete(path, headers=headers)) == ABSENT


async def test_a_user_without_department_is_for_callers_from_everywhere(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, world: World, name: str, auth: Auth
) -> None:
    path = f"/v1/users/by-name/{name}"
    local = auth(f"roster:write@department:{world.department}")
    assert told(await anonymous.put(path, json={}, headers=local)) == FORBIDDEN
    made = await anonymous.put(path, json={}, headers=auth("roster:write"))
    assert made.status_code == 201
    body = {"department": world.department}
    assert told(await anonymous.put(path, json=body, headers=local)) == ABSENT
    number = made.json()["id"]
    await client.put(
        f"/v1/courses/{world.course_id}/enrollments/{number}", json={"state": "active"}
    )
    assert (await anonymous.get(path, headers=local)).json() == made.json()
    assert told(await anonymous.put(path, json=body, headers=local)) == FORBIDDEN
    assert told(await anonymous.patch(f"/v1/users/{number}", json=body, headers=local)) == FORBIDDEN


async def test_who_moves_a_user_needs_both_departments(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    make_world: MakeWorld,
    name: str,
    auth: Auth,
) -> None:
    old, new = await make_world(0), await make_world(0)
    made = await put(client, name, department=old.department)
    path, body = f"/v1/users/{made['id']}", {"department": new.department}
    leaving, entering = (f"roster:write@department:{place.department}" for place in (old, new))
    seeing = f"groups:read@department:{new.department}"
    for grants, answer in (
        ([leaving], NO_DEPARTMENT),
        ([entering], ABSENT),
        ([leaving, seeing], FORBIDDEN),
    ):
        refused = await anonymous.patch(path, json=body, headers=auth(*grants))
        assert told(refused) == answer
        named = f"/v1/users/by-name/{name}"
        assert told(await anonymous.put(named, json=body, headers=auth(*grants))) == answer
    moved = await anonymous.patch(path, json=body, headers=auth(leaving, entering))
    assert moved.json() == made | body


async def test_an_unknown_department_is_refused(client: httpx.AsyncClient, name: str) -> None:
    refused = await client.put(f"/v1/users/by-name/{name}", json={"department": "NONESUCH"})
    assert told(refused) == NO_DEPARTMENT


@pytest.mark.parametrize(
    ("grant", "sees"),
    [
        ("groups:read", "all"),
        ("roster:write@department:{0}", "all"),
        ("groups:read@department:{1}", "guest"),
        ("roster:write@course:{3}", "guest"),
        ("groups:read@course:{2}", "enrolled"),
        ("groups:read@department:ELSEWHERE", "none"),
        ("groups:write@department:{0}", "refused"),
        ("admin", "refused"),
    ],
)
async def test_a_list_has_whom_the_caller_may_see(
    grant: str,
    sees: str,
    world: World,
    make_world: MakeWorld,
    anonymous: httpx.AsyncClient,
    auth: Auth,
) -> None:
    """Of six users of a department, five are in its course and one of these in another's."""
    other = await make_world(0)
    await other.enroll(world.users[0])
    (free,) = await world.add_users(1)
    places = world.department, other.department, world.course, other.course
    answer = await anonymous.get(
        f"/v1/users?department={world.department}", headers=auth(grant.format(*places))
    )
    if sees == "refused":
        detail = "this needs another permission here"
        assert told(answer) == problem(403, "forbidden", detail, permission="groups:read")
        return
    expected = {
        "all": {*world.users, free},
        "enrolled": set(world.users),
        "guest": {world.users[0]},
        "none": set[int](),
    }[sees]
    assert {item["id"] for item in answer.json()["items"]} == expected
