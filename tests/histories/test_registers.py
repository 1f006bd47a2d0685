"""The check of one value, on histories that a person can follow."""

import pytest

from tests.histories import registers
from tests.histories.registers import Call, UndecidedError, is_linearizable


def test_a_later_read_sees_the_write() -> None:
    write = Call(0, 1, ("write", "A"))
    assert is_linearizable([write, Call(2, 3, ("read", "A"))])
    assert not is_linearizable([write, Call(2, 3, ("read", None))])


def test_a_read_during_the_write_sees_either_but_not_there_and_back() -> None:
    write = Call(0, 9, ("write", "A"))
    for seen in ("A", None):
        assert is_linearizable([write, Call(1, 2, ("read", seen))])
    back = [Call(1, 2, ("read", "A")), Call(3, 4, ("read", None))]
    assert not is_linearizable([write, *back])


def test_what_nobody_has_seen_answered_may_have_happened_late_or_never() -> None:
    write = Call(0, 1, ("write", "A"), certain=False)
    for seen in ("A", None):
        assert is_linearizable([write, Call(2, 3, ("read", seen))])
    assert is_linearizable([write, Call(2, 3, ("read", None)), Call(4, 5, ("read", "A"))])
    assert not is_linearizable([write, Call(2, 3, ("read", "A")), Call(4, 5, ("read", None))])


def test_a_lost_write_is_found() -> None:
    writes = [Call(0, 1, ("write", "A")), Call(2, 3, ("write", "B"))]
    assert not is_linearizable([*writes, Call(4, 5, ("read", "A"))])


def test_a_move_tells_where_it_came_from() -> None:
    moves = [Call(0, 9, ("move", None, "A")), Call(0, 9, ("move", "A", "B"))]
    assert is_linearizable([*moves, Call(10, 11, ("read", "B"))])
    assert not is_linearizable([*moves, Call(10, 11, ("read", "A"))])
    both = [Call(0, 9, ("move", None, "A")), Call(0, 9, ("move", None, "B"))]
    assert not is_linearizable(both)


def test_leaving_a_group_clears_that_group_alone() -> None:
    stay = [Call(0, 1, ("write", "A")), Call(2, 3, ("clear", "B"))]
    assert is_linearizable([*stay, Call(4, 5, ("is", "A", True))])
    assert not is_linearizable([*stay, Call(4, 5, ("is", "A", False))])


def test_a_write_of_what_is_there_may_be_the_last_one_all_the_same() -> None:
    writes = [Call(0, 9, ("write", "A")), Call(0, 9, ("write", "B"))]
    assert is_linearizable([*writes, Call(10, 11, ("read", "A"))], first="A")


def test_a_history_with_too_many_possibilities_is_left_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registers, "MOST_STATES", 10)
    unknown = [Call(0, 1, ("write", number), certain=False) for number in range(9)]
    with pytest.raises(UndecidedError):
        is_linearizable([*unknown, Call(2, 3, ("read", "nothing"))])
