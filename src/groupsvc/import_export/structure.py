"""Structures: the partitions of courses and their groups."""

import asyncio
from collections.abc import Sequence, Set
from dataclasses import replace

from groupsvc.core.service import Service
from groupsvc.domain.principal import Permission
from groupsvc.import_export.batches import BatchRepository, NamedGroup
from groupsvc.import_export.columns import Values
from groupsvc.import_export.kinds import STRUCTURE
from groupsvc.import_export.places import Courses, PermissionCache
from groupsvc.import_export.records import GroupState
from groupsvc.import_export.results import RowAnswer, decide_rows, read_rows, readable
from groupsvc.import_export.structure_plan import StructurePlan, StructureState
from groupsvc.import_export.tables import Row

Places = Set[tuple[int, int]]  # course and partition


class StructureImport(Service):
    """A row is a partition, and with a group name a group of it as well."""

    async def import_batch(
        self, rows: Sequence[Row], closing: Places
    ) -> tuple[list[RowAnswer], Places]:
        """``closing`` are partitions whose groups are not to be edited any more when all is done;
        returns the new set of them."""
        read = await asyncio.to_thread(read_rows, rows, STRUCTURE)
        plan = await self._prepare(readable(read), closing)
        answers = await asyncio.to_thread(decide_rows, read, plan.decide)
        await self._write_partitions(plan)
        await self._write_groups(plan)
        return answers, self._closing(plan, closing)

    async def _prepare(self, rows: Sequence[Values], closing: Places) -> StructurePlan:
        permissions = PermissionCache(self._uow, self._principal)
        courses = Courses(permissions, Permission.GROUPS_WRITE)
        await courses.load(self._uow, {row["course_key"] for row in rows})
        await courses.get_for_update(self._uow, for_lists=True)
        ids = {course.id for row in rows if (course := courses.get_open(row["course_key"]))}
        partitions = await self._uow.repository(BatchRepository).partitions(ids) if ids else []
        known = StructureState(partitions, closing)
        by_key = {(each.course_id, each.name): each.id for each in partitions}
        named: dict[NamedGroup, list[Values]] = {}
        for row in rows:
            course = courses.get_open(row["course_key"])
            partition_id = by_key.get((course.id, row["partition"])) if course else None
            if course is not None and partition_id is not None and "group" in row:
                named.setdefault((course.id, partition_id, row["group"]), []).append(row)
        if named:
            await self._load_groups(known, named)
        return StructurePlan(known, courses, permissions)

    async def _load_groups(
        self, known: StructureState, named: dict[NamedGroup, list[Values]]
    ) -> None:
        batch = self._uow.repository(BatchRepository)
        known.groups = await batch.groups(named)
        known.last_positions = await batch.last_positions(
            {each[:2] for each in named}, but=[group.id for group in known.groups.values()]
        )
        limited = {
            (course_id, group.id)
            for (course_id, partition_id, name), rows in named.items()
            if (group := known.groups.get((partition_id, name)))
            and any(row.get("capacity") not in (None, group.capacity) for row in rows)
        }
        known.counts = await batch.counts(limited) if limited else {}

    async def _write_partitions(self, plan: StructurePlan) -> None:
        """Those to be closed in the end stay open until then."""
        written = [
            replace(state, groups_editable=key in plan.open and state.kind != "tracks")
            for key, state in plan.partitions.items()
        ]
        changed = [state for state in written if state.id]
        new = [state for state in written if not state.id]
        if changed:
            await self._uow.repository(BatchRepository).update_partitions(changed)
        if new:
            ids = await self._uow.repository(BatchRepository).create_partitions(new)
            for key, partition_id in ids.items():
                plan.partitions[key].id = partition_id

    async def _write_groups(self, plan: StructurePlan) -> None:
        batch = self._uow.repository(BatchRepository)
        changed = [(key[0], group) for key, group in plan.groups.items() if group.id]
        new: dict[bool, list[tuple[int, int, GroupState]]] = {False: [], True: []}
        for key, group in plan.groups.items():
            if not group.id:
                partition = plan.partition(key[:2])
                new[partition.kind == "tracks"].append((key[0], partition.id, group))
        if changed:
            await batch.update_groups(changed)
        if new[False]:
            await batch.create_groups(new[False])
        if new[True]:
            # The database lets tracks be created for this cause alone.
            cause = self._uow.context.cause
            await self._uow.set_cause("tracks")
            await batch.create_groups(new[True])
            await self._uow.set_cause(cause)

    @staticmethod
    def _closing(plan: StructurePlan, before: Places) -> Places:
        written = {key: (state.course_id, state.id) for key, state in plan.partitions.items()}
        closed = {
            written[key]
            for key, state in plan.partitions.items()
            if key in plan.open and not state.groups_editable and state.kind != "tracks"
        }
        return (before - set(written.values())) | closed
