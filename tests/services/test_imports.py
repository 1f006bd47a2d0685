"""A batch answers and does what its rows would, one after the other."""

import contextlib
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.db.pool import ConnectionPool
from groupsvc.domain.errors import NotFoundError
from groupsvc.domain.principal import Grant, Permission, Principal
from groupsvc.import_export.columns import Kind
from groupsvc.import_export.exports import Export, ExportService
from groupsvc.import_export.imports import ImportService, Pending
from groupsvc.import_export.kinds import ASSIGNMENTS, COURSES, KINDS, ROLES, ROSTER, STRUCTURE
from groupsvc.import_export.tables import Row
from tests.conftest import SQL, World

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
            email=["", *(f"{user}@x" for user in users), f"{users[0].upper()}@X"],
            student_number=["", "1", "2", "3"],
            department=["", name, "nowhere"],
            course_key=["", key, "nowhere"],
            state=["", "active", "withdrawn"],
        ),
        STRUCTURE: row(
            course_key=[key],
            partition=["TD", "TP", "C"],
            kind=["", "ordinary", "cohorts", "tracks"],
            position=["", "1", "9"],
            groups_editable=["", "true", "false"],
            group=["", "A", "B"],
            group_position=["", "1", "5"],
            capacity=["", "0", "1", "2"],
        ),
        ASSIGNMENTS: row(
            course_key=[key],
            user=[*users, "nobody"],
            partition=["TD", "TP", "C"],
            group=["", "A", "B", "D"],
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
    uow: UnitOfWork, kind: Kind, rows: list[dict[str, str]], size: int, *, create: bool = False
) -> list[Any]:
    imports, pending, answers = ImportService(uow, ANYBODY), Pending(), []
    numbered = [Row(line, cells) for line, cells in enumerate(rows, start=2)]
    for start in range(0, len(numbered), size):
        batch = numbered[start : start + size]
        more, pending = await imports.import_batch(kind, batch, pending, create=create)
        answers += more
    await imports.lock(await imports.close(pending))
    return answers


async def state(uow: UnitOfWork, world: World) -> list[bytes]:
    """All that the departments have which rows may have brought."""
    exports, pages = ExportService(uow, ANYBODY), list[bytes]()
    for department in (world.department, f"{world.department}-2"):
        with contextlib.suppress(NotFoundError):
            for kind in KINDS:
                export = Export(kind, await exports.extent(kind, department=department))
                while not export.is_done:
                    pages.append(await exports.next_page(export))
    return pages


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
    await world.add_partition("C", "cohorts", position=2)
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
    ("kind", "create"), [*((kind, False) for kind in KINDS), (ASSIGNMENTS, True)]
)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_a_batch_does_what_its_rows_do_one_by_one(
    pool: ConnectionPool, world: World, kind: Kind, create: bool, data: st.DataObject
) -> None:
    rows = data.draw(rows_of(kind, world))
    outcomes = []
    for each in (1, data.draw(st.integers(2, 8))):
        async with UnitOfWork(pool) as uow, uow.savepoint(rollback=True):
            answers = await take(uow, kind, rows, each, create=create)
            outcomes.append((answers, await state(uow, world)))
    assert outcomes[0] == outcomes[1]
