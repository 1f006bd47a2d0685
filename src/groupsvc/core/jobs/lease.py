"""A job that a worker has: how far it is, and whether the worker still has it."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Any

from groupsvc.core.jobs.repository import (
    OUTPUT,
    PART,
    ClaimedJob,
    Counts,
    Ending,
)
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import ConflictError


class Why(StrEnum):
    """Why a worker is to let go of a job."""

    CANCELLED = "cancelled"
    STOPPING = "stopping"
    LOST = "lost"


class LetGoError(Exception):
    """What has been done is undone: the job is not this worker's to finish any more."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


class Lease:
    """Whoever does the job says how far it is as often as it can stop, and is told to by
    ``LetGoError``. Rows count once their work is done, committed or not.
    """

    def __init__(self, job: ClaimedJob, worker: str) -> None:
        self.job, self.worker = job, worker
        self.why: Why | None = Why.CANCELLED if job.is_cancelled else None
        self.total: int | None = None
        self.attempted = self.succeeded = self.skipped = self.failed = 0

    def restart(self) -> None:
        """A unit of work that is tried again counts anew."""
        self.attempted = self.succeeded = self.skipped = self.failed = 0
        self.check()

    def count(self, *, succeeded: int = 0, skipped: int = 0, failed: int = 0) -> None:
        self.attempted += succeeded + skipped + failed
        self.succeeded += succeeded
        self.skipped += skipped
        self.failed += failed
        self.check()

    def check(self) -> None:
        if self.why is not None:
            raise LetGoError(self.why)

    def counts(self) -> Counts:
        return Counts(self.total, self.attempted, self.succeeded, self.skipped, self.failed)

    async def finish(self, uow: UnitOfWork, ending: Ending) -> None:
        """End the job in this unit of work: it is known to be done when its work is."""
        if not await uow.jobs.finish(self.job, self.worker, ending, self.counts()):
            raise LetGoError(Why.LOST)


async def store_output(
    uow: UnitOfWork, job_id: int, parts: AsyncIterator[bytes], most: int
) -> dict[str, Any]:
    """Keep an answer; returns its size. Raises ConflictError for one that is too large."""
    await uow.jobs.forget_parts(job_id, OUTPUT)
    size = number = 0
    held = bytearray()
    async for part in parts:
        held += part
        size += len(part)
        if size > most:
            raise ConflictError("the answer is too large to be kept", code="answer_too_large")
        while len(held) >= PART:
            await uow.jobs.add_part(job_id, OUTPUT, number, bytes(held[:PART]))
            del held[:PART]
            number += 1
    if held:
        await uow.jobs.add_part(job_id, OUTPUT, number, bytes(held))
        number += 1
    return {"bytes": size, "parts": number}
