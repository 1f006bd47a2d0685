import httpx
import pytest

from tests.api.enrolled import NO_COURSE, add_tracks, address
from tests.api.refusals import ANONYMOUS, told
from tests.conftest import Auth, World

ELSEWHERE = "@department:ELSEWHERE"
HERE = "@department:{0}"
COURSE = "@course:{1}"


@pytest.mark.parametrize(
    ("grants", "reading", "writing"),
    [
        (["groups:read"], 200, 403),
        (["groups:read" + HERE], 200, 403),
        (["groups:read" + COURSE], 200, 403),
        (["groups:read" + ELSEWHERE], 404, 403),
        (["groups:read" + ELSEWHERE, "groups:write" + COURSE], 403, 403),
        (["roster:write"], 403, 200),
        (["roster:write" + HERE], 403, 200),
        (["roster:write" + COURSE], 403, 200),
        (["roster:write" + ELSEWHERE], 403, 404),
        (["roster:write" + ELSEWHERE, "admin" + COURSE], 403, 403),
        (["groups:write", "admin"], 403, 403),
        ([], 403, 403),
    ],
)
async def test_who_may_read_and_change_enrollments(
    grants: list[str],
    reading: int,
    writing: int,
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    world: World,
    auth: Auth,
) -> None:
    await add_tracks(client, world, "A")
    headers = auth(*(grant.format(world.department, world.course) for grant in grants))
    path = address(world, world.users[0])
    listed = f"/v1/courses/{world.course_id}/enrollments"
    assert (await anonymous.get(path, headers=headers)).status_code == reading
    assert (await anonymous.get(listed, headers=headers)).status_code == reading
    body = {"state": "withdrawn", "track": "A"}
    for method in ("PUT", "PATCH"):
        answer = await anonymous.request(method, path, json=body, headers=headers)
        assert answer.status_code == writing
    deleted = await anonymous.delete(path, headers=headers)
    assert deleted.status_code == (204 if writing == 200 else writing)


async def test_enrollments_are_nothing_for_the_unknown(
    world: World, anonymous: httpx.AsyncClient
) -> None:
    path = address(world, world.users[0])
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        assert told(await anonymous.request(method, path)) == ANONYMOUS
    assert told(await anonymous.get(f"/v1/courses/{world.course_id}/enrollments")) == ANONYMOUS


async def test_out_of_sight_is_told_the_same_of_all(
    world: World, anonymous: httpx.AsyncClient, auth: Auth
) -> None:
    (free,) = await world.add_users(1)
    headers = auth("groups:read" + ELSEWHERE, "roster:write" + ELSEWHERE)
    paths = [address(world, user) for user in (world.users[0], free, 2**63 - 1)]
    for path in (*paths, f"/v1/courses/{2**63 - 1}/enrollments/{free}"):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            body = {"state": "active"} if method in ("PUT", "PATCH") else None
            answer = await anonymous.request(method, path, json=body, headers=headers)
            assert told(answer) == NO_COURSE
