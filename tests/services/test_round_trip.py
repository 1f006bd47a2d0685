"""What is exported comes back as it was: any course, and rows in any order."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from groupsvc.core.repository import Repository
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.db.pool import ConnectionPool
from groupsvc.db.statements import Statement
from groupsvc.domain.principal import Grant, Permission, Principal
from groupsvc.import_export.beside import NOTHING_BESIDE
from groupsvc.import_export.columns import Kind
from groupsvc.import_export.dangers import DANGERS, NOTHING, Accepted
from groupsvc.import_export.exports import Export, ExportService
from groupsvc.import_export.headers import rows_of, understand
from groupsvc.import_export.kinds import KINDS
from groupsvc.import_export.options import Options
from groupsvc.import_export.results import MissingAnswer, RowAnswer
from groupsvc.import_export.tables import Row, read_table
from groupsvc.import_export.whole_imports import TableImportService
from groupsvc.import_export.writing import TextWriter
from tests.conftest import SQL, World
from tests.examples import examples

ANYBODY = Principal("anybody", grants=frozenset(Grant(each) for each in Permission))

Tables = dict[str, list[dict[str, str]]]

HOSTILE = (
    "=1+1",
    "'=1",
    '"a"',
    "a,b;c\td",
    "é",
    "\uff1d",
    "TD 1",
    "td  1",
    "TD\u00a01",
    "null",
    "[]",
    "0042",
)
NAMES = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6).filter(
        str.strip
    ),
)
KEPT = ("cohorts", "tracks")
FLAGS = st.sampled_from(["true", "false"])
PLACES = st.integers(-2, 9).map(str)


OF_DEPARTMENT: Final = "department_id IN (SELECT id FROM departments WHERE acronym = :name::text)"
ERASE: Final = [
    Statement(f"erase_{place}", "write", statement)
    for place, statement in enumerate(
        (
            f"UPDATE courses SET is_locked = false WHERE {OF_DEPARTMENT}",
            f"DELETE FROM courses WHERE {OF_DEPARTMENT}",
            f"DELETE FROM users WHERE {OF_DEPARTMENT}",
            "DELETE FROM departments WHERE acronym = :name::text",
        )
    )
]
RENAME: Final = Statement(
    "rename",
    "write",
    """
    UPDATE groups g SET name = g.name || '*' FROM partitions p, courses c
    WHERE p.course_id = g.course_id AND p.id = g.partition_id AND p.groups_editable
      AND p.kind <> 'default' AND c.id = g.course_id AND NOT c.is_locked AND g.position % 2 = 0
      AND c.department_id IN (SELECT id FROM departments WHERE acronym = :name::text)
    """,
)


class Institution(Repository):
    async def erase(self, name: str) -> None:
        """As if there had never been anything."""
        for statement in ERASE:
            await self._rows(statement, name=name)

    async def rename_groups(self, name: str) -> None:
        await self._rows(RENAME, name=name)


@dataclass
class Source:
    """A table as it is sent: bytes."""

    kind: Kind
    content: bytes
    uniform: bool = True

    def read(self) -> Iterator[Row]:
        table = read_table(io.BytesIO(self.content))
        (part,) = understand(table.header, NOTHING_BESIDE, self.kind).parts
        return rows_of(table, part)


@dataclass
class Answers:
    rows: list[RowAnswer] = field(default_factory=list)
    has_refused: bool = False

    def add_rows(self, source: Source, answers: Sequence[RowAnswer]) -> None:
        self.rows += answers

    def add_missing(self, kind: Kind, answers: Sequence[MissingAnswer]) -> None:
        assert not answers


def key() -> st.SearchStrategy[str]:
    return st.uuids().map(str)


def tables(name: str) -> st.SearchStrategy[Tables]:
    """What a department may hold, through rows of which some are refused."""
    course = st.sampled_from([f"{name}/1", f"{name}/2"])
    user = st.sampled_from([f"{name}-{n}" for n in range(4)])
    group = st.sampled_from(HOSTILE[:5])
    partition = st.sampled_from([*HOSTILE[:2], "C", "T"])

    def rows(size: int, **columns: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
        return st.lists(st.fixed_dictionaries(columns), min_size=size // 2, max_size=size)

    return st.fixed_dictionaries(
        {
            "courses": rows(
                3,
                department=st.just(name),
                department_name=NAMES,
                course_key=course,
                title=NAMES,
                is_locked=FLAGS,
                starts_on=st.sampled_from(["", "2026-09-01"]),
                term=st.sampled_from(["", "2"]),
                programme=NAMES,
                is_cohorted=st.sampled_from(["", "true", "false"]),
                random_assignment=st.sampled_from(["", "balanced"]),
                former_keys=st.lists(st.one_of(NAMES, course), max_size=2).map(json.dumps),
                key=key(),
            ),
            "roster": rows(
                8,
                username=user,
                email=st.sampled_from(["", f"{name}@a.org", f"{name}@b.org"]),
                family_name=NAMES,
                usual_name=NAMES,
                department=st.just(name),
                student_number=st.sampled_from(["", "0042", "42", "1e5"]),
                is_active=FLAGS,
                is_retired=FLAGS,
                course_key=course,
                state=st.sampled_from(["active", "withdrawn", "defaulted"]),
                external_ids=st.sampled_from(["", f'{{"a": "{name}"}}', f'{{"b": "{name}"}}']),
                former_names=st.lists(NAMES, max_size=2).map(json.dumps),
                key=key(),
            ),
            "structure": rows(
                8,
                course_key=course,
                partition=partition,
                position=PLACES,
                groups_editable=FLAGS,
                show_in_lists=FLAGS,
                group=group,
                group_position=PLACES,
                capacity=st.sampled_from(["", "1", "5"]),
                timetable_id=NAMES,
                assignment_type=st.sampled_from(["manual", "random"]),
                former_names=st.lists(NAMES, max_size=2).map(json.dumps),
                partition_former_names=st.lists(NAMES, max_size=1).map(json.dumps),
                partition_key=key(),
                key=key(),
            ),
            "assignments": rows(12, course_key=course, user=user, partition=partition, group=group),
            "preassignments": rows(
                4,
                course_key=st.just(f"{name}/1"),
                partition=st.just("C"),
                group=st.sampled_from(HOSTILE[:2]),
                waiting_email=st.sampled_from(["a@x.org", "A@x.org", '"=x"@x.org']),
            ),
            "content_groups": rows(
                4,
                course_key=course,
                content_partition_id=st.sampled_from(["7", "5"]),
                content_partition=NAMES,
                scheme=NAMES,
                is_active=FLAGS,
                content_group_id=st.sampled_from(["2", "1"]),
                content_group=NAMES,
            ),
            "roles": rows(
                4, user=user, role=st.sampled_from(["staff", "moderator"]), course_key=course
            ),
        }
    )


def written(kind: Kind, rows: Sequence[Mapping[str, object]]) -> Source:
    header = kind.exported
    lines = [[row.get(column) for column in header] for row in rows]
    return Source(kind, TextWriter().add([header, *lines]))


async def imported(
    uow: UnitOfWork, sources: Sequence[Source], accept: Accepted = NOTHING
) -> list[RowAnswer]:
    answers = Answers()
    await TableImportService(uow, ANYBODY).run(sources, answers, Options(accept=accept))
    return answers.rows


async def exported(uow: UnitOfWork, department: str) -> list[Source]:
    exports, found = ExportService(uow, ANYBODY), list[Source]()
    for kind in KINDS:
        export, content = Export(kind, await exports.extent(kind, department=department)), b""
        while not export.is_done:
            content += TextWriter().add(await exports.next_page(export))
        found.append(Source(kind, content))
    return found


def shuffled(source: Source, data: st.DataObject) -> Source:
    rows = [row.cells for row in source.read()]
    return written(source.kind, data.draw(st.permutations(rows)))


def same(one: Sequence[Source], other: Sequence[Source]) -> bool:
    """But for the order of rows."""
    return [sorted(each.content.splitlines()) for each in one] == [
        sorted(each.content.splitlines()) for each in other
    ]


@pytest_asyncio.fixture(scope="module")
async def world(sql: SQL) -> World:
    return await World(sql).make(0)


@settings(
    max_examples=examples(8),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # What it fails for takes long to shrink.
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_whatever_goes_out_comes_back(
    pool: ConnectionPool, world: World, data: st.DataObject
) -> None:
    name = f"{world.department}'="
    given_tables = data.draw(tables(name))
    given_tables["courses"] = [
        *({"department": name, "course_key": f"{name}/{n}"} for n in (1, 2)),
        *given_tables["courses"],
    ]
    given_tables["structure"] = [
        *(
            {
                "course_key": f"{name}/1",
                "partition": kind[0].upper(),
                "kind": kind,
                "group": HOSTILE[0],
            }
            for kind in KEPT
        ),
        *given_tables["structure"],
    ]
    async with UnitOfWork(pool) as uow, uow.savepoint(rollback=True):
        made = [written(kind, given_tables[kind.name]) for kind in KINDS]
        await imported(uow, made, frozenset(DANGERS))
        institution = uow.repository(Institution)
        await institution.rename_groups(name)
        before = await exported(uow, name)
        answers = await imported(uow, before)
        assert {each.result for each in answers} <= {"unchanged"}, answers
        await institution.erase(name)
        answers = await imported(uow, before)
        assert "refused" not in {each.result for each in answers}, answers
        assert await exported(uow, name) == before
        answers = await imported(uow, before)
        assert {each.result for each in answers} <= {"unchanged"}, answers
        await institution.erase(name)
        answers = await imported(uow, [shuffled(each, data) for each in before])
        refused = [each for each in answers if each.result == "refused"]
        assert refused or same(await exported(uow, name), before)
