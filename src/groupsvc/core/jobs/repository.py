"""Jobs: work that a request left to be done after it."""

import json
from dataclasses import dataclass
from typing import Any, Final

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import JsonResource, Page

SQL: Final = SqlFile(__file__)


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """``tries`` counts the claims since the job last got on."""

    course_id: int
    id: int
    kind: str
    payload: bytes
    created_by: str
    request_id: str | None
    tries: int


@dataclass(slots=True)
class Progress:
    attempted: int
    succeeded: int
    skipped: int
    preassigned: int
    failed: int
    result: dict[str, Any]


class JobRepository(Repository):
    async def read(self, job_id: int) -> JsonResource[dict[str, Any]] | None:
        return await self._document(SQL.read, id=job_id)

    async def page(self, course_id: int, *, before: int, limit: int) -> Page:
        """Newest first."""
        return await self._page(
            SQL.page, limit=limit, key=("id",), course_id=course_id, before=before
        )

    async def enqueue(
        self, course_id: int, kind: str, payload: bytes, *, total: int, result: dict[str, Any]
    ) -> int:
        """Leave work for the actor of this unit of work; answers the job's id."""
        (row,) = await self._rows(
            SQL.enqueue,
            course_id=course_id,
            kind=kind,
            payload=payload,
            total=total,
            result=json.dumps(result),
            created_by=self._context.actor,
            request_id=self._context.request_id,
        )
        return int(row.id)

    async def claim(self, worker: str, *, silence: float) -> ClaimedJob | None:
        """A job to do, if there is one; one that is running is free after a silence of seconds."""
        row = await self._row(SQL.claim, worker=worker, seconds=silence)
        return ClaimedJob(**row._asdict()) if row is not None else None

    async def get_for_update(self, job: ClaimedJob, worker: str) -> Progress | None:
        """How far the job is; None when it is no longer the worker's."""
        row = await self._row(SQL.lock, course_id=job.course_id, id=job.id, worker=worker)
        return Progress(**row._asdict()) if row is not None else None

    async def advance(self, job: ClaimedJob, progress: Progress) -> None:
        """The job must be held."""
        await self._rows(
            SQL.advance,
            course_id=job.course_id,
            id=job.id,
            attempted=progress.attempted,
            succeeded=progress.succeeded,
            skipped=progress.skipped,
            preassigned=progress.preassigned,
            failed=progress.failed,
            result=json.dumps(progress.result),
        )

    async def finish(
        self, job: ClaimedJob, worker: str, state: str, result: dict[str, Any]
    ) -> None:
        """End a job, with more members for its result; what was uploaded is forgotten."""
        await self._rows(
            SQL.finish,
            course_id=job.course_id,
            id=job.id,
            worker=worker,
            state=state,
            result=json.dumps(result),
        )

    async def release(self, worker: str) -> None:
        """Leave what the worker has begun to the others."""
        await self._rows(SQL.release, worker=worker)

    async def forget(self, days: int) -> int:
        """Delete some jobs that ended so many days ago; returns how many."""
        return len(await self._rows(SQL.forget, days=days))

    async def mentioning(self, email: str) -> list[tuple[int, int, dict[str, Any]]]:
        """Course, id and result of ended jobs whose result has this text in it."""
        rows = await self._rows(SQL.mentioning, email=email)
        return [(row.course_id, row.id, row.result) for row in rows]

    async def redact(self, course_id: int, job_id: int, result: dict[str, Any]) -> None:
        await self._rows(SQL.redact, course_id=course_id, id=job_id, result=json.dumps(result))
