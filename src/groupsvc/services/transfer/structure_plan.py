"""What a batch of a structure would do: decided row by row, before anything is written.

Pure: the state comes in, the answers go out. A row sees what the rows before it have done.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any

from groupsvc.auth.principal import Permission
from groupsvc.errors import ConflictError, FullError, NotEditableError
from groupsvc.repositories.transfer.courses import KnownCourse
from groupsvc.repositories.transfer.structure import GroupState, PartitionState
from groupsvc.services.transfer.answers import Result, greater
from groupsvc.services.transfer.places import Courses, Rights
from groupsvc.services.transfer.structure_rows import StructureRow

PartitionKey = tuple[int, str]  # course, name
GroupKey = tuple[int, str, str]  # course, partition, name


@dataclass(slots=True)
class Known:
    """What is true before the first row.

    ``closing`` are partitions whose groups may be edited until all is done and not from then on.
    """

    partitions: Iterable[PartitionState] = ()
    closing: Set[tuple[int, int]] = frozenset()
    groups: Mapping[tuple[int, str], GroupState] = field(default_factory=dict[Any, Any])
    last_positions: Mapping[int, int] = field(default_factory=dict[Any, Any])
    counts: Mapping[int, int] = field(default_factory=dict[Any, Any])


class StructurePlan:
    """``partitions`` and ``groups`` are what has to be written.

    In partitions that are ``open`` groups may be created for now, whatever becomes of them in the
    end.
    """

    def __init__(self, known: Known, courses: Courses, rights: Rights) -> None:
        self.partitions: dict[PartitionKey, PartitionState] = {}
        self.groups: dict[GroupKey, GroupState] = {}
        self.open: set[PartitionKey] = set()
        self._now: dict[PartitionKey, PartitionState] = {}
        self._groups: dict[GroupKey, GroupState] = {}
        self._kinds: set[tuple[int, str]] = set()
        self._ends: dict[int, int] = {}
        self._group_ends: dict[PartitionKey, int] = {}
        self._counts = known.counts
        self._courses = courses
        self._rights = rights
        self._learn(known)

    def decide(self, row: StructureRow) -> Result:
        """Raises what stands against the row, which then changes nothing."""
        course = self._courses.find_open(row.course_key)
        key = (course.id, row.partition)
        before = self._now.get(key)
        after = self._partition(before, row, course)
        result: Result = _compared(before, after)
        if row.group is not None:
            place = (*key, row.group)
            group_before = self._groups.get(place)
            group = self._group(place, group_before, row)
            if group_before is None:
                self._may_create_group(key, after, course)
            result = greater(result, _compared(group_before, group))
            self._write_group(place, group_before, group)
        self._write_partition(key, before, after)
        return result

    def partition(self, key: PartitionKey) -> PartitionState:
        return self._now[key]

    def _learn(self, known: Known) -> None:
        keys: dict[int, PartitionKey] = {}
        for state in known.partitions:
            key = keys[state.id] = (state.course_id, state.name)
            if state.groups_editable:
                self.open.add(key)
            is_closing = (state.course_id, state.id) in known.closing
            self._now[key] = replace(state, groups_editable=False) if is_closing else state
            self._note_partition(key, state)
            self._group_ends[key] = known.last_positions.get(state.id, 0)
        for (partition_id, name), group in known.groups.items():
            self._groups[(*keys[partition_id], name)] = group

    def _note_partition(self, key: PartitionKey, state: PartitionState) -> None:
        self._kinds.add((state.course_id, state.kind))
        self._ends[state.course_id] = max(self._ends.get(state.course_id, 0), state.position)
        self._group_ends.setdefault(key, 0)

    def _partition(
        self, before: PartitionState | None, row: StructureRow, course: KnownCourse
    ) -> PartitionState:
        if before is None:
            after = self._new_partition(row, course)
        elif row.kind not in (None, before.kind):
            raise ConflictError("the partition is of another kind", code="kind_mismatch")
        else:
            after = replace(before, **row.partition_values)
        if after.kind == "tracks" and after.groups_editable:
            raise ConflictError(
                "the groups of a tracks partition are never editable", code="tracks_partition"
            )
        return after

    def _new_partition(self, row: StructureRow, course: KnownCourse) -> PartitionState:
        kind = row.kind or "ordinary"
        if kind == "default":
            raise ConflictError("every course has its default partition", code="default_partition")
        if kind != "ordinary" and (course.id, kind) in self._kinds:
            raise ConflictError(
                "the course has a partition of this kind already", code="kind_taken"
            )
        if kind == "tracks":
            self._rights.require(Permission.ROSTER_WRITE, course.department, course.key)
        values: dict[str, Any] = {
            "position": self._ends.get(course.id, 0) + 1,
            "groups_editable": kind != "tracks",
            **row.partition_values,
        }
        return PartitionState(course.id, row.partition, kind=kind, **values)

    def _may_create_group(
        self, key: PartitionKey, partition: PartitionState, course: KnownCourse
    ) -> None:
        if partition.kind == "tracks":
            self._rights.require(Permission.ROSTER_WRITE, course.department, course.key)
        elif key in self._now and key not in self.open and not partition.groups_editable:
            raise NotEditableError("the groups of this partition are not editable")

    def _group(self, place: GroupKey, before: GroupState | None, row: StructureRow) -> GroupState:
        if before is None:
            end = GroupState(place[2], position=self._group_ends.get(place[:2], 0) + 1)
            return replace(end, **row.group_values)
        after = replace(before, **row.group_values)
        members = self._counts.get(before.id, 0)
        if after.capacity not in (None, before.capacity) and after.capacity < members:
            raise FullError("the group has more members than that")
        return after

    def _write_partition(
        self, key: PartitionKey, before: PartitionState | None, after: PartitionState
    ) -> None:
        if before == after:
            return
        self._now[key] = self.partitions[key] = after
        if before is None or after.groups_editable:
            self.open.add(key)
        self._note_partition(key, after)

    def _write_group(self, place: GroupKey, before: GroupState | None, after: GroupState) -> None:
        if before == after:
            return
        self._groups[place] = self.groups[place] = after
        self._group_ends[place[:2]] = max(self._group_ends.get(place[:2], 0), after.position)


def _compared(before: object, after: object) -> Result:
    if before == after:
        return "unchanged"
    return "created" if before is None else "updated"
