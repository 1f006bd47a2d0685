"""A batch answers and does what its rows would, one after the other."""

import contextlib
from collections.abc import Collection, Sequence
from itertools import product
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.db.pool import ConnectionPool
from groupsvc.domain.errors import NotFoundError
from groupsvc.domain.principal import Grant, Permission, Principal
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.columns import Kind
from groupsvc.import_export.exports import Export, ExportService
from groupsvc.import_export.imports import ImportService
from groupsvc.import_export.kinds import (
    ASSIGNMENTS,
    CONTENT_GROUPS,
    COURSES,
    KINDS,
    PREASSIGNMENTS,
    ROLES,
    ROSTER,
    STRUCTURE,
)
from groupsvc.import_export.options import Options
from groupsvc.import_export.pending import Pending
from groupsvc.import_export.tables import Row
from tests.conftest import SQL, World
from tests.examples import examples

ANYBODY = Principal("anybody", grants=frozenset(Grant(each) for each in Permission))


def row(**columns: Any) -> st.SearchStrategy[dict[str, str]]:
    """Rows in which every column has one of its cells; some columns may be absent."""
    required = {name: st.sampled_from(cells) for name, cells in columns.items() if cells[0]}
    optional = {name: st.sampled_from(cells) for name, cells in columns.items() if not cells[0]}
    return st.fixed_dictionaries(required, optional=optional)


def rows_of(kind: Kind, world: World) -> st.SearchStrategy[list[dict[str, str]]]:
    name, key = world.department, world.course
    users = [f"{name}-{n}" for n in range(4)]
    strategies = {
        COURSES: row(
            department=[name, f"{name}-2"],
            department_name=["", "One", "Two"],
            course_key=["", key, f"{key}-2"],
            title=["", "A", "B"],
            is_locked=["", "true", "false"],
        ),
        ROSTER: row(
            username=users,
            family_name=["", "One", "Two"],
            department=["", name, "nowhere"],
            course_key=["", key, "nowhere"],
            state=["", "active", "withdrawn"],
        ),
        STRUCTURE: row(
            course_key=[key],
            partition=["TD", "TP", "C"],
            kind=["", "ordinary", "cohorts", "tracks"],
            groups_editable=["", "true", "false"],
            group=["", "A", "B"],
            capacity=["", "0", "1", "2"],
        ),
        ASSIGNMENTS: row(
            course_key=[key],
            user=[*users, "nobody"],
            partition=["TD", "TP", "C"],
            group=["", "A", "B", "D"],
        ),
        PREASSIGNMENTS: row(
            course_key=[key],
            partition=["TD", "C"],
            group=["A", "D"],
            waiting_email=["a@example.org", "A@example.org", "b@example.org", "x"],
        ),
        CONTENT_GROUPS: row(
            course_key=[key],
            content_partition_id=["1", "2"],
            content_partition=["", "One", "Two"],
            is_active=["", "true", "false"],
            content_group_id=["", "1", "2"],
            content_group=["", "A", "B"],
        ),
        ROLES: row(
            user=[*users, "nobody"],
            role=["", "staff", "moderator"],
            department=["", name, "nowhere"],
            course_key=["", key, "nowhere"],
        ),
    }
    return st.lists(strategies[kind], max_size=8)


async def take(
    uow: UnitOfWork, kind: Kind, rows: list[dict[str, str]], size: int, options: Options
) -> list[Any]:
    imports, pending, answers = ImportService(uow, ANYBODY), Pending(), []
    numbered = [Row(line, cells) for line, cells in enumerate(rows, start=2)]
    for start in range(0, len(numbered), size):
        batch = numbered[start : start + size]
        more, pending = await imports.import_batch(kind, batch, pending, options)
        answers += more
    await imports.lock(await imports.close(pending))
    return answers


async def state(uow: UnitOfWork, world: World) -> list[object]:
    """All that the departments have which rows may have brought."""
    exports, pages = ExportService(uow, ANYBODY), list[object]()
    for department in (world.department, f"{world.department}-2"):
        with contextlib.suppress(NotFoundError):
            for kind in KINDS:
                export = Export(kind, await exports.extent(kind, department=department))
                keyed = [place for place, name in enumerate(kind.exported) if name.endswith("key")]
                while not export.is_done:
                    page = await exports.next_page(export)
                    pages += [_without(row, keyed) for row in page]
    return pages


def _without(row: Sequence[object], places: Collection[int]) -> list[object]:
    """Keys of records are made anew with every attempt."""
    return [cell for place, cell in enumerate(row) if place not in places]


@pytest_asyncio.fixture(scope="module")
async def world(sql: SQL) -> World:
    """Two of four users in one of two groups of TD; nothing else but what rows bring.

    No group is limited: places are judged after a batch, and so not as row by row.
    """
    world = await World(sql).make(0)
    await sql(
        "INSERT INTO users (department_id, username, sort_key)"
        " SELECT :id, :name || '-' || n, '' FROM generate_series(0, 2) n",
        id=world.department_id,
        name=world.department,
    )
    found = await sql("SELECT id FROM users WHERE department_id = :id", id=world.department_id)
    world.users = [user for (user,) in found]
    await world.enroll(*world.users)
    partition = await world.add_partition("TD")
    cohorts = await world.add_partition("C", "cohorts", position=2)
    await world.add_group(cohorts, "D")
    group = await world.add_group(partition, "A")
    await world.add_group(partition, "B", position=2)
    await sql(
        "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
        " VALUES (:course, :partition, :user, :group)",
        course=world.course_id,
        partition=partition,
        user=world.users[0],
        group=group,
    )
    return world


@pytest.mark.parametrize(
    ("kind", "options"),
    [*product(KINDS, (Options(), Options(empty="clear"))), (ASSIGNMENTS, Options(create=True))],
)
@settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_a_batch_does_what_its_rows_do_one_by_one(
    pool: ConnectionPool, world: World, kind: Kind, options: Options, data: st.DataObject
) -> None:
    rows = data.draw(rows_of(kind, world))
    outcomes = []
    for each in (1, data.draw(st.integers(2, 8))):
        async with UnitOfWork(pool) as uow, uow.savepoint(rollback=True):
            answers = await take(uow, kind, rows, each, options)
            outcomes.append((answers, await state(uow, world)))
    assert outcomes[0] == outcomes[1]


@settings(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_the_order_of_users_in_a_roster_does_not_matter(
    pool: ConnectionPool, world: World, data: st.DataObject
) -> None:
    """Addresses and numbers pass from one user to another, whoever comes first."""
    name = world.department
    users = [f"{name}-{n}" for n in range(4)]
    start = [
        {"username": user, "email": f"{user}@x", "student_number": f"1{n}", "department": name}
        for n, user in enumerate(users)
    ]
    emails = data.draw(st.permutations([row["email"] for row in start]))
    numbers = data.draw(st.permutations([row["student_number"] for row in start]))
    rows = [
        {**row, "email": email, "student_number": number}
        for row, email, number in zip(start, emails, numbers, strict=True)
    ]
    for given_rows in (rows, data.draw(st.permutations(rows))):
        async with UnitOfWork(pool) as uow, uow.savepoint(rollback=True):
            await take(uow, ROSTER, start, 8, Options())
            answers = await take(uow, ROSTER, given_rows, 8, Options())
            assert {each.result for each in answers} <= {"updated", "unchanged"}, answers
            found = await uow.repository(BatchRepository).users(
                usernames=users,
                emails=[],
                student_numbers=[],
                national_numbers=[],
                external_ids=[],
            )
            assert {(each.username, each.email, each.student_number) for each in found} == {
                (row["username"], row["email"], row["student_number"]) for row in rows
            }
