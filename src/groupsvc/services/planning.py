"""What a batch of assignments would do: decided row by row, before anything is written.

Pure: the state comes in, the answers go out. Rows take effect in their order, so a place that one
row frees is there for the next. There may be a hundred thousand of them: what there is one of for
each row is not frozen, which would take twice as long to make.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from groupsvc.repositories.memberships import Room, Standing

Result = Literal["assigned", "moved", "removed", "unchanged", "refused"]


@dataclass(slots=True)
class Wish:
    """One row: put a user into a group, or with ``group_id`` None into none."""

    line: int
    user_id: int | None
    group_id: int | None
    refusal: str | None = None


@dataclass(slots=True)
class Answer:
    """What became of a row. ``code`` says why it was refused."""

    line: int
    result: Result
    user_id: int | None
    group_id: int | None
    previous_group_id: int | None = None
    code: str | None = None


@dataclass
class Plan:
    answers: list[Answer] = field(default_factory=list[Answer])
    entering: dict[int, int] = field(default_factory=dict[int, int])
    leaving: set[int] = field(default_factory=set[int])

    @property
    def refused(self) -> bool:
        return any(answer.result == "refused" for answer in self.answers)


def plan(
    wishes: Iterable[Wish],
    standing: Mapping[int, Standing],
    room: dict[int, Room],
    *,
    enrolled_only: bool,
) -> Plan:
    """Decide every row. ``room`` is used up as the rows go by."""
    made = Plan()
    now = {user_id: state.group_id for user_id, state in standing.items()}
    for wish in wishes:
        code = _refusal(wish, standing, room, now, enrolled_only=enrolled_only)
        if code is not None or wish.user_id is None:
            made.answers.append(
                Answer(wish.line, "refused", wish.user_id, wish.group_id, code=code)
            )
            continue
        previous = now[wish.user_id]
        made.answers.append(
            Answer(
                wish.line, _result(previous, wish.group_id), wish.user_id, wish.group_id, previous
            )
        )
        _take(room, previous, -1)
        _take(room, wish.group_id, +1)
        now[wish.user_id] = wish.group_id
    for user_id, group_id in now.items():
        if group_id == standing[user_id].group_id:
            continue
        if group_id is None:
            made.leaving.add(user_id)
        else:
            made.entering[user_id] = group_id
    return made


def _refusal(
    wish: Wish,
    standing: Mapping[int, Standing],
    room: Mapping[int, Room],
    now: Mapping[int, int | None],
    *,
    enrolled_only: bool,
) -> str | None:
    if wish.refusal is not None:
        return wish.refusal
    if wish.user_id is None or wish.user_id not in standing:
        return "unknown_user"
    if wish.group_id is None:
        return None
    if wish.group_id not in room:
        return "unknown_group"
    if enrolled_only and not standing[wish.user_id].is_enrolled:
        return "not_enrolled"
    target = room[wish.group_id]
    is_full = target.capacity is not None and target.taken >= target.capacity
    if is_full and now[wish.user_id] != wish.group_id:
        return "group_full"
    return None


def _result(previous: int | None, group_id: int | None) -> Result:
    if previous == group_id:
        return "unchanged"
    if group_id is None:
        return "removed"
    return "assigned" if previous is None else "moved"


def _take(room: Mapping[int, Room], group_id: int | None, places: int) -> None:
    if group_id is not None and group_id in room:
        room[group_id].taken += places
