"""Engines find what trying everything finds, and what they say is so can be checked."""

import pytest

from groupsvc.allocation.instance import Instance
from groupsvc.allocation.outcome import Outcome
from groupsvc.allocation.problem import Problem, ProblemError
from groupsvc.allocation.solve import solve
from groupsvc.allocation.verification import faults
from tests.allocation.brute import best_teams, best_wishes, teams_problem, wishes_problem
from tests.examples import FACTOR

BATCHES = 5


def is_sensible(problem: Problem) -> bool:
    try:
        Instance(problem)
    except ProblemError:
        return False
    return True


def counted(outcome: Outcome) -> tuple[int, ...]:
    return tuple(each.broken for each in outcome.scores if not each.hard)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_wishes_are_as_good_as_the_best_of_all_placements(batch: int) -> None:
    for seed in range(batch, 200 * FACTOR, BATCHES):
        problem = wishes_problem(seed)
        if not is_sensible(problem):
            continue
        outcome, best = solve(problem), best_wishes(Instance(problem))
        if best is None:
            assert (seed, outcome.status) == (seed, "impossible")
            assert outcome.clash is not None
        else:
            assert (seed, outcome.status, counted(outcome)) == (seed, "optimal", best)
        assert (seed, faults(problem, outcome)) == (seed, [])


@pytest.mark.parametrize("batch", range(BATCHES))
def test_teams_are_as_good_as_the_best_of_all_placements(batch: int) -> None:
    for seed in range(batch, 20 * FACTOR, BATCHES):
        problem = teams_problem(seed)
        if not is_sensible(problem):
            continue
        outcome, best = solve(problem), best_teams(Instance(problem))
        if best is None:
            assert (seed, outcome.status) == (seed, "impossible")
            assert outcome.clash is not None
        else:
            assert (seed, outcome.status, counted(outcome)) == (seed, "optimal", best)
        assert (seed, faults(problem, outcome)) == (seed, [])
