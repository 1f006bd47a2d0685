"""What a batch of assignments would do: decided row by row, before anything is written.

Pure: the state comes in, the answers go out. A row sees what the rows before it have done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from groupsvc.core.memberships.planning import AssignmentRequest, Plan, plan
from groupsvc.core.memberships.repository import GroupOccupancy, MembershipKey, Placement
from groupsvc.domain import rules
from groupsvc.import_export import cells
from groupsvc.import_export.cells import Cells
from groupsvc.import_export.results import Result, RowAnswer
from groupsvc.import_export.sql.assignments import TargetPartition
from groupsvc.import_export.sql.courses import KnownCourse

LONGEST_NAME: Final = 255
LONGEST_IDENTIFIER: Final = 320
MESSAGES: Final = {
    "unknown_user": "no such user",
    "unknown_partition": "no such partition",
    "unknown_group": "no such group",
    **{
        refusal.code: refusal.message
        for refusal in (rules.not_enrolled(), rules.group_full(), rules.not_editable())
    },
}


@dataclass(frozen=True, slots=True)
class AssignmentRow:
    """No group: out of every group of the partition."""

    course_key: str
    user: str
    partition: str
    group: str | None


def read_row(row: Cells) -> AssignmentRow:
    return AssignmentRow(
        cells.name(row, "course_key", longest=LONGEST_NAME),
        cells.name(row, "user", longest=LONGEST_IDENTIFIER),
        cells.name(row, "partition", longest=LONGEST_NAME),
        cells.optional_name(row, "group", longest=LONGEST_NAME),
    )


PartitionKey = tuple[int, str]  # course, name
GroupKey = tuple[int, str, str]  # course, partition, name


@dataclass(frozen=True, slots=True)
class Placed:
    """A row whose course is open to the caller."""

    line: int
    row: AssignmentRow
    course: KnownCourse

    @property
    def key(self) -> PartitionKey:
        return self.course.id, self.row.partition


@dataclass(slots=True)
class Scene:
    """What the rows name, as it is now.

    ``users`` go by identifier and department, ``standings`` by course, partition and user, with
    partition 0 for one that does not exist; ``room`` by partition and group. ``made`` are lines of
    the rows that bring a partition about, before which there is none.
    """

    partitions: dict[PartitionKey, TargetPartition]
    users: Mapping[tuple[str, str | None], int]
    standings: Mapping[MembershipKey, Placement] = field(
        default_factory=dict[MembershipKey, Placement]
    )
    room: dict[int, dict[int, GroupOccupancy]] = field(
        default_factory=dict[int, dict[int, GroupOccupancy]]
    )
    made: dict[PartitionKey, int] = field(default_factory=dict[PartitionKey, int])

    def user_of(self, placed: Placed) -> int | None:
        return self.users.get((placed.row.user, placed.course.department))

    def place_of(self, placed: Placed) -> MembershipKey | None:
        partition = self.partitions.get(placed.key)
        user_id = self.user_of(placed)
        if user_id is None:
            return None
        return placed.course.id, partition.id if partition is not None else 0, user_id

    def missing(self, rows: Sequence[Placed]) -> dict[GroupKey, None]:
        """Groups that rows name which nothing else stands against, in their order."""
        groups = self._groups()
        found: dict[GroupKey, None] = {}
        for placed in rows:
            partition = self.partitions.get(placed.key)
            if placed.row.group is None or (*placed.key, placed.row.group) in groups:
                continue
            is_open = partition is None or (
                partition.groups_editable and partition.kind != "tracks"
            )
            if is_open and self._person_refusal(placed) is None:
                found[(*placed.key, placed.row.group)] = None
                if partition is None:
                    self.made.setdefault(placed.key, placed.line)
        return found

    def plan(self, rows: Sequence[Placed], *, create: bool) -> "Decided":
        """Decide every row."""
        groups = self._groups()
        decided = Decided()
        wishes: dict[PartitionKey, list[AssignmentRequest]] = {}
        for placed in rows:
            code = self._refusal(placed, groups, create=create)
            if code is not None:
                decided.answers[placed.line] = _answer(placed.line, "refused", code)
                continue
            group_id = groups[(*placed.key, placed.row.group)] if placed.row.group else None
            wish = AssignmentRequest(placed.line, self.user_of(placed), group_id)
            wishes.setdefault(placed.key, []).append(wish)
        for key, wanted in wishes.items():
            decided.take(self.partitions[key], self._plan_partition(self.partitions[key], wanted))
        return decided

    def _plan_partition(self, partition: TargetPartition, wishes: list[AssignmentRequest]) -> Plan:
        standings: dict[int, Placement] = {}
        for wish in wishes:
            if wish.user_id is not None:
                standings[wish.user_id] = self._standing(
                    partition.course_id, partition.id, wish.user_id
                )
        room = self.room.get(partition.id, {})
        return plan(wishes, standings, room, enrolled_only=not rules.takes_anybody(partition.kind))

    def _refusal(
        self, placed: Placed, groups: Mapping[GroupKey, int], *, create: bool
    ) -> str | None:
        exists = placed.key in self.partitions and placed.line >= self.made.get(placed.key, 0)
        if self.user_of(placed) is None:
            return "unknown_user"
        if placed.row.group is None:
            return None if exists else "unknown_partition"
        if (code := self._person_refusal(placed)) is not None:
            return code
        if not exists:
            return "unknown_partition"
        if (*placed.key, placed.row.group) in groups:
            return None
        return rules.not_editable().code if create else "unknown_group"

    def _person_refusal(self, placed: Placed) -> str | None:
        """What stands against the user in a group of the partition, whichever it is."""
        place = self.place_of(placed)
        if place is None:
            return "unknown_user"
        partition = self.partitions.get(placed.key)
        if partition is not None and rules.takes_anybody(partition.kind):
            return None
        return None if self._standing(*place).is_enrolled else rules.not_enrolled().code

    def _standing(self, course_id: int, partition_id: int, user_id: int) -> Placement:
        """Nobody is in a group yet of a partition that was made just now."""
        found = self.standings.get((course_id, partition_id, user_id))
        return found or self.standings[(course_id, 0, user_id)]

    def _groups(self) -> dict[GroupKey, int]:
        return {
            (*key, room.name): group_id
            for key, partition in self.partitions.items()
            for group_id, room in self.room.get(partition.id, {}).items()
            if room.name is not None
        }


@dataclass(slots=True)
class Decided:
    """Answers by line, and what has to be written."""

    answers: dict[int, RowAnswer] = field(default_factory=dict[int, RowAnswer])
    entering: list[tuple[MembershipKey, int]] = field(
        default_factory=list[tuple[MembershipKey, int]]
    )
    leaving: list[MembershipKey] = field(default_factory=list[MembershipKey])

    def take(self, partition: TargetPartition, made: Plan) -> None:
        for answer in made.answers:
            self.answers[answer.line] = _answer(answer.line, answer.result, answer.code)
        place = (partition.course_id, partition.id)
        self.entering += [((*place, user), group) for user, group in made.entering.items()]
        self.leaving += [(*place, user) for user in sorted(made.leaving)]


def _answer(line: int, result: Result, code: str | None) -> RowAnswer:
    return RowAnswer(line, result, code, MESSAGES[code] if code is not None else None)
