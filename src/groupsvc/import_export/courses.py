"""Departments and courses."""

import asyncio
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Final

from groupsvc.core.service import Service
from groupsvc.domain.errors import InvalidError
from groupsvc.domain.grants import is_name
from groupsvc.domain.principal import Permission
from groupsvc.import_export import cells
from groupsvc.import_export.cells import Cells
from groupsvc.import_export.places import Rights, unknown
from groupsvc.import_export.results import (
    Result,
    RowAnswer,
    decide_rows,
    greater,
    read_rows,
    understood,
)
from groupsvc.import_export.sql.courses import KnownCourse
from groupsvc.import_export.sql.imports import ImportRepository
from groupsvc.import_export.tables import Row

LONGEST_KEY: Final = 255
LONGEST_ACRONYM: Final = 64
LONGEST_NAME: Final = 255
LONGEST_TITLE: Final = 1000


@dataclass(frozen=True, slots=True)
class CourseRow:
    """Without a key it is the department alone."""

    department: str
    department_name: str | None
    key: str | None
    title: str | None
    is_locked: bool | None


def read_row(row: Cells) -> CourseRow:
    department = cells.name(row, "department", longest=LONGEST_ACRONYM)
    if not is_name(department):
        raise InvalidError("department: an acronym must be printable", code="invalid_name")
    key = cells.optional_name(row, "course_key", longest=LONGEST_KEY)
    title = cells.verbatim(row, "title", longest=LONGEST_TITLE)
    is_locked = cells.flag(row, "is_locked")
    if key is None and (title or is_locked is not None):
        raise InvalidError("course_key is empty", code="missing_value")
    name = cells.verbatim(row, "department_name", longest=LONGEST_NAME)
    return CourseRow(department, name or None, key, title, is_locked)


class CoursePlan:
    """``departments`` are names by acronym; every course comes with what is true of it."""

    def __init__(
        self, departments: dict[str, str], courses: dict[str, KnownCourse], rights: Rights
    ) -> None:
        self.created_departments: dict[str, str] = {}
        self.renamed_departments: dict[str, str] = {}
        self.written: dict[str, KnownCourse] = {}
        self.locks: dict[str, bool] = {}
        self._departments = departments
        self._courses = courses
        self._rights = rights

    def decide(self, row: CourseRow) -> Result:
        """Raises what stands against the row, which then changes nothing."""
        department = self._judge_department(row)
        before = self._courses.get(row.key or "")
        after = _after(before, row)
        course = self._judge_course(before, after) if after is not None else "unchanged"
        if department != "unchanged":
            self._write_department(row)
        if after is not None and course != "unchanged":
            if after.is_locked != (before is not None and before.is_locked):
                self.locks[after.key] = after.is_locked
            self._courses[after.key] = self.written[after.key] = after
        return greater(department, course)

    def _judge_department(self, row: CourseRow) -> Result:
        """Departments come and go by whoever is admin everywhere."""
        name = self._departments.get(row.department)
        if name is None and not self._rights.holds(Permission.ADMIN):
            raise unknown("department")
        if name is None:
            return "created"
        if row.department_name in (None, name):
            return "unchanged"
        self._rights.require(Permission.ADMIN, row.department)
        self._rights.require(Permission.ADMIN, None)
        return "updated"

    def _judge_course(self, before: KnownCourse | None, after: KnownCourse) -> Result:
        if before is not None:
            self._rights.require(Permission.ROSTER_WRITE, before.department, before.key)
        self._rights.require(
            Permission.ROSTER_WRITE, after.department, after.key, what="department"
        )
        if before == after:
            return "unchanged"
        if after.is_locked != (before is not None and before.is_locked):
            self._rights.require(Permission.ADMIN, after.department, after.key)
        return "created" if before is None else "updated"

    def _write_department(self, row: CourseRow) -> None:
        name = row.department_name or ""
        new = row.department not in self._departments or row.department in self.created_departments
        (self.created_departments if new else self.renamed_departments)[row.department] = name
        self._departments[row.department] = name


class CourseImport(Service):
    """A row is a course with its department, or without a course key a department alone."""

    async def take(self, rows: Sequence[Row], locked: Set[int]) -> tuple[list[RowAnswer], Set[int]]:
        """``locked`` are courses to be locked when all is done; answers the new set of them."""
        read = await asyncio.to_thread(read_rows, rows, read_row)
        plan = await self._prepare(understood(read), locked)
        answers = await asyncio.to_thread(decide_rows, read, plan.decide)
        ids = await self._carry_out(plan)
        opened = {ids[key] for key, is_locked in plan.locks.items() if not is_locked}
        closed = {ids[key] for key, is_locked in plan.locks.items() if is_locked}
        if opened:
            await self._uow.repository(ImportRepository).set_locks(opened, locked=False)
        return answers, (locked - opened) | closed

    async def _prepare(self, rows: Sequence[CourseRow], locked: Set[int]) -> CoursePlan:
        rights = Rights(self._uow, self._principal)
        imports = self._uow.repository(ImportRepository)
        acronyms = sorted({row.department for row in rows})
        departments = await imports.departments(acronyms) if acronyms else {}
        keys = sorted({row.key for row in rows if row.key is not None})
        courses = await imports.courses(keys) if keys else {}
        mine = [
            course.id
            for course in courses.values()
            if rights.holds(Permission.ROSTER_WRITE, course.department, course.key)
        ]
        if mine:
            await imports.lock_courses(mine, for_lists=True)
            courses = await imports.courses(keys)
        for key, course in courses.items():
            if course.id in locked:
                courses[key] = replace(course, is_locked=True)
        return CoursePlan(departments, courses, rights)

    async def _carry_out(self, plan: CoursePlan) -> dict[str, int]:
        """Answers the ids of the courses written, by key."""
        imports = self._uow.repository(ImportRepository)
        if plan.created_departments:
            await imports.create_departments(plan.created_departments)
        if plan.renamed_departments:
            await imports.rename_departments(plan.renamed_departments)
        written = [
            (each, (each.department, each.key, each.title)) for each in plan.written.values()
        ]
        ids = {each.key: each.id for each in plan.written.values() if each.id}
        new = [values for each, values in written if not each.id]
        changed = [values for each, values in written if each.id]
        if changed:
            await imports.update_courses(changed)
        if new:
            ids |= await imports.create_courses(new)
        return ids


def _after(before: KnownCourse | None, row: CourseRow) -> KnownCourse | None:
    if row.key is None:
        return None
    before = before or KnownCourse(0, row.key, row.department, "", is_locked=False)
    return replace(
        before,
        department=row.department,
        title=before.title if row.title is None else row.title,
        is_locked=before.is_locked if row.is_locked is None else row.is_locked,
    )
