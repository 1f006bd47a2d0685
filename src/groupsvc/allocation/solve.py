"""Chooses the engine for a problem and puts together what it answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Final

from groupsvc.allocation.clash import Clash
from groupsvc.allocation.counting import count, count_pins
from groupsvc.allocation.instance import Instance
from groupsvc.allocation.outcome import Outcome, Proof, Status
from groupsvc.allocation.problem import Problem
from groupsvc.allocation.rules import Stay, Wishes
from groupsvc.allocation.scores import moves_of, scores_of
from groupsvc.allocation.teams.board import Board, Key
from groupsvc.allocation.teams.exact import check, is_small
from groupsvc.allocation.teams.explain import explain
from groupsvc.allocation.teams.search import Found, Search, steps_for
from groupsvc.allocation.wishes.engine import Placement, place, smallest_limit

# With another version, the same problem may have another answer, which is as good.
ENGINE: Final = "1"


@dataclass(frozen=True, slots=True)
class Control:
    """``stopped`` is asked now and then; ``report`` is told of steps made and the best so far."""

    stopped: Callable[[], bool] = lambda: False
    report: Callable[[int, Found], None] = lambda _start, _found: None


def is_flow(instance: Instance) -> bool:
    return all(isinstance(rule, Wishes | Stay) for rule in instance.problem.rules)


def engine_version() -> str:
    return f"{ENGINE}, OR-Tools {version('ortools')}"


def solve(
    problem: Problem, control: Control | None = None, until: Sequence[int] | None = None
) -> Outcome:
    """``until`` are the steps of an outcome that was stopped, to arrive at the same again."""
    control = control or Control()
    instance = Instance(problem)
    if is_flow(instance):
        return _flow(instance, control)
    board = make_board(instance, control)
    if isinstance(board, Outcome):
        return board
    plan = steps_of(problem)
    ends: Sequence[int | None] = until or [None] * problem.starts
    found = [search(board, start, plan, control, end) for start, end in enumerate(ends)]
    return finish(board, found, control)


def make_board(instance: Instance, control: Control) -> Board | Outcome:
    """What searches need, or why there is nothing to search for."""
    clash = count(instance, asked_limit(instance))
    return _impossible(instance, clash) if clash else Board(instance, _limit(instance, control))


def asked_limit(instance: Instance) -> int | None:
    return instance.wishes.limit if instance.wishes else None


def steps_of(problem: Problem) -> int:
    return steps_for(len(problem.participants)) if problem.steps is None else problem.steps


def search(board: Board, start: int, plan: int, control: Control, end: int | None = None) -> Found:
    def watch(steps: int, key: Key, best: list[int]) -> bool:
        control.report(start, Found(key, best, steps, whole=False))
        return not control.stopped()

    return Search(board, start).run(plan, watch, end)


def _limit(instance: Instance, control: Control) -> int | None:
    if instance.wishes and instance.wishes.aim == "smallest":
        return smallest_limit(instance, control.stopped)
    return asked_limit(instance)


def _impossible(instance: Instance, clash: Clash) -> Outcome:
    return replace(_nothing(instance, "impossible"), clash=clash)


def _nothing(instance: Instance, status: Status) -> Outcome:
    return Outcome(instance.problem.sha256, "none", engine_version(), status, {}, ())


def _outcome(
    instance: Instance,
    engine: str,
    status: Status,
    assignment: Sequence[int],
    bounds: dict[int, int] | None = None,
) -> Outcome:
    named = {
        instance.people[who].id: instance.groups[group].id for who, group in enumerate(assignment)
    }
    return Outcome(
        instance.problem.sha256,
        engine,
        engine_version(),
        status,
        named,
        scores_of(instance, assignment, bounds),
        moves_of(instance, assignment),
    )


def _flow(instance: Instance, control: Control) -> Outcome:
    # Counting places takes longer than the flow, which needs it only if it fails.
    if clash := count_pins(instance):
        return _impossible(instance, clash)
    limit = asked_limit(instance)
    found = place(instance, control.stopped)
    if found is None:
        # What counting does not find is in optional groups, which open or close together.
        clash = count(instance, limit) or explain(Board(instance, limit))
        if clash is None:
            return _nothing(instance, "broken")
        return _impossible(instance, clash)
    status: Status = "optimal" if found.cost == found.bound else "found"
    return replace(
        _outcome(instance, "flow", status, found.assignment),
        cost=found.cost,
        bound=found.bound,
        limit=found.limit,
        proofs=_proofs(instance, found),
        stopped=control.stopped(),
    )


def _proofs(instance: Instance, found: Placement) -> tuple[Proof, ...]:
    names = [group.id for group in instance.groups]
    return tuple(
        Proof(
            tuple(names[at] for at in sorted(branch.opened)),
            tuple(names[at] for at in sorted(branch.closed)),
            None if branch.prices is None else dict(zip(names, branch.prices, strict=True)),
        )
        for branch in found.branches
    )


def finish(board: Board, found: Sequence[Found], control: Control) -> Outcome:
    """The best of several searches, the earliest of equals, checked where that is small enough."""
    instance = board.instance
    best = min(found, key=lambda each: each.key)
    steps = tuple(each.steps for each in found)
    soft = [at for at, rule in enumerate(board.rules) if not rule.hard]
    bounds = dict.fromkeys(range(len(board.rules)), 0)
    assignment, key = best.assignment, best.key
    proved = not any(key)
    if not proved and is_small(board) and not control.stopped():
        checked = check(board, assignment, control.stopped)
        if checked is None:
            return _unmet(board, assignment, steps, control)
        assignment, key, proved = checked.assignment, checked.key, checked.proved
        bounds |= dict(zip(soft, checked.bounds, strict=True))
    elif not proved and not control.stopped():
        bounds |= _relaxed(instance, control)
        proved = not key[0] and all(
            part == bounds[at] for at, part in zip(soft, key[1:], strict=True)
        )
    if key[0]:
        return _unmet(board, assignment, steps, control)
    status: Status = "optimal" if proved else "found"
    stopped = control.stopped() or not all(each.whole for each in found)
    return replace(
        _outcome(instance, "search", status, assignment, bounds), steps=steps, stopped=stopped
    )


def _relaxed(instance: Instance, control: Control) -> dict[int, int]:
    """Wishes cannot come out better than if there were no other rule."""
    wishes = [at for at, rule in enumerate(instance.problem.rules) if isinstance(rule, Wishes)]
    if not wishes:
        return {}
    found = place(instance, control.stopped, alone=True)
    return {} if found is None else {wishes[0]: found.bound}


def _unmet(
    board: Board, assignment: list[int], steps: tuple[int, ...], control: Control
) -> Outcome:
    clash = None if control.stopped() else explain(board)
    status: Status = "impossible" if clash else "broken"
    told = _outcome(board.instance, "search", status, assignment)
    return replace(told, clash=clash, steps=steps, stopped=control.stopped())
