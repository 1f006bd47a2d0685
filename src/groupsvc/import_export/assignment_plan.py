"""What a batch of assignments would do: decided as a whole, before anything is written.

Pure: the state comes in, the answers go out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from groupsvc.core.memberships.planning import AssignmentRequest, Plan, plan
from groupsvc.core.memberships.repository import GroupOccupancy, MembershipKey, Placement
from groupsvc.domain import rules
from groupsvc.import_export.records import Course, TargetPartition
from groupsvc.import_export.results import Result, RowAnswer

MESSAGES: Final = {
    "unknown_user": "no such user",
    "unknown_partition": "no such partition",
    "unknown_group": "no such group",
    **{
        refusal.code: refusal.message
        for refusal in (rules.not_enrolled(), rules.group_full(), rules.not_editable())
    },
}


PartitionKey = tuple[int, str]  # course, name
GroupKey = tuple[int, str, str]  # course, partition, name


@dataclass(frozen=True, slots=True)
class ResolvedRow:
    """A row whose course is open to the caller. No group: out of every group of the partition."""

    line: int
    course: Course
    user: str
    partition: str
    group: str | None

    @property
    def key(self) -> PartitionKey:
        return self.course.id, self.partition


@dataclass(slots=True)
class BatchState:
    """What the rows name, as it is now.

    ``users`` go by identifier and department, ``placements`` by course, partition and user, with
    partition 0 for one that does not exist; ``occupancy`` by partition and group. ``creators`` are
    lines of the rows that bring a partition about, before which there is none.
    """

    partitions: dict[PartitionKey, TargetPartition]
    users: Mapping[tuple[str, str | None], int]
    placements: Mapping[MembershipKey, Placement] = field(
        default_factory=dict[MembershipKey, Placement]
    )
    occupancy: dict[int, dict[int, GroupOccupancy]] = field(
        default_factory=dict[int, dict[int, GroupOccupancy]]
    )
    creators: dict[PartitionKey, int] = field(default_factory=dict[PartitionKey, int])

    def user_of(self, row: ResolvedRow) -> int | None:
        return self.users.get((row.user, row.course.department))

    def place_of(self, row: ResolvedRow) -> MembershipKey | None:
        partition = self.partitions.get(row.key)
        user_id = self.user_of(row)
        if user_id is None:
            return None
        return row.course.id, partition.id if partition is not None else 0, user_id

    def missing(self, rows: Sequence[ResolvedRow]) -> dict[GroupKey, None]:
        """Groups that rows name which nothing else stands against, in their order."""
        groups = self._groups()
        found: dict[GroupKey, None] = {}
        for row in rows:
            partition = self.partitions.get(row.key)
            if row.group is None or (*row.key, row.group) in groups:
                continue
            is_open = partition is None or (
                partition.groups_editable and partition.kind != "tracks"
            )
            if is_open and self._person_refusal(row) is None:
                found[(*row.key, row.group)] = None
                if partition is None:
                    self.creators.setdefault(row.key, row.line)
        return found

    def plan(self, rows: Sequence[ResolvedRow], *, create: bool) -> "BatchPlan":
        """Decide every row."""
        groups = self._groups()
        made = BatchPlan()
        requests: dict[PartitionKey, list[AssignmentRequest]] = {}
        for row in rows:
            code = self._refusal(row, groups, create=create)
            if code is not None:
                made.answers[row.line] = _answer(row.line, "refused", code)
                continue
            group_id = groups[(*row.key, row.group)] if row.group else None
            request = AssignmentRequest(row.line, self.user_of(row), group_id)
            requests.setdefault(row.key, []).append(request)
        for key, wanted in requests.items():
            made.add(self.partitions[key], self._plan_partition(self.partitions[key], wanted))
        return made

    def _plan_partition(
        self, partition: TargetPartition, requests: list[AssignmentRequest]
    ) -> Plan:
        placements: dict[int, Placement] = {}
        for request in requests:
            if request.user_id is not None:
                placements[request.user_id] = self._placement(
                    partition.course_id, partition.id, request.user_id
                )
        groups = self.occupancy.get(partition.id, {})
        return plan(
            requests, placements, groups, enrolled_only=not rules.takes_anybody(partition.kind)
        )

    def _refusal(
        self, row: ResolvedRow, groups: Mapping[GroupKey, int], *, create: bool
    ) -> str | None:
        exists = row.key in self.partitions and row.line >= self.creators.get(row.key, 0)
        if self.user_of(row) is None:
            return "unknown_user"
        if row.group is None:
            return None if exists else "unknown_partition"
        if (code := self._person_refusal(row)) is not None:
            return code
        if not exists:
            return "unknown_partition"
        if (*row.key, row.group) in groups:
            return None
        return rules.not_editable().code if create else "unknown_group"

    def _person_refusal(self, row: ResolvedRow) -> str | None:
        """What stands against the user in a group of the partition, whichever it is."""
        place = self.place_of(row)
        if place is None:
            return "unknown_user"
        partition = self.partitions.get(row.key)
        if partition is not None and rules.takes_anybody(partition.kind):
            return None
        return None if self._placement(*place).is_enrolled else rules.not_enrolled().code

    def _placement(self, course_id: int, partition_id: int, user_id: int) -> Placement:
        """Nobody is in a group yet of a partition that was made just now."""
        found = self.placements.get((course_id, partition_id, user_id))
        return found or self.placements[(course_id, 0, user_id)]

    def _groups(self) -> dict[GroupKey, int]:
        return {
            (*key, group.name): group_id
            for key, partition in self.partitions.items()
            for group_id, group in self.occupancy.get(partition.id, {}).items()
            if group.name is not None
        }


@dataclass(slots=True)
class BatchPlan:
    """Answers by line, and what has to be written."""

    answers: dict[int, RowAnswer] = field(default_factory=dict[int, RowAnswer])
    entering: list[tuple[MembershipKey, int]] = field(
        default_factory=list[tuple[MembershipKey, int]]
    )
    leaving: list[MembershipKey] = field(default_factory=list[MembershipKey])

    def add(self, partition: TargetPartition, part: Plan) -> None:
        for answer in part.answers:
            self.answers[answer.line] = _answer(answer.line, answer.result, answer.code)
        place = (partition.course_id, partition.id)
        self.entering += [((*place, user), group) for user, group in part.entering.items()]
        self.leaving += [(*place, user) for user in sorted(part.leaving)]


def _answer(line: int, result: Result, code: str | None) -> RowAnswer:
    return RowAnswer(line, result, code, MESSAGES[code] if code is not None else None)
