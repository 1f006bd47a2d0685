"""A process that solves one problem, bounded in time and memory: ``python -m`` this.

Its arguments are bytes of memory and seconds of a processor. It reads one line of JSON
(``Request``) and writes lines: the best so far now and then, in the end what it found or the
outcome. SIGTERM asks it to stop with the best so far.
"""

import resource
import signal
import sys
import time
from typing import Final, TypeAlias

from pydantic import BaseModel, TypeAdapter

from groupsvc.allocation.instance import Instance
from groupsvc.allocation.outcome import Outcome
from groupsvc.allocation.problem import Problem, ProblemError
from groupsvc.allocation.solve import Control, finish, make_board, search, solve, steps_of
from groupsvc.allocation.teams.search import Found

SECONDS_BETWEEN_REPORTS: Final = 0.5


class Request(BaseModel):
    """``starts``: search these only; ``found``: put together what searches have found.

    ``stopped``: what can be had at once will do.
    """

    problem: Problem
    stopped: bool = False
    starts: list[int] | None = None
    found: list[Found] | None = None


class Progress(BaseModel):
    start: int
    best: Found


class Searched(BaseModel):
    found: list[Found]


class Finished(BaseModel):
    outcome: Outcome


class Refused(BaseModel):
    """``place`` is a JSON pointer into the problem, or what has run out."""

    place: str
    message: str


Line: TypeAlias = Progress | Searched | Finished | Refused
LINES: Final[TypeAdapter[Line]] = TypeAdapter(Line)


class _Signals:
    def __init__(self) -> None:
        self.stopped, self._told = False, 0.0
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_: object) -> None:
        self.stopped = True

    def report(self, start: int, best: Found) -> None:
        if time.monotonic() - self._told >= SECONDS_BETWEEN_REPORTS:
            self._told = time.monotonic()
            _write(Progress(start=start, best=best))


def _write(line: Line) -> None:
    sys.stdout.write(line.model_dump_json() + "\n")
    sys.stdout.flush()


def _limit(memory: int, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def answer(request: Request, control: Control) -> Line:
    problem = request.problem
    try:
        if request.starts is None and request.found is None:
            return Finished(outcome=solve(problem, control))
        board = make_board(Instance(problem), control)
        if isinstance(board, Outcome):
            return Finished(outcome=board)
        if request.found is not None:
            return Finished(outcome=finish(board, request.found, control))
        plan = steps_of(problem)
        starts = request.starts or []
        return Searched(found=[search(board, start, plan, control) for start in starts])
    except ProblemError as refusal:
        return Refused(place=refusal.place, message=refusal.message)
    except MemoryError:
        return Refused(place="memory", message="the problem needs more memory than it may have")


def main() -> None:
    _limit(int(sys.argv[1]), int(sys.argv[2]))
    signals = _Signals()
    request = Request.model_validate_json(sys.stdin.buffer.readline())
    signals.stopped = signals.stopped or request.stopped
    _write(answer(request, Control(lambda: signals.stopped, signals.report)))


if __name__ == "__main__":
    main()
