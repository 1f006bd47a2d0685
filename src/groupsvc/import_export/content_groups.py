"""Groups of contents that cohorts can point at."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from groupsvc.core.service import Service
from groupsvc.domain import rules
from groupsvc.domain.principal import Permission
from groupsvc.import_export.cohort_repository import CohortTablesRepository, ContentPartition
from groupsvc.import_export.columns import Values
from groupsvc.import_export.kinds import CONTENT_GROUPS
from groupsvc.import_export.places import Courses, PermissionCache
from groupsvc.import_export.results import (
    Outcome,
    RowAnswer,
    compared,
    decide_rows,
    noted,
    read_rows,
    readable,
)
from groupsvc.import_export.tables import Row

Key = tuple[int, int]  # course, and the platform's own id of the partition


class ContentPlan:
    """``written`` are partitions of contents that have to be written."""

    def __init__(self, known: Mapping[Key, ContentPartition], courses: Courses) -> None:
        self.written: dict[Key, ContentPartition] = {}
        self._now = dict(known)
        self._courses = courses

    def decide(self, row: Values) -> Outcome:
        """Raises what stands against the row, which then changes nothing."""
        course = self._courses.find_held(row["course_key"])
        key = course.id, row["content_partition_id"]
        before = self._now.get(key)
        after = _after(before or ContentPartition(*key), row)
        if before == after:
            return ("unchanged",)
        rules.refuse_if_locked(self._courses.is_locked(course.id))
        self._now[key] = self.written[key] = after
        return (compared(before, after),)


class ContentImport(Service):
    """A row is a partition of contents, and perhaps a group of it."""

    async def import_batch(self, rows: Sequence[Row], *, clears: bool) -> list[RowAnswer]:
        read = await asyncio.to_thread(read_rows, rows, CONTENT_GROUPS, clears=clears)
        repository = self._uow.repository(CohortTablesRepository)
        courses = Courses(PermissionCache(self._uow, self._principal), Permission.ROSTER_WRITE)
        await courses.load(self._uow, {row["course_key"] for row in readable(read)})
        await courses.get_for_update(self._uow, for_lists=True)
        held = (courses.get_held(row["course_key"]) for row in readable(read))
        ids = {course.id for course in held if course is not None}
        plan = ContentPlan(await repository.contents(ids) if ids else {}, courses)
        answers = await asyncio.to_thread(decide_rows, read, plan.decide)
        if plan.written:
            await repository.store_contents(list(plan.written.values()))
        return noted(answers, courses.notes(read))


def _after(before: ContentPartition, row: Values) -> ContentPartition:
    columns = {"content_partition": "name", "scheme": "scheme", "description": "description"}
    given = {name: row[column] for column, name in columns.items() if column in row}
    after = replace(before, is_active=row.get("is_active", before.is_active), **given)
    if "content_group_id" in row:
        name = row.get("content_group", before.groups.get(row["content_group_id"], ""))
        after = replace(after, groups={**before.groups, row["content_group_id"]: name})
    return after
