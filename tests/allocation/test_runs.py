"""Runs in processes of their own: bounded, stopped at any moment, alike however many there are."""

import asyncio

import pytest

from groupsvc.allocation import rules
from groupsvc.allocation.problem import Group, Participant, Problem, ProblemError
from groupsvc.allocation.runner import AllocationError, Limits, Run
from groupsvc.allocation.solve import solve
from groupsvc.allocation.teams.search import Found
from groupsvc.allocation.verification import faults


def teams(steps: int, starts: int = 3) -> Problem:
    """No search ends early: numbers so different cannot be balanced."""
    people = tuple(
        Participant(id=f"p{at:03}", attributes={"lab": "xyz"[at % 3]}, numbers={"n": at**2})
        for at in range(60)
    )
    groups = tuple(Group(id=f"t{at}", min=5, max=5) for at in range(12))
    balance, spread = rules.Balance(number="n"), rules.Spread(attribute="lab")
    return Problem(
        participants=people, groups=groups, rules=(spread, balance), starts=starts, steps=steps
    )


async def test_the_number_of_processes_changes_nothing() -> None:
    problem = teams(2000)
    here = await asyncio.to_thread(solve, problem)
    one, three = await asyncio.gather(
        *(Run(problem, Limits(processes=count)).outcome() for count in (1, 3))
    )
    assert here == one == three
    assert here.steps == (2000, 2000, 2000)


async def test_a_run_that_is_stopped_gives_its_best_which_can_be_found_again() -> None:
    problem = teams(50_000_000, starts=1)
    reports: list[Found] = []
    run = Run(problem, Limits(seconds=600))

    def report(_start: int, best: Found) -> None:
        reports.append(best)
        if len(reports) == 2:
            run.stop()

    run.report = report
    outcome = await run.outcome()
    assert outcome.stopped
    assert outcome.status == "found"
    assert faults(problem, outcome) == []
    again = await asyncio.to_thread(solve, problem, None, outcome.steps)
    assert again.assignment == outcome.assignment


async def test_time_is_over_before_anything_was_reported() -> None:
    problem = teams(50_000_000)
    outcome = await Run(problem, Limits(seconds=0.01)).outcome()
    assert outcome.stopped
    assert len(outcome.assignment) == 60


async def test_memory_is_bounded() -> None:
    people = tuple(Participant(id=f"p{at}", numbers={"n": at}) for at in range(50_000))
    problem = teams(10).model_copy(update={"participants": people})
    run = Run(problem, Limits(memory=64 * 1024**2))
    with pytest.raises(AllocationError):
        await run.outcome()


async def test_a_senseless_problem_is_refused_in_words() -> None:
    problem = teams(10).model_copy(update={"pins": {"nobody": "t1"}})
    with pytest.raises(ProblemError, match="there is no participant nobody"):
        await Run(problem).outcome()


async def test_an_impossible_problem_is_an_answer() -> None:
    problem = teams(10).model_copy(update={"groups": (Group(id="t", max=5),)})
    for processes in (1, 2):
        outcome = await Run(problem, Limits(processes=processes)).outcome()
        assert outcome.status == "impossible"
        assert str(outcome.clash).startswith("t holds 5; 60 must be in it")
