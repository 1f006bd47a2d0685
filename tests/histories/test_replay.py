"""Folding a change log, on lines that a person can follow."""

from typing import Any

import pytest

from tests.histories.replay import Line, ReplayError, broken_rules, replay

COURSE, PARTITION, GROUP = 1, 2, 3


def line(seq: int, kind: str, before: Any, after: Any, *, user: int | None = None) -> Line:
    return Line(seq, f"set {seq}", None, kind, PARTITION, GROUP, user, before, after)


def course(*, locked: bool) -> dict[str, Any]:
    return {"id": COURSE, "is_locked": locked}


def group(capacity: int | None) -> dict[str, Any]:
    return {
        "id": GROUP,
        "partition_id": PARTITION,
        "name": "A",
        "position": 1,
        "capacity": capacity,
    }


MADE = [
    line(1, "course.created", None, course(locked=False)),
    line(2, "group.created", None, group(1)),
    line(3, "membership.assigned", None, {"group_id": GROUP}, user=7),
]


def test_the_log_tells_who_is_where() -> None:
    held = replay(MADE)
    assert held.members == {(PARTITION, 7): GROUP}
    assert (held.size(GROUP), held.groups(PARTITION)) == (1, [group(1)])
    assert list(broken_rules(MADE)) == []
    gone = line(4, "membership.removed", {"group_id": GROUP}, None, user=7)
    assert replay([*MADE, gone]).members == {}


@pytest.mark.parametrize("lost", [1, 2])
def test_a_line_that_is_missing_shows_at_the_next_one(lost: int) -> None:
    lines = [
        *MADE,
        line(4, "group.updated", group(1), group(2)),
        line(5, "membership.removed", {"group_id": GROUP}, None, user=7),
    ]
    with pytest.raises(ReplayError):
        replay(lines[:lost] + lines[lost + 1 :])


def test_a_group_over_its_capacity_is_seen_though_it_is_mended_later() -> None:
    lines = [
        *MADE,
        line(4, "membership.assigned", None, {"group_id": GROUP}, user=8),
        line(5, "membership.removed", {"group_id": GROUP}, None, user=8),
    ]
    assert list(broken_rules(lines)) == ["after line 4 group 3 has 2 of 1"]


def test_a_change_of_a_locked_course_is_seen() -> None:
    lines = [
        *MADE,
        line(4, "course.updated", course(locked=False), course(locked=True)),
        line(5, "membership.removed", {"group_id": GROUP}, None, user=7),
    ]
    assert list(broken_rules(lines)) == ["line 5 changes a locked course: membership.removed"]
