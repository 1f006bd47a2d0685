"""What a batch of a structure would do: decided row by row, before anything is written.

Pure: the state comes in, the answers go out. A row sees what the rows before it have done.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, Final

from groupsvc.domain import rules
from groupsvc.domain.errors import ConflictError
from groupsvc.domain.principal import Permission
from groupsvc.import_export.columns import Values
from groupsvc.import_export.kinds import OF_GROUPS
from groupsvc.import_export.places import Courses, PermissionCache
from groupsvc.import_export.records import Course, GroupState, PartitionState
from groupsvc.import_export.results import Result, greater

PartitionKey = tuple[int, str]  # course, name
GroupKey = tuple[int, str, str]  # course, partition, name
PARTITION_FLAGS: Final = ("groups_editable", "show_in_lists", "show_rank_on_report")
GROUP_FIELDS: Final = tuple(column.stored or column.name for column in OF_GROUPS)


@dataclass(slots=True)
class StructureState:
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

    def __init__(
        self, known: StructureState, courses: Courses, permissions: PermissionCache
    ) -> None:
        self.partitions: dict[PartitionKey, PartitionState] = {}
        self.groups: dict[GroupKey, GroupState] = {}
        self.open: set[PartitionKey] = set()
        self._now: dict[int, dict[str, PartitionState]] = {}
        self._groups: dict[PartitionKey, dict[str, GroupState]] = {}
        self._last_positions: dict[PartitionKey, int] = {}
        self._counts = known.counts
        self._courses = courses
        self._permissions = permissions
        self._load(known)

    def decide(self, row: Values) -> Result:
        """Raises what stands against the row, which then changes nothing."""
        course = self._courses.find_open(row["course_key"])
        key = (course.id, row["partition"])
        before = self._now.setdefault(course.id, {}).get(row["partition"])
        after = self._partition(before, row, course)
        result: Result = _compared(before, after)
        if "group" in row:
            group_before = self._groups.setdefault(key, {}).get(row["group"])
            group = self._group(key, group_before, row)
            if group_before is None:
                self._may_create_group(key, before, after, course)
            result = greater(result, _compared(group_before, group))
            if group != group_before:
                self._groups[key][row["group"]] = self.groups[(*key, row["group"])] = group
        self._write_partition(key, before, after)
        return result

    def partition(self, key: PartitionKey) -> PartitionState:
        return self._now[key[0]][key[1]]

    def _load(self, known: StructureState) -> None:
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
        self, before: PartitionState | None, row: Values, course: Course
    ) -> PartitionState:
        if before is None:
            after = self._new_partition(row, course)
        elif row.get("kind", before.kind) != before.kind:
            raise ConflictError("the partition is of another kind", code="kind_mismatch")
        else:
            after = replace(before, **_of_partition(row))
        if after.kind == "tracks" and after.groups_editable:
            raise rules.tracks_not_editable()
        return after

    def _new_partition(self, row: Values, course: Course) -> PartitionState:
        kind = row.get("kind") or "ordinary"
        if kind == "default":
            raise rules.default_partition("every course has its default partition")
        others = self._now[course.id].values()
        if kind != "ordinary" and any(each.kind == kind for each in others):
            raise rules.kind_taken()
        if kind == "tracks":
            self._permissions.require(Permission.ROSTER_WRITE, course.department, course.key)
        values: dict[str, Any] = {
            "position": max((each.position for each in others), default=0) + 1,
            "groups_editable": kind != "tracks",
            **_of_partition(row),
        }
        return PartitionState(course.id, row["partition"], kind=kind, **values)

    def _may_create_group(
        self,
        key: PartitionKey,
        before: PartitionState | None,
        after: PartitionState,
        course: Course,
    ) -> None:
        if after.kind == "tracks":
            self._permissions.require(Permission.ROSTER_WRITE, course.department, course.key)
        elif before is not None and key not in self.open:
            rules.refuse_if_not_editable(after.groups_editable)

    def _group(self, key: PartitionKey, before: GroupState | None, row: Values) -> GroupState:
        if before is None:
            positions = [each.position for each in self._groups[key].values()]
            if key in self._last_positions:
                positions.append(self._last_positions[key])
            end = GroupState(row["group"], position=max(positions, default=0) + 1)
            return replace(end, **_of_group(row))
        after = replace(before, **_of_group(row))
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


def _of_partition(row: Values) -> Values:
    values = {name: row[name] for name in PARTITION_FLAGS if name in row}
    return values | ({"position": row["partition_position"]} if "partition_position" in row else {})


def _of_group(row: Values) -> Values:
    return {name: row[name] for name in GROUP_FIELDS if name in row}
