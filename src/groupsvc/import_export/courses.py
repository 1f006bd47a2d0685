"""Departments and courses."""

import asyncio
from collections.abc import Mapping, Sequence, Set
from dataclasses import fields, replace
from functools import partial
from typing import Final
from uuid import UUID

from groupsvc.core.service import Service
from groupsvc.domain import rules
from groupsvc.domain.errors import GroupsvcError
from groupsvc.domain.principal import Permission
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.columns import Values
from groupsvc.import_export.course_names import NamedCourses
from groupsvc.import_export.damage import judge_damage
from groupsvc.import_export.dangers import NOTHING, Accepted, Note, both, reused, together
from groupsvc.import_export.departments import read_departments
from groupsvc.import_export.given_names import GivenNames, Name, decide_together
from groupsvc.import_export.kinds import COURSES
from groupsvc.import_export.naming import Naming
from groupsvc.import_export.options import Options
from groupsvc.import_export.pending import Pending
from groupsvc.import_export.places import PermissionCache, ids_of, unknown
from groupsvc.import_export.record_keys import KeyRepository, provisional
from groupsvc.import_export.records import CourseState
from groupsvc.import_export.results import (
    HAS_IDS,
    Outcome,
    Result,
    RowAnswer,
    compared,
    noted,
    outcome,
    read_rows,
    readable,
)
from groupsvc.import_export.tables import Row
from groupsvc.import_export.waiting import is_taken

GIVEN: Final = frozenset(field.name for field in fields(CourseState)) - {"key"}


class CoursePlan:
    """``departments`` are names by acronym; every course comes with what is true of it.

    ``keyed`` are the keys of courses by those of their records, and ``elsewhere`` are keys of those
    that other batches are about by these. ``written`` and ``locks`` go by the
    keys so far. A key that passes from one course to another means the one that has it, until that
    has given it away.
    """

    def __init__(
        self,
        departments: Mapping[str, str],
        courses: Mapping[str, CourseState],
        keyed: Mapping[UUID, str],
        permissions: PermissionCache,
        accept: Accepted = NOTHING,
        elsewhere: Set[str] = frozenset(),
    ) -> None:
        self.created_departments: dict[str, str] = {}
        self.renamed_departments: dict[str, str] = {}
        self.written: dict[str, CourseState] = {}
        self.locks: dict[str, bool] = {}
        self.notes: dict[int, Note] = {}
        self.names = GivenNames((key,) for key in courses)
        self._departments = dict(departments)
        self._courses = dict(courses)
        self._known_former = {key: each.former_keys for key, each in courses.items()}
        self._called = {key: [key] for key in courses}
        self._keyed = keyed
        self._named = {*elsewhere, *keyed.values()}
        self._permissions = permissions
        self._accept = accept

    @property
    def former_keys(self) -> list[tuple[str, str]]:
        """New ones, by the keys so far."""
        return [
            (meant, key)
            for meant, each in self.written.items()
            for key in sorted(each.former_keys - self._known_former.get(meant, frozenset()))
        ]

    def decide(self, row: Values, line: int) -> Outcome:
        """Raises what stands against the row, which then changes nothing."""
        department = self._judge_department(row)
        meant = self._meant(row)
        before = self._courses.get(meant)
        said = judge_damage(("programme",), before, row, self._accept)
        after = _after(before, row)
        course: Result = "unchanged"
        if after is not None:
            course = self._judge_course(before, after)
        if department != "unchanged":
            self._write_department(row)
        if after is not None and course != "unchanged":
            self._write_course(meant, before, after, line)
        if after is not None and ("key" in row or not after.id):
            self.names.give((meant,), (after.key,), line)
        if said is None and before is not None and "key" not in row:
            said = self._reused(before)
        if said is not None:
            self.notes[line] = both(said, self.notes[line]) if line in self.notes else said
        return outcome(department, course)

    def _reused(self, course: CourseState) -> Note | None:
        bearer = course.former_bearer
        if bearer is None or not self._permissions.sees(course.department, bearer):
            return None
        return reused(bearer)

    def taken(self, _name: Name) -> GroupsvcError:
        return rules.name_taken("a course has this key")

    def _meant(self, row: Values) -> str:
        """The key so far of the course with the key of the row, or else of its name.

        A row with another key is not about a course whose own key is in the table.
        """
        if "course_key" not in row:
            return ""
        key: str = row["course_key"]
        if "key" in row and row["key"] in self._keyed:
            return self._keyed[row["key"]]
        called = next(iter(self._called.get(key, ())), None)
        if "key" in row and called in self._named:
            return provisional(row["key"])
        if called is not None:
            return called
        return key if key not in self._courses else f" {key}"

    def _write_course(
        self, meant: str, before: CourseState | None, after: CourseState, line: int
    ) -> None:
        if before is None or before.key != after.key:
            self._called.setdefault(after.key, []).append(meant)
        if before is not None and before.key != after.key:
            self.notes[line] = "renamed", f"{before.key} gets a new key"
            self._called[before.key].remove(meant)
        if after.is_locked != (before is not None and before.is_locked):
            self.locks[meant] = after.is_locked
        self._courses[meant] = self.written[meant] = after

    def _judge_department(self, row: Values) -> Result:
        """Departments come and go by whoever is admin everywhere."""
        name = self._departments.get(row["department"])
        if name is None and not self._permissions.holds(Permission.ADMIN):
            raise unknown("department")
        if name is None:
            return "created"
        if "department_name" not in row or (row["department_name"] or "") == name:
            return "unchanged"
        self._permissions.require(Permission.ADMIN, row["department"])
        self._permissions.require(Permission.ADMIN, None)
        return "updated" if row["department_name"] else "erased"

    def _judge_course(self, before: CourseState | None, after: CourseState) -> Result:
        if before is not None:
            self._permissions.require(Permission.ROSTER_WRITE, before.department, before.key)
        self._permissions.require(
            Permission.ROSTER_WRITE, after.department, after.key, what="department"
        )
        if before == after:
            return "unchanged"
        if after.is_locked != (before is not None and before.is_locked):
            self._permissions.require(Permission.ADMIN, after.department, after.key)
        self._judge_cohorts(before, after)
        rules.refuse_if_ends_before_it_starts(after.starts_on, after.ends_on)
        return compared(before, after)

    def _judge_cohorts(self, before: CourseState | None, after: CourseState) -> None:
        if after.cohorts == (before.cohorts if before is not None else (None, None)):
            return
        self._permissions.require(Permission.GROUPS_WRITE, after.department, after.key)
        rules.refuse_if_locked(before is not None and before.is_locked and after.is_locked)

    def _write_department(self, row: Values) -> None:
        name = row.get("department_name") or ""
        new = (
            row["department"] not in self._departments
            or row["department"] in self.created_departments
        )
        (self.created_departments if new else self.renamed_departments)[row["department"]] = name
        self._departments[row["department"]] = name


class CourseImport(Service):
    """A row is a course with its department, or without a course key a department alone."""

    async def import_batch(
        self, rows: Sequence[Row], pending: Pending, options: Options
    ) -> tuple[list[RowAnswer], Pending]:
        """Courses are locked when all is done."""
        locked = pending.locks
        read = await asyncio.to_thread(read_rows, rows, COURSES, clears=options.clears)
        permissions = PermissionCache(self._uow, self._principal)
        is_literal = partial(_is_literal, accept=options.accept)
        named = await read_departments(self._uow, read, permissions.sees, is_literal)
        courses = NamedCourses(named.rows, named.notes)
        states = await self._states(courses, permissions, options.accept, locked)
        elsewhere = {key for key, each in states.items() if pending.keyed.has("courses", each.id)}
        make_plan = partial(
            CoursePlan, named.names, states, courses.keyed, permissions, options.accept, elsewhere
        )
        plan, answers = await asyncio.to_thread(decide_together, courses.rows, make_plan)
        ids = await self._carry_out(plan)
        opened = {ids[key] for key, is_locked in plan.locks.items() if not is_locked}
        closed = {ids[key] for key, is_locked in plan.locks.items() if is_locked}
        if opened:
            await self._uow.repository(BatchRepository).set_locks(opened, locked=False)
        if pending.follow or is_taken(answers):
            courses.tell_subjects(answers)
        answers = noted(answers, together(courses.notes, plan.notes))
        return answers, replace(pending, locks=(locked - opened) | closed)

    async def _states(
        self,
        named: NamedCourses,
        permissions: PermissionCache,
        accept: Accepted,
        locked: Set[int],
    ) -> dict[str, CourseState]:
        """The courses that are meant, by key; those that the caller may change stay as they are."""
        batch = self._uow.repository(BatchRepository)
        named.keyed = await self._uow.repository(KeyRepository).courses(named.record_keys)
        keys = named.course_keys
        courses = await batch.course_states(sorted(keys)) if keys else {}
        if unknown := named.sought(courses):
            naming = Naming(self._uow, creates=True, accept=accept)
            ids = ids_of(readable(named.rows))
            meant, _ = await naming.courses(unknown, permissions.sees, ids=ids)
            named.read(meant)
            if more := {*meant.names.values()} - courses.keys():
                keys |= more
                courses |= await batch.course_states(sorted(more))
        mine = [
            course.id
            for course in courses.values()
            if permissions.holds(Permission.ROSTER_WRITE, course.department, course.key)
        ]
        if mine:
            await batch.lock_courses(mine, for_lists=True)
            courses = await batch.course_states(sorted(keys))
        return {
            key: replace(course, is_locked=True) if course.id in locked else course
            for key, course in courses.items()
        }

    async def _carry_out(self, plan: CoursePlan) -> dict[str, int]:
        """Return the ids of the courses written, by the keys so far."""
        batch = self._uow.repository(BatchRepository)
        if plan.created_departments:
            await batch.create_departments(plan.created_departments)
        if plan.renamed_departments:
            await batch.rename_departments(plan.renamed_departments)
        written = plan.written
        ids = {meant: each.id for meant, each in written.items() if each.id}
        given = {each.key for meant, each in written.items() if each.key != meant}
        passed = [each for meant, each in ids.items() if meant in given]
        lent = await batch.release_course_keys(passed) if passed else []
        if changed := [each for each in written.values() if each.id]:
            await batch.update_courses(changed)
        if lent:
            await batch.forget_course_keys(lent)
        if new := {meant: each for meant, each in written.items() if not each.id}:
            created = await batch.create_courses([*new.values()])
            ids |= {meant: created[each.key] for meant, each in new.items()}
        cohorts = [
            (ids[meant], bool(each.is_cohorted), each.random_assignment or "uniform")
            for meant, each in written.items()
            if each.cohorts != (None, None)
        ]
        if cohorts:
            await batch.set_cohorts(cohorts)
        if former := [(ids[meant], key) for meant, key in plan.former_keys]:
            await batch.remember_course_keys(former)
        return ids


def _is_literal(row: Values, *, accept: Accepted) -> bool:
    """A department is written as it is meant where the row is about it alone."""
    is_named = "key" not in row and HAS_IDS not in row and "course_key" in row
    return not is_named or "lookalike" in accept


def _after(before: CourseState | None, row: Values) -> CourseState | None:
    key = row.get("course_key")
    if key is None:
        return None
    given = {name: value for name, value in row.items() if name in GIVEN}
    base = before or CourseState(0, key, row["department"], imported_key=row.get("key"))
    given["former_keys"] = base.former_keys.union(given.get("former_keys", ())) - {key}
    return replace(base, key=key, **given)
