"""Assignments: who is in which group."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from itertools import count

from groupsvc.core.memberships.repository import GroupOccupancy
from groupsvc.core.service import Service
from groupsvc.domain.errors import GroupsvcError
from groupsvc.domain.principal import Permission
from groupsvc.import_export.assignment_plan import (
    BatchPlan,
    BatchState,
    GroupKey,
    PartitionKey,
    ResolvedRow,
)
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.columns import Values
from groupsvc.import_export.kinds import ASSIGNMENTS
from groupsvc.import_export.places import Courses, PermissionCache
from groupsvc.import_export.records import GroupState, PartitionState, TargetPartition
from groupsvc.import_export.results import RowAnswer, read_rows, readable, refused
from groupsvc.import_export.tables import Row


class AssignmentImport(Service):
    """A row puts a user into a group, or without a group into none of the partition."""

    async def import_batch(self, rows: Sequence[Row], *, create: bool) -> list[RowAnswer]:
        """``create`` makes partitions and groups that are missing, at the end of their lists."""
        read = await asyncio.to_thread(read_rows, rows, ASSIGNMENTS)
        courses = await self._courses(readable(read), create=create)
        answers: dict[int, RowAnswer] = {}
        resolved: list[ResolvedRow] = []
        for line, value in read:
            try:
                resolved.append(_resolved(line, value, courses))
            except GroupsvcError as error:
                answers[line] = refused(line, error)
        if resolved:
            state = await self._load(resolved)
            if create and (missing := state.missing(resolved)):
                await self._create(state, missing)
            plan = await asyncio.to_thread(state.plan, resolved, create=create)
            await self._carry_out(plan)
            answers |= plan.answers
        return [answers[line] for line, _ in read]

    async def _courses(self, rows: Iterable[Values], *, create: bool) -> Courses:
        courses = Courses(PermissionCache(self._uow, self._principal), Permission.GROUPS_WRITE)
        await courses.load(self._uow, {row["course_key"] for row in rows})
        await courses.get_for_update(self._uow, for_lists=create)
        return courses

    async def _load(self, rows: Sequence[ResolvedRow]) -> BatchState:
        batch = self._uow.repository(BatchRepository)
        partitions = await batch.lock_partitions({each.key for each in rows})
        named = {(each.user, each.course.department) for each in rows}
        people = await self._uow.users.identify(named)
        state = BatchState(partitions, {key: person.id for key, person in people.items()})
        groups = {
            (each.course.id, partitions[each.key].id, each.group)
            for each in rows
            if each.key in partitions and each.group is not None
        }
        if groups:
            state.occupancy = await batch.occupancy(groups)
        places = {place for each in rows if (place := state.place_of(each)) is not None}
        if places:
            state.placements = await batch.placements(places)
        return state

    async def _create(self, state: BatchState, missing: Collection[GroupKey]) -> None:
        keys = dict.fromkeys(group[:2] for group in missing)
        known = {partition.id for partition in state.partitions.values()}
        if unknown := [key for key in keys if key not in state.partitions]:
            state.partitions |= await self._create_partitions(unknown)
        places = {(key[0], state.partitions[key].id) for key in keys}
        batch = self._uow.repository(BatchRepository)
        ends = await batch.last_positions({place for place in places if place[1] in known})
        positions = {place[1]: count(ends.get(place[1], 0) + 1) for place in places}
        groups = [
            (course_id, partition_id, GroupState(name, position=next(positions[partition_id])))
            for course_id, partition, name in missing
            for partition_id in (state.partitions[course_id, partition].id,)
        ]
        for (partition_id, name), group_id in (await batch.create_groups(groups)).items():
            state.occupancy.setdefault(partition_id, {})[group_id] = GroupOccupancy(name, None, 0)

    async def _create_partitions(
        self, keys: Sequence[PartitionKey]
    ) -> dict[PartitionKey, TargetPartition]:
        batch = self._uow.repository(BatchRepository)
        ends: dict[int, int] = {}
        for known in await batch.partitions({course_id for course_id, _ in keys}):
            ends[known.course_id] = max(ends.get(known.course_id, 0), known.position)
        positions = {course_id: count(ends.get(course_id, 0) + 1) for course_id, _ in keys}
        ids = await batch.create_partitions(
            [
                PartitionState(course_id, name, position=next(positions[course_id]))
                for course_id, name in keys
            ]
        )
        return {key: TargetPartition(*key, ids[key], "ordinary", True) for key in keys}

    async def _carry_out(self, plan: BatchPlan) -> None:
        """Those who leave first: they make room."""
        if plan.leaving:
            await self._uow.memberships.remove_many(plan.leaving)
        if plan.entering:
            places = [place for place, _ in plan.entering]
            await self._uow.memberships.assign_many(places, [to for _, to in plan.entering])


def _resolved(line: int, value: Values | GroupsvcError, courses: Courses) -> ResolvedRow:
    if isinstance(value, GroupsvcError):
        raise value
    course = courses.find_open(value["course_key"])
    return ResolvedRow(line, course, value["user"], value["partition"], value.get("group"))
