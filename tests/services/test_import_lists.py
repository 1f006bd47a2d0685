"""A dry run says what the run does, and nothing is lost that is not counted."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.db.pool import ConnectionPool
from groupsvc.domain.principal import Grant, Permission, Principal
from groupsvc.import_export.columns import Kind
from groupsvc.import_export.exports import Export, ExportService
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
from groupsvc.import_export.results import MissingAnswer, RowAnswer
from groupsvc.import_export.tables import Row
from groupsvc.import_export.whole_imports import TableImportService
from tests.conftest import SQL, World
from tests.examples import examples

ANYBODY = Principal("anybody", grants=frozenset(Grant(each) for each in Permission))
USERS = 7
LOST = ("erased", "withdrawn", "removed")


@dataclass
class Given:
    """A table in memory. Where it is not uniform, rows lack the columns that are empty."""

    kind: Kind
    rows: list[dict[str, str]]
    uniform: bool

    def read(self) -> Iterator[Row]:
        return (Row(line, cells) for line, cells in enumerate(self.rows, start=2))


@dataclass
class Told:
    rows: list[RowAnswer] = field(default_factory=list)
    missing: list[MissingAnswer] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        results = chain.from_iterable(each.results for each in self.rows)
        return Counter([*results, *(each.result for each in self.missing)])

    @property
    def has_refused(self) -> bool:
        return self.counts["refused"] > 0

    def add_rows(self, _source: Given, answers: Sequence[RowAnswer]) -> None:
        self.rows += answers

    def add_missing(self, _kind: Kind, answers: Sequence[MissingAnswer]) -> None:
        self.missing += answers


def rows_of(kind: Kind, world: World) -> st.SearchStrategy[list[dict[str, str]]]:
    name, key = world.department, world.course
    users = [f"{name}-{n}" for n in range(USERS)]
    cells: dict[Kind, dict[str, list[str]]] = {
        COURSES: {
            "department": [name],
            "department_name": ["", "One"],
            "course_key": [key, f"{key}-2"],
            "title": ["", "A"],
        },
        ROSTER: {
            "username": [*users, f"{name}-new", f"{name.upper()}-0"],
            "email": ["", f"{name}@example.org"],
            "family_name": ["", "Two"],
            "student_number": ["", "0042", "42"],
            "course_key": [key, ""],
            "state": ["", "", "active", "withdrawn"],
            "action": ["", "", "remove"],
        },
        STRUCTURE: {
            "course_key": [key],
            "partition": ["TD", "TP"],
            "group": ["A", "B", ""],
            "capacity": ["", "1", "9"],
            "timetable_id": ["", "x"],
        },
        ASSIGNMENTS: {
            "course_key": [key],
            "user": [*users, f"{name.upper()}-0", "nobody"],
            "partition": ["TD", "TD", "TP"],
            "group": ["A", "A", "B", "C", ""],
            "action": ["", "", "remove"],
        },
        PREASSIGNMENTS: {
            "course_key": [key],
            "partition": ["TD", "TP"],
            "group": ["A"],
            "waiting_email": ["a@example.org"],
        },
        CONTENT_GROUPS: {
            "course_key": [key],
            "content_partition_id": ["1"],
            "content_partition": ["", "One", "Two"],
            "content_group_id": ["1", "2"],
        },
        ROLES: {
            "user": users,
            "role": ["", "staff"],
            "course_key": [key],
            "action": ["", "remove"],
        },
    }
    row = {column: st.sampled_from(values) for column, values in cells[kind].items()}
    return st.lists(st.fixed_dictionaries(row), max_size=10)


@st.composite
def tables(draw: st.DrawFn, kind: Kind, world: World) -> Given:
    rows, uniform = draw(rows_of(kind, world)), draw(st.booleans())
    if uniform:
        optional = sorted({*kind.columns} - kind.required - {"username"})
        absent = draw(st.sets(st.sampled_from(optional))) if optional else set[str]()
        kept = [{name: text for name, text in row.items() if name not in absent} for row in rows]
    else:
        kept = [
            {name: text for name, text in row.items() if text or draw(st.booleans())}
            for row in rows
        ]
    return Given(kind, kept, uniform)


def some_options() -> st.SearchStrategy[Options]:
    return st.builds(
        Options,
        create=st.booleans(),
        accept=st.sampled_from([frozenset(), frozenset({"large"})]),
        empty=st.sampled_from(["keep", "clear"]),
        only=st.booleans(),
        withdraw_missing=st.booleans(),
        mode=st.sampled_from(["row_by_row", "all_or_nothing"]),
    )


async def state(uow: UnitOfWork, world: World) -> dict[str, list[tuple[Any, ...]]]:
    exports = ExportService(uow, ANYBODY)
    found: dict[str, list[tuple[Any, ...]]] = {}
    for kind in KINDS:
        export = Export(kind, await exports.extent(kind, department=world.department))
        pages: list[tuple[Any, ...]] = []
        while not export.is_done:
            pages += map(tuple, await exports.next_page(export))
        found[kind.name] = pages[1:]
    return found


def keyed(rows: Sequence[tuple[Any, ...]], columns: Sequence[str], key: Sequence[str]) -> Any:
    named = (dict(zip(columns, row, strict=True)) for row in rows)
    return {tuple(row[name] for name in key): row for row in named}


KEYS = {
    COURSES: ("course_key",),
    ROSTER: ("username", "course_key"),
    STRUCTURE: ("course_key", "partition", "group"),
    ASSIGNMENTS: ("course_key", "user", "partition"),
    ROLES: ("user", "role", "department", "course_key"),
    CONTENT_GROUPS: ("course_key", "content_partition_id", "content_group_id"),
    PREASSIGNMENTS: ("course_key", "waiting_email"),
}


def losses(before: Any, after: Any) -> Counter[str]:
    """What was known, or who was there, before and is not any more."""
    lost: Counter[str] = Counter()
    for kind, key in KEYS.items():
        old, new = (keyed(each[kind.name], kind.exported, key) for each in (before, after))
        erased = set()
        for place, row in old.items():
            now = new.get(place)
            if now is None and kind is ROSTER and not place[1]:
                # Who was in no course is in one now.
                now = next((row for other, row in new.items() if other[0] == place[0]), None)
            if now is None:
                lost["removed"] += 1
                continue
            lost["withdrawn"] += row.get("state") == "active" and now["state"] == "withdrawn"
            if any(row[name] not in (None, "") and now[name] in (None, "") for name in row):
                # A person counts once, however many courses they are in.
                erased.add(place[0] if kind is ROSTER else place)
        lost["erased"] += len(erased)
    return lost


@pytest_asyncio.fixture(scope="module")
async def world(sql: SQL) -> World:
    """Users of whom all but one are enrolled and one is withdrawn; groups A and B of TD."""
    world = await World(sql).make(0)
    await sql(
        "INSERT INTO users (department_id, username, email, student_number, family_name, sort_key)"
        " SELECT :id, :name || '-' || n, :name || n || '@x', '00' || n, 'One', ''"
        " FROM generate_series(0, 6) n",
        id=world.department_id,
        name=world.department,
    )
    found = await sql(
        "SELECT id FROM users WHERE department_id = :id ORDER BY id", id=world.department_id
    )
    world.users = [user for (user,) in found]
    await world.enroll(*world.users[:5])
    await world.enroll(world.users[5], state="withdrawn")
    partition = await world.add_partition("TD")
    groups = [
        await world.add_group(partition, "A", capacity=9, timetable_id="t"),
        await world.add_group(partition, "B", position=2),
    ]
    for place, group in ((0, 0), (1, 0), (2, 0), (3, 1), (4, 1)):
        await sql(
            "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
            " VALUES (:course, :partition, :user, :group)",
            course=world.course_id,
            partition=partition,
            user=world.users[place],
            group=groups[group],
        )
    return world


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_a_dry_run_tells_all_and_no_loss_goes_uncounted(
    pool: ConnectionPool,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    kind: Kind,
    data: st.DataObject,
) -> None:
    source, options = data.draw(tables(kind, world)), data.draw(some_options())
    # So few people are there that one must be many.
    few = data.draw(st.sampled_from([0, 5]))
    for module in ("dangers", "imports"):
        monkeypatch.setattr(f"groupsvc.import_export.{module}.FEW", few)
    monkeypatch.setattr("groupsvc.import_export.reading.BATCH", data.draw(st.integers(1, 4)))
    dry, done = Told(), Told()
    async with UnitOfWork(pool) as uow, uow.savepoint(rollback=True):
        service = TableImportService(uow, ANYBODY)
        before = await state(uow, world)
        await service.run([source], dry, replace(options, dry_run=True))
        assert await state(uow, world) == before
        await service.run([source], done, options)
        after = await state(uow, world)
    assert dry == done
    assert len(done.rows) == len(source.rows)
    if options.mode == "all_or_nothing" and done.has_refused:
        assert after == before
        return
    lost = losses(before, after)
    assert all(lost[each] <= done.counts[each] for each in LOST), (lost, done.counts)
    if few == 0 and "large" not in options.accept and kind in (ROSTER, ASSIGNMENTS):
        # Five are active and in groups: two of them are more than a fifth.
        assert lost["removed"] < 2
        assert lost["withdrawn"] < 2
