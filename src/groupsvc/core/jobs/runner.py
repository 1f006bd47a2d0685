"""Doing the jobs that requests have left: some at a time here, and one at a time of each course.

Every worker process has a runner. Who claims a job says all the while that they are at it; whoever
falls silent is replaced. What a worker that died had not committed is undone by the database.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

from groupsvc.core.jobs.lease import Lease, LetGoError, Why
from groupsvc.core.jobs.repository import ClaimedJob, Ending
from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork
from groupsvc.domain.errors import GroupsvcError, UnavailableError

TASK: Final = "groupsvc jobs"
MOST_CLAIMS: Final = 10  # without getting on
SECONDS_TO_FINISH: Final = 5.0
FIRST_PAUSE: Final = 0.2  # seconds
LONGEST_PAUSE: Final = 30.0
BEAT: Final = 1.0  # seconds between two signs of a worker, which hears of cancellations then


_log = logging.getLogger(__name__)


class Work(Protocol):
    """Does jobs of some ``kinds``, and ends them unless it raises.

    One that ``beats`` by itself commits how far it is; for others the runner says so.
    """

    @property
    def kinds(self) -> Collection[str]: ...

    @property
    def beats(self) -> bool: ...

    async def do(self, lease: Lease) -> None:
        """Raises LetGoError when the job is to be left, and what makes it fail."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """``poll`` seconds between two looks for jobs of other processes, ``silence`` until a worker
    counts as dead, ``at_once`` jobs of this one.
    """

    poll: float
    silence: float
    at_once: int = 1


class JobRunner:
    def __init__(self, units: TransactionRunner, pace: Pace, works: Sequence[Work]) -> None:
        name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._lanes = [
            _Lane(units, pace, works, f"{name}:{number}") for number in range(pace.at_once)
        ]

    @property
    def is_busy(self) -> bool:
        """Whether there is a job, or nobody has looked yet whether there is one."""
        return any(lane.is_busy for lane in self._lanes)

    def start(self) -> None:
        for lane in self._lanes:
            lane.start()

    async def wake(self) -> None:
        """There is something to do now."""
        for lane in self._lanes:
            lane.call.set()

    async def stop(self) -> None:
        """Leave what is not done to other workers, after what can be finished soon."""
        await asyncio.gather(*(lane.stop() for lane in self._lanes))


class _Lane:
    """Does one job after another."""

    def __init__(
        self, units: TransactionRunner, pace: Pace, works: Sequence[Work], worker: str
    ) -> None:
        self._units, self._pace, self._worker = units, pace, worker
        self._works = works
        self.call = asyncio.Event()
        self._stopping = asyncio.Event()
        self._working = False
        self._lease: Lease | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        return self._working or self.call.is_set()

    def start(self) -> None:
        self._working = True
        self._task = asyncio.create_task(self._run(), name=TASK)

    async def stop(self) -> None:
        self._stopping.set()
        self.call.set()
        if self._task is None:
            return
        if self._lease is not None:
            self._lease.why = self._lease.why or Why.STOPPING
        await asyncio.wait([self._task], timeout=SECONDS_TO_FINISH)
        lease = self._lease
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        if lease is not None:
            await self._release(lease.job, is_try=False)

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            self.call.clear()
            self._working = True
            try:
                busy = await self._next()
                pause, wait = FIRST_PAUSE, 0.0 if busy else self._pace.poll
            except Exception as error:
                # The database is away, or not migrated yet: the jobs are still there later.
                _log.warning("jobs cannot be done just now", exc_info=error)
                wait = pause = min(pause * 2, LONGEST_PAUSE)
            if wait:
                self._working = False
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.call.wait(), wait)

    async def _next(self) -> bool:
        """Do a job; returns whether there was one."""
        kinds = [kind for work in self._works for kind in work.kinds]

        async def claim(uow: UnitOfWork) -> ClaimedJob | None:
            return await uow.jobs.claim(self._worker, kinds, silence=self._pace.silence)

        job = await self._units.run("jobs", claim)
        if job is None:
            return False
        if job.tries > MOST_CLAIMS:
            error = {"code": "internal_error", "message": "this cannot be done"}
            await self._finish(job, Ending("failed", error))
            return True
        self._lease = Lease(job, self._worker)
        if self._stopping.is_set():
            self._lease.why = Why.STOPPING
        try:
            await self._do(self._lease)
        finally:
            self._lease = None
        return True

    async def _do(self, lease: Lease) -> None:
        job = lease.job
        work = next(each for each in self._works if job.kind in each.kinds)
        beating = None if work.beats else asyncio.create_task(self._beat(lease), name=TASK)
        try:
            await self._persist(work, lease)
        except LetGoError as error:
            if error.why is Why.CANCELLED:
                await self._finish(job, Ending("cancelled"))
            elif error.why is Why.STOPPING:
                await self._release(job, is_try=False)
        except GroupsvcError as error:
            told = {"code": error.code, "message": error.message}
            await self._finish(job, Ending("failed", told))
        except Exception:
            await self._release(job, is_try=True)
            raise
        finally:
            if beating is not None:
                beating.cancel()
                with suppress(asyncio.CancelledError):
                    await beating

    async def _persist(self, work: Work, lease: Lease) -> None:
        """Do it, and again while the database is away or busy, or somebody holds what it needs."""
        pause = FIRST_PAUSE
        for _ in range(MOST_CLAIMS):
            try:
                return await work.do(lease)
            except UnavailableError as error:
                _log.warning("a job cannot be done just now", exc_info=error)
            pause = min(pause * 2, LONGEST_PAUSE)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            lease.check()
        return await work.do(lease)

    async def _beat(self, lease: Lease) -> None:
        while lease.why is None:
            await asyncio.sleep(min(BEAT, self._pace.silence / 4))

            async def beat(uow: UnitOfWork) -> bool | None:
                return await uow.jobs.beat(lease.job, self._worker, lease.counts())

            try:
                found = await self._units.run("jobs", beat)
            except Exception as error:
                # Another worker takes the job when this goes on, and this one cannot finish it.
                _log.warning("a job cannot be kept just now", exc_info=error)
                continue
            if found is None:
                lease.why = Why.LOST
            elif found:
                lease.why = Why.CANCELLED

    async def _finish(self, job: ClaimedJob, ending: Ending) -> None:
        async def finish(uow: UnitOfWork) -> Any:
            await uow.begin()
            return await uow.jobs.finish(job, self._worker, ending)

        await self._units.run("jobs", finish)

    async def _release(self, job: ClaimedJob, *, is_try: bool) -> None:
        async def release(uow: UnitOfWork) -> None:
            await uow.jobs.release(job, self._worker, is_try=is_try)

        with suppress(GroupsvcError):
            await self._units.run("jobs", release)
