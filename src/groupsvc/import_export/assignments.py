"""Assignments: who is in which group."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from itertools import count

from groupsvc.core.memberships.repository import GroupOccupancy
from groupsvc.core.service import Service
from groupsvc.domain.errors import GroupsvcError
from groupsvc.domain.principal import Permission
from groupsvc.import_export.assignment_plan import (
    AssignmentRow,
    Decided,
    GroupKey,
    PartitionKey,
    Placed,
    Scene,
    read_row,
)
from groupsvc.import_export.places import Courses, Rights
from groupsvc.import_export.results import RowAnswer, read_rows, refused, understood
from groupsvc.import_export.sql.assignments import TargetPartition
from groupsvc.import_export.sql.imports import ImportRepository
from groupsvc.import_export.sql.structure import GroupState, PartitionState
from groupsvc.import_export.tables import Row


class AssignmentImport(Service):
    """A row puts a user into a group, or without a group into none of the partition."""

    async def take(self, rows: Sequence[Row], *, create: bool) -> list[RowAnswer]:
        """``create`` makes partitions and groups that are missing, at the end of their lists."""
        read = await asyncio.to_thread(read_rows, rows, read_row)
        courses = await self._courses(understood(read), create=create)
        answers: dict[int, RowAnswer] = {}
        placed: list[Placed] = []
        for line, value in read:
            try:
                placed.append(_placed(line, value, courses))
            except GroupsvcError as error:
                answers[line] = refused(line, error)
        if placed:
            scene = await self._look(placed)
            if create and (missing := scene.missing(placed)):
                await self._create(scene, missing)
            decided = await asyncio.to_thread(scene.plan, placed, create=create)
            await self._carry_out(decided)
            answers |= decided.answers
        return [answers[line] for line, _ in read]

    async def _courses(self, rows: Iterable[AssignmentRow], *, create: bool) -> Courses:
        courses = Courses(Rights(self._uow, self._principal), Permission.GROUPS_WRITE)
        await courses.load(self._uow, {row.course_key for row in rows})
        await courses.get_for_update(self._uow, for_lists=create)
        return courses

    async def _look(self, rows: Sequence[Placed]) -> Scene:
        imports = self._uow.repository(ImportRepository)
        partitions = await imports.lock_partitions({each.key for each in rows})
        named = {(each.row.user, each.course.department) for each in rows}
        people = await self._uow.users.identify(named)
        scene = Scene(partitions, {key: person.id for key, person in people.items()})
        groups = {
            (each.course.id, partitions[each.key].id, each.row.group)
            for each in rows
            if each.key in partitions and each.row.group is not None
        }
        if groups:
            scene.room = await imports.room(groups)
        places = {place for each in rows if (place := scene.place_of(each)) is not None}
        if places:
            scene.standings = await imports.standings(places)
        return scene

    async def _create(self, scene: Scene, missing: Collection[GroupKey]) -> None:
        keys = dict.fromkeys(group[:2] for group in missing)
        known = {partition.id for partition in scene.partitions.values()}
        if unknown := [key for key in keys if key not in scene.partitions]:
            scene.partitions |= await self._create_partitions(unknown)
        places = {(key[0], scene.partitions[key].id) for key in keys}
        imports = self._uow.repository(ImportRepository)
        ends = await imports.last_positions({place for place in places if place[1] in known})
        positions = {place[1]: count(ends.get(place[1], 0) + 1) for place in places}
        groups = [
            (course_id, partition_id, GroupState(name, position=next(positions[partition_id])))
            for course_id, partition, name in missing
            for partition_id in (scene.partitions[course_id, partition].id,)
        ]
        for (partition_id, name), group_id in (await imports.create_groups(groups)).items():
            scene.room.setdefault(partition_id, {})[group_id] = GroupOccupancy(name, None, 0)

    async def _create_partitions(
        self, keys: Sequence[PartitionKey]
    ) -> dict[PartitionKey, TargetPartition]:
        imports = self._uow.repository(ImportRepository)
        ends: dict[int, int] = {}
        for state in await imports.partitions({course_id for course_id, _ in keys}):
            ends[state.course_id] = max(ends.get(state.course_id, 0), state.position)
        positions = {course_id: count(ends.get(course_id, 0) + 1) for course_id, _ in keys}
        ids = await imports.create_partitions(
            [
                PartitionState(course_id, name, position=next(positions[course_id]))
                for course_id, name in keys
            ]
        )
        return {key: TargetPartition(*key, ids[key], "ordinary", True) for key in keys}

    async def _carry_out(self, decided: Decided) -> None:
        """Those who leave first: they make room."""
        if decided.leaving:
            await self._uow.memberships.remove_many(decided.leaving)
        if decided.entering:
            places = [place for place, _ in decided.entering]
            await self._uow.memberships.assign_many(places, [to for _, to in decided.entering])


def _placed(line: int, value: AssignmentRow | GroupsvcError, courses: Courses) -> Placed:
    if isinstance(value, GroupsvcError):
        raise value
    return Placed(line, value, courses.find_open(value.course_key))
