"""The canonical form, sizes, late arrivals, and what a check of an outcome notices."""

from dataclasses import replace

import pytest

from groupsvc.allocation import rules
from groupsvc.allocation.instance import Instance
from groupsvc.allocation.problem import Group, Participant, Problem
from groupsvc.allocation.sizes import by_count, by_size, groups_of
from groupsvc.allocation.solve import solve
from groupsvc.allocation.verification import faults
from groupsvc.allocation.wishes.columns import wish_columns
from groupsvc.allocation.wishes.ranks import OTHERS
from tests.allocation.brute import teams_problem, wishes_problem


def test_the_order_of_participants_and_defaults_have_no_meaning() -> None:
    problem = teams_problem(3)
    other = problem.model_copy(update={"participants": problem.participants[::-1]})
    spelled_out = Problem.model_validate_json(problem.model_dump_json())
    assert {each.sha256 for each in (problem, other, spelled_out)} == {problem.sha256}
    assert solve(problem) == solve(other)


def test_the_hash_stays_the_same_from_version_to_version() -> None:
    problem = Problem(
        participants=(Participant(id="é", wishes={"a": 1}, free=(2, 1)),),
        groups=(Group(id="a", max=1),),
        rules=(rules.Wishes(),),
    )
    assert problem.canonical == (
        b'{"format":1,"groups":[{"id":"a","max":1}],'
        b'"participants":[{"free":[1,2],"id":"\\u00e9","wishes":{"a":1}}],'
        b'"rules":[{"kind":"wishes"}]}'
    )


@pytest.mark.parametrize(
    ("remainder", "sizes"),
    [("larger", [6, 6, 6, 5]), ("smaller", [5, 5, 5, 4, 4]), ("last", [5, 5, 5, 5, 3])],
)
def test_where_remainders_fall(remainder: str, sizes: list[int]) -> None:
    assert by_size(23, 5, remainder) == sizes  # type: ignore[arg-type]


def test_sizes_by_the_number_of_groups() -> None:
    assert by_count(23, 4) == [6, 6, 6, 5]
    assert [each.id for each in groups_of(by_count(3, 2), "Team {}")] == ["Team 1", "Team 2"]


def wishing(current: dict[str, str], order: tuple[rules.Rule, ...]) -> Problem:
    """Three who are placed and one who comes late and wishes for the full group only."""
    wishes = {"a": {"x": 1}, "b": {"x": 1, "y": 2}, "c": {"x": 1, "y": 2}, "late": {"x": 1}}
    return Problem(
        participants=tuple(
            Participant(id=name, wishes=told, current=current.get(name))
            for name, told in wishes.items()
        ),
        groups=(Group(id="x", max=3), Group(id="y", max=3)),
        rules=order,
    )


def test_late_arrivals_move_as_few_as_possible_at_no_loss() -> None:
    today = {"a": "x", "b": "x", "c": "x"}
    outcome = solve(wishing(today, (rules.Wishes(), rules.Stay())))
    assert [(each.source, each.target) for each in outcome.moves if each.source] == [("x", "y")]
    assert next(each.gain for each in outcome.moves if each.source) == -3
    assert (outcome.status, outcome.assignment["late"]) == ("optimal", "x")


def test_late_arrivals_move_nobody_who_is_placed() -> None:
    problem = wishing({"a": "x", "b": "y", "c": "x"}, (rules.Wishes(),))
    fixed = problem.model_copy(update={"only_unassigned": True})
    assert [each.participant for each in solve(fixed).moves] == ["late"]


def test_columns_have_the_ranks_of_each() -> None:
    for seed in range(100):
        instance = Instance(wishes_problem(seed))
        columns = wish_columns(instance)
        found: list[dict[int, int]] = [{} for _ in instance.people]
        for who, group, rank in zip(columns.person, columns.group, columns.rank, strict=True):
            found[who][int(group)] = int(rank)
        for ranks, others in zip(found, columns.others, strict=True):
            if instance.wishes and instance.wishes.outside and ranks:
                ranks[OTHERS] = int(others)
        assert found == instance.ranks


def feasible() -> Problem:
    return wishing({}, (rules.Wishes(outside=True),))


def test_a_check_notices_what_was_changed() -> None:
    problem = feasible()
    outcome = solve(problem)
    assert faults(problem, outcome) == []
    proof = outcome.proofs[0]
    assert proof.prices is not None
    dearer = replace(proof, prices={name: price - 5 for name, price in proof.prices.items()})
    swapped = {who: "x" if group == "y" else "y" for who, group in outcome.assignment.items()}
    for changed, fault in [
        (replace(outcome, problem="0" * 64), "it is the outcome of another problem"),
        (replace(outcome, assignment={"a": "x"}), "it does not place each participant in a group"),
        (replace(outcome, assignment=swapped), "its scores are not those of its assignment"),
        (replace(outcome, bound=0, proofs=()), "its proofs leave out a way to open groups"),
        (replace(outcome, cost=1), "it has another cost than it says"),
        (replace(outcome, proofs=(dearer,)), "its prices do not prove its bound"),
        (replace(outcome, bound=0), "it is not proved to be optimal"),
    ]:
        assert faults(problem, changed) == [fault]


def test_whom_a_tie_favours_is_drawn() -> None:
    people = tuple(Participant(id=f"p{at}", wishes={"a": 1, "b": 2}) for at in range(10))
    groups = (Group(id="a", max=1), Group(id="b", max=9))
    problem = Problem(participants=people, groups=groups, rules=(rules.Wishes(),))
    lucky = set()
    for seed in range(40):
        drawn = solve(problem.model_copy(update={"seed": seed}))
        lucky |= {who for who, group in drawn.assignment.items() if group == "a"}
    assert len(lucky) > 5
