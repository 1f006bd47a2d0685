"""What a batch of assignments would do: decided row by row, before anything is written.

Pure: the state comes in, the answers go out. Rows take effect in their order, so a place that one
row frees is there for the next. There may be a hundred thousand of them: what there is one of for
each row is not frozen, which would take twice as long to make.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from groupsvc.core.memberships.repository import GroupOccupancy, Placement
from groupsvc.domain import rules

Result = Literal["assigned", "moved", "removed", "unchanged", "refused"]


@dataclass(slots=True)
class AssignmentRequest:
    """One row: put a user into a group, or with ``group_id`` None into none."""

    line: int
    user_id: int | None
    group_id: int | None
    refusal: str | None = None


@dataclass(slots=True)
class RowResult:
    """What became of a row. ``code`` says why it was refused."""

    line: int
    result: Result
    user_id: int | None
    group_id: int | None
    previous_group_id: int | None = None
    code: str | None = None


@dataclass
class Plan:
    answers: list[RowResult] = field(default_factory=list[RowResult])
    entering: dict[int, int] = field(default_factory=dict[int, int])
    leaving: set[int] = field(default_factory=set[int])

    @property
    def refused(self) -> bool:
        return any(answer.result == "refused" for answer in self.answers)


def plan(
    requests: Iterable[AssignmentRequest],
    placements: Mapping[int, Placement],
    groups: dict[int, GroupOccupancy],
    *,
    enrolled_only: bool,
) -> Plan:
    """Decide every row. ``groups`` is used up as the rows go by."""
    made = Plan()
    now = {user_id: state.group_id for user_id, state in placements.items()}
    append = made.answers.append
    for request in requests:
        user_id, group_id = request.user_id, request.group_id
        code = _refusal(request, placements, groups, now, enrolled_only)
        if code is not None or user_id is None:
            append(RowResult(request.line, "refused", user_id, group_id, code=code))
            continue
        previous = now[user_id]
        if previous == group_id:
            append(RowResult(request.line, "unchanged", user_id, group_id, previous))
            continue
        append(RowResult(request.line, _result(previous, group_id), user_id, group_id, previous))
        _occupy(groups, previous, -1)
        _occupy(groups, group_id, +1)
        now[user_id] = group_id
    for user_id, group_id in now.items():
        if group_id == placements[user_id].group_id:
            continue
        if group_id is None:
            made.leaving.add(user_id)
        else:
            made.entering[user_id] = group_id
    return made


def _refusal(
    request: AssignmentRequest,
    placements: Mapping[int, Placement],
    groups: Mapping[int, GroupOccupancy],
    now: Mapping[int, int | None],
    enrolled_only: bool,
) -> str | None:
    if request.refusal is not None:
        return request.refusal
    state = placements.get(request.user_id) if request.user_id is not None else None
    if request.user_id is None or state is None:
        return "unknown_user"
    if request.group_id is None:
        return None
    target = groups.get(request.group_id)
    if target is None:
        return "unknown_group"
    if enrolled_only and not state.is_enrolled:
        return rules.not_enrolled().code
    if now[request.user_id] != request.group_id and rules.is_full(target.capacity, target.taken):
        return rules.group_full().code
    return None


def _result(previous: int | None, group_id: int | None) -> Result:
    if group_id is None:
        return "removed"
    return "assigned" if previous is None else "moved"


def _occupy(groups: Mapping[int, GroupOccupancy], group_id: int | None, places: int) -> None:
    group = groups.get(group_id) if group_id is not None else None
    if group is not None:
        group.taken += places
