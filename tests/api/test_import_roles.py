"""Who acts as what where, by import, and the same on its way out."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from tests.api.refusals import problem, told
from tests.api.tables import CSV, NO_COURSE, answered, rows, table, upload
from tests.conftest import SQL, Auth, MakeWorld, World

HEADER = ("user", "role", "department", "course_key")


async def usernames(world: World) -> list[str]:
    found = await world.sql(
        "SELECT username FROM users WHERE id = ANY (:ids) ORDER BY id", ids=world.users
    )
    return [name for (name,) in found]


async def results(
    client: httpx.AsyncClient, header: Sequence[str], *given: Sequence[object], **query: Any
) -> list[Any]:
    """Results of rows, or the codes of those refused."""
    found = await rows(client, "roles", header, *given, **query)
    return [code or result for _, result, code, _ in found]


async def roles(client: httpx.AsyncClient, world: World) -> list[list[str]]:
    """The roles of every user."""
    return [(await client.get(f"/v1/users/{user}/roles")).json()["roles"] for user in world.users]


async def exported(client: httpx.AsyncClient, **query: Any) -> str:
    answer = await client.get("/v1/export/roles", params=query)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_rows_give_and_take_roles_in_every_kind_of_place(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    world = await make_world(2)
    (one, two), key, home = await usernames(world), world.course, world.department
    given = [
        (one, "staff", "", key), (one, "moderator", "", key), (one, " staff ", "", key),
        (two, "instructor", home, ""), (two, "moderator", "", ""), (two, "", "", key),
    ]  # fmt: skip
    expected = ["assigned", "assigned", "unchanged", "assigned", "assigned", "unchanged"]
    assert await results(client, HEADER, *given, dry_run=True) == expected
    assert await roles(client, world) == [[], []]
    assert await results(client, HEADER, *given) == expected
    assert await roles(client, world) == [
        [f"moderator@course:{key}", f"staff@course:{key}"],
        [f"instructor@department:{home}", "moderator"],
    ]
    assert await results(client, HEADER, *given) == ["unchanged"] * 6
    # What goes away in one place stays in the others.
    taken = [(two, "", "", ""), (one, "", "", key), (one, "", "", key), (one, "staff", "", key)]
    removed = ["removed", "removed", "unchanged", "assigned"]
    assert await results(client, HEADER, *taken) == [*["unchanged"] * 4]
    assert await results(client, HEADER, *taken, empty="clear") == removed
    assert await roles(client, world) == [
        [f"staff@course:{key}"], [f"instructor@department:{home}"]
    ]  # fmt: skip
    log = await world.sql(
        "SELECT kind, user_id, coalesce(before, after) ->> 'role', cause FROM changes"
        " WHERE kind LIKE 'role.%' AND user_id = ANY (:users) ORDER BY kind, user_id, 3",
        users=world.users,
    )
    first, second = world.users
    assert [tuple(line) for line in log] == [
        ("role.created", first, "moderator", "import"),
        ("role.created", first, "staff", "import"),
        ("role.created", second, "instructor", "import"),
        ("role.created", second, "moderator", "import"),
        ("role.deleted", first, "moderator", "import"),
        ("role.deleted", second, "moderator", "import"),
    ]


async def test_a_table_of_a_team_needs_no_other_columns(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, world: World, auth: Auth
) -> None:
    names = await usernames(world)
    header = ("Course", "Email", "Role")
    content = table(header, (world.course, f"{names[0]}@EXAMPLE.org", "staff"))
    answer = await upload(client, "roles", content)
    assert answer.json() == {
        **answered("roles", (2, "assigned")),
        "columns": {"Course": "course_key", "Email": "user", "Role": "role"},
    }
    caller = auth(subject="someone", username=names[0])
    path = f"/v1/courses/{world.course_id}/partitions"
    assert (await anonymous.get(path, headers=caller)).status_code == 200
    leaves = table((*header, "action"), (world.course, names[0], "", "remove"))
    assert (await upload(client, "roles", leaves)).json()["counts"] == {"removed": 1}
    assert (await anonymous.get(path, headers=caller)).status_code == 403


async def test_json_rows_are_the_same_table(client: httpx.AsyncClient, world: World) -> None:
    names = await usernames(world)
    given = [
        {"user": names[0], "role": "staff", "course_key": world.course},
        {"user": names[1], "role": "moderator", "department": world.department},
        {"user": names[2], "role": "moderator", "department": None, "course_key": None},
        {"user": names[0], "course_key": world.course},
        {"user": names[0], "role": "staff", "course_key": world.course, "action": "remove"},
        {"user": names[0], "role": "staff"},
    ]
    answer = await client.post("/v1/import/roles", json={"rows": given})
    assert answer.json() == answered(
        "roles",
        (1, "assigned"),
        (2, "assigned"),
        (3, "assigned"),
        (4, "unchanged"),
        (5, "removed"),
        (6, "refused", "missing_value", "course_key is empty"),
    )
    assert (await roles(client, world))[:3] == [
        [], [f"moderator@department:{world.department}"], ["moderator"]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "cells", "missing"),
    [
        (HEADER[:2], ("staff",), "course_key"),
        (HEADER[:3], ("staff", ""), "department"),
        ((*HEADER[:2], "course_key"), ("staff", " "), "course_key"),
        ((*HEADER[:2], "course_key"), ("", ""), "course_key"),
    ],
)
async def test_a_table_that_could_not_name_a_place_gives_no_role_everywhere(
    client: httpx.AsyncClient,
    world: World,
    header: tuple[str, ...],
    cells: tuple[str, ...],
    missing: str,
) -> None:
    name = (await usernames(world))[0]
    found = await rows(client, "roles", header, (name, *cells))
    assert found == [(2, "refused", "missing_value", f"{missing} is empty")]
    assert (await roles(client, world))[0] == []


async def test_a_bad_row_keeps_no_other_from_its_place(
    client: httpx.AsyncClient, world: World
) -> None:
    name, key = (await usernames(world))[0], world.course
    found = await rows(
        client, "roles", HEADER,
        (name, "owner", "", key), ("", "staff", "", key), ("nobody", "staff", "", key),
        (name, "staff", "", "nowhere"), (name, "staff", "nowhere", ""),
        (name, "staff", world.department, key), (name, "Staff", "", key), (name, "staff", "", key),
    )  # fmt: skip
    none = "role is none of staff, instructor, moderator"
    assert found == [
        (2, "refused", "invalid_value", none),
        (3, "refused", "missing_value", "user is empty"),
        (4, "refused", "unknown_user", "no such user"),
        (5, "refused", *NO_COURSE),
        (6, "refused", "unknown_department", "no such department"),
        (7, "refused", "invalid_value", "department and course_key do not go together"),
        (8, "refused", "invalid_value", none),
        (9, "assigned", None, None),
    ]
    assert (await roles(client, world))[0] == [f"staff@course:{key}"]


async def test_whoever_administers_a_place_decides_there_alone(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, auth: Auth, make_world: MakeWorld
) -> None:
    mine, seen, hidden = await make_world(1), await make_world(0), await make_world(0)
    (name,) = await usernames(mine)
    places = [
        ("", mine.course), (mine.department, ""), ("", seen.course), (seen.department, ""),
        ("", hidden.course), (hidden.department, ""), ("", ""),
    ]  # fmt: skip
    content = table(HEADER, *((name, "staff", *place) for place in places))
    headers = CSV | auth(
        f"admin@department:{mine.department}", f"groups:read@department:{seen.department}"
    )
    answer = await anonymous.post("/v1/import/roles", content=content, headers=headers)
    forbidden = ("refused", "forbidden", "this needs admin here")
    gone = ("refused", "unknown_department", "no such department")
    assert answer.json() == answered(
        "roles",
        (2, "assigned"),
        (3, "assigned"),
        (4, *forbidden),
        (5, *forbidden),
        (6, "refused", *NO_COURSE),
        (7, *gone),
        (8, *forbidden),
    )
    here = [f"staff@department:{mine.department}", f"staff@course:{mine.course}"]
    assert await roles(client, mine) == [here]


async def test_a_locked_course_keeps_its_team_open(client: httpx.AsyncClient, world: World) -> None:
    await client.put(f"/v1/courses/{world.course_id}/lock")
    name = (await usernames(world))[0]
    assert await results(client, HEADER, (name, "staff", "", world.course)) == ["assigned"]


async def test_roles_go_out_as_far_as_the_caller_administers(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    auth: Auth,
    make_world: MakeWorld,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, other = await make_world(2), await make_world(1)
    (one, two), (guest,) = await usernames(world), await usernames(other)
    given = [
        (one, "moderator", "", ""),
        (one, "staff", "", world.course),
        (two, "instructor", world.department, ""),
        (guest, "staff", "", world.course),
        (guest, "staff", other.department, ""),
    ]
    await results(client, HEADER, *given)
    whole = await exported(client)
    assert [line for line in table(*given).splitlines() if line not in whole.splitlines()] == []
    team = table(HEADER, given[1], given[3])
    assert await exported(client, course_id=world.course_id) == team
    place = table(HEADER, given[1], given[2], given[3])
    assert await exported(client, department=world.department) == place
    monkeypatch.setattr("groupsvc.import_export.exports.PAGE", 1)
    assert await exported(client, department=world.department) == place
    assert await exported(client) == whole
    monkeypatch.undo()
    for grants, expected in (
        (("groups:read",), table(HEADER)),
        (("groups:read", f"admin@department:{world.department}"), place),
        (("groups:read", f"admin@course:{world.course}"), team),
    ):
        answer = await anonymous.get("/v1/export/roles", headers=auth(*grants))
        assert (answer.status_code, answer.text) == (200, expected)
    refused = await anonymous.get(
        f"/v1/export/roles?course_id={world.course_id}", headers=auth("groups:read")
    )
    detail = "this needs another permission here"
    assert told(refused) == problem(403, "forbidden", detail, permission="admin")


async def test_a_user_who_is_gone_has_no_role(client: httpx.AsyncClient, sql: SQL) -> None:
    world = await World(sql).make(1)
    (name,) = await usernames(world)
    await results(client, HEADER, (name, "staff", "", world.course))
    assert (await client.delete(f"/v1/users/{world.users[0]}")).status_code == 204
    assert await exported(client, course_id=world.course_id) == table(HEADER)
    assert await results(client, HEADER, (name, "staff", "", world.course)) == ["unknown_user"]


async def test_imports_that_race_give_each_role_once(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    world = await make_world(30)
    given = [(name, "staff", "", world.course) for name in await usernames(world)]
    forward, backward = table(HEADER, *given), table(HEADER, *given[::-1])
    answers = await asyncio.gather(
        *(upload(client, "roles", text) for text in (forward, backward) * 3)
    )
    counts = [answer.json()["counts"] for answer in answers]
    assert sorted(counts, key=str) == [{"assigned": 30}, *[{"unchanged": 30}] * 5]
    assert await roles(client, world) == [[f"staff@course:{world.course}"]] * 30


async def test_an_import_that_races_with_a_new_team_comes_before_it_or_after(
    client: httpx.AsyncClient, world: World
) -> None:
    one, two, *_ = await usernames(world)
    path = f"/v1/courses/{world.course_id}/team"
    seen = {"if-match": (await client.get(path)).headers["etag"]}
    members = {"members": [{"username": two, "roles": ["staff"]}]}
    imported, replaced = await asyncio.gather(
        upload(client, "roles", table(HEADER, (one, "staff", "", world.course))),
        client.put(path, json=members, headers=seen),
    )
    assert imported.json() == answered("roles", (2, "assigned"))
    mine = [f"staff@course:{world.course}"]
    # Nobody overwrites what they have not seen.
    expected = {412: [mine, []], 200: [mine, mine]}[replaced.status_code]
    assert (await roles(client, world))[:2] == expected


async def test_a_role_is_written_in_the_course_whose_key_looks_alike(
    client: httpx.AsyncClient, world: World
) -> None:
    name = (await usernames(world))[0]
    header, key = ("user", "role", "course_key"), world.course.upper()
    for result in ("assigned", "unchanged"):
        (found,) = await rows(client, "roles", header, (name, "staff", key))
        assert found[1:3] == (result, "lookalike")
    ((count,),) = await world.sql(
        "SELECT count(*) FROM roles WHERE course_id = :id", id=world.course_id
    )
    assert count == 1
    (found,) = await rows(client, "roles", (*header, "action"), (name, "", key, "remove"))
    assert found[1:3] == ("removed", "lookalike")
