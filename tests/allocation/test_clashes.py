"""Why a set of rules cannot be met, in words, and what would mend it."""

import pytest

from groupsvc.allocation import rules
from groupsvc.allocation.problem import Group, Participant, Problem, ProblemError
from groupsvc.allocation.solve import solve
from groupsvc.allocation.verification import faults


def people(count: int, **more: object) -> tuple[Participant, ...]:
    return tuple(Participant.model_validate({"id": f"p{at:02}", **more}) for at in range(count))


def told(problem: Problem) -> str:
    outcome = solve(problem)
    assert outcome.status == "impossible"
    assert outcome.assignment == {}
    assert faults(problem, outcome) == []
    return str(outcome.clash)


def test_too_few_places_for_those_who_are_eligible_nowhere_else() -> None:
    on_track = people(31, attributes={"track": "A"})
    others = tuple(Participant(id=f"q{at:02}", attributes={"track": "B"}) for at in range(9))
    groups = (
        Group(id="TD 1", max=30, eligible={"track": ("B",)}),
        Group(id="TD 3", max=24, eligible={"track": ("A",)}),
    )
    problem = Problem(participants=on_track + others, groups=groups)
    assert told(problem) == (
        "TD 3 holds 24; 31 must be in it: 31 are not eligible elsewhere. "
        "Add 7 places, or let 7 of them be elsewhere."
    )


def test_too_few_places_in_all() -> None:
    problem = Problem(participants=people(5), groups=(Group(id="a", max=2), Group(id="b", max=2)))
    assert told(problem) == "all groups hold 4; 5 must be in them: 5 may be anywhere. Add 1 place."


def test_too_few_people_for_the_minimums() -> None:
    groups = (Group(id="a", min=3), Group(id="b", min=3))
    assert told(Problem(participants=people(5), groups=groups)) == (
        "a and b need 6 at least; only 5 participants can be in them. "
        "Lower minimums by 1, or let 1 more in."
    )


def test_an_optional_group_has_no_minimum_to_fill() -> None:
    groups = (Group(id="a", min=3), Group(id="b", min=3, optional=True))
    outcome = solve(Problem(participants=people(5), groups=groups))
    assert set(outcome.assignment.values()) == {"a"}


def test_groups_that_can_only_open_together() -> None:
    """Counting finds nothing: of two groups for 3 or 4 each, 5 people fill neither one nor both."""
    groups = tuple(Group(id=name, min=3, max=4, optional=True) for name in "ab")
    outcome = solve(Problem(participants=people(5), groups=groups))
    assert outcome.status == "impossible"
    assert outcome.clash is not None
    assert outcome.clash.proof == "solver"


def test_the_smallest_clashing_subset_among_many_rules() -> None:
    apart = [("p00", "p01"), ("p02", "p03"), ("p04", "p05"), ("p06", "p07")]
    clique = [("p00", "p02"), ("p00", "p04"), ("p02", "p04")]
    problem = Problem(
        participants=people(8),
        groups=(Group(id="a", max=4), Group(id="b", max=4)),
        rules=(rules.Apart(hard=True, sets=tuple(apart + clique)),),
        steps=2000,
        starts=1,
    )
    outcome = solve(problem)
    assert outcome.clash is not None
    assert sorted(outcome.clash.parts) == [
        "p00 and p02 must be apart",
        "p00 and p04 must be apart",
        "p02 and p04 must be apart",
    ]
    assert outcome.clash.minimal
    assert outcome.clash.mend.startswith("Give way by 1: p0")


def test_a_party_larger_than_any_group() -> None:
    problem = Problem(
        participants=people(6),
        groups=(Group(id="a", max=2), Group(id="b", max=4)),
        rules=(rules.Together(hard=True, parties=(("p00", "p01", "p02", "p03", "p04"),)),),
    )
    assert told(problem) == (
        "p00, p01, p02, p03 and p04 must be together, 5 in all; no group holds more than 4. "
        "Let a group hold 5."
    )


def test_together_and_apart() -> None:
    pair = (("p00", "p01"),)
    problem = Problem(
        participants=people(3),
        groups=(Group(id="a"), Group(id="b")),
        rules=(rules.Together(hard=True, parties=pair), rules.Apart(hard=True, sets=pair)),
    )
    assert told(problem) == (
        "p00 and p01 must be together; p00 and p01 must be apart. Give up one of the two."
    )


def test_somebody_without_any_group_is_named() -> None:
    loner = Participant(id="loner", attributes={"track": "C"})
    group = Group(id="a", eligible={"track": ("A",)})
    problem = Problem(participants=(*people(2, attributes={"track": "A"}), loner), groups=(group,))
    assert told(problem) == "loner is eligible for no group. Let loner into a group."


GROUPS = (Group(id="a"), Group(id="b"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"pins": {"nobody": "a"}}, "/pins/nobody: there is no participant nobody"),
        ({"pins": {"p00": "c"}}, "/pins/p00: there is no group c"),
        ({"groups": (*GROUPS, Group(id="a"))}, "/groups/2/id: a is there twice"),
        ({"groups": (Group(id="a", min=3, max=2),)}, "/groups/0: the maximum is below the minimum"),
        (
            {"participants": people(1, wishes={"c": 1})},
            "/participants/0/wishes/c: there is no group c",
        ),
        (
            {"rules": (rules.Spread(attribute="height"),)},
            "/rules/0/attribute: no participant has height",
        ),
        (
            {"rules": (rules.Apart(sets=(("p00", "p01"), ("p00", "x"))),)},
            "/rules/0/sets/1: there is no participant x",
        ),
        (
            {"rules": (rules.Wishes(aim="limit"),)},
            "/rules: a limit is for the aim of that name, which needs it",
        ),
        (
            {"rules": (rules.Wishes(hard=True),)},
            "/rules/0/hard: the aim limit says what must be met",
        ),
    ],
)
def test_a_senseless_problem_is_refused_with_its_row(
    fields: dict[str, object], message: str
) -> None:
    whole: dict[str, object] = {"participants": people(2), "groups": GROUPS, **fields}
    with pytest.raises(ProblemError) as refusal:
        solve(Problem.model_validate(whole))
    assert str(refusal.value) == message
