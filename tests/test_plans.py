"""What the hot statements read, in a database in which a wrong plan shows.

The plans of the driver's form and of the one with a token are looked at, made for the arguments as
well as without knowing them.
"""

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from groupsvc.core.accounts import repository as accounts
from groupsvc.core.changes import feed
from groupsvc.core.class_lists import repository as rolls
from groupsvc.core.cohorts import repository as cohorts
from groupsvc.core.courses import repository as courses
from groupsvc.core.enrollments import repository as enrollments
from groupsvc.core.groups import repository as groups
from groupsvc.core.memberships import repository as memberships
from groupsvc.core.partitions import repository as partitions
from groupsvc.core.roles import repository as roles
from groupsvc.core.users import repository as users
from groupsvc.db import count_cache, migrate
from groupsvc.db.engine import make_engine
from groupsvc.db.statements import Statement
from groupsvc.settings import Settings
from tests.conftest import MakeDatabase
from tests.large import EVERYBODY, GIANT, STUDENTS, load

CALLERS = 7
SMALL = {"departments", "access_version", "pg_database"}

ORDINARY = 7  # a course
TD, COHORTS = 3 * ORDINARY + 1, 3 * ORDINARY + 2
GROUP, COHORT = 1_000_000 + 20 * ORDINARY + 3, 2_000_000 + 20 * ORDINARY + 3
GIANT_GROUP, GIANT_COHORT = 1_000_000 + 20 * GIANT + 3, 2_000_000 + 20 * GIANT + 3
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
    found = {"group_id": group, "user_id": user, **memberships.ANY_USER, **WRITING, **others}
    known = found["visible_users_only"] or found["by_known_id"]
    return Case(memberships.SQL.assign_known if known else memberships.SQL.assign, 1, found)


def remove(group: int | None, partition: int | None, **others: Any) -> Case:
    found = {
        "group_id": group,
        "partition_id": partition,
        "user_id": STUDENT,
        "visible_users_only": True,
        "by_known_id": False,
    }
    return Case(memberships.SQL.remove, 1, {**found, **WRITING, **others})


def of_course(statement: Statement, needed: int, course: int = ORDINARY, **more: Any) -> Case:
    return Case(statement, needed, {"course_id": course, **more})


def in_group(group: int, needed: int, **where: Any) -> Case:
    return Case(memberships.SQL.in_group, needed, {"group_id": group, **page(**where)})


def in_no_group(course: int, needed: int) -> Case:
    place = {"course_id": course, "partition_id": 3 * course + 1}
    return Case(memberships.SQL.in_no_group, needed, {**place, **page()})


def of_user(needed: int, **arguments: Any) -> Case:
    return Case(memberships.SQL.of_user, needed, {"user_id": STUDENT, **arguments})


def arrive(course: int, needed: int, user: int = LOOSE) -> Case:
    arguments = {"course_id": course, "user_id": user, "group_id": None, **NOBODY_SAID}
    return Case(cohorts.SQL.assign_automatically, needed, arguments)


def in_cohort(course: int, needed: int, **where: Any) -> Case:
    found = {
        "key": f"c{course}",
        "group_id": 2_000_000 + 20 * course + 3,
        "limit": 100,
        "offset": 0,
    }
    return Case(cohorts.SQL.members, needed, {**found, **where})


PAGED = {
    "limit": 100,
    "offset": 0,
    "descending": False,
    "collated": True,
    **count_cache.NEVER,
}
MEANT = {"departments": ["D1"] * 3, "by_number": False, "with_retired": False}
CASES = {
    "a partition": Case(partitions.SQL.read, 10, {"id": TD}),
    "partitions": of_course(partitions.SQL.in_course, 20),
    "a group": Case(groups.SQL.read, 1, {"id": GROUP}),
    "where a group is": Case(groups.SQL.find_past, 1, {"id": GROUP}),
    "where a group was": Case(groups.SQL.find_past, 0, {"id": 1}),
    "members": in_group(GROUP, 20),
    "members of the giant": in_group(GIANT_GROUP, 51),
    "members of the giant, further on": in_group(GIANT_GROUP, 51, after=15_000),
    "everybody": in_group(ORDINARY, 51),
    "everybody in the giant": in_group(GIANT, 51),
    "everybody in the giant, further on": in_group(GIANT, 51, after=15_000),
    "in no group": in_no_group(ORDINARY, STUDENTS),
    "in no group of the giant": in_no_group(GIANT, 20 * 50),
    "members as they were": Case(
        memberships.SQL.in_group_as_of,
        STUDENTS,
        {
            "course_id": ORDINARY,
            "partition_id": TD,
            "group_id": GROUP,
            "as_of": "2100-01-01",
            **page(),
        },
    ),
    "a user's groups as they were": of_course(
        memberships.SQL.of_user_in_course_as_of, 2, user_id=STUDENT, as_of="2100-01-01"
    ),
    "a user's groups in a course": of_course(memberships.SQL.of_user_in_course, 2, user_id=STUDENT),
    "a user's groups": of_user(4, **REACH),
    "a user's groups, everywhere": of_user(4, **EVERYWHERE),
    "own groups": Case(memberships.SQL.mine, 4, {"username": "u1221"}),
    "enter": assign(GROUP, LOOSE),
    "enter, for all": assign(GROUP, LOOSE, **EVERYWHERE),
    "enter, in reach": assign(GROUP, LOOSE, visible_users_only=True),
    "enter, by known id": assign(GROUP, LOOSE, visible_users_only=True, by_known_id=True),
    "move": assign(GROUP, STUDENT),
    "enter the giant": assign(GIANT_GROUP, 20),
    "leave": remove(GROUP - 2, None),
    "leave, for all": remove(GROUP - 2, None, **EVERYWHERE),
    "leave a partition": remove(None, TD),
    "cohorts": Case(cohorts.SQL.page, STUDENTS, {"key": f"c{ORDINARY}", **PAGED}),
    "cohorts, backwards": Case(
        cohorts.SQL.page, STUDENTS, {"key": f"c{ORDINARY}", **PAGED, "descending": True}
    ),
    "cohorts by code point": Case(
        cohorts.SQL.page, STUDENTS, {"key": f"c{ORDINARY}", **PAGED, "collated": False}
    ),
    "cohorts of the giant": Case(cohorts.SQL.page, EVERYBODY, {"key": f"c{GIANT}", **PAGED}),
    "a cohort": Case(cohorts.SQL.read, 20, {"key": f"c{ORDINARY}", "group_id": COHORT}),
    "a cohort of the giant": Case(
        cohorts.SQL.read, 1000, {"key": f"c{GIANT}", "group_id": GIANT_COHORT}
    ),
    "members of a cohort": in_cohort(ORDINARY, 20),
    "members of a giant's": in_cohort(GIANT, 1000),
    "the last members of a giant's": in_cohort(GIANT, 1000, offset=-1),
    "cohort settings": Case(cohorts.SQL.find_settings, 1, {"key": f"c{ORDINARY}"}),
    "the cohort of a user": of_course(cohorts.SQL.of_user, 1, user_id=STUDENT),
    "arrive by balance": arrive(ORDINARY, STUDENTS),
    "arrive by chance": arrive(GIANT, 20, 20),
    "arrive again": arrive(GIANT, 20, STUDENT),
    "the roll of a group": Case(rolls.SQL.of_group, 20, {"group_id": GROUP, "state": None}),
    "the roll of everybody": Case(
        rolls.SQL.of_group, STUDENTS, {"group_id": ORDINARY, "state": None}
    ),
    "the roll of a giant's": Case(
        rolls.SQL.of_group, 1000, {"group_id": GIANT_GROUP, "state": None}
    ),
    "the roll of a course": of_course(rolls.SQL.of_course, 2 * STUDENTS, state=None),
    "an enrollment": of_course(enrollments.SQL.read, 1, user_id=STUDENT),
    "enrollments": of_course(enrollments.SQL.page, 51, **{**page(51), **NO_SEARCH}),
    "enrollments in the giant": of_course(
        enrollments.SQL.page, 51, GIANT, **{**page(51, after=15_000), **NO_SEARCH}
    ),
    "enrollments searched": of_course(
        enrollments.SQL.page, STUDENTS, **{**page(51), "search": "u13", "names": None}
    ),
    "a course": Case(courses.SQL.read, 1, {"id": ORDINARY, "key": None}),
    "a course by its key": Case(courses.SQL.read, 1, {"id": None, "key": "c7"}),
    "a user": Case(users.SQL.read, 4, {"id": STUDENT, "username": None, **REACH}),
    "whoever is meant": Case(
        users.SQL.identify, 3, {"identifiers": ["U1", "u2", "x@y"], **MEANT, "any_case": True}
    ),
    "whoever is called so": Case(users.SQL.by_username, 3, {"usernames": ["u1", "u2", "x@y"]}),
    "whoever is meant exactly": Case(
        users.SQL.identify, 3, {"identifiers": ["U1", "u2", "x@y"], **MEANT, "any_case": False}
    ),
    "whoever may be meant": Case(
        users.SQL.candidates,
        6,
        {"names": ["U-1", "u2", "x@y"], "lows": ["1", "12", "3"], "highs": ["1", "12", "3"]},
    ),
    "a user by name": Case(users.SQL.read, 4, {"id": None, "username": "u1221", **REACH}),
}


@pytest_asyncio.fixture(scope="module")
async def large(make_database: MakeDatabase, settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(await make_database(), settings)
    await migrate.upgrade(engine)
    await load(engine)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture
async def one(large: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction that is rolled back."""
    async with large.connect() as one:
        await one.execution_options(isolation_level="READ COMMITTED")
        yield one
        await one.rollback()


@pytest_asyncio.fixture
async def known(one: AsyncConnection) -> dict[str, Any]:
    """The version of what tokens stand for."""
    ((version,),) = await one.exec_driver_sql("SELECT version FROM access_version")
    return {"access_version": version}


def element(value: Any) -> str:
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return "NULL" if value is None else f'"{escaped}"'


def literal(value: Any) -> str:
    if isinstance(value, list):
        value = "{" + ",".join(map(element, value)) + "}"
    if isinstance(value, bytes):
        value = "\\x" + value.hex()
    return "NULL" if value is None else f"'{value}'"


async def plan_of(one: AsyncConnection, statement: Statement, arguments: dict[str, Any]) -> Any:
    """The plan as it was executed."""
    return await plan(one, statement.query, [arguments.get(name) for name in statement.names])


async def plan(one: AsyncConnection, query: str, arguments: Sequence[Any]) -> Any:
    given = ", ".join(map(literal, arguments))
    await one.exec_driver_sql(f"PREPARE stated AS {query}")
    explain = f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE stated{f'({given})' if given else ''}"
    (found,) = (await one.exec_driver_sql(explain)).scalars()
    await one.exec_driver_sql("DEALLOCATE stated")
    return found[0]["Plan"]


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
    read = [
        (each["Node Type"], each.get("Relation Name"), each.get("Index Name"), rows_read(each))
        for each in nodes(plan)
        if each["Actual Loops"]
        and each.get("Relation Name") not in SMALL
        # As many locks as whoever else is on the server holds.
        and each.get("Function Name") != "pg_lock_status"
    ]
    assert [each for each in read if each[0] == "Seq Scan" and each[1]] == []
    assert [each for each in read if each[3] > 4 * needed + 20] == []


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("form", ["alone", "with a token check"])
@pytest.mark.parametrize("name", CASES)
async def test_a_hot_statement_reads_what_it_needs(
    one: AsyncConnection, known: dict[str, Any], name: str, form: str, mode: str
) -> None:
    case = CASES[name]
    checked = form == "with a token check"
    statement = case.statement.with_token_check if checked else case.statement
    assert statement is not None
    token = known if checked else dict.fromkeys(known)
    await one.exec_driver_sql(f"SET LOCAL plan_cache_mode = {mode}")
    hold_to(await plan_of(one, statement, {**case.arguments, **token}), case.needed)


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("form", ["alone", "with a token check"])
@pytest.mark.parametrize("name", [name for name in CASES if CASES[name].statement.may_be_gathered])
async def test_for_several_callers_it_reads_what_each_needs(
    one: AsyncConnection, known: dict[str, Any], name: str, form: str, mode: str
) -> None:
    case = CASES[name]
    checked = form == "with a token check"
    statement = case.statement.with_token_check if checked else case.statement
    assert statement is not None
    given = {**case.arguments, **(known if checked else dict.fromkeys(known))}
    calls = [[given.get(each) for each in statement.names] for _ in range(CALLERS)]
    apart = statement.gathered.apart
    for number, call in enumerate(calls if apart is not None else ()):
        call[apart] += number
    await one.exec_driver_sql(f"SET LOCAL plan_cache_mode = {mode}")
    found = await plan(one, statement.gathered.query, statement.gathered.arguments(calls))
    assert found["Actual Rows"] >= CALLERS
    # What was written is matched with who asked, each with each.
    hold_to(found, CALLERS * case.needed * (1 if apart is None else CALLERS))


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize(
    ("statement", "arguments"),
    [
        (accounts.SQL.bearer, {"digest": hashlib.sha256(b"7").digest()}),
        (roles.SQL.of_bearers, {"usernames": ["u7"]}),
    ],
)
async def test_so_does_a_caller(
    one: AsyncConnection, statement: Statement, arguments: dict[str, Any], mode: str
) -> None:
    """The account of a token, and the person whom a token names."""
    await one.exec_driver_sql(f"SET LOCAL plan_cache_mode = {mode}")
    plan = await plan_of(one, statement, arguments)
    assert plan["Actual Rows"] == 1
    hold_to(plan, 1)


@pytest.mark.parametrize("name", ["members", "members of the giant, further on", "everybody"])
async def test_who_is_in_a_page_of_members_is_read_of_indexes_alone(
    one: AsyncConnection, name: str
) -> None:
    """And in what state: users of a group are scattered over the tables."""
    case = CASES[name]
    plan = await plan_of(one, case.statement, {**case.arguments, "access_version": None})
    read = [
        each["Node Type"]
        for each in nodes(plan)
        if each.get("Relation Name") in ("memberships", "enrollments") and each["Actual Loops"]
    ]
    assert read
    assert set(read) == {"Index Only Scan"}


CHANGED = {
    "memberships": f"""UPDATE memberships SET group_id = {GIANT_GROUP}
        WHERE course_id = {GIANT} AND partition_id = {3 * GIANT + 1} AND group_id <> {GIANT_GROUP}
          AND user_id""",
    "enrollments": f"""UPDATE enrollments SET state = 'withdrawn'
        WHERE course_id = {GIANT} AND user_id""",
    "users": "UPDATE users SET given_name = 'Ada' WHERE id",
}


LOG = (
    "INSERT INTO changes (course_id, actor, changeset_id, kind) SELECT n % 200 + 1, 'somebody',"
    " gen_random_uuid(), 'group.updated' FROM generate_series(1, 40000) n"
)
SEALS = (
    "INSERT INTO audit_seals (id, last_seq, lines, changesets, previous, digest)"
    " SELECT n, n, 1, sha256('c'), sha256(n::text::bytea), sha256('d')"
    " FROM generate_series(1, 5000) n"
)
FEED = {
    "look": (feed.SQL.look, {"seq": 1}, 10),
    "lines": (feed.SQL.lines, {"courses": ["1", "2", "3"], "limit": 500}, 100),
    "course_lines": (feed.SQL.course_lines, {"course_id": 5, "after": 0, "limit": 11}, 11),
    "places": (feed.SQL.places, {"courses": ["1", "2", "3"]}, 3),
}


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("name", FEED)
async def test_whoever_follows_the_log_reads_its_end(
    one: AsyncConnection, name: str, mode: str
) -> None:
    await one.exec_driver_sql(LOG)
    await one.exec_driver_sql(SEALS)
    ((last,),) = await one.exec_driver_sql("SELECT max(seq) FROM changes")
    statement, arguments, needed = FEED[name]
    await one.exec_driver_sql(f"SET LOCAL plan_cache_mode = {mode}")
    where = {"after": last - 100, "until": last, "mark": "00000000"}
    hold_to(await plan_of(one, statement, {**where, **arguments}), needed)


@pytest.mark.parametrize("table", CHANGED)
async def test_the_log_of_many_is_not_planned_as_that_of_one(
    one: AsyncConnection, table: str
) -> None:
    """One by one they would be compared for minutes."""
    logged = (
        "SELECT count(*) FROM changes WHERE changeset_id <> '00000000-0000-0000-0000-000000000000'"
    )
    await one.exec_driver_sql("SET LOCAL statement_timeout = '60s'")
    for user in range(1, 8):
        await one.exec_driver_sql(f"{CHANGED[table]} = {user}")
    done = await one.exec_driver_sql(f"{CHANGED[table]} BETWEEN 8 AND 20000")
    assert done.rowcount > 15_000
    assert (await one.exec_driver_sql(logged)).scalar_one() == done.rowcount + 7
