import asyncio
from typing import Any

import httpx
import pytest

from tests.api.refusals import ANONYMOUS, HALF_A_PAIR, MISSING, NUL, invalid, problem, told
from tests.conftest import Auth, MakeWorld, World

NO_COURSE = problem(404, "not_found", "no such course")
NO_USER = problem(404, "not_found", "no such user")
NOT_ENROLLED = problem(404, "not_found", "no such enrollment")
LOCKED = problem(409, "course_locked", "the course is locked")


def address(world: World, user: int) -> str:
    return f"/v1/courses/{world.course_id}/enrollments/{user}"


async def shown(world: World, user: int, **known: Any) -> dict[str, Any]:
    ((username, family_name, given_name),) = await world.sql(
        "SELECT username, family_name, given_name FROM users WHERE id = :id", id=user
    )
    return {
        "course_id": world.course_id,
        "user_id": user,
        "username": username,
        "family_name": family_name,
        "given_name": given_name,
        "state": "active",
        "track": None,
        **known,
    }


async def add_tracks(client: httpx.AsyncClient, world: World, *codes: str) -> dict[str, int]:
    """Group ids by code."""
    answer = await client.put(f"/v1/courses/{world.course_id}/tracks", json={"codes": codes})
    assert answer.status_code == 200, answer.text
    return {group["name"]: group["id"] for group in answer.json()["groups"]}


async def lines(world: World, user: int) -> list[Any]:
    log = await world.log()
    return [(kind, before, after) for kind, of, _, before, after in log if of == user]


async def test_a_user_is_enrolled_and_changes_state(
    client: httpx.AsyncClient, world: World
) -> None:
    (user,) = await world.add_users(1)
    path = address(world, user)
    created = await client.put(path, json={"state": "active"})
    assert (created.status_code, created.json()) == (201, await shown(world, user))
    again = await client.put(path, json={"state": "active"})
    assert (again.status_code, again.content) == (200, created.content)
    changed = await client.put(path, json={"state": "withdrawn"})
    expected = await shown(world, user, state="withdrawn")
    assert (changed.status_code, changed.json()) == (200, expected)
    merged = await client.patch(path, json={"state": "defaulted"})
    assert merged.json() == await shown(world, user, state="defaulted")
    unchanged = await client.patch(path, json={})
    assert (unchanged.status_code, unchanged.content) == (200, merged.content)
    read = await client.get(path)
    assert (read.status_code, read.content) == (200, merged.content)
    assert read.headers["etag"] == merged.headers["etag"] != changed.headers["etag"]
    states: list[dict[str, Any] | None] = [
        {"state": state, "track": None} for state in ("active", "withdrawn", "defaulted")
    ]
    assert await lines(world, user) == [
        ("enrollment.created", None, states[0]),
        ("enrollment.updated", states[0], states[1]),
        ("enrollment.updated", states[1], states[2]),
    ]


async def test_who_is_not_enrolled_has_no_enrollment(
    client: httpx.AsyncClient, world: World
) -> None:
    (user,) = await world.add_users(1)
    path = address(world, user)
    assert told(await client.get(path)) == NOT_ENROLLED
    assert told(await client.patch(path, json={"state": "active"})) == NOT_ENROLLED
    left = await client.delete(path)
    assert (left.status_code, left.content) == (204, b"")
    assert await lines(world, user) == []


async def test_course_and_user_must_be_known(client: httpx.AsyncClient, world: World) -> None:
    nowhere = f"/v1/courses/{2**63 - 1}/enrollments"
    for method in ("PUT", "PATCH", "DELETE"):
        body = None if method == "DELETE" else {"state": "active"}
        answer = await client.request(method, f"{nowhere}/{world.users[0]}", json=body)
        assert told(answer) == NO_COURSE
        answer = await client.request(method, address(world, 2**63 - 1), json=body)
        assert told(answer) == NO_USER
    assert told(await client.get(nowhere)) == NO_COURSE
    assert told(await client.get(f"{nowhere}/{world.users[0]}")) == NO_COURSE
    assert told(await client.get(address(world, 2**63 - 1))) == NOT_ENROLLED


async def test_a_track_is_a_membership(client: httpx.AsyncClient, world: World) -> None:
    groups = await add_tracks(client, world, "A", "B\u00e9")
    (user,) = await world.add_users(1)
    path = address(world, user)
    entered = await client.put(path, json={"state": "active", "track": "A"})
    assert (entered.status_code, entered.json()) == (201, await shown(world, user, track="A"))
    assert await world.members(groups["A"]) == [user]
    kept = await client.put(path, json={"state": "withdrawn"})
    assert kept.json() == await shown(world, user, state="withdrawn", track="A")
    moved = await client.patch(path, json={"track": " Be\u0301 "})
    assert moved.json() == await shown(world, user, state="withdrawn", track="Bé")
    assert await world.members(groups["A"]) == []
    assert await world.members(groups["Bé"]) == [user]
    left = await client.put(path, json={"state": "withdrawn", "track": None})
    assert left.json() == await shown(world, user, state="withdrawn")
    assert await world.members(groups["Bé"]) == []
    assert [kind for kind, *_ in await lines(world, user)] == [
        "enrollment.created",
        "enrollment.updated",
        "membership.assigned",
        "enrollment.updated",
        "enrollment.updated",
        "membership.moved",
        "enrollment.updated",
        "membership.removed",
    ]


async def test_an_unknown_track_changes_nothing(client: httpx.AsyncClient, world: World) -> None:
    (user,) = await world.add_users(1)
    detail = "the course has no such track"
    entry = {"pointer": "#/track", "code": "unknown_track", "message": detail}
    refusal = problem(422, "unknown_track", detail, errors=[entry])
    path, body = address(world, user), {"state": "active", "track": "C"}
    assert told(await client.put(path, json=body)) == refusal
    await add_tracks(client, world, "A")
    assert told(await client.put(path, json=body)) == refusal
    assert await lines(world, user) == []
    none = await client.put(path, json={"state": "active", "track": None})
    assert (none.status_code, none.json()) == (201, await shown(world, user))


async def test_no_more_on_a_track_than_fit(client: httpx.AsyncClient, world: World) -> None:
    groups = await add_tracks(client, world, "A")
    await client.patch(f"/v1/groups/{groups['A']}", json={"capacity": 1})
    first, second = world.users[:2]
    assert (await client.patch(address(world, first), json={"track": "A"})).status_code == 200
    full = await client.patch(address(world, second), json={"state": "withdrawn", "track": "A"})
    assert told(full) == problem(409, "group_full", "the group has no place left")
    assert (await client.get(address(world, second))).json() == await shown(world, second)


async def test_a_locked_course_keeps_tracks_and_memberships(
    client: httpx.AsyncClient, world: World
) -> None:
    await add_tracks(client, world, "A", "B")
    group = await world.add_group(await world.add_partition())
    tracked, grouped, free = world.users[:3]
    await client.patch(address(world, tracked), json={"track": "A"})
    await client.put(f"/v1/groups/{group}/members/{grouped}")
    await client.put(f"/v1/courses/{world.course_id}/lock")
    for track in ("B", None):
        refused = await client.patch(address(world, tracked), json={"track": track})
        assert told(refused) == LOCKED
    for user in (tracked, grouped):
        assert told(await client.delete(address(world, user))) == LOCKED
    same = await client.patch(address(world, tracked), json={"state": "withdrawn", "track": "A"})
    assert same.json() == await shown(world, tracked, state="withdrawn", track="A")
    assert (await client.delete(address(world, free))).status_code == 204
    (late,) = await world.add_users(1)
    assert (await client.put(address(world, late), json={"state": "active"})).status_code == 201
    assert await world.members(group) == [grouped]


async def test_other_states_keep_memberships_and_leaving_ends_them(
    client: httpx.AsyncClient, world: World
) -> None:
    user = world.users[0]
    group = await world.add_group(await world.add_partition())
    cohort = await world.add_group(await world.add_partition("Cohorts", "cohorts", position=2))
    track = (await add_tracks(client, world, "A"))["A"]
    for joined in (group, cohort, track):
        assert (await client.put(f"/v1/groups/{joined}/members/{user}")).status_code == 200
    path = address(world, user)
    for state in ("withdrawn", "defaulted"):
        await client.put(path, json={"state": state})
        members = [await world.members(each) for each in (group, cohort, track)]
        assert members == [[user], [user], [user]]
    assert (await client.delete(path)).status_code == 204
    assert [await world.members(each) for each in (group, cohort, track)] == [[], [user], []]
    ended = sorted(
        (kind, before.get("group_id"))
        for kind, before, after in await lines(world, user)
        if after is None
    )
    assert ended == [
        ("enrollment.deleted", None),
        ("membership.removed", group),
        ("membership.removed", track),
    ]
    assert told(await client.get(path)) == NOT_ENROLLED


async def test_enrollments_are_listed_by_user_and_found(
    client: httpx.AsyncClient, world: World
) -> None:
    path = f"/v1/courses/{world.course_id}/enrollments"
    await client.put(address(world, world.users[3]), json={"state": "withdrawn"})
    first = await client.get(f"{path}?limit=3")
    assert first.json() == {
        "items": [await shown(world, user) for user in world.users[:3]],
        "next_cursor": first.json()["next_cursor"],
    }
    assert first.links["next"]["url"] == f"?limit=3&cursor={first.json()['next_cursor']}"
    second = await client.get(f"{path}{first.links['next']['url']}")
    assert second.json() == {
        "items": [
            await shown(world, world.users[3], state="withdrawn"),
            await shown(world, world.users[4]),
        ],
        "next_cursor": None,
    }
    for query, users in (
        ("state=withdrawn", world.users[3:4]),
        ("state=defaulted", []),
        ("search=FAMILY000002", world.users[1:2]),
        ("search=FAMILY000002&state=withdrawn", []),
    ):
        answer = await client.get(f"{path}?{query}")
        assert [item["user_id"] for item in answer.json()["items"]] == users


async def test_what_the_caller_last_saw_is_held_against_what_is(
    client: httpx.AsyncClient, world: World
) -> None:
    path, detail = address(world, world.users[0]), "the resource has changed since"
    seen = (await client.get(path)).headers["etag"]
    matched = await client.put(path, json={"state": "withdrawn"}, headers={"if-match": seen})
    assert matched.status_code == 200
    for method in ("PUT", "PATCH", "DELETE"):
        body = None if method == "DELETE" else {"state": "active"}
        late = told(await client.request(method, path, json=body, headers={"if-match": seen}))
        changes = late.pop("changes")
        assert [(line["kind"], line["actor"]) for line in changes][:1] == [
            ("enrollment.updated", "root")
        ]
        assert late == problem(412, "precondition_failed", detail, etag=matched.headers["etag"])
    cached = await client.get(path, headers={"if-none-match": matched.headers["etag"]})
    assert (cached.status_code, cached.content) == (304, b"")
    (free,) = await world.add_users(1)
    absent = await client.put(
        address(world, free), json={"state": "active"}, headers={"if-match": "*"}
    )
    assert told(absent) == problem(412, "precondition_failed", detail, etag=None, changes=[])


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


STATES = "Input should be 'active', 'withdrawn' or 'defaulted'"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ('{"state":"active","track":"\\u0000"}', NUL),
        ('{"state":"active","track":"\\ud834"}', HALF_A_PAIR),
        (
            "[1]",
            invalid(
                "#",
                "model_attributes_type",
                "Input should be a valid dictionary or object to extract fields from",
            ),
        ),
        ('{"state":"gone"}', invalid("#/state", "literal_error", STATES)),
        ('{"state":null}', invalid("#/state", "literal_error", STATES)),
        ('{"state":true}', invalid("#/state", "literal_error", STATES)),
        (
            '{"state":"active","track":1}',
            invalid("#/track", "string_type", "Input should be a valid string"),
        ),
        (
            f'{{"state":"active","track":"{"x" * 2001}"}}',
            invalid("#/track", "string_too_long", "String should have at most 2000 characters"),
        ),
        (
            '{"state":"active","user_id":1}',
            invalid("#/user_id", "extra_forbidden", "Extra inputs are not permitted"),
        ),
    ],
)
async def test_bodies_that_are_refused(
    method: str, body: str, answer: dict[str, Any], client: httpx.AsyncClient, world: World
) -> None:
    path, headers = address(world, world.users[0]), {"content-type": "application/json"}
    refused = await client.request(method, path, content=body, headers=headers)
    assert told(refused) == answer


async def test_a_state_is_needed_to_enroll(client: httpx.AsyncClient, world: World) -> None:
    refused = told(await client.put(address(world, world.users[0]), json={}))
    assert refused == invalid("#/state", "missing", "Field required")


@pytest.mark.parametrize("track", ["", "  ", "x" * 256])
async def test_tracks_that_cannot_be(track: str, client: httpx.AsyncClient, world: World) -> None:
    detail = "the name must have 1 to 255 characters that can be stored"
    entry = {"pointer": "#/track", "code": "invalid_name", "message": detail}
    refused = await client.patch(address(world, world.users[0]), json={"track": track})
    assert told(refused) == problem(422, "invalid_name", detail, errors=[entry])


@pytest.mark.parametrize("number", ["0", str(2**63), "9" * 400, "-1", "x", "%00"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_ids_that_cannot_be_name_nothing(
    method: str, number: str, client: httpx.AsyncClient, world: World
) -> None:
    body = {"state": "active"} if method in ("PUT", "PATCH") else None
    for path in (
        f"/v1/courses/{world.course_id}/enrollments/{number}",
        f"/v1/courses/{number}/enrollments/{world.users[0]}",
    ):
        assert told(await client.request(method, path, json=body)) == MISSING
    assert told(await client.get(f"/v1/courses/{number}/enrollments")) == MISSING


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("state=gone", "#/query/state", "literal_error"),
        ("search=%00", "#/query/search", "string_pattern_mismatch"),
        ("limit=0", "#/query/limit", "greater_than_equal"),
        ("cursor=x", "#/query/cursor", "invalid_cursor"),
        ("cursor=" + "x" * 513, "#/query/cursor", "string_too_long"),
    ],
)
async def test_queries_that_are_refused(
    query: str, pointer: str, code: str, client: httpx.AsyncClient, world: World
) -> None:
    refused = told(await client.get(f"/v1/courses/{world.course_id}/enrollments?{query}"))
    assert (refused["status"], [(e["pointer"], e["code"]) for e in refused["errors"]]) == (
        422,
        [(pointer, code)],
    )


async def test_parallel_enrollments_of_one_user_make_one(
    client: httpx.AsyncClient, world: World
) -> None:
    (user,) = await world.add_users(1)
    states = ["active", "withdrawn", "defaulted"] * 5
    answers = await asyncio.gather(
        *(client.put(address(world, user), json={"state": state}) for state in states)
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 14 + [201]
    log = await lines(world, user)
    assert [kind for kind, *_ in log].count("enrollment.created") == 1
    now = (await client.get(address(world, user))).json()["state"]
    assert log[-1][2] == {"state": now, "track": None}


async def test_tracks_with_one_place_left_take_one(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    world = await make_world(12)
    groups = await add_tracks(client, world, "A")
    await client.patch(f"/v1/groups/{groups['A']}", json={"capacity": 1})
    answers = await asyncio.gather(
        *(client.patch(address(world, user), json={"track": "A"}) for user in world.users)
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 11
    tracked = await world.sql(
        "SELECT user_id FROM enrollments WHERE course_id = :id AND track = 'A'", id=world.course_id
    )
    assert [user for (user,) in tracked] == await world.members(groups["A"])


async def test_leaving_and_tracks_may_race(client: httpx.AsyncClient, world: World) -> None:
    groups = await add_tracks(client, world, "A", "B")
    user = world.users[0]
    path = address(world, user)

    async def come_and_go(turn: int) -> int:
        if turn % 3 == 0:
            return (await client.delete(path)).status_code
        body = {"state": "active", "track": "AB"[turn % 2]}
        return (await client.put(path, json=body)).status_code

    statuses = await asyncio.gather(*(come_and_go(turn) for turn in range(24)))
    assert set(statuses) <= {200, 201, 204}
    read = await client.get(path)
    track = read.json()["track"] if read.status_code == 200 else None
    for code, group in groups.items():
        assert await world.members(group) == ([user] if code == track else [])
