"""The import from a running Open edX, with this face as the Open edX, over a real socket."""

import csv
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from groupsvc.domain.errors import GroupsvcError
from tests.api.openedx.conftest import Course
from tests.api.openedx.importing import run
from tests.conftest import SQL, World
from tests.live.serving import listening


@pytest_asyncio.fixture(scope="module")
async def address(app: FastAPI) -> AsyncIterator[str]:
    async with listening(app) as address:
        yield address


@pytest_asyncio.fixture
async def full(staff: httpx.AsyncClient, make_course: Any) -> Course:
    """A cohorted course with 102 cohorts, of which one has 120 members."""
    course: Course = await make_course(125)
    large = await course.add("Large", "random", content_partition_id=50, content_group_id=0)
    small = await course.add("Small")
    await course.world.sql(
        "INSERT INTO groups (course_id, partition_id, name, position)"
        " SELECT :course, :partition, 'C' || n, 1 FROM generate_series(1, 100) n",
        course=course.world.course_id,
        partition=course.partition,
    )
    await course.join(large, *course.world.users[:120])
    await course.join(small, *course.world.users[120:])
    await staff.put(course.settings, json={"is_cohorted": True})
    return course


async def cohorts(sql: SQL, key: str) -> list[Any]:
    return await sql(
        "SELECT g.name, g.assignment_type, g.content_partition_id, g.content_group_id,"
        " (SELECT array_agg(u.username ORDER BY u.username) FROM memberships m"
        "  JOIN users u ON u.id = m.user_id WHERE m.group_id = g.id)"
        " FROM groups g JOIN partitions p ON p.id = g.partition_id AND p.kind = 'cohorts'"
        " JOIN courses c ON c.id = g.course_id WHERE c.key = :key ORDER BY g.name",
        key=key,
    )


async def test_a_course_moves_over_with_all_that_is_missing(
    sql: SQL, elsewhere: SQL, address: str, full: Course, auth: Any
) -> None:
    token = auth("groups:write")["authorization"].partition(" ")[2]
    await elsewhere("INSERT INTO departments (acronym) VALUES ('MOOC')")
    line = (full.key, "--department", "MOOC", "--scheme", "JWT")
    first = await run(address, token, *line)
    assert (first.exit_code, first.stdout) == (0, "memberships: 125 assigned\n"), first.output
    assert await cohorts(elsewhere, full.key) == await cohorts(sql, full.key)
    settings = "SELECT is_cohorted FROM cohort_settings"
    assert await elsewhere(settings) == [(True,)]
    people = (
        "SELECT given_name, email FROM users WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY email"
    )
    here = await elsewhere("SELECT given_name, email FROM users ORDER BY email")
    assert here == await sql(people, ids=full.world.users)
    again = await run(address, token, *line)
    assert (again.exit_code, again.stdout) == (0, "memberships: 125 unchanged\n")
    assert await cohorts(elsewhere, full.key) == await cohorts(sql, full.key)


async def twin(sql: SQL, elsewhere: SQL, course: Course) -> World:
    """The same course elsewhere, with four users: two by name, two by address."""
    world = await World(elsewhere).make(0)
    await elsewhere(
        "UPDATE courses SET key = :key WHERE id = :id", key=course.key, id=world.course_id
    )
    world.users = await world.add_users(4)
    people = await course.people()
    for number, user in enumerate(world.users):
        column = ("username", "email")[number % 2]
        await elsewhere(
            f"UPDATE users SET {column} = :value WHERE id = :id",
            value=people[number][column],
            id=user,
        )
    return world


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("any_case", "memberships: 4 assigned, 1 refused"),
        ("exact", "memberships: 2 assigned, 3 refused"),
    ],
)
async def test_case_in_usernames_counts_as_the_setting_says(
    sql: SQL,
    elsewhere: SQL,
    address: str,
    course: Course,
    token: str,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    told: str,
) -> None:
    monkeypatch.setenv("GROUPSVC_OPENEDX_USERNAMES", setting)
    await course.join(await course.add("A"), *course.world.users)
    await twin(sql, elsewhere, course)
    await elsewhere("UPDATE users SET username = upper(username)")
    result = await run(address, token, course.key)
    assert result.stdout.splitlines()[0] == told


async def test_rows_that_cannot_be_written(
    sql: SQL, elsewhere: SQL, address: str, course: Course, token: str, tmp_path: Path
) -> None:
    a, b = await course.add("A", "random"), await course.add("B")
    users = course.world.users
    await course.join(a, *users[:3])
    await course.join(b, *users[3:])
    world = await twin(sql, elsewhere, course)
    partition = await world.add_partition("Cohorts", "cohorts")
    await world.add_group(partition, "B", capacity=0)
    other = await world.add_group(partition, "Other")
    await elsewhere(
        "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
        " VALUES (:course, :partition, :user, :group)",
        course=world.course_id,
        partition=partition,
        user=world.users[0],
        group=other,
    )
    report = tmp_path / "report.csv"
    result = await run(address, token, course.key, "--report", str(report))
    assert result.exit_code == 3
    people = await course.people()
    assert result.stdout.splitlines() == [
        "memberships: 2 assigned, 1 moved, 2 refused",
        f"{course.key}: B: {people[3]['username']}: group_full",
        f"{course.key}: B: {people[4]['username']}: unknown_user",
    ]
    lines = list(csv.reader(report.read_text(encoding="utf-8").splitlines()))
    assert lines[:2] == [
        ["course", "cohort", "user", "result", "code"],
        [course.key, "A", people[0]["username"], "moved", ""],
    ]
    assert len(lines) == 6
    rows = await elsewhere(
        "SELECT g.name, m.user_id FROM memberships m JOIN groups g ON g.id = m.group_id"
        " ORDER BY m.user_id"
    )
    assert rows == [("A", user) for user in world.users[:3]]
    assert await elsewhere("SELECT count(*) FROM preassignments") == [(0,)]


async def test_a_dry_run_writes_nothing(
    elsewhere: SQL, address: str, course: Course, token: str
) -> None:
    await course.join(await course.add("A"), *course.world.users)
    await elsewhere("INSERT INTO departments (acronym) VALUES ('MOOC')")
    result = await run(address, token, course.key, "--department", "MOOC", "--dry-run")
    assert (result.exit_code, result.stdout) == (0, "memberships: 5 assigned\n")
    for table in ("courses", "users", "groups"):
        assert await elsewhere(f"SELECT count(*) FROM {table}") == [(0,)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{address}", "{key}"), "there is no course {key}: declare it first, or name"),
        (("{address}", "{key}", "--scheme", "Basic"), "the scheme is Bearer or JWT"),
        (("ftp://x", "{key}"), "the address begins with"),
        (("http://127.0.0.1:9", "{key}"), "Open edX does not answer: ConnectError"),
        (("{address}/docs", "{key}"), "Open edX answers 404 to GET"),
        (("{address}", "course-v1:Other+C+2026"), "Open edX answers 403 to GET"),
    ],
)
async def test_what_is_wrong_is_said(
    elsewhere: SQL,
    address: str,
    course: Course,
    token: str,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    line = [each.format(address=address, key=course.key) for each in arguments]
    result = await run(line[0], token, *line[1:])
    assert isinstance(result.exception, GroupsvcError)
    assert result.exception.message.startswith(message.format(key=course.key))
