"""What a batch of assignments would do: decided as a whole, before anything is written.

Pure: the state comes in, the answers go out. Rows of one user take effect in their order. Places
are judged after the whole batch, so it does not matter which row frees a place and which takes it.
There may be a hundred thousand rows: what there is one of for each is not frozen, which would take
twice as long to make.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
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
    """What became of a row. ``code`` says why it was refused, or how its names were read."""

    line: int
    result: Result
    user_id: int | None
    group_id: int | None
    previous_group_id: int | None = None
    code: str | None = None


@dataclass(slots=True)
class AmbiguousRow(RowResult):
    """One whose names may mean several, which are ``near``, as far as the caller may see them."""

    near: tuple[str, ...] = ()


@dataclass
class Plan:
    """``placements`` is what it was decided against."""

    answers: list[RowResult]
    placements: Mapping[int, Placement]
    entering: dict[int, int] = field(default_factory=dict[int, int])
    leaving: set[int] = field(default_factory=set[int])

    @property
    def refused(self) -> bool:
        return any(answer.result == "refused" for answer in self.answers)


def plan(
    requests: Iterable[AssignmentRequest],
    placements: Mapping[int, Placement],
    groups: Mapping[int, GroupOccupancy],
    *,
    enrolled_only: bool,
) -> Plan:
    """Decide every row. Requests are taken one by one."""
    made = Plan([_judged(each, placements, groups, enrolled_only) for each in requests], placements)
    _refuse_without_place(made.answers, placements, groups)
    now: dict[int, int | None] = {}
    for answer in made.answers:
        user_id, group_id = answer.user_id, answer.group_id
        if answer.code is not None or user_id is None:
            continue
        previous = now[user_id] if user_id in now else placements[user_id].group_id
        answer.previous_group_id = previous
        if previous == group_id:
            answer.result = "unchanged"
            continue
        answer.result = _result(previous, group_id)
        now[user_id] = group_id
    for user_id, group_id in now.items():
        if group_id == placements[user_id].group_id:
            continue
        if group_id is None:
            made.leaving.add(user_id)
        else:
            made.entering[user_id] = group_id
    return made


def retell(answers: Iterable[RowResult], were: Mapping[int, int | None]) -> None:
    """Correct the results of users who, as the write has shown, were somewhere else.

    Others may assign or move them between the planning and the writing.
    """
    now = dict(were)
    for answer in answers:
        user_id, group_id = answer.user_id, answer.group_id
        if user_id in now and answer.result != "refused":
            answer.previous_group_id = previous = now[user_id]
            answer.result = "unchanged" if previous == group_id else _result(previous, group_id)
            now[user_id] = group_id


def _judged(
    request: AssignmentRequest,
    placements: Mapping[int, Placement],
    groups: Mapping[int, GroupOccupancy],
    enrolled_only: bool,
) -> RowResult:
    """Refused, until it is decided, with the code of what stands against it in any case."""
    code = _refusal(request, placements, groups, enrolled_only)
    return RowResult(request.line, "refused", request.user_id, request.group_id, code=code)


def _refusal(
    request: AssignmentRequest,
    placements: Mapping[int, Placement],
    groups: Mapping[int, GroupOccupancy],
    enrolled_only: bool,
) -> str | None:
    """What stands against a row whatever the others say."""
    if request.refusal is not None:
        return request.refusal
    state = placements.get(request.user_id) if request.user_id is not None else None
    if state is None:
        return "unknown_user"
    if request.group_id is None:
        return None
    if request.group_id not in groups:
        return "unknown_group"
    if enrolled_only and not state.is_enrolled:
        return rules.not_enrolled().code
    return None


def _result(previous: int | None, group_id: int | None) -> Result:
    if group_id is None:
        return "removed"
    return "assigned" if previous is None else "moved"


def _refuse_without_place(
    answers: list[RowResult],
    placements: Mapping[int, Placement],
    groups: Mapping[int, GroupOccupancy],
) -> None:
    """Set the code of every row whose group is full in the end."""
    taken = {each: group.taken for each, group in groups.items() if group.capacity is not None}
    if not taken:
        return
    last = {
        answer.user_id: answer.group_id
        for answer in answers
        if answer.code is None and answer.user_id is not None
    }
    for user_id, group_id in last.items():
        for place, change in ((placements[user_id].group_id, -1), (group_id, +1)):
            if place in taken:
                taken[place] += change
    if not any(rules.is_overfull(groups[each].capacity, taken[each]) for each in taken):
        return
    full = rules.group_full().code
    for row in _without_place(answers, placements, groups):
        answers[row].code = full


def _without_place(
    answers: list[RowResult],
    placements: Mapping[int, Placement],
    groups: Mapping[int, GroupOccupancy],
) -> Iterator[int]:
    """The rows that find no place; of those who want one in the same group, the first have it.

    Everybody goes where their last row says. A group that is over its capacity then sends back who
    came by the latest row: to where a row before says, or to where they were, where nobody keeps
    their place from them. The outcome does not depend on the order in which this is done (it is the
    deferred acceptance of Gale and Shapley), and nobody could do better without taking the place of
    a row before theirs.
    """
    wishes: defaultdict[int, dict[int | None, list[int]]] = defaultdict(dict)
    for row, answer in enumerate(answers):
        if answer.code is None and answer.user_id is not None:
            own = wishes[answer.user_id]
            named = own.pop(answer.group_id, [])
            named.append(row)
            own[answer.group_id] = named  # the last one named is the last key
    origins = {user_id: placements[user_id].group_id for user_id in wishes}
    taken = {each: group.taken for each, group in groups.items() if group.capacity is not None}
    for origin in origins.values():
        if origin in taken:
            taken[origin] -= 1
    came: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    waiting = list(wishes)
    while waiting:
        user_id = waiting.pop()
        own, origin = wishes[user_id], origins[user_id]
        group_id = next(reversed(own), origin)
        if group_id is None or group_id not in taken:
            continue
        taken[group_id] += 1
        if group_id != origin:
            heappush(came[group_id], (-own[group_id][0], user_id))
        # Nobody came where others came in between, and were not counted: the database decides.
        if rules.is_overfull(groups[group_id].capacity, taken[group_id]) and came[group_id]:
            _, latest = heappop(came[group_id])
            taken[group_id] -= 1
            yield from wishes[latest].pop(group_id)
            waiting.append(latest)
