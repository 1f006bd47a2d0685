"""What is out of sight costs what an absent thing costs: nothing of it is read or locked."""

import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from groupsvc.core.class_lists.repository import SQL as CLASS_LISTS
from groupsvc.core.cohorts.repository import SQL as COHORTS
from groupsvc.core.courses.repository import SQL as COURSES
from groupsvc.core.enrollments.repository import SQL as ENROLLMENTS
from groupsvc.core.groups.repository import SQL as GROUPS
from groupsvc.core.memberships.repository import SQL as MEMBERSHIPS
from groupsvc.core.partitions.repository import SQL as PARTITIONS
from groupsvc.core.roles.repository import SQL as ROLES
from groupsvc.db.pool import ConnectionPool
from groupsvc.db.statements import Statement
from groupsvc.import_export.shapes.repository import SQL as SHAPES
from tests.conftest import SQL, Auth, World
from tests.sight import EXPLAIN, big_ones_read, touched
from tests.tour import TOUR, Visit, delete, get, set_stage

PLACED = {
    f"{name} {each.name}": each
    for name, file in {
        "class list": CLASS_LISTS,
        "cohorts": COHORTS,
        "course": COURSES,
        "enrollments": ENROLLMENTS,
        "group": GROUPS,
        "memberships": MEMBERSHIPS,
        "partition": PARTITIONS,
        "role": ROLES,
        "shape": SHAPES,
    }.items()
    for each in file
    if each.kind == "placed read"
}


def arguments(
    noun: str, statement: Statement, world: World, partition: int, group: int, who: str
) -> list[Any]:
    """Values for the parameters of any of these statements."""
    ids = {"course_id": world.course_id, "group_id": group, "user_id": world.users[0]}
    own = {"course": world.course_id, "group": group, "partition": partition}
    values: dict[str, Any] = {
        **ids,
        "id": own.get(noun),
        "partition_id": partition,
        "running": [],
        "after": 0,
        "limit": 50,
        "seen_departments": [who],
        "seen_courses": [],
        "everywhere": False,
        "departments": [who],
        "courses": [],
        "as_of": datetime(2030, 1, 1, tzinfo=UTC),
        "anybody": False,
        "unfit": [],
    }
    return [values.get(name) for name in statement.names]


@pytest.mark.parametrize("name", PLACED)
async def test_nothing_big_is_read_of_what_is_out_of_sight(
    name: str, world: World, pool: ConnectionPool
) -> None:
    partition = await world.add_partition()
    group = await world.add_group(partition)
    statement, noun = PLACED[name], name.split()[0]
    asked = statement.in_sight

    async def read(who: str) -> set[str]:
        given = arguments(noun, asked, world, partition, group, who)
        ((plan,),) = await pool.fetch(EXPLAIN + asked.query, given)
        return big_ones_read(plan)

    assert not await read("elsewhere")
    if re.search(r"\b(FROM|JOIN) (memberships|enrollments|roles|changes)\b", statement.source):
        assert await read(world.department)


# Whether somebody is in sight is told by where they are enrolled.
OF_A_PERSON = {"get_user", "list_user_groups"}


def is_of_a_course(visit: Visit) -> bool:
    return any(f"{{{each}}}" in visit.path for each in ("course", "partition", "group", "member"))


WALK = {
    name: visit for name, visit in TOUR.items() if is_of_a_course(visit) and name not in OF_A_PERSON
} | {
    "members as of": get("/v1/groups/{group}/members?as_of=2030-01-01T00:00:00Z"),
    "groups of a user as of": get(
        "/v1/courses/{course}/users/{member}/groups?as_of=2030-01-01T00:00:00Z"
    ),
    "board without members": get("/v1/courses/{course}/board?members=false"),
    "members not there": delete("/v1/groups/{other}/members/{member}"),
    "a course as csv": get("/v1/export/assignments.csv?course_id={course}"),
}
# Some need the permission everywhere, and a list shows what is in sight.
EVERYWHERE = ("get_personal_data", "erase_person", "get_user_roles", "put_user_roles")
ANSWERS = {**dict.fromkeys(EVERYWHERE, 403), "list_changes": 200}
# The log shows what is in sight; and where a group was that is no more, or what a changeset is
# about, it alone tells.
LOGGED = ("list_changes", "undo_changeset", "members as of")
PERMISSIONS = ("groups:read", "groups:write", "roster:write", "admin")


@pytest.mark.parametrize("name", WALK)
async def test_whoever_does_not_see_a_course_has_nothing_of_it_read_or_locked(
    anonymous: httpx.AsyncClient, auth: Auth, sql: SQL, name: str
) -> None:
    stage, visit = await set_stage(sql), WALK[name]
    given = visit.payload(stage)
    given["headers"] = given.get("headers", {}) | auth(
        *(f"{permission}@department:elsewhere" for permission in PERMISSIONS)
    )
    async with touched(sql, stage.course) as found:
        answer = await anonymous.request(visit.method, visit.path_on(stage), **given)
    expected = {"changes"} if name in LOGGED else set[str]()
    assert (answer.status_code, found) == (ANSWERS.get(name, 404), expected)


async def test_what_is_read_and_locked_is_seen_where_it_may_be(
    client: httpx.AsyncClient, sql: SQL
) -> None:
    stage = await set_stage(sql)
    async with touched(sql, stage.course) as read:
        await TOUR["get_board"].go(client, stage)
    assert read == {"memberships", "enrollments"}
    async with touched(sql, stage.course) as held:
        await TOUR["put_enrollment"].go(client, stage)
    assert {"held: course", "held: enrollment"} <= held
    async with touched(sql, stage.course) as held:
        await client.patch(f"/v1/groups/{stage.group}", json={})
    assert held >= {"held: course", "held: partition", "held: group"}
