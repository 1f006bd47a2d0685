"""Proves how good a placement is, or finds a better one: goals one after the other, by CP-SAT."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ortools.sat.python import cp_model

from groupsvc.allocation.teams.board import Board, Key
from groupsvc.allocation.teams.model import TeamModel

# Of participants times groups, up to which a check is tried, and how long, in units of the solver
# that are the same on every machine.
LARGEST: Final = 400
EFFORT: Final = 2.0


@dataclass(frozen=True, slots=True)
class Checked:
    """``bounds`` of the soft rules, in their order, each while those before are at their best."""

    assignment: list[int]
    key: Key
    bounds: tuple[int, ...]
    proved: bool


def is_small(board: Board) -> bool:
    return len(board.instance.people) * len(board.instance.groups) <= LARGEST


def make_solver(effort: float = EFFORT) -> cp_model.CpSolver:
    """One worker and an effort, not a time: the same answer on every machine."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_deterministic_time = effort
    return solver


def check(
    board: Board, assignment: Sequence[int], stopped: Callable[[], bool], effort: float = EFFORT
) -> Checked | None:
    """The best placement that keeps all hard rules; None if there is none, which is then proved."""
    team = TeamModel(board)
    best, bounds = list(assignment), list[int]()
    for piece in team.pieces:
        if piece.rule < 0 or board.rules[piece.rule].hard:
            team.model.add(piece.broken <= 0)
    soft = [at for at, rule in enumerate(board.rules) if not rule.hard]
    proved, holds = True, not board.key(board.members(best))[0]
    goals: list[int | None] = [*soft] or [None]
    for at in goals:
        goal = team.broken(at) if at is not None else 0
        team.hint(best)
        team.model.minimize(goal)
        solver = make_solver(effort)
        status = solver.solve(team.model)
        if status == cp_model.INFEASIBLE:
            return None
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            best, holds = team.assignment(solver), True
        bound = max(0, round(solver.best_objective_bound)) if at is not None else 0
        if at is not None:
            bounds.append(bound)
        proved = status == cp_model.OPTIMAL
        if not proved or stopped():
            break
        team.model.add(goal <= round(solver.objective_value))
    bounds += [0] * (len(soft) - len(bounds))
    return Checked(best, board.key(board.members(best)), tuple(bounds), proved and holds)
