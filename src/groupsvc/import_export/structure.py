"""Structures: the partitions of courses and their groups."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from functools import partial

from groupsvc.core.service import Service
from groupsvc.domain.errors import GroupsvcError
from groupsvc.domain.principal import Permission
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.cohort_repository import CohortTablesRepository
from groupsvc.import_export.dangers import together
from groupsvc.import_export.given_names import decide_together
from groupsvc.import_export.kinds import STRUCTURE
from groupsvc.import_export.list_orders import both, by_names
from groupsvc.import_export.naming import Naming, PartitionKey
from groupsvc.import_export.options import Options
from groupsvc.import_export.pending import Pending
from groupsvc.import_export.places import Courses, PermissionCache
from groupsvc.import_export.record_keys import KeyedRecord, KeyRepository
from groupsvc.import_export.records import GroupState, PartitionState
from groupsvc.import_export.results import RowAnswer, noted, read_rows, readable
from groupsvc.import_export.structure_names import NamedStructure
from groupsvc.import_export.structure_orders import StructureOrders
from groupsvc.import_export.structure_plan import StructurePlan, StructureState
from groupsvc.import_export.survey import KeyedInFile
from groupsvc.import_export.tables import Row
from groupsvc.import_export.waiting import is_taken

Places = Set[tuple[int, int]]  # course and partition


class StructureImport(Service):
    """A row is a partition, and with a group name a group of it as well."""

    async def import_batch(
        self, rows: Sequence[Row], pending: Pending, options: Options
    ) -> tuple[list[RowAnswer], Pending]:
        read = await asyncio.to_thread(read_rows, rows, STRUCTURE, clears=options.clears)
        permissions = PermissionCache(self._uow, self._principal)
        courses = Courses(permissions, Permission.GROUPS_WRITE)
        await courses.load(self._uow, {row["course_key"] for row in readable(read)})
        await courses.get_for_update(self._uow, for_lists=True)
        named = NamedStructure(read, courses)
        naming = Naming(self._uow, creates=True, accept=options.accept)
        known = await self._load(named, pending, naming)
        make_plan = partial(
            StructurePlan,
            known,
            courses,
            permissions,
            options.accept,
            tracks_name=self._uow.vocabulary.tracks_name,
        )
        plan, answers = await asyncio.to_thread(
            decide_together, named.rows, make_plan, lambda plan: plan.random.lost()
        )
        await self._write_partitions(plan)
        await self._write_groups(plan)
        await self._remember(plan)
        judge = StructureOrders(self._uow, courses, plan).judge
        answers, orders = await judge(named.rows, answers, pending.orders)
        if options.order == "natural":
            orders = both(orders, by_names(plan.created_groups))
        if pending.follow or is_taken(answers):
            _tell_subjects(answers, named)
        closing = self._closing(plan, pending.closing)
        notes = together(together(plan.notes, courses.notes(named.rows)), named.notes)
        return noted(answers, notes), replace(pending, closing=closing, orders=orders)

    async def _load(
        self, named: NamedStructure, pending: Pending, naming: Naming
    ) -> StructureState:
        """Names that are borne take one look; only others are compared with what there is."""
        batch = self._uow.repository(BatchRepository)
        ids = {key[0] for key, _ in named.open()}
        partitions = await batch.partitions(ids) if ids else []
        known = StructureState(partitions, pending.closing)
        by_key = {(each.course_id, each.name): each.id for each in partitions}
        await self._read_keys(named, by_key, pending.keyed)
        if unknown := named.sought_partitions(by_key):
            named.read_partitions(await naming.partitions(unknown, partitions))
        known.groups = await self._groups(named, by_key)
        borne = {
            group for group in named.groups if (by_key.get(group[:2], 0), group[2]) in known.groups
        }
        named.say_reused(await naming.reused(borne, by_key))
        if missing := named.sought_groups(borne):
            named.read_groups(await naming.groups(missing, by_key))
            known.groups = await self._groups(named, by_key)
        if any(group[:2] in by_key for group in named.groups):
            await self._load_places(known, named, by_key)
        known.random_elsewhere = await self._random_elsewhere(known, named)
        if named.tells_former_names:
            known.former = {
                (PartitionState, each.partition_id, each.name)
                if each.group_id is None
                else (GroupState, each.group_id, each.name)
                for each in await naming.former(ids)
            }
        return known

    async def _read_keys(
        self, named: NamedStructure, ids: Mapping[PartitionKey, int], keyed: KeyedInFile
    ) -> None:
        records = self._uow.repository(KeyRepository)
        partitions = await records.partitions(named.keys("partition_key"))
        groups = await records.groups(named.keys("key"))
        taken = {*partitions.values()}
        taken |= {
            KeyedRecord(course_id, name)
            for (course_id, name), each in ids.items()
            if keyed.has("partitions", each)
        }
        named.read_partition_keys(partitions, taken)
        taken = {*groups.values()}
        if keyed and (others := named.with_other_keys(groups, ids)):
            found = await self._uow.repository(BatchRepository).groups(others)
            taken |= {
                KeyedRecord(*place) for place, each in found.items() if keyed.has("groups", each.id)
            }
        named.read_group_keys(groups, taken, ids)

    async def _groups(
        self, named: NamedStructure, by_key: Mapping[PartitionKey, int]
    ) -> Mapping[tuple[int, str], GroupState]:
        names = (*named.groups, *named.new_groups)
        wanted = {(key[0], by_key[key[:2]], key[2]) for key in names if key[:2] in by_key}
        return await self._uow.repository(BatchRepository).groups(wanted) if wanted else {}

    async def _load_places(
        self, known: StructureState, named: NamedStructure, by_key: Mapping[PartitionKey, int]
    ) -> None:
        batch = self._uow.repository(BatchRepository)
        known.last_positions = await batch.last_positions(
            {(key[0], by_key[key[:2]]) for key in named.groups if key[:2] in by_key},
            but=[group.id for group in known.groups.values()],
        )
        limited = {
            (key[0], group.id)
            for key, row in named.open()
            if "group" in row
            and (group := known.groups.get((by_key.get(key, 0), row["group"]))) is not None
            and row.get("capacity") not in (None, group.capacity)
        }
        known.counts = await batch.counts(limited) if limited else {}

    async def _random_elsewhere(
        self, known: StructureState, named: NamedStructure
    ) -> set[PartitionKey]:
        """Partitions of which rows make cohorts manual, and others take users at random."""
        manual = {key for key, row in named.open() if row.get("assignment_type") == "manual"}
        asked = {
            (each.course_id, each.id): (each.course_id, each.name)
            for each in known.partitions
            if each.kind == "cohorts" and (each.course_id, each.name) in manual
        }
        if not asked:
            return set()
        ours = [group.id for group in known.groups.values()]
        found = await self._uow.repository(CohortTablesRepository).with_random(asked, but=ours)
        return {asked[place] for place in found}

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
            for state in new:
                state.id = ids[state.course_id, state.name]
            for key, state in zip(plan.partitions, written, strict=True):
                plan.partitions[key].id = state.id

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
            await self._create_groups(plan, new[False])
        if new[True]:
            # The database lets tracks be created for this cause alone.
            cause = self._uow.context.cause
            await self._uow.set_cause("tracks")
            await self._create_groups(plan, new[True])
            await self._uow.set_cause(cause)

    async def _create_groups(
        self, plan: StructurePlan, groups: Sequence[tuple[int, int, GroupState]]
    ) -> None:
        ids = await self._uow.repository(BatchRepository).create_groups(groups)
        for course_id, partition_id, group in groups:
            group.id = ids[partition_id, group.name]
            plan.created_groups.append(((course_id, partition_id), group.id))

    async def _remember(self, plan: StructurePlan) -> None:
        names = [
            (key[0], plan.partition(key).id, plan.group(key, group).id if group else None, name)
            for key, group, name in plan.remembered
        ]
        if names:
            await self._uow.repository(BatchRepository).remember(names)

    @staticmethod
    def _closing(plan: StructurePlan, before: Places) -> Places:
        written = {key: (state.course_id, state.id) for key, state in plan.partitions.items()}
        closed = {
            written[key]
            for key, state in plan.partitions.items()
            if key in plan.open and not state.groups_editable and state.kind != "tracks"
        }
        return (before - set(written.values())) | closed


def _tell_subjects(answers: Iterable[RowAnswer], named: NamedStructure) -> None:
    """Partitions and groups go by the names so far, and by those that they get."""
    for answer, (_, row) in zip(answers, named.rows, strict=True):
        if isinstance(row, GroupsvcError):
            continue
        course, partition, group = row["course_key"], row["partition"], row.get("group")
        partitions = {partition, row.get("new_partition", partition)}
        groups = {group, row.get("new_group", group)} - {None}
        answer.subjects = tuple(
            (course, name, *of) for name in partitions for of in ((), *((each,) for each in groups))
        )
