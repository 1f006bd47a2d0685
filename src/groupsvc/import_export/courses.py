"""Departments and courses."""

import asyncio
from collections.abc import Sequence, Set
from dataclasses import replace

from groupsvc.core.service import Service
from groupsvc.domain.principal import Permission
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.columns import Values
from groupsvc.import_export.kinds import COURSES
from groupsvc.import_export.places import PermissionCache, unknown
from groupsvc.import_export.records import Course
from groupsvc.import_export.results import (
    Result,
    RowAnswer,
    decide_rows,
    greater,
    read_rows,
    readable,
)
from groupsvc.import_export.tables import Row


class CoursePlan:
    """``departments`` are names by acronym; every course comes with what is true of it."""

    def __init__(
        self, departments: dict[str, str], courses: dict[str, Course], permissions: PermissionCache
    ) -> None:
        self.created_departments: dict[str, str] = {}
        self.renamed_departments: dict[str, str] = {}
        self.written: dict[str, Course] = {}
        self.locks: dict[str, bool] = {}
        self._departments = departments
        self._courses = courses
        self._permissions = permissions

    def decide(self, row: Values) -> Result:
        """Raises what stands against the row, which then changes nothing."""
        department = self._judge_department(row)
        before = self._courses.get(row.get("course_key") or "")
        after = _after(before, row)
        course = self._judge_course(before, after) if after is not None else "unchanged"
        if department != "unchanged":
            self._write_department(row)
        if after is not None and course != "unchanged":
            if after.is_locked != (before is not None and before.is_locked):
                self.locks[after.key] = after.is_locked
            self._courses[after.key] = self.written[after.key] = after
        return greater(department, course)

    def _judge_department(self, row: Values) -> Result:
        """Departments come and go by whoever is admin everywhere."""
        name = self._departments.get(row["department"])
        if name is None and not self._permissions.holds(Permission.ADMIN):
            raise unknown("department")
        if name is None:
            return "created"
        if row.get("department_name") in (None, name):
            return "unchanged"
        self._permissions.require(Permission.ADMIN, row["department"])
        self._permissions.require(Permission.ADMIN, None)
        return "updated"

    def _judge_course(self, before: Course | None, after: Course) -> Result:
        if before is not None:
            self._permissions.require(Permission.ROSTER_WRITE, before.department, before.key)
        self._permissions.require(
            Permission.ROSTER_WRITE, after.department, after.key, what="department"
        )
        if before == after:
            return "unchanged"
        if after.is_locked != (before is not None and before.is_locked):
            self._permissions.require(Permission.ADMIN, after.department, after.key)
        return "created" if before is None else "updated"

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
        self, rows: Sequence[Row], locked: Set[int]
    ) -> tuple[list[RowAnswer], Set[int]]:
        """``locked`` are courses to be locked when all is done; returns the new set of them."""
        read = await asyncio.to_thread(read_rows, rows, COURSES)
        plan = await self._prepare(readable(read), locked)
        answers = await asyncio.to_thread(decide_rows, read, plan.decide)
        ids = await self._carry_out(plan)
        opened = {ids[key] for key, is_locked in plan.locks.items() if not is_locked}
        closed = {ids[key] for key, is_locked in plan.locks.items() if is_locked}
        if opened:
            await self._uow.repository(BatchRepository).set_locks(opened, locked=False)
        return answers, (locked - opened) | closed

    async def _prepare(self, rows: Sequence[Values], locked: Set[int]) -> CoursePlan:
        permissions = PermissionCache(self._uow, self._principal)
        batch = self._uow.repository(BatchRepository)
        acronyms = sorted({row["department"] for row in rows})
        departments = await batch.departments(acronyms) if acronyms else {}
        keys = sorted({row["course_key"] for row in rows if "course_key" in row})
        courses = await batch.courses(keys) if keys else {}
        mine = [
            course.id
            for course in courses.values()
            if permissions.holds(Permission.ROSTER_WRITE, course.department, course.key)
        ]
        if mine:
            await batch.lock_courses(mine, for_lists=True)
            courses = await batch.courses(keys)
        for key, course in courses.items():
            if course.id in locked:
                courses[key] = replace(course, is_locked=True)
        return CoursePlan(departments, courses, permissions)

    async def _carry_out(self, plan: CoursePlan) -> dict[str, int]:
        """Return the ids of the courses written, by key."""
        batch = self._uow.repository(BatchRepository)
        if plan.created_departments:
            await batch.create_departments(plan.created_departments)
        if plan.renamed_departments:
            await batch.rename_departments(plan.renamed_departments)
        written = [
            (each, (each.department, each.key, each.title)) for each in plan.written.values()
        ]
        ids = {each.key: each.id for each in plan.written.values() if each.id}
        new = [values for each, values in written if not each.id]
        changed = [values for each, values in written if each.id]
        if changed:
            await batch.update_courses(changed)
        if new:
            ids |= await batch.create_courses(new)
        return ids


def _after(before: Course | None, row: Values) -> Course | None:
    key = row.get("course_key")
    if key is None:
        return None
    before = before or Course(0, key, row["department"], "", is_locked=False)
    given = {name: row[name] for name in ("department", "title", "is_locked") if name in row}
    return replace(before, **given)
