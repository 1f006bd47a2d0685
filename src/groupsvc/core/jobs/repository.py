"""Jobs: work that a request left to be done after it."""

from dataclasses import dataclass
from typing import Any

from groupsvc.core.json_columns import COURSE_OF, PLACE, as_json
from groupsvc.core.repository import Repository
from groupsvc.db.statements import sql
from groupsvc.domain.json_resource import JsonResource, Page

JOB = """j.id, j.course_id, j.kind, j.state, j.total, j.attempted, j.succeeded, j.skipped,
    j.preassigned, j.failed, j.result, j.created_by, j.created_at, j.started_at, j.finished_at"""

READ = sql(f"""
    SELECT {PLACE}, row_to_json(shape)::text AS body
    FROM jobs j {COURSE_OF.format("j")} {as_json(JOB)} WHERE j.id = :id
""")

PAGE = sql(f"""
    SELECT j.id, row_to_json(shape)::text AS body FROM jobs j {as_json(JOB)}
    WHERE j.course_id = :course_id AND j.id < :before
    ORDER BY j.id DESC LIMIT :limit
""")

ENQUEUE = sql("""
    INSERT INTO jobs (course_id, kind, total, payload, result, created_by, request_id)
    VALUES (:course_id, :kind, :total, :payload, :result, :created_by, :request_id)
    RETURNING id
""")

# The oldest of each course, one at a time there; also one whose worker has fallen silent. A row
# that another worker is claiming is skipped, and with it the later ones of its course.
CLAIM = sql("""
    UPDATE jobs SET state = 'running', worker = :worker, tries = tries + 1,
           started_at = coalesce(started_at, now()), heartbeat_at = now()
    WHERE (course_id, id) IN (
        SELECT j.course_id, j.id FROM jobs j
        WHERE j.state = 'running' AND j.heartbeat_at < now() - make_interval(secs => :seconds)
           OR j.state = 'queued' AND NOT EXISTS (
               SELECT FROM jobs x WHERE x.course_id = j.course_id
               AND (x.state = 'running' OR x.state = 'queued' AND x.id < j.id))
        ORDER BY j.id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING course_id, id, kind, payload, created_by, request_id, tries
""")

HOLD = sql("""
    SELECT attempted, succeeded, skipped, preassigned, failed, result FROM jobs
    WHERE course_id = :course_id AND id = :id AND worker = :worker AND state = 'running'
    FOR UPDATE
""")

ADVANCE = sql("""
    UPDATE jobs SET attempted = :attempted, succeeded = :succeeded, skipped = :skipped,
           preassigned = :preassigned, failed = :failed, result = :result, heartbeat_at = now(),
           tries = 0
    WHERE course_id = :course_id AND id = :id
""")

FINISH = sql("""
    UPDATE jobs SET state = :state, payload = NULL, finished_at = now(),
           result = result || :result
    WHERE course_id = :course_id AND id = :id AND worker = :worker AND state = 'running'
""")

RELEASE = sql("UPDATE jobs SET state = 'queued' WHERE worker = :worker AND state = 'running'")

FORGET = sql("DELETE FROM jobs WHERE finished_at < now() - make_interval(days => :days)")

MENTIONING = sql("""
    SELECT course_id, id, result FROM jobs
    WHERE state IN ('done', 'failed')
      AND position(lower(:email COLLATE "C") IN lower(result::text COLLATE "C")) > 0
    FOR UPDATE
""")

REDACT = sql("""
    UPDATE jobs SET result = :result WHERE course_id = :course_id AND id = :id
""")


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
        return await self._document(READ, id=job_id)

    async def page(self, course_id: int, *, before: int, limit: int) -> Page:
        """Newest first."""
        return await self._page(PAGE, limit=limit, key=("id",), course_id=course_id, before=before)

    async def enqueue(
        self, course_id: int, kind: str, payload: bytes, *, total: int, result: dict[str, Any]
    ) -> int:
        """Leave work for the actor of this unit of work; answers the job's id."""
        row = await self._row(
            ENQUEUE,
            course_id=course_id,
            kind=kind,
            payload=payload,
            total=total,
            result=result,
            created_by=self._context.actor,
            request_id=self._context.request_id,
        )
        return int(row.id)  # type: ignore[union-attr]

    async def claim(self, worker: str, *, silence: float) -> ClaimedJob | None:
        """A job to do, if there is one; one that is running is free after a silence of seconds."""
        row = await self._row(CLAIM, worker=worker, seconds=silence)
        return ClaimedJob(**row._asdict()) if row is not None else None

    async def get_for_update(self, job: ClaimedJob, worker: str) -> Progress | None:
        """How far the job is; None when it is no longer the worker's."""
        row = await self._row(HOLD, course_id=job.course_id, id=job.id, worker=worker)
        return Progress(**row._asdict()) if row is not None else None

    async def advance(self, job: ClaimedJob, progress: Progress) -> None:
        """The job must be held."""
        await self._rows(
            ADVANCE,
            course_id=job.course_id,
            id=job.id,
            attempted=progress.attempted,
            succeeded=progress.succeeded,
            skipped=progress.skipped,
            preassigned=progress.preassigned,
            failed=progress.failed,
            result=progress.result,
        )

    async def finish(
        self, job: ClaimedJob, worker: str, state: str, result: dict[str, Any]
    ) -> None:
        """End a job, with more members for its result; what was uploaded is forgotten."""
        await self._rows(
            FINISH, course_id=job.course_id, id=job.id, worker=worker, state=state, result=result
        )

    async def release(self, worker: str) -> None:
        """Leave what the worker has begun to the others."""
        await self._rows(RELEASE, worker=worker)

    async def forget(self, days: int) -> None:
        """Delete jobs that ended some days ago."""
        await self._rows(FORGET, days=days)

    async def mentioning(self, email: str) -> list[tuple[int, int, dict[str, Any]]]:
        """Course, id and result of ended jobs whose result has this text in it."""
        rows = await self._rows(MENTIONING, email=email)
        return [(row.course_id, row.id, row.result) for row in rows]

    async def redact(self, course_id: int, job_id: int, result: dict[str, Any]) -> None:
        await self._rows(REDACT, course_id=course_id, id=job_id, result=result)
