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
    answers: list[RowResult] = field(default_factory=list[RowResult])
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
    """Decide every row."""
    made = Plan()
    given = list(requests)
    codes = [_refusal(each, placements, groups, enrolled_only) for each in given]
    _refuse_without_place(given, codes, placements, groups)
    now = {user_id: state.group_id for user_id, state in placements.items()}
    append = made.answers.append
    for request, code in zip(given, codes, strict=True):
        user_id, group_id = request.user_id, request.group_id
        if code is not None or user_id is None:
            append(RowResult(request.line, "refused", user_id, group_id, code=code))
            continue
        previous = now[user_id]
        if previous == group_id:
            append(RowResult(request.line, "unchanged", user_id, group_id, previous))
            continue
        append(RowResult(request.line, _result(previous, group_id), user_id, group_id, previous))
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
    requests: list[AssignmentRequest],
    codes: list[str | None],
    placements: Mapping[int, Placement],
    groups: Mapping[int, GroupOccupancy],
) -> None:
    """Set the code of every row whose group is full in the end."""
    taken = {each: group.taken for each, group in groups.items() if group.capacity is not None}
    if not taken:
        return
    last = {
        request.user_id: request.group_id
        for request, code in zip(requests, codes, strict=True)
        if code is None and request.user_id is not None
    }
    for user_id, group_id in last.items():
        for place, change in ((placements[user_id].group_id, -1), (group_id, +1)):
            if place in taken:
                taken[place] += change
    if not any(rules.is_overfull(groups[each].capacity, taken[each]) for each in taken):
        return
    full = rules.group_full().code
    for row in _without_place(requests, codes, placements, groups):
        codes[row] = full


def _without_place(
    requests: list[AssignmentRequest],
    codes: list[str | None],
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
    for row, (request, code) in enumerate(zip(requests, codes, strict=True)):
        if code is None and request.user_id is not None:
            own = wishes[request.user_id]
            named = own.pop(request.group_id, [])
            named.append(row)
            own[request.group_id] = named  # the last one named is the last key
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
