"""A table of several batches ends as the same table in one does, if that refuses nothing."""

from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.db.pool import ConnectionPool
from groupsvc.import_export.columns import Kind
from groupsvc.import_export.kinds import ASSIGNMENTS, KINDS, ROSTER, STRUCTURE
from groupsvc.import_export.options import Options
from groupsvc.import_export.whole_imports import TableImportService
from tests.conftest import SQL, World
from tests.services.test_import_lists import ANYBODY, Given, Told, state

USERS = 6


def rows_of(kind: Kind, world: World) -> st.SearchStrategy[list[dict[str, str]]]:
    """Rows of a few people who want what others have: places, or addresses and numbers.

    And of cohorts, one of which must take users at random.
    """
    name, key = world.department, world.course
    users = [f"{name}-{n}" for n in range(USERS)]
    if kind is ASSIGNMENTS:
        row = {
            "course_key": st.just(key),
            "user": st.sampled_from(users),
            "partition": st.sampled_from(["TD", "TD", "TD", "TP"]),
            "group": st.sampled_from(["A", "A", "B", "C"]),
            "action": st.sampled_from(["", "", "", "remove"]),
        }
    elif kind is STRUCTURE:
        row = {
            "course_key": st.just(key),
            "partition": st.just("Sets"),
            "group": st.sampled_from("ABC"),
            "capacity": st.sampled_from(["", "3"]),
            "assignment_type": st.sampled_from(["", "manual", "manual", "random"]),
        }
    else:
        row = {
            "username": st.sampled_from([*users, f"{name}-new"]),
            "email": st.sampled_from(["", *(f"{name}{n}@x" for n in range(USERS + 1))]),
            "student_number": st.sampled_from(["", *(f"9{n}" for n in range(USERS + 1))]),
            "family_name": st.sampled_from(["", "One", "Two"]),
            "department": st.just(name),
        }
    return st.lists(st.fixed_dictionaries(row), min_size=2, max_size=10)


def without_keys(found: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """What is created gets another key each time."""
    keyed = {kind.name for kind in KINDS if kind.exported[-1] == "key"}
    return {
        name: [row[:-1] if name in keyed else row for row in rows] for name, rows in found.items()
    }


@pytest_asyncio.fixture(scope="module")
async def world(sql: SQL) -> World:
    """In TD there are full groups A and B, with room for two each, and C; of two cohorts A takes
    users at random."""
    world = await World(sql).make(0)
    await sql(
        "INSERT INTO users (department_id, username, email, student_number, family_name, sort_key)"
        " SELECT :id, :name || '-' || n, :name || n || '@x', '9' || n, '', ''"
        " FROM generate_series(0, 5) n",
        id=world.department_id,
        name=world.department,
    )
    found = await sql(
        "SELECT id FROM users WHERE department_id = :id ORDER BY id", id=world.department_id
    )
    world.users = [user for (user,) in found]
    await world.enroll(*world.users)
    for place, name in enumerate(("TD", "TP"), start=1):
        partition = await world.add_partition(name, position=place)
        groups = [
            await world.add_group(partition, group, capacity=2 if group != "C" else None)
            for group in "ABC"
        ]
        for user, group in zip(world.users, (0, 0, 1, 1, 2, 2), strict=True):
            await sql(
                "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
                " VALUES (:course, :partition, :user, :group)",
                course=world.course_id,
                partition=partition,
                user=user,
                group=groups[group],
            )
    cohorts = await world.add_partition("Sets", "cohorts", position=3)
    await world.add_group(cohorts, "A", assignment_type="random")
    await world.add_group(cohorts, "B", position=2)
    return world


@pytest.mark.parametrize("kind", [ASSIGNMENTS, ROSTER, STRUCTURE], ids=lambda kind: kind.name)
@settings(
    max_examples=40,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # What it fails for takes long to shrink.
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_batches_end_as_the_whole_does(
    pool: ConnectionPool,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    kind: Kind,
    data: st.DataObject,
) -> None:
    source = Given(kind, data.draw(rows_of(kind, world)), uniform=True)
    only = kind is ASSIGNMENTS and data.draw(st.booleans())
    options = Options(accept=frozenset({"large"}), only=only)
    ends = []
    for batch in (1000, data.draw(st.integers(1, 4))):
        monkeypatch.setattr("groupsvc.import_export.reading.BATCH", batch)
        told = Told()
        async with UnitOfWork(pool) as uow, uow.savepoint(rollback=True):
            service = TableImportService(uow, ANYBODY)
            await service.run([source], told, options)
            ends.append((told, await state(uow, world)))
    (whole, end), (parts, other_end) = ends
    assert len(parts.rows) == len(whole.rows)
    if not whole.has_refused:
        assert not parts.has_refused, parts.rows
        assert without_keys(end) == without_keys(other_end)
