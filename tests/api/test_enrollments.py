import asyncio
from typing import Any

import httpx

from tests.api.enrolled import NO_COURSE, add_tracks, address, shown
from tests.api.refusals import problem, told
from tests.conftest import MakeWorld, World

NO_USER = problem(404, "not_found", "no such user")
NOT_ENROLLED = problem(404, "not_found", "no such enrollment")
LOCKED = problem(409, "course_locked", "the course is locked")


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
    now = {"etag": matched.headers["etag"], "current": matched.json()}
    for method in ("PUT", "PATCH", "DELETE"):
        body = None if method == "DELETE" else {"state": "active"}
        late = told(await client.request(method, path, json=body, headers={"if-match": seen}))
        changes = late.pop("changes")
        assert [(line["kind"], line["actor"]) for line in changes][:1] == [
            ("enrollment.updated", "root")
        ]
        assert late == problem(412, "precondition_failed", detail, **now)
    cached = await client.get(path, headers={"if-none-match": matched.headers["etag"]})
    assert (cached.status_code, cached.content) == (304, b"")
    (free,) = await world.add_users(1)
    absent = await client.put(
        address(world, free), json={"state": "active"}, headers={"if-match": "*"}
    )
    assert told(absent) == problem(
        412, "precondition_failed", detail, etag=None, current=None, changes=[]
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
