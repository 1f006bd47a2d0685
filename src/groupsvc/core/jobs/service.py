"""Doing the jobs that requests have left: one at a time here, and one at a time of each course.

Every worker process has a runner. A job is claimed, done some rows at a time, and how far it is is
committed with them; so whoever takes it over from a worker that died goes on where that one was.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from groupsvc.core.cohorts.uploads import UploadRow, read_rows, write_rows
from groupsvc.core.jobs.repository import ClaimedJob
from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork
from groupsvc.domain.errors import GroupsvcError, UnavailableError

TASK: Final = "groupsvc jobs"
CHUNK: Final = 1_000  # rows
MOST_CLAIMS: Final = 10  # without getting on
SECONDS_TO_FINISH: Final = 5.0
FIRST_PAUSE: Final = 0.2  # seconds
LONGEST_PAUSE: Final = 30.0

_log = logging.getLogger(__name__)


class Step(Enum):
    MORE = "more"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """``poll`` seconds between two looks for jobs of other processes, ``silence`` until a worker
    counts as dead, ``keep`` days until a job that has ended is forgotten.
    """

    poll: float
    silence: float
    keep: int


class JobRunner:
    def __init__(self, units: TransactionRunner, pace: Pace) -> None:
        self._units, self._pace = units, pace
        self._worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._call = asyncio.Event()
        self._stopping = False
        self._working = False
        self._task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether there is a job, or nobody has looked yet whether there is one."""
        return self._working or self._call.is_set()

    def start(self) -> None:
        self._working = True
        self._task = asyncio.create_task(self._run(), name=TASK)

    async def wake(self) -> None:
        """There is something to do now."""
        self._call.set()

    async def stop(self) -> None:
        """Leave what is not done to other workers, after the rows that are being done."""
        self._stopping = True
        self._call.set()
        if self._task is None:
            return
        await asyncio.wait([self._task], timeout=SECONDS_TO_FINISH)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping:
            self._call.clear()
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
                    await asyncio.wait_for(self._call.wait(), wait)

    async def _next(self) -> bool:
        """Do a job; returns whether there was one."""

        async def claim(uow: UnitOfWork) -> ClaimedJob | None:
            return await uow.jobs.claim(self._worker, silence=self._pace.silence)

        job = await self._units.run("jobs", claim, bulk=True)
        if job is None:
            return False
        if job.tries > MOST_CLAIMS:
            await self._finish(job, "failed", _error("internal_error", "this cannot be done"))
            return True
        try:
            await self._do(job)
        except UnavailableError:
            await self._release()
            raise
        except GroupsvcError as error:
            await self._finish(job, "failed", _error(error.code, error.message))
        except Exception:
            await self._release()
            raise
        return True

    async def _do(self, job: ClaimedJob) -> None:
        rows = await asyncio.to_thread(read_rows, job.payload)

        async def step(uow: UnitOfWork) -> Step:
            uow.context.actor = job.created_by
            return await self._take(uow, job, rows)

        while await self._units.run(job.request_id or "", step, bulk=True) is Step.MORE:
            if self._stopping:
                await self._release()
                return
        await self._forget()

    async def _take(self, uow: UnitOfWork, job: ClaimedJob, rows: Sequence[UploadRow]) -> Step:
        """Do some rows and say so, in one transaction."""
        await uow.begin()
        progress = await uow.jobs.get_for_update(job, self._worker)
        if progress is None:
            return Step.OVER
        chunk = rows[progress.attempted : progress.attempted + CHUNK]
        if chunk:
            await write_rows(uow, job.course_id, chunk, progress)
            await uow.jobs.advance(job, progress)
        if progress.attempted < len(rows):
            return Step.MORE
        await uow.jobs.finish(job, self._worker, "done", {})
        return Step.OVER

    async def _finish(self, job: ClaimedJob, state: str, result: dict[str, Any]) -> None:
        async def finish(uow: UnitOfWork) -> None:
            await uow.jobs.finish(job, self._worker, state, result)

        await self._units.run("jobs", finish, bulk=True)

    async def _release(self) -> None:
        async def release(uow: UnitOfWork) -> None:
            await uow.jobs.release(self._worker)

        with suppress(GroupsvcError):
            await self._units.run("jobs", release, bulk=True)

    async def _forget(self) -> None:
        async def forget(uow: UnitOfWork) -> None:
            await uow.jobs.forget(self._pace.keep)

        await self._units.run("jobs", forget, bulk=True)


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
