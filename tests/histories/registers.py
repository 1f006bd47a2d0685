"""Whether the operations on one value can have happened one after the other.

Each has an instant between its question and its answer at which it took place. One whose answer
nobody has seen took place at any time after its question, or never. Only short histories are
checked: the search gives up after so many states.
"""

import math
from collections.abc import Hashable, Sequence
from typing import Any, Final, NamedTuple

MOST_STATES: Final = 50_000
NEVER: Final = object()

Action = tuple[Any, ...]


class Call(NamedTuple):
    """Something done to a value, or seen of it. ``certain``: it did take place."""

    begin: float
    end: float
    action: Action
    certain: bool = True


def after(value: Hashable, action: Action) -> Any:
    """The value after an action, or NEVER when it cannot have taken place at this value."""
    match action:
        case ("write", new):
            return new
        case ("clear", old):
            return None if value == old else value
        case ("move", old, new):
            return new if value == old else NEVER
        case ("enter", new):
            return new if value not in (None, new) else NEVER
        case ("read", seen):
            return value if value == seen else NEVER
        case ("is", other, answer):
            return value if (value == other) is answer else NEVER
    raise ValueError(action)


class UndecidedError(Exception):
    """There were too many possibilities."""


def is_linearizable(calls: Sequence[Call], first: Hashable = None) -> bool:
    ordered = sorted(calls, key=lambda call: call.begin)
    ends = [call.end if call.certain else math.inf for call in ordered]
    must = sum(1 << place for place, call in enumerate(ordered) if call.certain)
    seen: set[tuple[int, Hashable]] = set()
    stack: list[tuple[int, Hashable]] = [(0, first)]
    while stack:
        done, value = stack.pop()
        done = _look(ordered, ends, done, value)
        if done & must == must:
            return True
        if (done, value) in seen:
            continue
        seen.add((done, value))
        if len(seen) > MOST_STATES:
            raise UndecidedError
        for place in _possible(ordered, ends, done):
            new = after(value, ordered[place].action)
            if new is not NEVER:
                stack.append((done | 1 << place, new))
    return False


def _possible(calls: Sequence[Call], ends: Sequence[float], done: int) -> list[int]:
    """Those that began before any other one that is left had ended."""
    found: list[int] = []
    limit = math.inf
    for place, call in enumerate(calls):
        if call.begin > limit:
            break
        if not done >> place & 1:
            found.append(place)
            limit = min(limit, ends[place])
    return [place for place in found if calls[place].begin <= limit]


def _look(calls: Sequence[Call], ends: Sequence[float], done: int, value: Hashable) -> int:
    """What never changes anything and can take place now need not be tried later as well."""
    while True:
        before = done
        for place in _possible(calls, ends, done):
            action = calls[place].action
            if action[0] in ("read", "is") and after(value, action) is not NEVER:
                done |= 1 << place
        if done == before:
            return done
