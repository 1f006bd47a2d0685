"""Doing uploads of tables of cohorts: some rows at a time, and how far it is with them.

So whoever takes one over from a worker that died goes on where that one was.
"""

import asyncio
from collections.abc import Collection, Sequence
from enum import Enum
from typing import Final

from groupsvc.core.cohorts.uploads import KIND, UploadRow, read_rows, write_rows
from groupsvc.core.jobs.lease import Lease, LetGoError, Why
from groupsvc.core.jobs.repository import INPUT, Ending
from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork

CHUNK: Final = 1_000  # rows


class Step(Enum):
    MORE = "more"
    OVER = "over"


class CohortUploadWork:
    kinds: Collection[str] = (KIND,)
    beats = True

    def __init__(self, units: TransactionRunner) -> None:
        self._units = units

    async def do(self, lease: Lease) -> None:
        job = lease.job

        async def given(uow: UnitOfWork) -> bytes | None:
            return await uow.jobs.part(job.id, INPUT, 0)

        content = await self._units.run("jobs", given, bulk=True)
        rows = await asyncio.to_thread(read_rows, content or b"")

        async def step(uow: UnitOfWork) -> Step:
            uow.context.actor = job.created_by
            return await self._take(uow, lease, rows)

        while await self._units.run(job.request_id or "", step, bulk=True) is Step.MORE:
            lease.check()

    async def _take(self, uow: UnitOfWork, lease: Lease, rows: Sequence[UploadRow]) -> Step:
        """Do some rows and say so, in one transaction."""
        job, worker = lease.job, lease.worker
        await uow.begin()
        progress = await uow.jobs.get_for_update(job, worker)
        if progress is None:
            return Step.OVER
        if progress.is_cancelled:
            raise LetGoError(Why.CANCELLED)
        chunk = rows[progress.attempted : progress.attempted + CHUNK]
        if chunk:
            await write_rows(uow, job.course_id or 0, chunk, progress)
            await uow.jobs.advance(job, progress)
        if progress.attempted < len(rows):
            return Step.MORE
        await uow.jobs.finish(job, worker, Ending("succeeded"))
        return Step.OVER
