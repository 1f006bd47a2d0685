"""What a batch of a structure would do: decided row by row, before anything is written.

Pure: the state comes in, the answers go out. A row sees what the rows before it have done; names
are judged when all rows are in.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, Final

from groupsvc.domain import rules
from groupsvc.domain.errors import ConflictError, GroupsvcError
from groupsvc.domain.principal import Permission
from groupsvc.import_export.columns import Values
from groupsvc.import_export.damage import judge_damage
from groupsvc.import_export.dangers import Accepted, Note
from groupsvc.import_export.given_names import GivenNames, Name
from groupsvc.import_export.kinds import OF_GROUPS
from groupsvc.import_export.places import Courses, PermissionCache
from groupsvc.import_export.random_cohorts import RandomCohorts
from groupsvc.import_export.records import Course, GroupState, PartitionState
from groupsvc.import_export.results import Outcome, Result, compared, outcome

PartitionKey = tuple[int, str]  # course, name
GroupKey = tuple[int, str, str]  # course, partition, name
Former = tuple[type[PartitionState | GroupState], int, str]
FormerName = tuple[PartitionKey, str | None, str]  # of a partition, or of its group of this name
PARTITION_FLAGS: Final = ("groups_editable", "show_in_lists", "show_rank_on_report")
GROUP_FIELDS: Final = tuple(column.name for column in OF_GROUPS if not column.stored)


@dataclass(slots=True)
class StructureState:
    """What is true before the first row.

    ``last_positions`` are those of the groups that are not among ``groups``.
    ``closing`` are partitions whose groups may be edited until all is done and not from then on.
    ``former`` are the names that those of a type had before, by id.
    ``random_elsewhere`` are partitions where others than ``groups`` take users at random.
    """

    partitions: Iterable[PartitionState] = ()
    closing: Set[tuple[int, int]] = frozenset()
    groups: Mapping[tuple[int, str], GroupState] = field(default_factory=dict[Any, Any])
    last_positions: Mapping[int, int] = field(default_factory=dict[Any, Any])
    counts: Mapping[int, int] = field(default_factory=dict[Any, Any])
    former: Set[Former] = frozenset()
    random_elsewhere: Set[PartitionKey] = frozenset()


class StructurePlan:
    """``partitions`` and ``groups`` are what has to be written, by the names that they have so far;
    ``remembered`` are former names of partitions and groups, by the same.

    In partitions that are ``open`` groups may be created for now, whatever becomes of them in the
    end.
    """

    def __init__(
        self,
        known: StructureState,
        courses: Courses,
        permissions: PermissionCache,
        accept: Accepted,
        *,
        tracks_name: str,
    ) -> None:
        self.partitions: dict[PartitionKey, PartitionState] = {}
        self.groups: dict[GroupKey, GroupState] = {}
        self.created_groups: list[tuple[tuple[int, int], int]] = []
        self.remembered: dict[FormerName, None] = {}
        self.open: set[PartitionKey] = set()
        self.notes: dict[int, Note] = {}
        self._accept = accept
        self._tracks_name = tracks_name
        self._now: dict[int, dict[str, PartitionState]] = {}
        self._groups: dict[PartitionKey, dict[str, GroupState]] = {}
        self._last_positions: dict[PartitionKey, int] = {}
        self._counts = known.counts
        self._former = known.former
        self._courses = courses
        self._permissions = permissions
        self._load(known)
        self.random = RandomCohorts(
            (
                (*key, name)
                for key, groups in self._groups.items()
                for name, group in groups.items()
                if group.assignment_type == "random" and self.partition(key).kind == "cohorts"
            ),
            known.random_elsewhere,
        )
        self.names = GivenNames(
            [
                *((course_id, name) for course_id, names in self._now.items() for name in names),
                *((*key, name) for key, names in self._groups.items() for name in names),
            ]
        )

    def decide(self, row: Values, line: int) -> Outcome:
        """Raises what stands against the row, which then changes nothing."""
        course = self._courses.find_held(row["course_key"])
        key = (course.id, row["partition"])
        before = self._now.setdefault(course.id, {}).get(row["partition"])
        after = self._partition(before, row, course)
        result: Result = "unchanged"
        group_before = group = said = None
        if "group" in row:
            group_before = self._groups.setdefault(key, {}).get(row["group"])
            said = judge_damage(("timetable_id",), group_before, row, self._accept)
            group = self._group(key, group_before, row)
            if group_before is None or group_before.name != group.name:
                self._may_edit_groups(key, before, after, course, is_new=group_before is None)
            result = compared(group_before, group)
        remembered = [
            *self._unknown((key, None), before, row.get("partition_former_names", ())),
            *self._unknown((key, row.get("group")), group_before, row.get("former_names", ())),
        ]
        if remembered and result == "unchanged":
            result = "updated"
        found = outcome(compared(before, after), result)
        if found != ("unchanged",):
            rules.refuse_if_locked(self._courses.is_locked(course.id))
        if group is not None:
            self._write_group((*key, row["group"]), group_before, group)
            self._tell(after.kind, (*key, row["group"]), group, row, line)
        if before != after:
            self._write_partition(key, before, after)
        if "new_partition" in row or not after.id:
            self.names.give(key, (course.id, after.name), line)
        self.remembered |= dict.fromkeys(remembered)
        if said is not None:
            self.notes[line] = said
        return found

    def taken(self, name: Name) -> GroupsvcError:
        _course, _name, *of_group = name
        what = "group of the partition" if of_group else "partition of the course"
        return rules.name_taken(f"a {what} has this name")

    def _unknown(
        self,
        bearer: tuple[PartitionKey, str | None],
        before: PartitionState | GroupState | None,
        names: Iterable[str],
    ) -> list[FormerName]:
        """Former names that are not remembered yet."""
        known = (type(before), before.id) if before is not None else None
        found = (
            (*bearer, name) for name in names if known is None or (*known, name) not in self._former
        )
        return [each for each in found if each not in self.remembered]

    def partition(self, key: PartitionKey) -> PartitionState:
        return self._now[key[0]][key[1]]

    def group(self, key: PartitionKey, name: str) -> GroupState:
        return self._groups[key][name]

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
            key = keys[partition_id]
            self._groups.setdefault(key, {})[name] = group
            self._pass(key, group)

    def _partition(
        self, before: PartitionState | None, row: Values, course: Course
    ) -> PartitionState:
        if before is None:
            after = self._new_partition(row, course)
        elif row.get("kind", before.kind) != before.kind:
            raise ConflictError("the partition is of another kind", code="kind_mismatch")
        else:
            after = replace(before, **_of_partition(row))
            rules.refuse_if_keeps_its_name(before.kind, before.name, after.name)
        if before is None or after.name != before.name:
            rules.refuse_if_name_is_reserved(after.kind, after.name, self._tracks_name)
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
            "imported_key": row.get("partition_key"),
            "name": row["partition"],
            **_of_partition(row),
        }
        return PartitionState(course.id, kind=kind, **values)

    def _may_edit_groups(
        self,
        key: PartitionKey,
        before: PartitionState | None,
        after: PartitionState,
        course: Course,
        *,
        is_new: bool,
    ) -> None:
        if after.kind == "tracks" and is_new:
            self._permissions.require(Permission.ROSTER_WRITE, course.department, course.key)
        elif before is not None and key not in self.open:
            rules.refuse_if_not_editable(after.groups_editable)

    def _pass(self, key: PartitionKey, group: GroupState) -> None:
        self._last_positions[key] = max(self._last_positions.get(key, 0), group.position)

    def _group(self, key: PartitionKey, before: GroupState | None, row: Values) -> GroupState:
        if before is None:
            place = self._last_positions.get(key, 0) + 1
            end = GroupState(row["group"], position=place, imported_key=row.get("key"))
            return replace(end, **_of_group(row))
        after = replace(before, **_of_group(row))
        members = self._counts.get(before.id, 0)
        rules.refuse_if_below_members(after.capacity, before.capacity, members)
        return after

    def _write_group(self, key: GroupKey, before: GroupState | None, after: GroupState) -> None:
        if before != after:
            self._groups[key[:2]][key[2]] = self.groups[key] = after
            self._pass(key[:2], after)

    def _tell(self, kind: str, key: GroupKey, group: GroupState, row: Values, line: int) -> None:
        """What is judged when all rows are in."""
        if kind == "cohorts" and "assignment_type" in row:
            self.random.tell(key, row["assignment_type"], line)
        if "new_group" in row or not group.id:
            self.names.give(key, (*key[:2], group.name), line)

    def _write_partition(
        self, key: PartitionKey, before: PartitionState | None, after: PartitionState
    ) -> None:
        self._now[key[0]][key[1]] = self.partitions[key] = after
        if before is None or after.groups_editable:
            self.open.add(key)


def _of_partition(row: Values) -> Values:
    values = {name: row[name] for name in PARTITION_FLAGS if name in row}
    return values | ({"name": row["new_partition"]} if "new_partition" in row else {})


def _of_group(row: Values) -> Values:
    values = {name: row[name] for name in GROUP_FIELDS if name in row}
    return values | ({"name": row["new_group"]} if "new_group" in row else {})
