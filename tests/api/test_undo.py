"""What one request changed is undone, and done again."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.refusals import problem, told, told_whole
from tests.api.tables import rows
from tests.api.undoing import changeset_of, everything, lines_of, undo
from tests.conftest import EVERYTHING, SQL, Auth, MakeWorld, World
from tests.examples import examples
from tests.locks import row_locked, until_it_waits
from tests.test_statements import recorded


@dataclass
class Stage:
    """A course with two partitions, tracks and cohorts, with members in most of their groups."""

    client: httpx.AsyncClient
    world: World
    td: int
    a: int
    b: int
    tp: int
    x: int
    tracks: int
    maths: int
    cohorts: int
    one: int

    @property
    def users(self) -> list[int]:
        return self.world.users

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.client.request(method, f"/v1{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def assign(self, group: int, *users: int) -> None:
        for user in users:
            await self.send("PUT", f"/groups/{group}/members/{user}")


async def set_stage(client: httpx.AsyncClient, world: World) -> Stage:
    course = f"/courses/{world.course_id}"
    stage = Stage(client, world, *(0,) * 9)

    async def make(path: str, **body: Any) -> int:
        made: int = (await stage.send("POST", path, body))["id"]
        return made

    stage.td = await make(f"{course}/partitions", name="TD")
    stage.a = await make(f"/partitions/{stage.td}/groups", name="A", capacity=3)
    stage.b = await make(f"/partitions/{stage.td}/groups", name="B", timetable_id="edt-b")
    stage.tp = await make(f"{course}/partitions", name="TP", show_in_lists=False)
    stage.x = await make(f"/partitions/{stage.tp}/groups", name="X")
    tracks = await stage.send("PUT", f"{course}/tracks", {"codes": ["MATHS", "INFO"]})
    stage.tracks, stage.maths = tracks["id"], tracks["groups"][0]["id"]
    stage.one = await make(
        f"{course}/cohorts",
        name="One",
        assignment_type="random",
        content_link={"content_partition_id": 50, "content_group_id": 1},
    )
    stage.cohorts = (await stage.send("GET", f"/groups/{stage.one}"))["partition_id"]
    table = ("course_key", "partition", "group", "waiting_email")
    row = (world.course, "Cohorts", "One", "late@example.org")
    assert await rows(client, "preassignments", table, row) == [(2, "created", None, None)]
    await stage.assign(stage.a, *stage.users[:3])
    await stage.assign(stage.b, stage.users[3])
    await stage.assign(stage.x, *stage.users[:2])
    await stage.assign(stage.maths, stage.users[0])
    await stage.assign(stage.one, stage.users[0])
    # Twice renamed: it has been called B before, and is again.
    for name in ("B1", "B"):
        await stage.send("PATCH", f"/groups/{stage.b}", {"name": name})
    return stage


@pytest.fixture
async def stage(client: httpx.AsyncClient, world: World) -> Stage:
    return await set_stage(client, world)


async def _import(stage: Stage) -> None:
    """Makes a partition and groups, and fills them; one user moves in another."""
    given = [
        (stage.world.course, await _username(stage, stage.users[0]), "New", "N1"),
        (stage.world.course, await _username(stage, stage.users[1]), "New", "N2"),
        (stage.world.course, await _username(stage, stage.users[0]), "TD", "B"),
    ]
    header = ("course_key", "user", "partition", "group")
    found = await rows(stage.client, "assignments", header, *given, create="true")
    assert [row[1] for row in found] == ["assigned", "assigned", "moved"]


async def _username(stage: Stage, user: int) -> str:
    username: str = (await stage.send("GET", f"/users/{user}"))["username"]
    return username


async def _structure(stage: Stage) -> None:
    """Swaps two names, closes a partition in which it makes a group, and adds a former name."""
    header = (
        "course_key",
        "partition",
        "groups_editable",
        "group",
        "capacity",
        "former_names",
        "key",
    )
    keys = await stage.world.sql(
        "SELECT name, record_key(imported_key, id, created_at) FROM groups WHERE id IN (:a, :b)"
        " ORDER BY name",
        a=stage.a,
        b=stage.b,
    )
    (_, a), (_, b) = keys
    given = [
        (stage.world.course, "TD", "", "B", "4", '["Old A"]', a),
        (stage.world.course, "TD", "", "A", "2", "", b),
        (stage.world.course, "TP", "", "Y", "", "", ""),
        (stage.world.course, "TP", "false", "", "", "", ""),
    ]
    found = await rows(stage.client, "structure", header, *given)
    assert [row[1] for row in found] == ["updated", "updated", "created", "updated"]


def sends(method: str, path: str, body: Any = None) -> Callable[[Stage], Awaitable[Any]]:
    """A request in which the names of the stage stand for ids."""

    async def send(stage: Stage) -> None:
        ids = {name: value for name, value in vars(stage).items() if isinstance(value, int)}
        where = {"course": stage.world.course_id, "user": stage.users[0], "loose": stage.users[4]}
        found = body(stage) if callable(body) else body
        await stage.send(method, path.format(**ids, **where), found)

    return send


def bulk(stage: Stage) -> dict[str, Any]:
    """Two change places though one group is full, one leaves, one comes."""
    one, two, three, four, five = stage.users
    return {
        "rows": [
            {"user_id": one, "group_id": stage.b},
            {"user_id": four, "group_id": stage.a},
            {"user_id": two, "group_id": None},
            {"user_id": five, "group_id": stage.a},
            {"user_id": three, "group_id": stage.a},
        ]
    }


SHOWN = {"kind", "course_id", "partition_id", "group_id", "user_id", "before", "after"}

# What is done, and the lines that undoing it leaves.
KINDS: Mapping[str, tuple[Callable[[Stage], Awaitable[Any]], Mapping[str, int]]] = {
    "assign": (
        sends("PUT", "/groups/{b}/members/{loose}"),
        {"membership.removed": 1},
    ),
    "move": (sends("PUT", "/groups/{b}/members/{user}"), {"membership.moved": 1}),
    "remove": (sends("DELETE", "/groups/{a}/members/{user}"), {"membership.assigned": 1}),
    "leave": (sends("DELETE", "/partitions/{tp}/members/{user}"), {"membership.assigned": 1}),
    "bulk": (
        sends("POST", "/partitions/{td}/assignments", bulk),
        {"membership.assigned": 1, "membership.moved": 2, "membership.removed": 1},
    ),
    "import": (
        _import,
        {
            "group.deleted": 2,
            "membership.moved": 1,
            "membership.removed": 2,
            "partition.deleted": 1,
        },
    ),
    "import of a structure": (
        _structure,
        {
            "former_name.deleted": 3,
            "group.deleted": 1,
            "group.updated": 3,
            "partition.updated": 1,
        },
    ),
    "order of groups": (
        sends("PUT", "/partitions/{td}/groups/order", lambda stage: {"ids": [stage.b, stage.a]}),
        {"group.updated": 2},
    ),
    "order of partitions": (
        sends(
            "PUT",
            "/courses/{course}/partitions/order",
            lambda stage: {"ids": [stage.cohorts, stage.tracks, stage.tp, stage.td]},
        ),
        {"partition.updated": 4},
    ),
    "rename a group": (
        sends("PATCH", "/groups/{a}", {"name": "Alpha", "timetable_id": "edt"}),
        {"former_name.deleted": 1, "group.updated": 1},
    ),
    "rename a group to what it was called before": (
        sends("PATCH", "/groups/{b}", {"name": "B1"}),
        {"former_name.created": 1, "former_name.deleted": 1, "group.updated": 1},
    ),
    "limit a group": (sends("PATCH", "/groups/{a}", {"capacity": None}), {"group.updated": 1}),
    "rename a partition": (
        sends("PATCH", "/partitions/{td}", {"name": "Tutorials", "groups_editable": False}),
        {"former_name.deleted": 1, "partition.updated": 1},
    ),
    "create a group": (
        sends("POST", "/partitions/{td}/groups", {"name": "C", "position": 1}),
        {"group.deleted": 1, "group.updated": 2},
    ),
    "create groups by a pattern": (
        sends("POST", "/partitions/{td}/groups/by-pattern", {"pattern": "TD #", "count": 3}),
        {"group.deleted": 3},
    ),
    "create a partition": (
        sends("POST", "/courses/{course}/partitions", {"name": "New", "position": 1}),
        {"partition.deleted": 1, "partition.updated": 4},
    ),
    "delete a group": (
        sends("DELETE", "/groups/{b}"),
        {"former_name.created": 1, "group.created": 1, "membership.assigned": 1},
    ),
    "delete a cohort": (
        sends("DELETE", "/groups/{one}"),
        {"group.created": 1, "membership.assigned": 1, "preassignment.created": 1},
    ),
    "delete a partition": (
        sends("DELETE", "/partitions/{td}"),
        {
            "former_name.created": 1,
            "group.created": 2,
            "membership.assigned": 4,
            "partition.created": 1,
        },
    ),
    "tracks": (
        sends("PUT", "/courses/{course}/tracks", {"codes": ["INFO", "PHYS"]}),
        {
            "enrollment.updated": 1,
            "group.created": 1,
            "group.deleted": 1,
            "group.updated": 1,
            "membership.assigned": 1,
        },
    ),
    "assign to a track": (
        sends("PUT", "/groups/{maths}/members/{loose}"),
        {"enrollment.updated": 1, "membership.removed": 1},
    ),
    "state of an enrollment": (
        sends("PATCH", "/courses/{course}/enrollments/{user}", {"state": "withdrawn"}),
        {"enrollment.updated": 1},
    ),
    "settings of cohorts": (
        sends(
            "PUT",
            "/courses/{course}/cohort-settings",
            {"is_cohorted": True, "random_assignment": "balanced"},
        ),
        {"cohort_settings.deleted": 1},
    ),
    "content groups": (
        sends(
            "PUT",
            "/courses/{course}/content-partitions/50",
            {"name": "Content", "groups": [{"id": 1, "name": "One"}]},
        ),
        {"content_partition.deleted": 1},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_done_is_undone_and_done_again(
    client: httpx.AsyncClient, stage: Stage, kind: str
) -> None:
    do, counts = KINDS[kind]
    before = await everything(client, stage.world)
    await do(stage)
    after = await everything(client, stage.world)
    assert after != before
    done = await changeset_of(client, stage.world)

    preview = await undo(client, done, dry_run=True)
    assert await everything(client, stage.world) == after
    assert await changeset_of(client, stage.world) == done

    undone = await undo(client, done)
    assert undone.status_code == 200, undone.text
    assert await everything(client, stage.world) == before
    undoing = await changeset_of(client, stage.world)
    lines = [
        {name: line[name] for name in line if name in SHOWN}
        for line in await lines_of(client, undoing)
    ]
    answer = {"undoes": done, "counts": dict(counts)}
    assert undone.json() == {
        "changeset_id": undoing,
        "written": True,
        "changes": lines,
        **answer,
    }
    told_before = preview.json()
    assert [line["kind"] for line in told_before.pop("changes")] == [line["kind"] for line in lines]
    assert told_before == {"changeset_id": None, "written": False, **answer}

    assert (await undo(client, undoing)).status_code == 200
    assert await everything(client, stage.world) == after
    assert (await undo(client, await changeset_of(client, stage.world))).status_code == 200
    assert await everything(client, stage.world) == before


async def test_the_lines_of_an_undo_say_who_undid_what(
    client: httpx.AsyncClient, stage: Stage, auth: Auth
) -> None:
    await stage.assign(stage.b, stage.users[4])
    done = await changeset_of(client, stage.world)
    headers = {**auth(*EVERYTHING, subject="anna"), "x-request-id": "the-undo"}
    undoing = (await undo(client, done, headers=headers)).json()["changeset_id"]
    (line,) = await lines_of(client, undoing)
    facts = {name: line[name] for name in ("actor", "request_id", "cause")}
    assert facts == {"actor": "anna", "request_id": "the-undo", "cause": f"undo:{done}"}
    redoing = (await undo(client, undoing, headers=headers)).json()["changeset_id"]
    (line,) = await lines_of(client, redoing)
    assert line["cause"] == f"redo:{done}"
    again = (await undo(client, redoing, headers=headers)).json()["changeset_id"]
    (line,) = await lines_of(client, again)
    assert line["cause"] == f"undo:{done}"


async def _conflict(
    client: httpx.AsyncClient, stage: Stage, changeset: str
) -> list[tuple[str, str]]:
    """Kinds and actors of what stands in the way; nothing is written."""
    before = await everything(client, stage.world)
    latest = await changeset_of(client, stage.world)
    answers = [await undo(client, changeset, dry_run=dry_run) for dry_run in (True, False)]
    refusal, again = (told_whole(answer) for answer in answers)
    assert refusal == again
    changes = refusal.pop("changes")
    facts = {"etag": None, "current": None, "count": len(changes)}
    assert refusal == problem(409, "changed_since", "this has been changed since", **facts)
    assert await everything(client, stage.world) == before
    assert await changeset_of(client, stage.world) == latest
    lines = await client.get(
        "/v1/changes", params={"course_id": stage.world.course_id, "limit": 200}
    )
    assert all(change in lines.json()["items"] for change in changes)
    return [(change["kind"], change["actor"]) for change in changes]


# What is done, what somebody else does then, and what of that stands in the way.
MEANWHILE: Mapping[str, tuple[Any, Any, list[str]]] = {
    "a member has moved on": (
        sends("PUT", "/groups/{b}/members/{user}"),
        sends("PUT", "/groups/{a}/members/{user}"),
        ["membership.moved"],
    ),
    "a member has left": (
        sends("PUT", "/groups/{b}/members/{user}"),
        sends("DELETE", "/groups/{b}/members/{user}"),
        ["membership.removed"],
    ),
    "the group to go back to is gone": (
        sends("PUT", "/groups/{b}/members/{user}"),
        sends("DELETE", "/groups/{a}"),
        ["group.deleted"],
    ),
    "the partition to go back to is gone": (
        sends("DELETE", "/groups/{b}"),
        sends("DELETE", "/partitions/{td}"),
        ["partition.deleted"],
    ),
    "a name has changed again": (
        sends("PATCH", "/groups/{b}", {"name": "C"}),
        sends("PATCH", "/groups/{b}", {"name": "D"}),
        ["group.updated"],
    ),
    "a renamed group is gone": (
        sends("PATCH", "/groups/{b}", {"name": "C"}),
        sends("DELETE", "/groups/{b}"),
        ["former_name.deleted", "group.deleted"],
    ),
    "the order has changed again": (
        sends("PUT", "/partitions/{td}/groups/order", lambda stage: {"ids": [stage.b, stage.a]}),
        sends("PUT", "/partitions/{td}/groups/order", lambda stage: {"ids": [stage.a, stage.b]}),
        ["group.updated", "group.updated"],
    ),
}


@pytest.mark.parametrize("case", MEANWHILE)
async def test_what_has_changed_since_is_not_undone(
    client: httpx.AsyncClient, stage: Stage, auth: Auth, case: str
) -> None:
    do, meanwhile, expected = MEANWHILE[case]
    await do(stage)
    done = await changeset_of(client, stage.world)
    mine = client.headers["authorization"]
    client.headers.update(auth(*EVERYTHING, subject="bob"))
    await meanwhile(stage)
    client.headers["authorization"] = mine
    theirs = await changeset_of(client, stage.world)
    assert await _conflict(client, stage, done) == [(kind, "bob") for kind in expected]
    # What is undone stands in nobody's way.
    assert (await undo(client, theirs)).status_code == 200
    assert (await undo(client, done)).status_code == 200


async def test_a_group_that_others_have_filled_is_not_taken_away(
    client: httpx.AsyncClient, stage: Stage
) -> None:
    made = await stage.send("POST", f"/partitions/{stage.td}/groups", {"name": "C"})
    done = await changeset_of(client, stage.world)
    await stage.assign(made["id"], stage.users[0], stage.users[4])
    found = await _conflict(client, stage, done)
    assert found == [("membership.assigned", "root"), ("membership.moved", "root")]


async def test_a_partition_that_others_have_divided_is_not_taken_away(
    client: httpx.AsyncClient, stage: Stage
) -> None:
    made = await stage.send("POST", f"/courses/{stage.world.course_id}/partitions", {"name": "New"})
    done = await changeset_of(client, stage.world)
    await stage.send("POST", f"/partitions/{made['id']}/groups", {"name": "C"})
    assert await _conflict(client, stage, done) == [("group.created", "root")]


async def test_other_fields_of_the_same_group_are_left_as_they_are(
    client: httpx.AsyncClient, stage: Stage
) -> None:
    await stage.send("PATCH", f"/groups/{stage.b}", {"name": "C"})
    done = await changeset_of(client, stage.world)
    await stage.send("PATCH", f"/groups/{stage.b}", {"capacity": 7})
    assert (await undo(client, done)).status_code == 200
    now = await stage.send("GET", f"/groups/{stage.b}")
    assert (now["name"], now["capacity"]) == ("B", 7)


async def test_what_is_undone_is_not_undone_twice(client: httpx.AsyncClient, stage: Stage) -> None:
    await stage.assign(stage.b, stage.users[0])
    done = await changeset_of(client, stage.world)
    undoing = (await undo(client, done)).json()["changeset_id"]
    assert await _conflict(client, stage, done) == [("membership.moved", "root")]
    await undo(client, undoing)
    assert (await undo(client, done)).status_code == 200
    # What an undo did holds again: it may be undone, as it was before.
    assert (await undo(client, undoing)).status_code == 200
    assert await stage.world.members(stage.b) == sorted([stage.users[0], stage.users[3]])


RULES: Mapping[str, tuple[Any, Any, str, str]] = {
    "no place is left": (
        sends("DELETE", "/groups/{a}/members/{user}"),
        sends("PUT", "/groups/{a}/members/{loose}"),
        "group_full",
        "the group has no place left",
    ),
    "nobody is enrolled any more": (
        sends("DELETE", "/partitions/{td}/members/{user}"),
        sends("DELETE", "/courses/{course}/enrollments/{user}"),
        "not_enrolled",
        "the user is not enrolled in the course",
    ),
    "the name is somebody else's": (
        sends("DELETE", "/groups/{b}"),
        sends("POST", "/partitions/{td}/groups", {"name": "B"}),
        "name_taken",
        "a group of the partition has this name",
    ),
    "the groups are closed": (
        sends("POST", "/partitions/{td}/groups", {"name": "C"}),
        sends("PATCH", "/partitions/{td}", {"groups_editable": False}),
        "groups_not_editable",
        "the groups of this partition are not editable",
    ),
    "the course is locked": (
        sends("PUT", "/groups/{b}/members/{user}"),
        sends("PUT", "/courses/{course}/lock"),
        "course_locked",
        "the course is locked",
    ),
}


@pytest.mark.parametrize("case", RULES)
async def test_an_undo_keeps_the_rules(client: httpx.AsyncClient, stage: Stage, case: str) -> None:
    do, meanwhile, code, words = RULES[case]
    await do(stage)
    done = await changeset_of(client, stage.world)
    await meanwhile(stage)
    before = await everything(client, stage.world)
    for dry_run in (True, False):
        answer = told(await undo(client, done, dry_run=dry_run))
        assert answer == problem(409, code, words)
    assert await everything(client, stage.world) == before


async def test_somebody_who_is_gone_does_not_come_back_to_a_cohort(
    client: httpx.AsyncClient, stage: Stage
) -> None:
    await stage.send("DELETE", f"/groups/{stage.one}/members/{stage.users[0]}")
    done = await changeset_of(client, stage.world)
    await stage.send("DELETE", f"/users/{stage.users[0]}")
    answer = told_whole(await undo(client, done))
    assert (answer["code"], answer["detail"]) == ("user_gone", "somebody of it is no longer known")


async def test_an_address_that_was_forgotten_does_not_wait_again(
    client: httpx.AsyncClient, stage: Stage
) -> None:
    await stage.send("DELETE", f"/groups/{stage.one}")
    done = await changeset_of(client, stage.world)
    await stage.send("POST", "/retirements", {"email": "Late@example.org"})
    answer = told_whole(await undo(client, done))
    assert (answer["status"], answer["code"]) == (409, "address_forgotten")
    assert not await stage.world.sql(
        "SELECT FROM removed_preassignments WHERE course_id = :course", course=stage.world.course_id
    )


async def test_the_last_random_cohort_is_not_taken_from_chance(
    client: httpx.AsyncClient, stage: Stage
) -> None:
    path = f"/courses/{stage.world.course_id}/cohorts"
    two = (await stage.send("POST", path, {"name": "Two"}))["id"]
    await stage.send("PATCH", f"/groups/{two}", {"assignment_type": "random"})
    done = await changeset_of(client, stage.world)
    await stage.send("PATCH", f"/groups/{stage.one}", {"assignment_type": "manual"})
    answer = told_whole(await undo(client, done))
    assert (answer["status"], answer["code"]) == (409, "last_random_cohort")


@pytest.mark.parametrize(
    ("path", "method", "body", "kinds"),
    [
        ("/courses/{course}/lock", "PUT", None, ["course.updated"]),
        ("/courses/{course}/enrollments/{user}", "DELETE", None, ["enrollment.deleted"]),
    ],
)
async def test_what_the_log_does_not_keep_is_not_undone(
    client: httpx.AsyncClient, world: World, path: str, method: str, body: Any, kinds: list[str]
) -> None:
    path = f"/v1{path.format(course=world.course_id, user=world.users[0])}"
    assert (await client.request(method, path, json=body)).is_success
    done = await changeset_of(client, world)
    answer = told_whole(await undo(client, done))
    facts: dict[str, Any] = {"kinds": kinds, "current": None, "etag": None, "changes": []}
    assert answer == problem(409, "not_undoable", "this cannot be undone", **facts)


@pytest.mark.parametrize(
    ("grants", "status"),
    [
        ([], 403),
        (["groups:write"], 200),
        (["groups:write@department:{department}"], 200),
        (["groups:write@course:{course}"], 200),
        (["groups:write@course:elsewhere"], 404),
        (["groups:read@course:{course}", "groups:write@course:elsewhere"], 403),
        (["groups:read@course:{course}"], 403),
    ],
)
async def test_whoever_may_do_it_may_undo_it(
    client: httpx.AsyncClient, world: World, auth: Auth, grants: list[str], status: int
) -> None:
    group = await world.add_group(await world.add_partition())
    await client.put(f"/v1/groups/{group}/members/{world.users[0]}")
    done = await changeset_of(client, world)
    given = [each.format(department=world.department, course=world.course) for each in grants]
    answer = await undo(client, done, headers=auth(*given))
    assert answer.status_code == status, answer.text
    if status == 404:
        assert told_whole(answer) == problem(404, "not_found", "no such changeset")


@pytest.mark.parametrize("kind", ["tracks", "state of an enrollment", "content groups"])
async def test_what_is_of_the_roster_is_undone_by_whoever_writes_it(
    client: httpx.AsyncClient, stage: Stage, auth: Auth, kind: str
) -> None:
    await KINDS[kind][0](stage)
    done = await changeset_of(client, stage.world)
    assert (await undo(client, done, headers=auth("groups:write"))).status_code == 403
    both = auth("groups:write", "roster:write")
    assert (await undo(client, done, headers=both)).status_code == 200


async def test_a_changeset_of_several_courses_is_undone_where_all_are_in_sight(
    client: httpx.AsyncClient, stage: Stage, make_world: MakeWorld, auth: Auth
) -> None:
    other = await make_world(1)
    await other.add_group(await other.add_partition())
    ((name,),) = await other.sql("SELECT username FROM users WHERE id = :id", id=other.users[0])
    header = ("course_key", "user", "partition", "group")
    given = [
        (stage.world.course, await _username(stage, stage.users[4]), "TD", "B"),
        (other.course, name, "TD", "A"),
    ]
    before = await everything(client, stage.world), await everything(client, other)
    await rows(client, "assignments", header, *given)
    done = await changeset_of(client, stage.world)
    here = auth(f"groups:write@course:{stage.world.course}")
    assert (await undo(client, done, headers=here)).status_code == 404
    await client.put(f"/v1/courses/{other.course_id}/lock")
    assert told_whole(await undo(client, done))["code"] == "course_locked"
    await client.delete(f"/v1/courses/{other.course_id}/lock")
    assert (await undo(client, done)).json()["counts"] == {"membership.removed": 2}
    assert (await everything(client, stage.world), await everything(client, other)) == before


@pytest.mark.parametrize("changeset", ["00000000-0000-4000-8000-000000000000", "nothing", "1"])
async def test_what_is_no_changeset_is_not_there(client: httpx.AsyncClient, changeset: str) -> None:
    assert (await undo(client, changeset)).status_code == 404


async def test_an_undo_with_a_key_is_done_once(client: httpx.AsyncClient, stage: Stage) -> None:
    await stage.assign(stage.b, stage.users[4])
    done = await changeset_of(client, stage.world)
    headers = {"idempotency-key": uuid.uuid4().hex}
    first = await undo(client, done, headers=headers)
    again = await undo(client, done, headers=headers)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["idempotent-replayed"] == "true"


async def test_an_undo_waits_for_a_change_in_flight_and_sees_it(
    client: httpx.AsyncClient, stage: Stage, sql: SQL, engine: AsyncEngine
) -> None:
    """Somebody moves the user while the undo is under way: it comes after, and is refused."""
    user = stage.users[0]
    await stage.assign(stage.b, user)
    done = await changeset_of(client, stage.world)
    async with engine.connect() as other:
        await other.execution_options(isolation_level="READ COMMITTED")
        await other.exec_driver_sql(
            f"UPDATE memberships SET group_id = {stage.a} WHERE user_id = {user}"
            f" AND partition_id = {stage.td}"
        )
        undoing = asyncio.create_task(undo(client, done))
        await until_it_waits(sql, undoing)
        await other.commit()
    answer = told_whole(await undoing)
    assert (answer["code"], answer["count"]) == ("changed_since", 1)
    assert user in await stage.world.members(stage.a)


async def test_a_change_waits_for_an_undo_in_flight(
    client: httpx.AsyncClient, stage: Stage, sql: SQL, engine: AsyncEngine
) -> None:
    """And is then done: nothing of it is lost."""
    user = stage.users[0]
    await stage.assign(stage.b, user)
    done = await changeset_of(client, stage.world)
    async with row_locked(engine, "groups", stage.a):
        undoing = asyncio.create_task(undo(client, done))
        await until_it_waits(sql, undoing)
        path = f"/v1/partitions/{stage.td}/members/{user}"
        leaving = asyncio.create_task(client.delete(path))
    answers = await asyncio.gather(undoing, leaving)
    assert [answer.status_code for answer in answers] == [200, 204]
    kinds = [line[0] for line in await stage.world.log("membership.%")][-2:]
    assert kinds == ["membership.moved", "membership.removed"]


async def test_parallel_undos_of_one_changeset_undo_it_once(
    client: httpx.AsyncClient, stage: Stage
) -> None:
    await stage.assign(stage.b, stage.users[0])
    done = await changeset_of(client, stage.world)
    answers = await asyncio.gather(*(undo(client, done) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 7]


async def test_large_changesets_are_undone_in_as_many_statements_as_small_ones(
    client: httpx.AsyncClient, sql: SQL, make_world: MakeWorld
) -> None:
    """And in the memory of one: of all its lines a hundred are answered."""
    size = examples(2_000)
    world = await make_world(0)
    partition = await world.add_partition()
    a, b = await world.add_group(partition, "A"), await world.add_group(partition, "B")
    await sql(
        "INSERT INTO users (department_id, username, sort_key) SELECT :department,"
        " :name || '-' || n, n::text FROM generate_series(1, CAST(:size AS integer)) n",
        size=size,
        department=world.department_id,
        name=world.department,
    )
    await sql(
        "INSERT INTO enrollments (course_id, user_id) SELECT :course, id FROM users"
        " WHERE department_id = :department",
        course=world.course_id,
        department=world.department_id,
    )
    await sql(
        "INSERT INTO memberships (course_id, partition_id, group_id, user_id)"
        " SELECT course_id, :partition, (CAST(ARRAY[:a, :b] AS bigint[]))[1 + user_id % 2], user_id"
        " FROM enrollments WHERE course_id = :course",
        course=world.course_id,
        partition=partition,
        a=a,
        b=b,
    )
    done = await changeset_of(client, world)
    with recorded() as sent:
        answer = await undo(client, done)
    assert answer.status_code == 200, answer.text
    assert answer.json()["counts"] == {"membership.removed": size}
    assert (len(sent), len(answer.json()["changes"])) == (7, 100)
    assert len(answer.content) < 100_000
    with recorded() as sent:
        answer = await undo(client, answer.json()["changeset_id"])
    assert (answer.json()["counts"], len(sent)) == ({"membership.assigned": size}, 7)
    refusal = told_whole(await undo(client, answer.json()["undoes"]))
    assert (refusal["count"], len(refusal["changes"])) == (size, 100)
    assert len(await world.members(a)) + len(await world.members(b)) == size
