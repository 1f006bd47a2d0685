"""Imports of what is here already, and of what somebody else changes meanwhile."""

import asyncio
import unicodedata
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.cli.remote_import import CopiedRow, make_client
from groupsvc.cli.runtime import OperatorRunner
from groupsvc.cli.scodoc_move import move_semester
from groupsvc.cli.scodoc_source import ScodocSource, SourceSemester
from groupsvc.core.unit_of_work import TransactionRunner
from groupsvc.db.engine import make_engine
from groupsvc.db.pool import ConnectionPool
from groupsvc.domain.errors import GroupsvcError
from groupsvc.settings import Settings
from tests.api.scodoc.moving import Move
from tests.api.scodoc.old_server import OldServer, Semester
from tests.conftest import SQL
from tests.waiting import until

NAMES = "SELECT id, name FROM groups WHERE course_id = 12 AND name IS NOT NULL ORDER BY id"
LINES = "SELECT count(*) FROM changes"


@pytest.fixture
def rt(old: OldServer) -> Semester:
    return old.semesters[12]


@pytest_asyncio.fixture
async def other_engine(other_url: URL, settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(other_url, settings)
    yield engine
    await engine.dispose()


async def read(address: str, number: int) -> SourceSemester:
    async with make_client(address, "a ScoDoc") as client:
        source = ScodocSource(client, None)
        async with source.logged_in("reader", "p"):
            return await source.semester(number, lambda _: None)


def counted(rows: list[CopiedRow]) -> Counter[tuple[str, str]]:
    return Counter((row.subject, row.result) for row in rows)


async def test_two_imports_at_once_write_what_one_does(
    old_address: str, other_engine: AsyncEngine, elsewhere: SQL
) -> None:
    source = await read(old_address, 12)
    runner = OperatorRunner(TransactionRunner(ConnectionPool(other_engine)))
    imports = [
        asyncio.create_task(runner.run(partial(move_semester, "12-S1", source))) for _ in range(4)
    ]
    first, *others = sorted([counted(each) for each in await asyncio.gather(*imports)], key=repr)
    assert first == {("students", "created"): 4, ("memberships", "assigned"): 4}
    assert others == [{("students", "unchanged"): 4, ("memberships", "unchanged"): 4}] * 3
    assert await elsewhere("SELECT count(*) FROM users") == [(4,)]


async def test_an_import_waits_for_whoever_makes_a_group(
    move: Move,
    old_address: str,
    other_engine: AsyncEngine,
    elsewhere: SQL,
    rt: Semester,
) -> None:
    """And then sees that the name is taken."""
    assert (await move("12=RT-S1")).exit_code == 0
    rt.partitions[31]["groups"]["47"] = {"id": 47, "group_name": "C", "numero": 2}
    rt.put(47)
    source = await read(old_address, 12)
    runner = OperatorRunner(TransactionRunner(ConnectionPool(other_engine)))
    before = await elsewhere(LINES)
    async with other_engine.connect() as holder:
        await holder.execution_options(isolation_level="READ COMMITTED")
        made = await holder.exec_driver_sql(
            "INSERT INTO groups (course_id, partition_id, name, position)"
            " VALUES (12, 31, 'C', 3) RETURNING id"
        )
        number = made.scalar_one()
        importing = asyncio.create_task(runner.run(partial(move_semester, "RT-S1", source)))

        async def waits() -> bool:
            assert not importing.done()
            return bool(
                await elsewhere(
                    "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    " AND datname = current_database()"
                )
            )

        await until(waits)
        await holder.commit()
    with pytest.raises(GroupsvcError, match=f"something else here: group {number}$"):
        await importing
    assert await elsewhere(LINES) == [(before[0][0] + 1,)]


async def test_groups_made_and_filled_during_an_import(
    move: Move,
    old_address: str,
    other_client: httpx.AsyncClient,
    other_engine: AsyncEngine,
) -> None:
    assert (await move("12=RT-S1")).exit_code == 0
    source = await read(old_address, 12)
    runner = OperatorRunner(TransactionRunner(ConnectionPool(other_engine)))
    imports = [runner.run(partial(move_semester, "RT-S1", source)) for _ in range(5)]
    writes = [
        other_client.post("/ScoDoc/api/partition/31/group/create", json={"group_name": f"own{n}"})
        for n in range(10)
    ]
    writes += [other_client.post("/ScoDoc/api/group/42/set_etudiant/101") for _ in range(10)]
    imported, written = await asyncio.gather(asyncio.gather(*imports), asyncio.gather(*writes))
    assert {answer.status_code for answer in written} == {200}
    for rows in imported:
        assert {row.result for row in rows} <= {"unchanged", "moved"}


async def test_accents_in_parts_are_composed(
    other_client: httpx.AsyncClient, move: Move, elsewhere: SQL, rt: Semester
) -> None:
    rt.partitions[31]["partition_name"] = unicodedata.normalize("NFD", "Dédoublé")
    rt.partitions[31]["groups"]["41"]["group_name"] = unicodedata.normalize("NFD", " Été ")
    for created in ("4 created", "4 unchanged"):
        result = await move("12=RT-S1")
        assert result.stdout.splitlines()[0] == f"students: {created}"
    partitions = (await other_client.get("/ScoDoc/api/formsemestre/12/partitions")).json()
    assert partitions["31"]["partition_name"] == "Dédoublé"
    assert partitions["31"]["groups"]["41"]["group_name"] == "Été"
    assert await elsewhere("SELECT count(*) FROM memberships WHERE group_id = 41") == [(2,)]


@pytest.mark.parametrize("name", ["", "  ", "x" * 256, "a\0b"])
async def test_names_that_cannot_be_stored_refuse_the_import(
    move: Move, elsewhere: SQL, rt: Semester, name: str
) -> None:
    rt.partitions[31]["groups"]["42"]["group_name"] = name
    result = await move("12=RT-S1")
    assert isinstance(result.exception, GroupsvcError)
    assert result.exception.message.startswith(repr(name[:80]))
    assert await elsewhere(LINES) == [(0,)]


async def test_students_without_any_number(move: Move, elsewhere: SQL, rt: Semester) -> None:
    """Told as nothing rather than as null."""
    rt.students[0] |= {"code_nip": "", "code_ine": " "}
    rt.students[1] |= {"code_nip": " ", "code_ine": None}
    for created in ("4 created", "4 unchanged"):
        result = await move("12=RT-S1")
        assert result.stdout.splitlines()[0] == f"students: {created}"
    rows = await elsewhere("SELECT id, username, student_number FROM users ORDER BY id LIMIT 2")
    assert rows == [(101, "RT-101", None), (102, "RT-102", None)]


async def test_a_group_comes_into_a_partition_that_is_not_editable(
    move: Move, elsewhere: SQL, rt: Semester
) -> None:
    rt.partitions[31]["groups_editable"] = False
    assert (await move("12=RT-S1")).exit_code == 0
    rt.partitions[31]["groups"]["41"]["group_name"] = "A1"
    rt.partitions[31]["groups"]["47"] = {"id": 47, "group_name": "C", "numero": 2}
    rt.put(47, 103)
    again = await move("12=RT-S1")
    assert (again.exit_code, again.stdout) == (
        0,
        "students: 4 unchanged\nmemberships: 1 moved, 4 unchanged\n",
    )
    assert await elsewhere(NAMES) == [(41, "A1"), (42, "B"), (43, "Cyber"), (47, "C")]
    assert await elsewhere("SELECT groups_editable FROM partitions WHERE id = 31") == [(False,)]


async def test_names_may_be_swapped_between_two_runs(
    move: Move, elsewhere: SQL, rt: Semester
) -> None:
    rt.partition(32, "Parcours", {43: "Cyber", 44: "IOM"})
    rt.put(44, 102)
    assert (await move("12=RT-S1")).exit_code == 0
    rt.partition(33, "TP", {})
    assert (await move("12=RT-S1")).exit_code == 0
    rt.partitions[31]["partition_name"], rt.partitions[33]["partition_name"] = "TP", "TD"
    for partition, one, other in ((31, "41", "42"), (32, "43", "44")):
        groups = rt.partitions[partition]["groups"]
        names = groups[one]["group_name"], groups[other]["group_name"]
        groups[other]["group_name"], groups[one]["group_name"] = names
    again = await move("12=RT-S1")
    assert (again.exit_code, again.stdout) == (
        0,
        "students: 4 unchanged\nmemberships: 5 unchanged\n",
    )
    assert await elsewhere(NAMES) == [(41, "B"), (42, "A"), (43, "IOM"), (44, "Cyber")]
    named = "SELECT id, name FROM partitions WHERE course_id = 12 AND name IS NOT NULL ORDER BY id"
    assert await elsewhere(named) == [(31, "TP"), (32, "Parcours"), (33, "TD")]
    tracks = "SELECT user_id, track FROM enrollments WHERE track IS NOT NULL ORDER BY user_id"
    assert await elsewhere(tracks) == [(101, "IOM"), (102, "Cyber")]


async def test_a_group_of_another_partition_there_is_refused(
    move: Move, elsewhere: SQL, rt: Semester
) -> None:
    """Its members here would lose what they have: somebody has to delete it first."""
    assert (await move("12=RT-S1")).exit_code == 0
    rt.partition(33, "TP", {42: "B"})
    del rt.partitions[31]["groups"]["42"]
    before = await elsewhere(LINES)
    refused = await move("12=RT-S1")
    assert isinstance(refused.exception, GroupsvcError)
    assert refused.exception.message == "ids are those of something else here: group 42"
    assert await elsewhere(LINES) == before
    await elsewhere("DELETE FROM groups WHERE id = 42")
    assert (await move("12=RT-S1")).exit_code == 0
    assert await elsewhere("SELECT partition_id FROM groups WHERE id = 42") == [(33,)]


async def test_numbers_that_were_corrected_there_are_corrected_here(
    move: Move, elsewhere: SQL, rt: Semester
) -> None:
    """Also swapped ones, and where a new student has what somebody had before."""
    rt.students[3]["code_ine"] = "0OLD"
    assert (await move("12=RT-S1")).exit_code == 0
    rt.students[0]["code_nip"], rt.students[1]["code_nip"] = "22102", "22101"
    rt.students[2]["code_nip"] = "99999"
    rt.students[3]["code_ine"] = "0NEW"
    rt.student(105, "22103")
    again = await move("12=RT-S1")
    assert (again.exit_code, again.stdout) == (
        0,
        "students: 4 corrected, 1 created\nmemberships: 4 unchanged\n",
    )
    rows = await elsewhere(
        "SELECT id, student_number, national_number, username FROM users ORDER BY id"
    )
    assert rows == [
        (101, "22102", None, "22101"),
        (102, "22101", None, "22102"),
        (103, "99999", None, "22103"),
        (104, "22104", "0NEW", "22104"),
        (105, "22103", None, "RT-105"),
    ]


async def test_whoever_has_two_ids_there_has_them_here(
    other_client: httpx.AsyncClient, move: Move, old: OldServer
) -> None:
    """In two departments, with one number: no id that a client has stored stops to be right."""
    old.semesters[20].students[0]["code_nip"] = "22101"
    for _ in range(2):
        assert (await move("12=RT-S1", "20=INFO-S1")).exit_code == 0
    for etudid, department in ((101, "RT"), (201, "INFO")):
        found = (await other_client.get(f"/ScoDoc/api/etudiant/etudid/{etudid}")).json()
        assert [found[name] for name in ("id", "code_nip", "dept_acronym")] == [
            *(etudid, "22101", department),
        ]


async def test_without_a_free_username_nobody_is_made(
    move: Move, elsewhere: SQL, rt: Semester
) -> None:
    await elsewhere("INSERT INTO departments (acronym) VALUES ('GEA')")
    await elsewhere(
        "INSERT INTO users (department_id, username, sort_key, foreign_id)"
        " SELECT id, known, known, n FROM departments,"
        " unnest(ARRAY['22101', 'RT-101'], ARRAY[7, 8]) AS taken (known, n)"
    )
    refused = await move("12=RT-S1")
    assert isinstance(refused.exception, GroupsvcError)
    assert refused.exception.message == "the username RT-101 is somebody else's"
    assert await elsewhere("SELECT count(*) FROM users") == [(2,)]


async def test_a_department_of_a_second_server_is_not_taken_for_the_first(
    move: Move, elsewhere: SQL, old: OldServer
) -> None:
    assert (await move("12=RT-S1")).exit_code == 0
    old.semesters[20].department = {"id": 7, "acronym": "RT", "dept_name": None}
    refused = await move("20=INFO-S1")
    assert isinstance(refused.exception, GroupsvcError)
    assert refused.exception.message == "ids are those of something else here: department 2"


async def test_a_locked_formsemestre_may_come_again(
    move: Move, elsewhere: SQL, rt: Semester
) -> None:
    rt.is_open = False
    assert (await move("12=RT-S1")).exit_code == 0
    rt.put(42, 103, 104)
    again = await move("12=RT-S1")
    assert again.stdout == "students: 4 unchanged\nmemberships: 1 assigned, 4 unchanged\n"
    assert await elsewhere("SELECT is_locked FROM courses") == [(True,)]
