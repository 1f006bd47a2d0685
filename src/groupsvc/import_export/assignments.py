"""Assignments: who is in which group."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import count
from typing import Final

from groupsvc.core.memberships.repository import GroupOccupancy, MembershipKey
from groupsvc.core.service import Service
from groupsvc.core.users.recognition import recognise
from groupsvc.domain import rules
from groupsvc.domain.errors import GroupsvcError
from groupsvc.domain.principal import Permission
from groupsvc.import_export.assignment_names import NamedRows
from groupsvc.import_export.assignment_plan import (
    BatchPlan,
    BatchState,
    GroupKey,
    PartitionKey,
    ResolvedRow,
)
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.columns import Values
from groupsvc.import_export.dangers import Note, together
from groupsvc.import_export.kinds import ASSIGNMENTS, REMOVE
from groupsvc.import_export.list_orders import List, Orders, Wanted, by_names
from groupsvc.import_export.list_repository import ListRepository
from groupsvc.import_export.lists import Lists
from groupsvc.import_export.missing import MissingPeople, texts
from groupsvc.import_export.naming import Naming
from groupsvc.import_export.options import Options
from groupsvc.import_export.pending import Pending
from groupsvc.import_export.places import Courses, PermissionCache
from groupsvc.import_export.records import GroupState, PartitionState, TargetPartition
from groupsvc.import_export.results import RowAnswer, noted, read_rows, readable, refused
from groupsvc.import_export.tables import Row
from groupsvc.import_export.waiting import is_taken

NO_COUNTS: Final[Mapping[int, int]] = {}


class AssignmentImport(Service):
    """A row puts a user into a group, or takes them out of one."""

    async def import_batch(
        self,
        rows: Sequence[Row],
        pending: Pending,
        options: Options,
        meanwhile: Callable[[], None],
    ) -> tuple[list[RowAnswer], Orders]:
        """Returns also what becomes of the order of groups when all rows are in.

        ``meanwhile`` is called when everything is decided and only to be written.
        """
        create, made, lists = options.create, dict[List, Wanted](), pending.lists
        read = await asyncio.to_thread(read_rows, rows, ASSIGNMENTS, clears=options.clears)
        keys = {row["course_key"] for row in readable(read)}
        if lists.wanted:
            keys |= {key for row in rows for key in texts(row, ("course_key",))}
        courses = await self._courses(keys, create=create)
        answers: dict[int, RowAnswer] = {}
        resolved: list[ResolvedRow] = []
        notes: Mapping[int, Note] = {}
        for line, value in read:
            try:
                resolved.append(_resolved(line, value, courses))
            except GroupsvcError as error:
                answers[line] = refused(line, error)
        if resolved:
            naming = Naming(self._uow, creates=create, accept=options.accept)
            named, state = await self._read_names(resolved, naming)
            locked = {
                each.line: each.course.id
                for each in named.rows
                if courses.is_locked(each.course.id)
            }
            open_rows = [each for each in named.rows if each.line not in locked]
            if create and (missing := state.missing(open_rows)):
                made |= await self._create(state, missing)
            state.braked = lists.braked
            plan = await asyncio.to_thread(state.plan, named.rows, create=create)
            plan.refuse_changes(locked)
            counts = await self._look(state, lists) if lists.wanted else NO_COUNTS
            meanwhile()
            await self._carry_out(plan)
            if pending.follow or is_taken(plan.answers.values()):
                _tell_subjects(plan.answers, named.rows, state)
            answers |= named.refused | plan.answers
            if lists.wanted:
                count_members(lists, state, named.rows, answers, counts)
            notes = named.notes
        notes = together(courses.notes(read), notes)
        found = noted((answers[line] for line, _ in read), notes)
        if lists.wanted:
            people = MissingPeople(self._uow, self._principal)
            await people.spare(lists, rows, found, ("user",), courses)
        return found, made if options.order == "natural" else {}

    async def _look(self, state: BatchState, lists: Lists) -> Mapping[int, int]:
        """How many there are before anything is written; returns it of groups."""
        places = {
            (course_id, partition.id) for (course_id, _), partition in state.partitions.items()
        }
        if new := places - lists.before.keys():
            lists.before |= await self._uow.repository(ListRepository).members(new)
        groups = {(key[0], group) for key, group in state.group_ids().items()}
        return await self._uow.repository(BatchRepository).counts(groups) if groups else {}

    async def _read_names(
        self, rows: list[ResolvedRow], naming: Naming
    ) -> tuple[NamedRows, BatchState]:
        """Names that somebody bears take one look; only others are compared with what there is."""
        named = NamedRows(rows)
        people = await recognise(self._uow, self._principal, {each.named for each in rows})
        named.read_users(people)
        users = {key: each.person.id for key, each in people.items() if each.person is not None}
        state = await self._load(named.rows, users)
        partitions = state.unnamed(named.rows)[0]
        if partitions and named.read_partitions(await naming.partitions(partitions)):
            state = await self._load(named.rows, users)
        known = {key: each.id for key, each in state.partitions.items()}
        groups = state.unnamed(named.rows)[1]
        borne = {(*each.key, each.group) for each in named.rows if each.group is not None}
        named.say_reused(await naming.reused(borne - set(groups), known))
        if groups and named.read_groups(await naming.groups(groups, known)):
            state = await self._load(named.rows, users)
        return named, state

    async def _courses(self, keys: Iterable[str], *, create: bool) -> Courses:
        courses = Courses(PermissionCache(self._uow, self._principal), Permission.GROUPS_WRITE)
        await courses.load(self._uow, keys)
        await courses.get_for_update(self._uow, for_lists=create)
        return courses

    async def _load(
        self, rows: Sequence[ResolvedRow], users: Mapping[tuple[str, str | None], int]
    ) -> BatchState:
        batch = self._uow.repository(BatchRepository)
        partitions = await batch.lock_partitions({each.key for each in rows})
        state = BatchState(partitions, users, tracks_name=self._uow.vocabulary.tracks_name)
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
            strangers = {
                user for (*_, user), each in state.placements.items() if not each.is_enrolled
            }
            state.unseen = frozenset(strangers.difference(await self._seen_users(strangers)))
        return state

    async def _create(self, state: BatchState, missing: Collection[GroupKey]) -> Orders:
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
        ids = await batch.create_groups(groups)
        for (partition_id, name), group_id in ids.items():
            state.occupancy.setdefault(partition_id, {})[group_id] = GroupOccupancy(name, None, 0)
        return by_names((place, ids[place[1], group.name]) for *place, group in groups)

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
        were: dict[MembershipKey, int | None] = {}
        if plan.leaving:
            left = await self._uow.memberships.remove_many(plan.leaving)
            were.update((place, left.get(place)) for place in plan.leaving)
        if plan.entering:
            places = [place for place, _ in plan.entering]
            group_ids = [to for _, to in plan.entering]
            entered = await self._uow.memberships.enter_places(places, group_ids)
            were.update((place, entered.get(place, to)) for place, to in plan.entering)
        plan.retell(were)


def _resolved(line: int, value: Values | GroupsvcError, courses: Courses) -> ResolvedRow:
    if isinstance(value, GroupsvcError):
        raise value
    course = courses.find_held(value["course_key"])
    group = value.get("group")
    removes = value.get("action") == REMOVE or ("group" in value and group is None)
    return ResolvedRow(line, course, value["user"], value["partition"], group, removes)


def _tell_subjects(
    answers: Mapping[int, RowAnswer], rows: Iterable[ResolvedRow], state: BatchState
) -> None:
    for row in rows:
        if (place := state.place_of(row)) is not None:
            answers[row.line].subjects = (place,)


def count_members(
    lists: Lists,
    state: BatchState,
    rows: Iterable[ResolvedRow],
    answers: Mapping[int, RowAnswer],
    counts: Mapping[int, int],
) -> None:
    """Keep in mind whom rows put into which groups, and whom they take out."""
    groups = state.group_ids()
    for row in rows:
        place, result = state.place_of(row), answers[row.line].result
        if place is None or not place[1]:
            continue
        *_, user_id = place
        if result == "removed":
            lists.lose(place[:2], user_id)
        if row.removes:
            continue
        lists.name(place[:2], [user_id])
        # Those who are taken out make room: the rows are done once more when they have.
        is_full = answers[row.line].code == rules.group_full().code
        if row.group is not None and (result != "refused" or is_full):
            group_id = groups[(*row.key, row.group)]
            lists.listed.setdefault(place[:2], {}).setdefault(group_id, counts.get(group_id, 0))
