"""The import from a running ScoDoc into courses that are here, with this face as the ScoDoc."""

import asyncio
import csv
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import typer
from click.testing import Result
from fastapi import FastAPI
from sqlalchemy import URL
from typer.testing import CliRunner

from groupsvc.cli.scodoc import import_scodoc
from groupsvc.domain.errors import GroupsvcError
from tests.api.scodoc.conftest import MakeSemester, Semester
from tests.conftest import SQL, World
from tests.live.serving import listening

PASSWORD = "mot de passe"

command = typer.Typer()
command.command()(import_scodoc)


@pytest_asyncio.fixture(scope="module")
async def address(app: FastAPI) -> AsyncIterator[str]:
    async with listening(app) as address:
        yield address


@pytest_asyncio.fixture
async def login(client: httpx.AsyncClient, semester: Semester) -> str:
    """An account that may read the department of the semester."""
    name = f"import-{uuid.uuid4().hex[:8]}"
    grants = [f"ScoView@department:{semester.world.department}"]
    answer = await client.put(f"/v1/accounts/{name}", json={"secret": PASSWORD, "grants": grants})
    assert answer.status_code == 201, answer.text
    return name


@pytest.fixture(autouse=True)
def target(monkeypatch: pytest.MonkeyPatch, url: URL, home: Path) -> None:
    monkeypatch.setenv("GROUPSVC_DATABASE_URL", url.render_as_string(hide_password=False))
    monkeypatch.setenv("GROUPSVC_HOME", str(home))
    monkeypatch.setenv("GROUPSVC_SCODOC_PASSWORD", PASSWORD)


async def run(address: str, login: str, semester: Semester, *arguments: str) -> Result:
    """In a thread, for the command brings its own event loop."""
    department = semester.world.department
    line = [address, "--user", login, "--department", department, "--new-ids", *arguments]
    return await asyncio.to_thread(CliRunner().invoke, command, line)


async def twin(sql: SQL, semester: Semester, enrolled: int = 5) -> World:
    """A department whose students have the same numbers, with a course for the semester."""
    world = await World(sql).make(0)
    world.users = await world.add_users(5)
    await world.enroll(*world.users[:enrolled])
    for number, (there, here) in enumerate(zip(semester.students, world.users, strict=True)):
        column = ("student_number", "national_number")[number % 2]
        for user in (there, here):
            await sql(f"UPDATE users SET {column} = 'C{there}' WHERE id = :id", id=user)
    return world


async def structure(client: httpx.AsyncClient, course_id: int) -> list[Any]:
    """Partitions with their groups and how many are in each."""
    board = (await client.get(f"/v1/courses/{course_id}/board")).json()
    kept = ("name", "kind", "position", "show_in_lists", "show_rank_on_report", "groups_editable")
    return [
        (
            *(each[name] for name in kept),
            [
                (group["name"], group["position"], group["timetable_id"], group["member_count"])
                for group in each["groups"]
            ],
        )
        for each in board["partitions"]
    ]


@pytest_asyncio.fixture
async def full(
    client: httpx.AsyncClient, semester: Semester, parcours: dict[str, Any], sql: SQL
) -> Semester:
    """TD with three and TP with one student, Parcours with two; TP is not editable."""
    one = await semester.world.add_group(semester.tp, "1", timetable_id="E1")
    await semester.put(semester.a, *semester.students[:2])
    await semester.put(semester.b, semester.students[2])
    await semester.put(one, semester.students[3])
    await semester.put(parcours["groups"][0]["id"], *semester.students[3:])
    await sql(
        "UPDATE partitions SET groups_editable = false, show_rank_on_report = true WHERE id = :id",
        id=semester.tp,
    )
    return semester


async def test_a_semester_moves_over(
    client: httpx.AsyncClient, sql: SQL, address: str, login: str, full: Semester
) -> None:
    world = await twin(sql, full)
    goal = f"{full.id}={world.course}"
    first = await run(address, login, full, goal)
    assert (first.exit_code, first.stdout) == (0, "memberships: 6 assigned\n"), first.output
    assert await structure(client, world.course_id) == await structure(client, full.id)
    rows = await sql(
        "SELECT g.name, m.user_id FROM memberships m JOIN groups g ON g.id = m.group_id"
        " WHERE m.course_id = :id ORDER BY m.user_id, g.name",
        id=world.course_id,
    )
    u = world.users
    assert rows == [
        ("A", u[0]),
        ("A", u[1]),
        ("B", u[2]),
        ("1", u[3]),
        ("BDD", u[3]),
        ("BDD", u[4]),
    ]
    tracks = await sql(
        "SELECT track FROM enrollments WHERE course_id = :id ORDER BY user_id", id=world.course_id
    )
    assert [track for (track,) in tracks] == [None, None, None, "BDD", "BDD"]

    again = await run(address, login, full, goal)
    assert (again.exit_code, again.stdout) == (0, "memberships: 6 unchanged\n")
    assert await structure(client, world.course_id) == await structure(client, full.id)


async def test_rows_that_cannot_be_written(
    sql: SQL, elsewhere: SQL, address: str, login: str, full: Semester, tmp_path: Path
) -> None:
    s = full.students
    world = await World(elsewhere).make(0)
    world.users = await world.add_users(4)
    await world.enroll(*world.users[:3])
    for there, here in zip(s[1:], world.users, strict=True):
        for execute, user in ((sql, there), (elsewhere, here)):
            await execute(
                "UPDATE users SET student_number = :nip WHERE id = :id", nip=f"C{there}", id=user
            )
    await sql("UPDATE users SET national_number = :ine WHERE id = :id", ine=f"C{s[0]}", id=s[0])
    report = tmp_path / "report.csv"
    goal = f"{full.id}={world.course}"
    result = await run(address, login, full, goal, "--report", str(report))
    assert result.exit_code == 3
    assert result.stdout.splitlines() == [
        "memberships: 4 assigned, 2 refused",
        f"{full.id}: TD A: C{s[0]}: unknown_user",
        f"{full.id}: Parcours BDD: C{s[4]}: not_enrolled",
    ]
    lines = list(csv.reader(report.read_text(encoding="utf-8").splitlines()))
    assert lines[:3] == [
        ["formsemestre", "partition", "group", "student", "result", "code"],
        [str(full.id), "TD", "A", f"C{s[0]}", "refused", "unknown_user"],
        [str(full.id), "TD", "A", f"C{s[1]}", "assigned", ""],
    ]
    assert len(lines) == 7


async def test_a_dry_run_writes_nothing(
    client: httpx.AsyncClient, sql: SQL, address: str, login: str, full: Semester
) -> None:
    world = await twin(sql, full)
    result = await run(address, login, full, f"{full.id}={world.course}", "--dry-run")
    assert (result.exit_code, result.stdout) == (0, "memberships: 6 assigned\n")
    assert await structure(client, world.course_id) == []


async def test_what_is_there_is_kept(
    client: httpx.AsyncClient, sql: SQL, address: str, login: str, full: Semester
) -> None:
    world = await twin(sql, full)
    td = await world.add_partition("TD", position=7)
    own = await world.add_group(td, "Mine")
    await sql(
        "INSERT INTO memberships (course_id, partition_id, group_id, user_id)"
        " VALUES (:c, :p, :g, :u)",
        c=world.course_id,
        p=td,
        g=own,
        u=world.users[0],
    )
    result = await run(address, login, full, f"{full.id}={world.course}")
    assert result.stdout == "memberships: 5 assigned, 1 moved\n"
    (found,) = [each for each in await structure(client, world.course_id) if each[0] == "TD"]
    assert found[2] == 7
    assert [group[0] for group in found[-1]] == ["A", "Mine", "B"]


async def test_several_semesters(
    sql: SQL, address: str, client: httpx.AsyncClient, make_semester: MakeSemester, semester: Any
) -> None:
    """Of all departments, for a user who may read them all."""
    other = await make_semester(2)
    await semester.put(semester.a, semester.students[0])
    await other.put(other.b, other.students[0])
    worlds = [await twin(sql, semester), await World(sql).make(0)]
    name = f"import-{uuid.uuid4().hex[:8]}"
    body = {"secret": PASSWORD, "grants": ["ScoView"]}
    await client.put(f"/v1/accounts/{name}", json=body)
    goals = [f"{semester.id}={worlds[0].course}", f"{other.id}={worlds[1].course}"]
    line = [address, "--user", name, "--new-ids", *goals]
    result = await asyncio.to_thread(CliRunner().invoke, command, line)
    assert result.exit_code == 3
    # Usernames are unique everywhere: whom no number tells is found by their name.
    (last,) = [line for line in result.stdout.splitlines() if line.startswith(f"{other.id}:")]
    assert last.endswith(": not_enrolled")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--user", "nobody", "{goal}"], "ScoDoc answers 401 to POST /ScoDoc/api/tokens"),
        (["--user", "{login}", "--department", "NOWHERE", "{goal}"], "ScoDoc answers 404 to GET"),
        (["--user", "{login}", "{goal}"], "ScoDoc answers 403 to GET"),
        (["--user", "{login}", "--department", "{own}", "0=x"], "ScoDoc answers 404 to GET"),
        (
            ["--user", "{login}", "--department", "{own}", "--new-ids", "{id}=no-course"],
            "there is no course",
        ),
        (["--user", "{login}", "{id}"], "name formsemestres as ID=COURSE_KEY"),
        (["--user", "{login}", "x=y"], "name formsemestres as ID=COURSE_KEY"),
    ],
)
async def test_what_cannot_be_imported(
    address: str, login: str, semester: Semester, arguments: list[str], message: str
) -> None:
    names = {
        "login": login,
        "own": semester.world.department,
        "id": semester.id,
        "goal": f"{semester.id}={semester.world.course}",
    }
    line = [address, *(each.format(**names) for each in arguments)]
    result = await asyncio.to_thread(CliRunner().invoke, command, line)
    assert isinstance(result.exception, GroupsvcError)
    assert result.exception.message.startswith(message)


@pytest.mark.parametrize(
    ("server", "message"),
    [
        ("ftp://127.0.0.1", "the address begins with https:// or http://"),
        ("http://127.0.0.1:9", "ScoDoc does not answer: ConnectError"),
        ("http://x:y", "this is not the address of a ScoDoc"),
    ],
)
async def test_a_server_that_is_none(server: str, message: str) -> None:
    line = [server, "--user", "x", "1=x"]
    result = await asyncio.to_thread(CliRunner().invoke, command, line)
    assert isinstance(result.exception, GroupsvcError)
    assert result.exception.message == message


async def test_a_server_that_is_no_scodoc(address: str) -> None:
    """Whose tokens and lists look otherwise."""

    async def rubbish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(rubbish, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        line = [f"http://{host}:{port}", "--user", "x", "1=x"]
        result = await asyncio.to_thread(CliRunner().invoke, command, line)
    assert isinstance(result.exception, GroupsvcError)
    assert result.exception.message == "the server does not give tokens as ScoDoc does"
