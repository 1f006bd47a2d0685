"""Addresses that wait for a cohort."""

import asyncio
from collections.abc import Mapping, Sequence

from groupsvc.core.service import Service
from groupsvc.domain import rules
from groupsvc.domain.errors import ConflictError
from groupsvc.domain.principal import Permission
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.cohort_repository import CohortTablesRepository, WaitingAddress
from groupsvc.import_export.columns import Values
from groupsvc.import_export.dangers import NOTHING, together
from groupsvc.import_export.kinds import PREASSIGNMENTS
from groupsvc.import_export.naming import Naming
from groupsvc.import_export.places import Courses, PermissionCache, unknown
from groupsvc.import_export.results import (
    Outcome,
    RowAnswer,
    decide_rows,
    noted,
    read_rows,
    readable,
)
from groupsvc.import_export.roster_claims import folded
from groupsvc.import_export.structure_names import NamedStructure
from groupsvc.import_export.tables import Row

GroupName = tuple[int, str, str]  # course, partition, name
Address = tuple[int, str]  # course, and the address in lower case


class PreassignmentPlan:
    """``groups`` are kind and id of the partition, and id; ``written`` is what to write."""

    def __init__(
        self,
        groups: Mapping[GroupName, tuple[str, int, int]],
        waiting: Mapping[Address, WaitingAddress],
        courses: Courses,
    ) -> None:
        self.written: dict[Address, WaitingAddress] = {}
        self._groups = groups
        self._waiting = dict(waiting)
        self._courses = courses

    def decide(self, row: Values) -> Outcome:
        """Raises what stands against the row, which then changes nothing."""
        course = self._courses.find_held(row["course_key"])
        found = self._groups.get((course.id, row["partition"], row["group"]))
        if found is None:
            raise unknown("group")
        kind, partition_id, group_id = found
        if not rules.takes_anybody(kind):
            raise ConflictError("addresses wait for cohorts alone", code="kind_mismatch")
        email = row["waiting_email"]
        key = course.id, folded(email)
        before = self._waiting.get(key)
        after = WaitingAddress(course.id, partition_id, group_id, email)
        if before == after:
            return ("unchanged",)
        rules.refuse_if_locked(self._courses.is_locked(course.id))
        self._waiting[key] = self.written[key] = after
        return ("created" if before is None else "updated",)


class PreassignmentImport(Service):
    """A row is an address, and the cohort that its user gets when they come."""

    async def import_batch(self, rows: Sequence[Row]) -> list[RowAnswer]:
        read = await asyncio.to_thread(read_rows, rows, PREASSIGNMENTS)
        repository = self._uow.repository(CohortTablesRepository)
        courses = Courses(PermissionCache(self._uow, self._principal), Permission.GROUPS_WRITE)
        await courses.load(self._uow, {row["course_key"] for row in readable(read)})
        await courses.get_for_update(self._uow, for_lists=False)
        named = NamedStructure(read, courses)
        groups = await self._groups(named)
        addresses = {(key[0], folded(row["waiting_email"])) for key, row in named.open()}
        waiting = await repository.waiting(addresses) if addresses else {}
        plan = PreassignmentPlan(groups, waiting, courses)
        answers = await asyncio.to_thread(decide_rows, named.rows, plan.decide)
        if plan.written:
            await repository.preassign(list(plan.written.values()))
        return noted(answers, together(courses.notes(read), named.notes))

    async def _groups(self, named: NamedStructure) -> Mapping[GroupName, tuple[str, int, int]]:
        """Names that are borne take one look; only others are compared with what there is."""
        if not named.groups:
            return {}
        repository = self._uow.repository(CohortTablesRepository)
        groups = await repository.groups(set(named.groups))
        partitions = {key[:2]: place for key, (_, place, _) in groups.items()}
        naming = Naming(self._uow, creates=False, accept=NOTHING)
        named.say_reused(await naming.reused(groups, partitions))
        if groups.keys() >= {*named.groups}:
            return groups
        known = await self._uow.repository(BatchRepository).partitions(
            {course_id for course_id, *_ in named.groups}
        )
        partitions = {(each.course_id, each.name): each.id for each in known}
        named.read_partitions(await naming.partitions(named.sought_partitions(partitions), known))
        named.read_groups(await naming.groups(named.sought_groups(groups), partitions))
        return await repository.groups(set(named.groups))
