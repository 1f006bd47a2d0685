"""What the hot statements read, in a database in which a wrong plan shows.

A hundred courses of 200 users, and a giant of 20,000. The plans of the driver's form and of the one
with a token are looked at, made for the arguments as well as without knowing them.
"""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from groupsvc.db import migrate
from groupsvc.db.engine import make_engine
from groupsvc.repositories import (
    cohort_sets,
    cohorts,
    connection,
    courses,
    enrollments,
    groups,
    membership_sql,
    partitions,
    rolls,
    users,
)
from groupsvc.repositories.statements import Native, Statement
from groupsvc.settings import Settings
from tests.conftest import MakeDatabase

COURSES, STUDENTS, GIANT, EVERYBODY = 100, 200, 101, 20_000
LARGE = {"users", "enrollments", "memberships", "groups", "changes", "tokens", "preassignments"}

# Numbers tell what a row belongs to. Every twentieth user is in no group and in no cohort.
ENROLLED = f"""(
    SELECT 1 + (u - 1) / {STUDENTS} AS c, u FROM generate_series(1, {COURSES * STUDENTS}) u
    UNION ALL SELECT {GIANT}, u FROM generate_series(1, {EVERYBODY}) u) e"""
LOAD = f"""
    INSERT INTO departments (id, acronym) SELECT n, 'D' || n FROM generate_series(1, 10) n;
    INSERT INTO users (id, department_id, username, email, sort_key, student_number)
        SELECT n, 1 + n % 10, 'u' || n, 'u' || n || '@example.org', 'n' || n, 's' || n
        FROM generate_series(1, {EVERYBODY}) n;
    INSERT INTO courses (id, department_id, key)
        SELECT c, 1 + c % 10, 'c' || c FROM generate_series(1, {GIANT}) c;
    INSERT INTO partitions (course_id, id, kind, name, position)
        SELECT c, 3 * c + k, (ARRAY['default', 'ordinary', 'cohorts'])[k + 1],
               (ARRAY[NULL, 'TD', 'Cohorts'])[k + 1], k
        FROM generate_series(1, {GIANT}) c, generate_series(0, 2) k;
    INSERT INTO groups (course_id, partition_id, id, name, position, assignment_type)
        SELECT c, 3 * c, c, NULL, 0, 'manual' FROM generate_series(1, {GIANT}) c
        UNION ALL SELECT c, 3 * c + k, k * 10000 + c * 20 + n, 'G' || n, n, 'random'
        FROM generate_series(1, {GIANT}) c, generate_series(0, 19) n, generate_series(1, 2) k
        WHERE n < 10 OR c = {GIANT};
    INSERT INTO enrollments (course_id, user_id) SELECT c, u FROM {ENROLLED};
    INSERT INTO memberships (course_id, partition_id, user_id, group_id)
        SELECT c, 3 * c + k, u, k * 10000 + c * 20 + (u / 20) % CASE c WHEN {GIANT} THEN 20
                                                               ELSE 10 END
        FROM {ENROLLED}, generate_series(1, 2) k WHERE u % 20 > 0;
    INSERT INTO changes (course_id, actor, changeset_id, kind, partition_id, group_id, user_id)
        SELECT course_id, 'load', '00000000-0000-0000-0000-000000000000', 'membership.assigned',
               partition_id, group_id, user_id FROM memberships;
    INSERT INTO cohort_settings (course_id, is_cohorted, random_assignment)
        SELECT c, true, CASE WHEN c < {GIANT} THEN 'balanced' ELSE 'uniform' END
        FROM generate_series(1, {GIANT}) c;
    INSERT INTO preassignments (course_id, partition_id, group_id, email)
        SELECT {GIANT}, {3 * GIANT + 2}, {20_000 + GIANT * 20}, 'w' || n || '@example.org'
        FROM generate_series(1, 5000) n;
    INSERT INTO accounts (id, name, secret_hash)
        SELECT n, 'a' || n, '' FROM generate_series(1, 500) n;
    INSERT INTO grants (account_id, permission, course_id)
        SELECT n, 'groups:write', 1 + n % {GIANT} FROM generate_series(1, 500) n;
    INSERT INTO tokens (digest, account_id, expires_at)
        SELECT sha256(CAST(n::text AS bytea)), 1 + n % 500, 'infinity'
        FROM generate_series(1, 5000) n;
"""

ORDINARY = 7  # a course
TD, COHORTS = 3 * ORDINARY + 1, 3 * ORDINARY + 2
GROUP, COHORT = 10_000 + 20 * ORDINARY + 3, 20_000 + 20 * ORDINARY + 3
GIANT_GROUP, GIANT_COHORT = 10_000 + 20 * GIANT + 3, 20_000 + 20 * GIANT + 3
STUDENT, LOOSE = STUDENTS * 6 + 21, STUDENTS * 6 + 20

NOBODY_SAID = {"actor": "a", "request_id": "r", "cause": ""}
REACH = {"everywhere": False, "departments": ["D2", "D8"], "courses": ["c3"]}
EVERYWHERE = {"everywhere": True, "departments": [], "courses": []}
NO_SEARCH = {"search": None, "names": None}
WRITING = {**NOBODY_SAID, **REACH}


def page(limit: int = 50, after: int = 0) -> dict[str, Any]:
    return {"state": None, "after": after, "limit": limit}


@dataclass(frozen=True)
class Case:
    """A statement, how many rows of the largest kind its answer is made of, and its arguments."""

    statement: Statement
    needed: int
    arguments: dict[str, Any]


def assign(group: int, user: int, **others: Any) -> Case:
    found = {"group_id": group, "user_id": user, "in_reach": False, **WRITING, **others}
    return Case(membership_sql.ASSIGN, 1, found)


def remove(group: int | None, partition: int | None, **others: Any) -> Case:
    found = {"group_id": group, "partition_id": partition, "user_id": STUDENT, "in_reach": True}
    return Case(membership_sql.REMOVE, 1, {**found, **WRITING, **others})


def of_course(statement: Statement, needed: int, course: int = ORDINARY, **more: Any) -> Case:
    return Case(statement, needed, {"course_id": course, **more})


def in_group(group: int, needed: int, **where: Any) -> Case:
    return Case(membership_sql.IN_GROUP, needed, {"group_id": group, **page(**where)})


def in_no_group(course: int, needed: int) -> Case:
    place = {"course_id": course, "partition_id": 3 * course + 1}
    return Case(membership_sql.IN_NO_GROUP, needed, {**place, **page()})


def of_user(needed: int, **arguments: Any) -> Case:
    whose = {"user_id": STUDENT, "username": None, "own": False, **arguments}
    return Case(membership_sql.OF_USER, needed, whose)


def arrive(course: int, needed: int, user: int = LOOSE) -> Case:
    arguments = {"course_id": course, "user_id": user, "group_id": None, **NOBODY_SAID}
    return Case(cohorts.ARRIVE, needed, arguments)


def in_cohort(course: int, needed: int, **where: Any) -> Case:
    found = {"key": f"c{course}", "group_id": 20_000 + 20 * course + 3, "limit": 100, "offset": 0}
    return Case(cohort_sets.MEMBERS, needed, {**found, **where})


PAGED = {"limit": 100, "offset": 0}
CASES = {
    "a partition": Case(partitions.READ, 10, {"id": TD}),
    "partitions": of_course(partitions.IN_COURSE, 20),
    "a group": Case(groups.READ, 1, {"id": GROUP}),
    "a group's place": Case(groups.FIND, 1, {"id": GROUP}),
    "members": in_group(GROUP, 20),
    "members of the giant": in_group(GIANT_GROUP, 51),
    "members of the giant, further on": in_group(GIANT_GROUP, 51, after=15_000),
    "everybody": in_group(ORDINARY, 51),
    "everybody in the giant": in_group(GIANT, 51),
    "everybody in the giant, further on": in_group(GIANT, 51, after=15_000),
    "in no group": in_no_group(ORDINARY, STUDENTS),
    "in no group of the giant": in_no_group(GIANT, 20 * 50),
    "a user's groups in a course": of_course(
        membership_sql.OF_USER_IN_COURSE, 2, user_id=STUDENT
    ),
    "a user's groups": of_user(4, **REACH),
    "a user's groups, everywhere": of_user(4, **EVERYWHERE),
    "own groups": of_user(4, **{**REACH, "own": True, "user_id": None, "username": "u1221"}),
    "enter": assign(GROUP, LOOSE),
    "enter, for all": assign(GROUP, LOOSE, **EVERYWHERE),
    "enter, in reach": assign(GROUP, LOOSE, in_reach=True),
    "move": assign(GROUP, STUDENT),
    "enter the giant": assign(GIANT_GROUP, 20),
    "leave": remove(GROUP - 2, None),
    "leave, for all": remove(GROUP - 2, None, **EVERYWHERE),
    "leave a partition": remove(None, TD),
    "cohorts": Case(cohort_sets.PAGE_UP, STUDENTS, {"key": f"c{ORDINARY}", **PAGED}),
    "cohorts, backwards": Case(cohort_sets.PAGE_DOWN, STUDENTS, {"key": f"c{ORDINARY}", **PAGED}),
    "cohorts of the giant": Case(cohort_sets.PAGE_UP, EVERYBODY, {"key": f"c{GIANT}", **PAGED}),
    "a cohort": Case(cohort_sets.READ, 20, {"key": f"c{ORDINARY}", "group_id": COHORT}),
    "a cohort of the giant": Case(
        cohort_sets.READ, 1000, {"key": f"c{GIANT}", "group_id": GIANT_COHORT}
    ),
    "members of a cohort": in_cohort(ORDINARY, 20),
    "members of a giant's": in_cohort(GIANT, 1000),
    "the last members of a giant's": in_cohort(GIANT, 1000, offset=-1),
    "cohort settings": Case(cohort_sets.SETTINGS, 1, {"key": f"c{ORDINARY}"}),
    "the cohort of a user": of_course(cohorts.COHORT_OF, 1, user_id=STUDENT),
    "arrive by balance": arrive(ORDINARY, STUDENTS),
    "arrive by chance": arrive(GIANT, 20, 20),
    "arrive again": arrive(GIANT, 20, STUDENT),
    "the roll of a group": Case(rolls.OF_GROUP, 20, {"group_id": GROUP, "state": None}),
    "the roll of everybody": Case(rolls.OF_GROUP, STUDENTS, {"group_id": ORDINARY, "state": None}),
    "the roll of a giant's": Case(rolls.OF_GROUP, 1000, {"group_id": GIANT_GROUP, "state": None}),
    "the roll of a course": of_course(rolls.OF_COURSE, 2 * STUDENTS, state=None),
    "an enrollment": of_course(enrollments.READ, 1, user_id=STUDENT),
    "enrollments": of_course(enrollments.PAGE, 51, **{**page(51), **NO_SEARCH}),
    "enrollments in the giant": of_course(
        enrollments.PAGE, 51, GIANT, **{**page(51, after=15_000), **NO_SEARCH}
    ),
    "enrollments searched": of_course(
        enrollments.PAGE, STUDENTS, **{**page(51), "search": "u13", "names": None}
    ),
    "a course": Case(courses.READ, 1, {"id": ORDINARY}),
    "a course by its key": Case(courses.READ_KEY, 1, {"key": "c7"}),
    "a board": Case(courses.BOARD, 2 * STUDENTS, {"id": ORDINARY, "with_members": True}),
    "a board of counts": Case(courses.BOARD, 2 * STUDENTS, {"id": ORDINARY, "with_members": False}),
    "a user": Case(users.READ, 4, {"id": STUDENT, **REACH}),
    "a user by name": Case(users.READ_NAME, 4, {"username": "u1221", **REACH}),
}


@pytest_asyncio.fixture(scope="module")
async def large(make_database: MakeDatabase, settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(await make_database(), settings)
    await migrate.upgrade(engine)
    async with engine.connect() as one:
        await one.exec_driver_sql("SET session_replication_role = replica")
        for statement in LOAD.split(";\n")[:-1]:
            await one.exec_driver_sql(statement)
        await one.exec_driver_sql("SET session_replication_role = DEFAULT")
        await one.exec_driver_sql("VACUUM ANALYZE")
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture
async def one(large: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction that is rolled back."""
    async with large.connect() as one:
        await one.execution_options(isolation_level="READ COMMITTED")
        yield one
        await one.rollback()


def literal(value: Any) -> str:
    if isinstance(value, list):
        value = "{" + ",".join(value) + "}"
    if isinstance(value, bytes):
        value = "\\x" + value.hex()
    return "NULL" if value is None else f"'{value}'"


async def plan_of(one: AsyncConnection, native: Native, arguments: dict[str, Any]) -> Any:
    """The plan as it was executed."""
    await one.exec_driver_sql(f"PREPARE stated AS {native.query}")
    given = ", ".join(literal(value) for value in native.arguments(arguments))
    explain = f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE stated{f'({given})' if given else ''}"
    (found,) = (await one.exec_driver_sql(explain)).scalars()
    await one.exec_driver_sql("DEALLOCATE stated")
    return json.loads(found)[0]["Plan"]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


def rows_read(node: dict[str, Any]) -> float:
    thrown = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    rows = node["Actual Rows"] + sum(node.get(each, 0) for each in thrown)
    return float(rows * node["Actual Loops"])


def hold_to(plan: dict[str, Any], needed: int) -> None:
    """Nothing large is read whole, and nothing that the answer does not need."""
    told = json.dumps(plan, indent=1)
    whole = {each.get("Relation Name") for each in nodes(plan) if each["Node Type"] == "Seq Scan"}
    assert not whole & LARGE, told
    assert max(map(rows_read, nodes(plan))) <= 4 * needed + 20, told


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("form", ["native", "guarded"])
@pytest.mark.parametrize("name", CASES)
async def test_a_hot_statement_reads_what_it_needs(
    one: AsyncConnection, name: str, form: str, mode: str
) -> None:
    case = CASES[name]
    (digest,) = (await one.exec_driver_sql("SELECT sha256('7')")).scalars()
    # How far from what it was at first may the data have come? Not even the statistics know.
    await one.exec_driver_sql(f"SET LOCAL plan_cache_mode = {mode}")
    known = {"bearer_digest": digest, "bearer": '["a8", null, [["groups:write", null, "c9"]]]'}
    native: Native | None = getattr(case.statement, form)
    assert native is not None
    plan = await plan_of(one, native, {**case.arguments, **known})
    assert form == "native" or "0 rows" not in plan
    hold_to(plan, case.needed)


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_so_does_a_token(one: AsyncConnection, mode: str) -> None:
    (digest,) = (await one.exec_driver_sql("SELECT sha256('7')")).scalars()
    await one.exec_driver_sql(f"SET LOCAL plan_cache_mode = {mode}")
    native = connection.HOLDER.native
    assert native is not None
    plan = await plan_of(one, native, {"bearer_digest": digest})
    assert plan["Actual Rows"] == 1
    hold_to(plan, 1)


CHANGED = {
    "memberships": f"""UPDATE memberships SET group_id = {GIANT_GROUP}
        WHERE course_id = {GIANT} AND partition_id = {3 * GIANT + 1} AND group_id <> {GIANT_GROUP}
          AND user_id""",
    "enrollments": f"UPDATE enrollments SET state = 'withdrawn' WHERE course_id = {GIANT} AND user_id",
    "users": "UPDATE users SET given_name = 'Ada' WHERE id",
}


@pytest.mark.parametrize("table", CHANGED)
async def test_the_log_of_many_is_not_planned_as_that_of_one(
    one: AsyncConnection, table: str
) -> None:
    """One by one they would be compared for minutes."""
    logged = "SELECT count(*) FROM changes WHERE changeset_id <> '00000000-0000-0000-0000-000000000000'"
    await one.exec_driver_sql("SET LOCAL statement_timeout = '10s'")
    for user in range(1, 8):
        await one.exec_driver_sql(f"{CHANGED[table]} = {user}")
    done = await one.exec_driver_sql(f"{CHANGED[table]} BETWEEN 8 AND 20000")
    assert done.rowcount > 15_000
    assert (await one.exec_driver_sql(logged)).scalar_one() == done.rowcount + 7
