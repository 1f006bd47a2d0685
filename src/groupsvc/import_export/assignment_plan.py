"""What a batch of assignments would do: decided as a whole, before anything is written.

Pure: the state comes in, the answers go out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from groupsvc.core.memberships.planning import AssignmentRequest, Plan, RowResult, plan, retell
from groupsvc.core.memberships.repository import GroupOccupancy, MembershipKey, Placement
from groupsvc.core.users.recognition import Named
from groupsvc.domain import rules
from groupsvc.domain.errors import ConflictError, GroupsvcError
from groupsvc.import_export.lists import Place
from groupsvc.import_export.records import Course, TargetPartition
from groupsvc.import_export.results import Result, RowAnswer, refused

MESSAGES: Final = {
    "unknown_user": "no such user",
    "unknown_partition": "no such partition",
    "unknown_group": "no such group",
    **{
        refusal.code: refusal.message
        for refusal in (
            *(rules.not_enrolled(), rules.group_full(), rules.not_editable()),
            rules.name_reserved(),
        )
    },
}


PartitionKey = tuple[int, str]  # course, name
Part = tuple[Sequence[RowResult], Mapping[int, Placement]]
GroupKey = tuple[int, str, str]  # course, partition, name


@dataclass(slots=True)
class ResolvedRow:
    """A row whose course is open to the caller.

    One that ``removes`` takes the user out of its group, or without one out of whatever they are
    in. Else one without a group leaves them where they are.
    """

    line: int
    course: Course
    user: str
    partition: str
    group: str | None
    removes: bool = False
    key: PartitionKey = field(init=False)
    named: Named = field(init=False)

    def __post_init__(self) -> None:
        self.key = self.course.id, self.partition
        self.named = self.user, self.course.department


@dataclass(slots=True)
class BatchState:
    """What the rows name, as it is now.

    ``users`` go by identifier and department, ``placements`` by course, partition and user, with
    partition 0 for one that does not exist; ``occupancy`` by partition and group. ``creators`` are
    lines of the rows that bring a partition about, before which there is none. In partitions that
    are ``braked`` nobody is taken out. ``tracks_name`` is the name of no ordinary one.
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
    braked: Mapping[Place, GroupsvcError] = field(default_factory=dict[Place, GroupsvcError])
    # Whom the caller does not see: for them nobody is there, but where anybody is taken.
    unseen: frozenset[int] = frozenset()
    tracks_name: str = ""

    def user_of(self, row: ResolvedRow) -> int | None:
        user_id = self.users.get(row.named)
        if user_id not in self.unseen:
            return user_id
        partition = self.partitions.get(row.key)
        is_open = partition is not None and rules.takes_anybody(partition.kind)
        return user_id if is_open else None

    def place_of(self, row: ResolvedRow) -> MembershipKey | None:
        user_id = self.user_of(row)
        if user_id is None:
            return None
        partition = self.partitions.get(row.key)
        return row.course.id, partition.id if partition is not None else 0, user_id

    def unnamed(self, rows: Sequence[ResolvedRow]) -> tuple[list[PartitionKey], list[GroupKey]]:
        """Partitions and groups that are called so by rows alone, in the order of the rows."""
        groups = self.group_ids()
        named = ((*row.key, row.group) for row in rows if row.group is not None)
        return (
            [row.key for row in rows if row.key not in self.partitions],
            [group for group in named if group not in groups],
        )

    def missing(self, rows: Sequence[ResolvedRow]) -> dict[GroupKey, None]:
        """Groups that rows name which nothing else stands against, in their order."""
        groups = self.group_ids()
        found: dict[GroupKey, None] = {}
        for row in rows:
            partition = self.partitions.get(row.key)
            if row.group is None or row.removes or (*row.key, row.group) in groups:
                continue
            is_open = (
                not self._is_reserved(row)
                if partition is None
                else partition.groups_editable and partition.kind != "tracks"
            )
            if is_open and self._person_refusal(row) is None:
                found[(*row.key, row.group)] = None
                if partition is None:
                    self.creators.setdefault(row.key, row.line)
        return found

    def plan(self, rows: Sequence[ResolvedRow], *, create: bool) -> "BatchPlan":
        """Decide every row."""
        groups = self.group_ids()
        made = BatchPlan()
        requests: dict[PartitionKey, list[AssignmentRequest]] = {}
        removing = {row.key for row in rows if row.removes}
        now: dict[MembershipKey | None, int | None] = {}  # where rows before have put users
        for row in rows:
            code = self._refusal(row, groups, create=create)
            if code is not None:
                made.answers[row.line] = _answer(row.line, "refused", code)
                continue
            group_id = groups[(*row.key, row.group)] if row.group else None
            if row.removes or group_id is None:
                if (answer := self._stays(row, group_id, now)) is not None:
                    made.answers[row.line] = answer
                    continue
                if (place := self.place_of(row)) is not None:
                    made.leaving_from[place] = group_id
                group_id = None
            if row.key in removing:
                now[self.place_of(row)] = group_id
            request = AssignmentRequest(row.line, self.user_of(row), group_id)
            requests.setdefault(row.key, []).append(request)
        for key, wanted in requests.items():
            partition = self.partitions[key]
            placements = {
                user_id: self._placement(partition.course_id, partition.id, user_id)
                for user_id in dict.fromkeys(each.user_id for each in wanted)
                if user_id is not None
            }
            made.add(partition, self._plan_partition(partition, wanted, placements), placements)
        return made

    def _stays(
        self,
        row: ResolvedRow,
        group_id: int | None,
        now: Mapping[MembershipKey | None, int | None],
    ) -> RowAnswer | None:
        """The answer to a row that takes the user out of nothing."""
        place = self.place_of(row)
        if not row.removes or place is None:
            return RowAnswer(row.line, "unchanged")
        current = now[place] if place in now else self._placement(*place).group_id
        if current is None or group_id not in (None, current):
            return RowAnswer(row.line, "unchanged")
        refusal = self.braked.get(place[:2])
        return refused(row.line, refusal) if refusal is not None else None

    def _plan_partition(
        self,
        partition: TargetPartition,
        requests: list[AssignmentRequest],
        placements: Mapping[int, Placement],
    ) -> Plan:
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
        if row.removes or row.group is None:
            if not exists:
                return "unknown_partition"
            named = row.group is not None
            return "unknown_group" if named and (*row.key, row.group) not in groups else None
        if (code := self._person_refusal(row)) is not None:
            return code
        if not exists:
            reserved = create and self._is_reserved(row)
            return rules.name_reserved().code if reserved else "unknown_partition"
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

    def _is_reserved(self, row: ResolvedRow) -> bool:
        return rules.is_name_reserved("ordinary", row.partition, self.tracks_name)

    def _placement(self, course_id: int, partition_id: int, user_id: int) -> Placement:
        """Nobody is in a group yet of a partition that was made just now."""
        found = self.placements.get((course_id, partition_id, user_id))
        return found or self.placements[(course_id, 0, user_id)]

    def group_ids(self) -> dict[GroupKey, int]:
        return {
            (*key, group.name): group_id
            for key, partition in self.partitions.items()
            for group_id, group in self.occupancy.get(partition.id, {}).items()
            if group.name is not None
        }


@dataclass(slots=True)
class BatchPlan:
    """Answers by line, and what has to be written.

    ``leaving_from`` are the groups that rows which take users out of them name, if they do.
    """

    answers: dict[int, RowAnswer] = field(default_factory=dict[int, RowAnswer])
    entering: list[tuple[MembershipKey, int]] = field(
        default_factory=list[tuple[MembershipKey, int]]
    )
    leaving: list[MembershipKey] = field(default_factory=list[MembershipKey])
    leaving_from: dict[MembershipKey, int | None] = field(
        default_factory=dict[MembershipKey, int | None]
    )
    _parts: dict[Place, Part] = field(default_factory=dict[Place, Part])

    def add(
        self, partition: TargetPartition, part: Plan, placements: Mapping[int, Placement]
    ) -> None:
        for answer in part.answers:
            self.answers[answer.line] = _answer(answer.line, answer.result, answer.code)
        place = (partition.course_id, partition.id)
        self._parts[place] = part.answers, placements
        self.entering += [((*place, user), group) for user, group in part.entering.items()]
        self.leaving += [(*place, user) for user in sorted(part.leaving)]

    def retell(self, were: Mapping[MembershipKey, int | None]) -> None:
        """Correct the answers about users of whom the writing has told that they ``were``
        elsewhere: others may assign or move them between the planning and the writing.

        Raises ConflictError when somebody has left another group than their row names.
        """
        found: dict[Place, dict[int, int | None]] = {}
        for (course_id, partition_id, user_id), group_id in were.items():
            place = (course_id, partition_id)
            if self._parts[place][1][user_id].group_id == group_id:
                continue
            if self.leaving_from.get((*place, user_id), group_id) not in (group_id, None):
                raise ConflictError("memberships have changed meanwhile")
            found.setdefault(place, {})[user_id] = group_id
        for place, of_users in found.items():
            answers = [each for each in self._parts[place][0] if each.user_id in of_users]
            retell(answers, of_users)
            for each in answers:
                self.answers[each.line] = _answer(each.line, each.result, each.code)

    def refuse_changes(self, locked: Mapping[int, int]) -> None:
        """Leave the courses as they are that rows, by their lines, are about."""
        if not locked:
            return
        for line in locked:
            if self.answers[line].result != "unchanged":
                self.answers[line] = refused(line, rules.course_locked())
        courses = frozenset(locked.values())
        self.entering = [each for each in self.entering if each[0][0] not in courses]
        self.leaving = [each for each in self.leaving if each[0] not in courses]


def _answer(line: int, result: Result, code: str | None) -> RowAnswer:
    return RowAnswer(line, result, code, MESSAGES[code] if code is not None else None)
