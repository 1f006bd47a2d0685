"""What a conflict says besides: what is there now, and who changed what when."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.refusals import problem, told_whole
from tests.conftest import EVERYTHING, SQL, Auth, World
from tests.locks import until_it_waits


@dataclass(frozen=True)
class Case:
    """What somebody else does, what is then refused, and what is told: where it is read, and kinds
    of changes, newest first, of which the first is theirs.
    """

    meanwhile: tuple[str, str, Any]
    request: tuple[str, str, Any]
    code: str
    current: str | None
    changes: list[str]


GROUP, PARTITION, COURSE = "/groups/{a}", "/partitions/{td}", "/courses/{course}"
MEMBER = "/groups/{a}/members/{user}"

CASES: Mapping[str, Case] = {
    "the group is full": Case(
        ("PUT", "/groups/{a}/members/{other}", None),
        ("PUT", MEMBER, None),
        "group_full",
        GROUP,
        ["membership.assigned", "group.created"],
    ),
    "more members than that": Case(
        ("PUT", "/groups/{a}/members/{other}", None),
        ("PATCH", GROUP, {"capacity": 0}),
        "group_full",
        GROUP,
        ["membership.assigned", "group.created"],
    ),
    "a group has the name": Case(
        ("PATCH", "/groups/{b}", {"name": "C"}),
        ("POST", PARTITION + "/groups", {"name": "C"}),
        "name_taken",
        PARTITION,
        ["group.updated", "group.created", "group.created", "partition.created"],
    ),
    "another group has the name": Case(
        ("PATCH", GROUP, {"capacity": 7}),
        ("PATCH", GROUP, {"name": "B"}),
        "name_taken",
        GROUP,
        ["group.updated", "group.created"],
    ),
    "a partition has the name": Case(
        ("POST", COURSE + "/partitions", {"name": "TP"}),
        ("POST", COURSE + "/partitions", {"name": "TP"}),
        "name_taken",
        COURSE,
        ["partition.created", "partition.created", "partition.created", "course.created"],
    ),
    "the groups are closed": Case(
        ("PATCH", PARTITION, {"groups_editable": False}),
        ("PATCH", GROUP, {"name": "C"}),
        "groups_not_editable",
        PARTITION,
        ["partition.updated", "group.created", "group.created", "partition.created"],
    ),
    "the course is locked": Case(
        ("PUT", COURSE + "/lock", None),
        ("PUT", MEMBER, None),
        "course_locked",
        COURSE,
        ["course.updated", "partition.created", "partition.created", "course.created"],
    ),
    "the course of many is locked": Case(
        ("PUT", COURSE + "/lock", None),
        ("POST", PARTITION + "/assignments", {"rows": []}),
        "course_locked",
        COURSE,
        ["course.updated", "partition.created", "partition.created", "course.created"],
    ),
    "somebody has left the course": Case(
        ("DELETE", COURSE + "/enrollments/{user}", None),
        ("PUT", MEMBER, None),
        "not_enrolled",
        None,
        ["enrollment.deleted", "enrollment.created"],
    ),
    "the default group": Case(
        ("PUT", COURSE + "/enrollments/{user}", {"state": "withdrawn"}),
        ("PUT", "/groups/{default}/members/{user}", None),
        "default_partition",
        "/groups/{default}",
        ["group.created"],
    ),
    "the department is in use": Case(
        ("PUT", "/departments/{department}", {"name": "Other"}),
        ("DELETE", "/departments/{department}", None),
        "department_in_use",
        "/departments/{department}",
        ["department.updated", "department.created"],
    ),
    "somebody has the address": Case(
        ("PATCH", "/users/{user}", {"given_name": "Other"}),
        ("PATCH", "/users/{user}", {"email": "{other_email}"}),
        "email_taken",
        "/users/{user}",
        ["user.updated", "user.created"],
    ),
    "somebody of a name has the address": Case(
        ("PATCH", "/users/{user}", {"given_name": "Other"}),
        ("PUT", "/users/by-name/{username}", {"email": "{other_email}"}),
        "email_taken",
        "/users/{user}",
        ["user.updated", "user.created"],
    ),
}


async def _stage(sql: SQL, world: World) -> dict[str, Any]:
    td = await world.add_partition("TD")
    a = await world.add_group(td, "A", capacity=1)
    b = await world.add_group(td, "B", position=2)
    user, other = world.users[:2]
    ((default,),) = await sql(
        "SELECT g.id FROM groups g WHERE g.course_id = :course AND name IS NULL",
        course=world.course_id,
    )
    ((username,),) = await sql("SELECT username FROM users WHERE id = :user", user=user)
    ((email,),) = await sql("SELECT email FROM users WHERE id = :user", user=other)
    names = {"td": td, "a": a, "b": b, "user": user, "other": other, "default": default}
    places = {"course": world.course_id, "department": world.department}
    return {**names, **places, "username": username, "other_email": email}


def _send(
    client: httpx.AsyncClient,
    stage: Mapping[str, Any],
    request: tuple[str, str, Any],
    **options: Any,
) -> Any:
    method, path, body = request
    if isinstance(body, dict):
        body = {
            name: value.format(**stage) if isinstance(value, str) else value
            for name, value in body.items()
        }
    return client.request(method, f"/v1{path.format(**stage)}", json=body, **options)


@pytest.mark.parametrize("name", CASES)
async def test_a_conflict_tells_what_is_there_and_who_changed_it(
    client: httpx.AsyncClient, sql: SQL, world: World, auth: Auth, name: str
) -> None:
    case, stage = CASES[name], await _stage(sql, world)
    theirs = auth(*EVERYTHING, subject="bob")
    done = await _send(client, stage, case.meanwhile, headers=theirs)
    assert done.is_success, done.text
    refusal = told_whole(await _send(client, stage, case.request))
    changes = refusal.pop("changes")
    etag, current = None, None
    if case.current is not None:
        now = await client.get(f"/v1{case.current.format(**stage)}")
        etag, current = now.headers["etag"], now.json()
    detail = refusal["detail"]
    assert refusal == problem(409, case.code, detail, etag=etag, current=current)
    assert [change["kind"] for change in changes] == case.changes
    assert (changes[0]["actor"] == "bob") == (name != "the default group")
    log = await client.get("/v1/changes", params={"limit": 200})
    assert all(change in log.json()["items"] for change in changes)


async def test_whoever_may_not_read_is_told_no_more_than_the_refusal(
    client: httpx.AsyncClient, sql: SQL, world: World, auth: Auth
) -> None:
    stage = await _stage(sql, world)
    await client.put(f"/v1/groups/{stage['a']}/members/{stage['other']}")
    answer = await _send(client, stage, ("PUT", MEMBER, None), headers=auth("groups:write"))
    facts: dict[str, Any] = {"etag": None, "current": None, "changes": []}
    assert told_whole(answer) == problem(409, "group_full", "the group has no place left", **facts)


async def test_a_key_in_use_tells_nothing_of_what_is_out_of_sight(
    client: httpx.AsyncClient, sql: SQL, world: World, auth: Auth, engine: AsyncEngine
) -> None:
    """The key is claimed before it is known whether the caller may see the place."""
    stage = await _stage(sql, world)
    headers = {**auth("groups:write@department:elsewhere"), "idempotency-key": world.department}
    path = f"/v1/partitions/{stage['td']}/groups"
    first = await client.post(path, json={"name": "C"}, headers=headers)
    assert first.status_code == 404
    await sql(
        "INSERT INTO idempotency_keys (subject, key, fingerprint, status, decisions, body)"
        " SELECT 'tester', :key, sha256(convert_to(:text, 'UTF8')), 201, '[]', NULL",
        key=world.department,
        text=f'POST {path}?\n{{"name":"C"}}',
    )
    answer = told_whole(await client.post(path, json={"name": "C"}, headers=headers))
    facts: dict[str, Any] = {"etag": None, "current": None, "changes": []}
    detail = "this was done, and its answer has been erased since"
    assert answer == problem(409, "answer_erased", detail, **facts)


async def test_what_the_database_refuses_in_the_end_says_which_group(
    client: httpx.AsyncClient, sql: SQL, world: World, engine: AsyncEngine
) -> None:
    """Many at once, decided before somebody else took the place."""
    stage = await _stage(sql, world)
    partition = f"/v1/partitions/{stage['td']}/assignments"
    body = {"rows": [{"user_id": stage["user"], "group_id": stage["a"]}]}
    async with engine.connect() as other:
        await other.execution_options(isolation_level="READ COMMITTED")
        await other.exec_driver_sql(
            "INSERT INTO memberships (course_id, partition_id, group_id, user_id) VALUES"
            f" ({stage['course']}, {stage['td']}, {stage['a']}, {stage['other']})"
        )
        asking = asyncio.create_task(client.post(partition, json=body))
        await until_it_waits(sql, asking)
        await other.commit()
    refusal = told_whole(await asking)
    now = await client.get(f"/v1/groups/{stage['a']}")
    changes = refusal.pop("changes")
    facts = {"etag": now.headers["etag"], "current": now.json()}
    assert refusal == problem(409, "group_full", "the group has no place left", **facts)
    assert [(change["kind"], change["user_id"]) for change in changes] == [
        ("membership.assigned", stage["other"]),
        ("group.created", None),
    ]
