"""Runs engines in processes of their own, with hard limits, and never in the event loop."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from groupsvc.allocation.instance import Instance
from groupsvc.allocation.outcome import Outcome
from groupsvc.allocation.problem import Problem, ProblemError
from groupsvc.allocation.solve import is_flow
from groupsvc.allocation.teams.search import Found
from groupsvc.allocation.worker import LINES, Finished, Line, Progress, Refused, Request, Searched

# A line has a whole assignment.
LONGEST_LINE: Final = 64 * 1024 * 1024
SECONDS_OF_GRACE: Final = 5.0


class AllocationError(Exception):
    """An engine was ended before it had anything: out of memory or of time."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``seconds`` until the best so far has to do, ``memory`` in bytes for each process."""

    seconds: float = 60.0
    memory: int = 4 * 1024**3
    processes: int = 1


def _ignore(_start: int, _best: Found) -> None: ...


@dataclass(slots=True)
class Run:
    """One run of a problem. ``stop`` may be called at any moment, and gives the best so far.

    As many ``processes`` as there are share the starts; what comes out does not depend on them.
    """

    problem: Problem
    limits: Limits = field(default_factory=Limits)
    report: Callable[[int, Found], None] = _ignore
    _processes: set[Process] = field(default_factory=set[Process])
    _best: dict[int, Found] = field(default_factory=dict[int, Found])
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        self._stopped.set()

    async def outcome(self) -> Outcome:
        """Raises ProblemError for a senseless problem, AllocationError if there is nothing yet."""
        watch = asyncio.create_task(self._watch())
        try:
            return await self._outcome()
        finally:
            watch.cancel()
            for process in list(self._processes):
                _signal(process.kill)

    async def _outcome(self) -> Outcome:
        if self.limits.processes == 1 or await asyncio.to_thread(self._is_flow):
            lines = [await self._ask(self._request())]
        else:
            lines = await self._share()
        for line in lines:
            if isinstance(line, Finished):
                return line.outcome
        return await self._finish()

    async def _share(self) -> list[Line | None]:
        shares = [
            list(range(first, self.problem.starts, self.limits.processes))
            for first in range(min(self.limits.processes, self.problem.starts))
        ]
        lines = await asyncio.gather(*(self._ask(self._request(starts=each)) for each in shares))
        for share, line in zip(shares, lines, strict=True):
            if isinstance(line, Searched):
                self._best.update(zip(share, line.found, strict=True))
        return lines

    def _is_flow(self) -> bool:
        return is_flow(Instance(self.problem))

    def _request(
        self, starts: list[int] | None = None, found: list[Found] | None = None
    ) -> Request:
        return Request(
            problem=self.problem,
            stopped=self._stopped.is_set(),
            starts=starts,
            found=found,
        )

    async def _finish(self) -> Outcome:
        """The best until now; whoever stops before there is any gets what can be had at once."""
        if not self._best and self._stopped.is_set():
            line = await self._ask(self._request(starts=[0]))
            if isinstance(line, Searched):
                self._best[0] = line.found[0]
        if not self._best:
            raise AllocationError("the engine has ended before it had found anything")
        found = [best for _, best in sorted(self._best.items())]
        line = await self._ask(self._request(found=found))
        if not isinstance(line, Finished) and self._stopped.is_set():
            # It was ended on its way; what is there at once is all that is asked for now.
            line = await self._ask(self._request(found=found))
        if not isinstance(line, Finished):
            raise AllocationError("what was found could not be put together")
        return line.outcome

    async def _watch(self) -> None:
        """Ends what runs when time is over or ``stop`` was called: first politely."""
        try:
            await asyncio.wait_for(self._stopped.wait(), self.limits.seconds)
        except TimeoutError:
            self._stopped.set()
        for process in list(self._processes):
            _signal(process.terminate)
        stopping = list(self._processes)
        await asyncio.sleep(SECONDS_OF_GRACE)
        for process in stopping:
            _signal(process.kill)

    async def _ask(self, request: Request) -> Line | None:
        """The last line of a process that is asked this; None if it was killed before."""
        seconds = int(self.limits.seconds + SECONDS_OF_GRACE) + 1
        bounds = (str(self.limits.memory), str(seconds))
        command = (sys.executable, "-m", "groupsvc.allocation.worker", *bounds)
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE
        )
        self._processes.add(process)
        try:
            text = await asyncio.to_thread(request.model_dump_json)
            return await self._converse(process, text.encode() + b"\n")
        finally:
            self._processes.discard(process)
            _signal(process.kill)
            await process.wait()

    async def _converse(self, process: Process, request: bytes) -> Line | None:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(request)
            await process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return None
        last: Line | None = None
        async for text in process.stdout:
            last = await asyncio.to_thread(LINES.validate_json, text)
            if isinstance(last, Progress):
                self._best[last.start] = last.best
                self.report(last.start, last.best)
        if isinstance(last, Refused):
            raise _refusal(last)
        return last if isinstance(last, Finished | Searched) else None


def _refusal(line: Refused) -> Exception:
    if line.place == "memory":
        return AllocationError(line.message)
    return ProblemError(line.place, line.message)


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except ProcessLookupError:
        return
