"""The database keeps the invariants by itself: every attempt here is raw SQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.db import migrate
from groupsvc.db.engine import make_engine
from groupsvc.db.failures import driver_error
from groupsvc.settings import Settings
from tests.conftest import SQL, MakeDatabase, MakeWorld, World, statements
from tests.locks import until_it_waits


async def broken(sql: SQL, statement: str, **parameters: object) -> str | None:
    """The name of the constraint that refuses a statement."""
    with pytest.raises(DBAPIError) as refused:
        await sql(statement, **parameters)
    return getattr(driver_error(refused.value), "constraint_name", None)


ASSIGN = (
    "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
    " VALUES (:course, :partition, :user, :group)"
)


async def test_a_user_is_in_one_group_of_a_partition(sql: SQL, world: World) -> None:
    partition = await world.add_partition()
    one, two = await world.add_group(partition, "A"), await world.add_group(partition, "B")
    place = {"course": world.course_id, "partition": partition, "user": world.users[0]}
    await sql(ASSIGN, **place, group=one)
    assert await broken(sql, ASSIGN, **place, group=two) == "pk_memberships"
    assert await world.members(one) == [world.users[0]]


async def test_a_membership_names_a_group_of_its_partition(sql: SQL, world: World) -> None:
    first, second = await world.add_partition("P1"), await world.add_partition("P2")
    group = await world.add_group(second)
    place = {"course": world.course_id, "partition": first, "user": world.users[0]}
    assert await broken(sql, ASSIGN, **place, group=group) == "fk_memberships_group"


PUT = """
    INSERT INTO memberships AS m (course_id, partition_id, user_id, group_id)
    SELECT :course_id, :partition_id, unnest(CAST(:users AS bigint[])), :group_id
    ON CONFLICT (course_id, partition_id, user_id) DO UPDATE SET group_id = excluded.group_id
"""


@pytest.mark.parametrize("many", [1, 3, 80])
@pytest.mark.parametrize(
    ("change", "refusal"), [("is_locked = true", "course_open"), ("title = 'x'", None)]
)
async def test_who_changes_memberships_waits_for_whoever_changes_the_course(
    engine: AsyncEngine,
    sql: SQL,
    make_world: MakeWorld,
    many: int,
    change: str,
    refusal: str | None,
) -> None:
    """And then sees what was done to it, also when some are new and others move."""
    world = await make_world(many)
    partition = await world.add_partition()
    before, after = [await world.add_group(partition, name) for name in ("A", "B")]
    place = {"course_id": world.course_id, "partition_id": partition}
    await sql(PUT, **place, users=world.users[::2], group_id=before)
    lines = await world.log("membership.%")
    async with engine.connect() as holder:
        await holder.execution_options(isolation_level="READ COMMITTED")
        await holder.exec_driver_sql(f"UPDATE courses SET {change} WHERE id = {world.course_id}")
        put = {**place, "users": world.users, "group_id": after}
        writing = asyncio.create_task(broken(sql, PUT, **put) if refusal else sql(PUT, **put))
        await until_it_waits(sql, writing)
        await holder.commit()
    done = await writing
    assert done == (refusal or [])
    written = (await world.log("membership.%"))[len(lines) :]
    assert {user for _, user, *_ in written} == (set() if refusal else set(world.users))
    assert len(written) == (0 if refusal else many)


async def test_a_membership_is_not_rekeyed(sql: SQL, world: World) -> None:
    partition = await world.add_partition()
    group = await world.add_group(partition)
    one, two = world.users[:2]
    await sql(ASSIGN, course=world.course_id, partition=partition, user=one, group=group)
    statement = "UPDATE memberships SET user_id = :two WHERE user_id = :one"
    assert await broken(sql, statement, one=one, two=two) == "membership_key"


@pytest.mark.parametrize("name", [" TD", "TD ", "", "e\u0301", "x" * 256])
async def test_names_are_stored_tidy(sql: SQL, world: World, name: str) -> None:
    statement = "INSERT INTO partitions (course_id, name, position) VALUES (:course, :name, 1)"
    assert await broken(sql, statement, course=world.course_id, name=name) == "ck_partitions_name"


async def test_names_are_compared_exactly(sql: SQL, world: World) -> None:
    partition = await world.add_partition("TD")
    await world.add_partition("td")
    await world.add_group(partition, "é")
    await world.add_group(partition, "e")
    statement = "INSERT INTO partitions (course_id, name, position) VALUES (:course, 'TD', 1)"
    assert await broken(sql, statement, course=world.course_id) == "uq_partitions_name"
    statement = (
        "INSERT INTO groups (course_id, partition_id, name, position)"
        " VALUES (:course, :partition, 'e', 1)"
    )
    refused = await broken(sql, statement, course=world.course_id, partition=partition)
    assert refused == "uq_groups_name"


async def test_a_course_is_born_with_its_default_partition(sql: SQL, world: World) -> None:
    rows = await sql(
        "SELECT p.kind, p.name, p.groups_editable, g.name FROM partitions p"
        " JOIN groups g ON g.course_id = p.course_id AND g.partition_id = p.id"
        " WHERE p.course_id = :course",
        course=world.course_id,
    )
    assert rows == [("default", None, False, None)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO partitions (course_id, kind, position) VALUES (:course, 'default', 1)",
        "UPDATE partitions SET position = 7 WHERE course_id = :course AND kind = 'default'",
        "DELETE FROM partitions WHERE course_id = :course AND kind = 'default'",
        "UPDATE groups SET capacity = 7 WHERE course_id = :course AND name IS NULL",
        "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
        " SELECT course_id, partition_id, :user, id FROM groups"
        " WHERE course_id = :course AND name IS NULL",
    ],
)
async def test_the_default_partition_is_not_edited(sql: SQL, world: World, statement: str) -> None:
    parameters = {"course": world.course_id}
    if ":user" in statement:
        parameters["user"] = world.users[0]
    assert await broken(sql, statement, **parameters) == "default_partition"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM groups WHERE course_id = :course AND name IS NULL",
        "INSERT INTO groups (course_id, partition_id, name, position) SELECT :course, id, 'X', 1"
        " FROM partitions WHERE course_id = :course AND kind = 'default'",
    ],
)
async def test_the_default_partition_keeps_its_one_group(
    sql: SQL, world: World, statement: str
) -> None:
    assert await broken(sql, statement, course=world.course_id) == "groups_editable"


@pytest.mark.parametrize("kind", ["tracks", "cohorts"])
async def test_a_course_has_one_partition_of_each_special_kind(
    sql: SQL, world: World, kind: str
) -> None:
    flags = {"groups_editable": False} if kind == "tracks" else {}
    await world.add_partition("one", kind, **flags)
    statement = (
        "INSERT INTO partitions (course_id, kind, name, position, groups_editable)"
        " VALUES (:course, :kind, 'two', 1, false)"
    )
    refused = await broken(sql, statement, course=world.course_id, kind=kind)
    assert refused == "uq_partitions_kind"


LOCKED = [
    "INSERT INTO partitions (course_id, name, position) VALUES (:course, 'new', 1)",
    "UPDATE partitions SET name = 'new' WHERE id = :partition",
    "DELETE FROM partitions WHERE id = :partition",
    "INSERT INTO groups (course_id, partition_id, name, position)"
    " VALUES (:course, :partition, 'new', 1)",
    "UPDATE groups SET position = 9 WHERE id = :group",
    "DELETE FROM groups WHERE id = :group",
    "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
    " VALUES (:course, :partition, :other, :group)",
    "UPDATE memberships SET since = now() WHERE group_id = :group",
    "DELETE FROM memberships WHERE group_id = :group",
    "DELETE FROM enrollments WHERE course_id = :course AND user_id = :user",
    "DELETE FROM courses WHERE id = :course",
]


@pytest.mark.parametrize("statement", LOCKED)
async def test_a_locked_course_refuses_every_change(sql: SQL, world: World, statement: str) -> None:
    partition = await world.add_partition()
    group = await world.add_group(partition)
    user, other = world.users[:2]
    await sql(ASSIGN, course=world.course_id, partition=partition, user=user, group=group)
    await sql("UPDATE courses SET is_locked = true WHERE id = :id", id=world.course_id)
    before = await world.log()
    values = {
        "course": world.course_id,
        "partition": partition,
        "group": group,
        "user": user,
        "other": other,
    }
    used = {name: value for name, value in values.items() if f":{name}" in statement}
    assert await broken(sql, statement, **used) == "course_open"
    assert await world.log() == before


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO groups (course_id, partition_id, name, position)"
        " VALUES (:course, :partition, 'new', 1)",
        "UPDATE groups SET name = 'new' WHERE id = :group",
        "DELETE FROM groups WHERE id = :group",
    ],
)
async def test_groups_that_are_not_editable_keep_their_names(
    sql: SQL, world: World, statement: str
) -> None:
    partition = await world.add_partition()
    group = await world.add_group(partition)
    await sql("UPDATE partitions SET groups_editable = false WHERE id = :id", id=partition)
    values = {"course": world.course_id, "partition": partition, "group": group}
    used = {name: value for name, value in values.items() if f":{name}" in statement}
    assert await broken(sql, statement, **used) == "groups_editable"


async def test_editability_stops_neither_moves_nor_order_nor_the_partition(
    sql: SQL, world: World
) -> None:
    partition = await world.add_partition()
    group = await world.add_group(partition)
    await sql("UPDATE partitions SET groups_editable = false WHERE id = :id", id=partition)
    await sql("UPDATE groups SET position = 5, capacity = 9 WHERE id = :id", id=group)
    await sql(ASSIGN, course=world.course_id, partition=partition, user=world.users[0], group=group)
    await sql("DELETE FROM partitions WHERE id = :id", id=partition)
    assert await sql("SELECT id FROM groups WHERE id = :id", id=group) == []


async def test_a_group_is_never_over_its_capacity(sql: SQL, world: World) -> None:
    partition = await world.add_partition()
    full = await world.add_group(partition, "A", capacity=1)
    other = await world.add_group(partition, "B")
    one, two = world.users[:2]
    place = {"course": world.course_id, "partition": partition}
    await sql(ASSIGN, **place, user=one, group=full)
    assert await broken(sql, ASSIGN, **place, user=two, group=full) == "group_capacity"
    await sql(ASSIGN, **place, user=two, group=other)
    move = "UPDATE memberships SET group_id = :group WHERE user_id = :user"
    assert await broken(sql, move, user=two, group=full) == "group_capacity"
    shrink = "UPDATE groups SET capacity = 0 WHERE id = :group"
    assert await broken(sql, shrink, group=full) == "capacity_below_members"


async def test_members_of_ordinary_partitions_are_enrolled(sql: SQL, world: World) -> None:
    (stranger,) = await world.add_users(1)
    partition = await world.add_partition()
    group = await world.add_group(partition)
    place = {"course": world.course_id, "partition": partition, "group": group}
    assert await broken(sql, ASSIGN, **place, user=stranger) == "member_enrolled"


async def test_cohorts_take_any_known_user(sql: SQL, world: World) -> None:
    (stranger,) = await world.add_users(1)
    partition = await world.add_partition("Cohorts", "cohorts")
    group = await world.add_group(partition)
    place = {"course": world.course_id, "partition": partition, "group": group}
    await sql(ASSIGN, **place, user=stranger)
    assert await world.members(group) == [stranger]
    assert await broken(sql, ASSIGN, **place, user=2**62) == "fk_memberships_user"


async def test_leaving_a_course_ends_all_but_cohort_memberships(sql: SQL, world: World) -> None:
    user = world.users[0]
    ordinary, cohorts = await world.add_partition(), await world.add_partition("C", "cohorts")
    group, cohort = await world.add_group(ordinary), await world.add_group(cohorts)
    await sql(ASSIGN, course=world.course_id, partition=ordinary, user=user, group=group)
    await sql(ASSIGN, course=world.course_id, partition=cohorts, user=user, group=cohort)
    await sql("UPDATE enrollments SET state = 'withdrawn' WHERE user_id = :user", user=user)
    assert (await world.members(group), await world.members(cohort)) == ([user], [user])
    await sql("DELETE FROM enrollments WHERE user_id = :user", user=user)
    assert (await world.members(group), await world.members(cohort)) == ([], [user])


async def test_membership_in_a_tracks_group_is_the_track(sql: SQL, world: World) -> None:
    user = world.users[0]
    partition = await world.add_partition("Parcours", "tracks", groups_editable=False)
    refused = await broken(
        sql,
        "INSERT INTO groups (course_id, partition_id, name, position) VALUES (:c, :p, 'A', 1)",
        c=world.course_id,
        p=partition,
    )
    assert refused == "groups_editable"
    rows = await sql(
        "WITH cause AS MATERIALIZED (SELECT set_config('groupsvc.cause', 'tracks', true))"
        " INSERT INTO groups (course_id, partition_id, name, position)"
        " SELECT :c, :p, name, 1 FROM cause, unnest(ARRAY['A', 'B']) name RETURNING id",
        c=world.course_id,
        p=partition,
    )
    track = "SELECT track FROM enrollments WHERE course_id = :c AND user_id = :u"
    place = {"course": world.course_id, "partition": partition, "user": user}
    await sql(ASSIGN, **place, group=rows[0][0])
    assert await sql(track, c=world.course_id, u=user) == [("A",)]
    await sql("UPDATE memberships SET group_id = :g WHERE user_id = :u", g=rows[1][0], u=user)
    assert await sql(track, c=world.course_id, u=user) == [("B",)]
    await sql("DELETE FROM partitions WHERE id = :id", id=partition)
    assert await sql(track, c=world.course_id, u=user) == [(None,)]


async def test_the_change_log_is_append_only(sql: SQL, world: World) -> None:
    for statement in (
        "UPDATE changes SET actor = 'x' WHERE course_id = :course",
        "DELETE FROM changes WHERE course_id = :course",
    ):
        refused = await broken(sql, statement, course=world.course_id)
        assert refused == "changes_append_only"
    assert await broken(sql, "TRUNCATE changes") == "changes_append_only"


async def test_raw_changes_leave_their_lines(sql: SQL, world: World) -> None:
    partition = await world.add_partition()
    one, two = await world.add_group(partition, "A"), await world.add_group(partition, "B")
    user = world.users[0]
    await sql(ASSIGN, course=world.course_id, partition=partition, user=user, group=one)
    await sql("UPDATE memberships SET group_id = :g WHERE user_id = :u", g=two, u=user)
    await sql("DELETE FROM groups WHERE id = :id", id=two)
    a = {"group_id": one, "group_name": "A", "partition_name": "TD"}
    b = {"group_id": two, "group_name": "B", "partition_name": "TD"}
    assert await world.log("membership.%") == [
        ("membership.assigned", user, one, None, a),
        ("membership.moved", user, two, a, b),
        ("membership.removed", user, two, b, None),
    ]


BEARERS = (
    "INSERT INTO accounts (name, secret_hash) VALUES (:name, 'x')",
    "INSERT INTO tokens (digest, account_id, expires_at)"
    " SELECT sha256(name::bytea), id, 'infinity' FROM accounts WHERE name = :name",
    "INSERT INTO grants (account_id, permission, course_id)"
    " SELECT id, 'groups:read', :course FROM accounts WHERE name = :name",
    "INSERT INTO roles (user_id, role, department_id) VALUES (:person, 'staff', :department)",
)
OF_ACCOUNT = "account_id = (SELECT id FROM accounts WHERE name = :name)"


@pytest_asyncio.fixture(scope="module")
async def apart(make_database: MakeDatabase, settings: Settings) -> AsyncIterator[SQL]:
    """A database of its own, whose tables may be emptied."""
    engine = make_engine(await make_database(), settings)
    await migrate.upgrade(engine)
    yield statements(engine)
    await engine.dispose()


@pytest.mark.parametrize(
    ("statement", "revokes"),
    [
        ("UPDATE accounts SET is_active = false WHERE name = :name", True),
        ("DELETE FROM accounts WHERE name = :name", True),
        (f"DELETE FROM tokens WHERE {OF_ACCOUNT}", True),
        (f"UPDATE tokens SET expires_at = now() WHERE {OF_ACCOUNT}", True),
        (f"UPDATE grants SET permission = 'groups:write' WHERE {OF_ACCOUNT}", True),
        ("DELETE FROM roles WHERE user_id = :person", True),
        ("UPDATE users SET is_active = false WHERE id = :person", True),
        ("UPDATE users SET username = username || '2' WHERE id = :person", True),
        ("DELETE FROM users WHERE id = :person", True),
        ("UPDATE departments SET acronym = acronym || '2' WHERE id = :department", True),
        ("UPDATE courses SET key = key || '2' WHERE id = :course", True),
        ("TRUNCATE tokens", True),
        ("TRUNCATE grants", True),
        ("TRUNCATE roles", True),
        ("UPDATE users SET email = NULL WHERE id = :person", False),
        ("UPDATE users SET is_active = false WHERE id = :student", False),
        ("UPDATE courses SET title = 'Other' WHERE id = :course", False),
        ("INSERT INTO accounts (name, secret_hash) VALUES (:name || '2', 'x')", False),
    ],
)
async def test_whatever_changes_what_a_token_stands_for_changes_the_version(
    apart: SQL, statement: str, *, revokes: bool
) -> None:
    world = await World(apart).make(2)
    names = {
        "name": world.department,
        "course": world.course_id,
        "department": world.department_id,
        "person": world.users[0],
        "student": world.users[1],
    }
    for each in BEARERS:
        await apart(each, **named(each, names))
    before = await apart("SELECT version FROM access_version")
    await apart(statement, **named(statement, names))
    assert (await apart("SELECT version FROM access_version") != before) is revokes


def named(statement: str, values: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if f":{name}" in statement}


async def test_opposite_bulk_moves_do_not_deadlock(sql: SQL, world: World) -> None:
    partition = await world.add_partition()
    groups = [await world.add_group(partition, name) for name in "AB"]
    statement = (
        "INSERT INTO memberships AS m (course_id, partition_id, user_id, group_id)"
        " SELECT :course, :partition, u, :group FROM unnest(CAST(:users AS bigint[])) u ORDER BY u"
        " ON CONFLICT (course_id, partition_id, user_id) DO UPDATE SET group_id = excluded.group_id"
    )
    place = {"course": world.course_id, "partition": partition}
    orders = (world.users, world.users[::-1])
    await asyncio.gather(
        *(sql(statement, **place, group=groups[n % 2], users=orders[n % 2]) for n in range(20))
    )
    assert sum([len(await world.members(group)) for group in groups]) == len(world.users)
