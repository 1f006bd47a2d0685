"""What a batch of a structure would do: decided row by row, before anything is written.

Pure: the state comes in, the answers go out. A row sees what the rows before it have done.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any

from groupsvc.domain import rules
from groupsvc.domain.errors import ConflictError
from groupsvc.domain.principal import Permission
from groupsvc.import_export.places import Courses, Rights
from groupsvc.import_export.results import Result, greater
from groupsvc.import_export.sql.courses import KnownCourse
from groupsvc.import_export.sql.structure import GroupState, PartitionState
from groupsvc.import_export.structure_rows import StructureRow

PartitionKey = tuple[int, str]  # course, name
GroupKey = tuple[int, str, str]  # course, partition, name


@dataclass(slots=True)
class Known:
    """What is true before the first row.

    ``last_positions`` are those of the groups that are not among ``groups``.
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
        self._now: dict[int, dict[str, PartitionState]] = {}
        self._groups: dict[PartitionKey, dict[str, GroupState]] = {}
        self._last_positions: dict[PartitionKey, int] = {}
        self._counts = known.counts
        self._courses = courses
        self._rights = rights
        self._learn(known)

    def decide(self, row: StructureRow) -> Result:
        """Raises what stands against the row, which then changes nothing."""
        course = self._courses.find_open(row.course_key)
        key = (course.id, row.partition)
        before = self._now.setdefault(course.id, {}).get(row.partition)
        after = self._partition(before, row, course)
        result: Result = _compared(before, after)
        if row.group is not None:
            group_before = self._groups.setdefault(key, {}).get(row.group)
            group = self._group(key, group_before, row, row.group)
            if group_before is None:
                self._may_create_group(key, before, after, course)
            result = greater(result, _compared(group_before, group))
            if group != group_before:
                self._groups[key][row.group] = self.groups[(*key, row.group)] = group
        self._write_partition(key, before, after)
        return result

    def partition(self, key: PartitionKey) -> PartitionState:
        return self._now[key[0]][key[1]]

    def _learn(self, known: Known) -> None:
        keys: dict[int, PartitionKey] = {}
        for state in known.partitions:
            key = keys[state.id] = (state.course_id, state.name)
            if state.groups_editable:
                self.open.add(key)
            is_closing = (state.course_id, state.id) in known.closing
            now = replace(state, groups_editable=False) if is_closing else state
            self._now.setdefault(state.course_id, {})[state.name] = now
            if state.id in known.last_positions:
                self._last_positions[key] = known.last_positions[state.id]
        for (partition_id, name), group in known.groups.items():
            self._groups.setdefault(keys[partition_id], {})[name] = group

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
            raise rules.tracks_not_editable()
        return after

    def _new_partition(self, row: StructureRow, course: KnownCourse) -> PartitionState:
        kind = row.kind or "ordinary"
        if kind == "default":
            raise rules.default_partition("every course has its default partition")
        others = self._now[course.id].values()
        if kind != "ordinary" and any(each.kind == kind for each in others):
            raise rules.kind_taken()
        if kind == "tracks":
            self._rights.require(Permission.ROSTER_WRITE, course.department, course.key)
        values: dict[str, Any] = {
            "position": max((each.position for each in others), default=0) + 1,
            "groups_editable": kind != "tracks",
            **row.partition_values,
        }
        return PartitionState(course.id, row.partition, kind=kind, **values)

    def _may_create_group(
        self,
        key: PartitionKey,
        before: PartitionState | None,
        after: PartitionState,
        course: KnownCourse,
    ) -> None:
        if after.kind == "tracks":
            self._rights.require(Permission.ROSTER_WRITE, course.department, course.key)
        elif before is not None and key not in self.open:
            rules.refuse_if_not_editable(after.groups_editable)

    def _group(
        self, key: PartitionKey, before: GroupState | None, row: StructureRow, name: str
    ) -> GroupState:
        if before is None:
            positions = [each.position for each in self._groups[key].values()]
            if key in self._last_positions:
                positions.append(self._last_positions[key])
            end = GroupState(name, position=max(positions, default=0) + 1)
            return replace(end, **row.group_values)
        after = replace(before, **row.group_values)
        members = self._counts.get(before.id, 0)
        rules.refuse_if_below_members(after.capacity, before.capacity, members)
        return after

    def _write_partition(
        self, key: PartitionKey, before: PartitionState | None, after: PartitionState
    ) -> None:
        if before == after:
            return
        self._now[key[0]][key[1]] = self.partitions[key] = after
        if before is None or after.groups_editable:
            self.open.add(key)


def _compared(before: object, after: object) -> Result:
    if before == after:
        return "unchanged"
    return "created" if before is None else "updated"
