"""Jobs: work that a request left to be done after it."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import Page

SQL: Final = SqlFile(__file__)
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


PART: Final = 1_048_576  # bytes
INPUT, OUTPUT = "input", "output"


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """``tries`` counts the claims since the job last got on.

    Of a whole request, ``request`` and ``asker`` are what was asked and who asked.
    """

    course_id: int | None
    id: int
    kind: str
    created_by: str
    request_id: str | None
    tries: int
    request: Mapping[str, Any] | None
    asker: Mapping[str, Any] | None
    is_cancelled: bool


@dataclass(slots=True)
class Progress:
    attempted: int
    succeeded: int
    skipped: int
    preassigned: int
    failed: int
    result: dict[str, Any]
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """Of a job that has counted nothing itself, all are None."""

    total: int | None = None
    attempted: int | None = None
    succeeded: int | None = None
    skipped: int | None = None
    failed: int | None = None


UNCOUNTED: Final = Counts()


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ends: with an ``error``, or with an ``output`` that some ``decisions`` allowed."""

    state: Literal["succeeded", "failed", "cancelled"]
    error: Mapping[str, Any] | None = None
    output: Mapping[str, Any] | None = None
    decisions: Sequence[Any] | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a job is, if it is in a course, and whose it is; ``body`` is all of it as JSON."""

    department: str | None
    course: str | None
    created_by: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """A job ``is_request`` when its answer is in parts; that of others is ``result``."""

    department: str | None
    course: str | None
    created_by: str
    state: str
    is_request: bool
    output: Mapping[str, Any] | None
    decisions: Sequence[Any]
    result: str


class JobRepository(Repository):
    async def read(self, job_id: int) -> Standing | None:
        row = await self._row(SQL.read, id=job_id)
        if row is None:
            return None
        return Standing(row.department, row.course, row.created_by, row.body.encode())

    async def outcome(self, job_id: int) -> Outcome | None:
        row = await self._row(SQL.outcome, id=job_id)
        if row is None:
            return None
        given = row._asdict()
        return Outcome(
            **given | {"output": _json(row.output), "decisions": _json(row.decisions) or []}
        )

    async def page(self, course_id: int, *, before: int, limit: int) -> Page:
        """Newest first."""
        return await self._page(
            SQL.page, limit=limit, key=("id",), course_id=course_id, before=before
        )

    async def own_page(self, created_by: str, *, before: int, limit: int) -> Page:
        """Newest first."""
        return await self._page(
            SQL.own_page, limit=limit, key=("id",), created_by=created_by, before=before
        )

    async def open_of(self, created_by: str) -> int:
        """How many of a caller are still to be done; nobody adds one until the transaction ends."""
        (row,) = await self._rows(SQL.open_of, created_by=created_by)
        return int(row.jobs)

    async def enqueue(
        self,
        kind: str,
        *,
        course_id: int | None = None,
        total: int | None = None,
        result: Mapping[str, Any] = NOTHING,
        request: Mapping[str, Any] | None = None,
        asker: Mapping[str, Any] | None = None,
    ) -> int:
        """Leave work for the actor of this unit of work; returns the job's id."""
        (row,) = await self._rows(
            SQL.enqueue,
            course_id=course_id,
            kind=kind,
            total=total,
            result=json.dumps(dict(result)),
            created_by=self._context.actor,
            request_id=self._context.request_id,
            request=_text(request),
            asker=_text(asker),
        )
        return int(row.id)

    async def add_part(self, job_id: int, side: str, part: int, content: bytes) -> None:
        await self._rows(SQL.add_part, id=job_id, side=side, part=part, content=content)

    async def part(self, job_id: int, side: str, part: int) -> bytes | None:
        row = await self._row(SQL.part, id=job_id, side=side, part=part)
        return bytes(row.content) if row is not None else None

    async def forget_parts(self, job_id: int, side: str) -> None:
        await self._rows(SQL.forget_parts, id=job_id, side=side)

    async def claim(
        self, worker: str, kinds: Collection[str], *, silence: float
    ) -> ClaimedJob | None:
        """A job to do, if there is one; one that is running is free after a silence of seconds."""
        row = await self._row(SQL.claim, worker=worker, kinds=list(kinds), seconds=silence)
        if row is None:
            return None
        given = row._asdict()
        return ClaimedJob(**given | {"request": _json(row.request), "asker": _json(row.asker)})

    async def get_for_update(self, job: ClaimedJob, worker: str) -> Progress | None:
        """How far the job is; None when it is no longer the worker's."""
        row = await self._row(SQL.lock, id=job.id, worker=worker)
        return Progress(**row._asdict()) if row is not None else None

    async def advance(self, job: ClaimedJob, progress: Progress) -> None:
        """The job must be held."""
        await self._rows(
            SQL.advance,
            id=job.id,
            attempted=progress.attempted,
            succeeded=progress.succeeded,
            skipped=progress.skipped,
            preassigned=progress.preassigned,
            failed=progress.failed,
            result=json.dumps(progress.result),
        )

    async def beat(self, job: ClaimedJob, worker: str, counts: Counts) -> bool | None:
        """Say that the worker is there; returns whether somebody has cancelled the job, None when
        it is no longer the worker's.
        """
        row = await self._row(SQL.beat, id=job.id, worker=worker, **asdict(counts))
        return bool(row.is_cancelled) if row is not None else None

    async def finish(
        self, job: ClaimedJob, worker: str, ending: Ending, counts: Counts = UNCOUNTED
    ) -> bool:
        """End a job, if it is still the worker's; what it was given is forgotten."""
        row = await self._row(
            SQL.finish,
            id=job.id,
            worker=worker,
            state=ending.state,
            error=_text(ending.error),
            output=_text(ending.output),
            decisions=json.dumps(ending.decisions) if ending.decisions is not None else None,
            **asdict(counts),
        )
        if row is None:
            return False
        await self.forget_parts(job.id, INPUT)
        return True

    async def release(self, job: ClaimedJob, worker: str, *, is_try: bool) -> None:
        """Leave what the worker has begun to the others. It has tried in vain, or only stops."""
        await self._rows(SQL.release, id=job.id, worker=worker, given_back=0 if is_try else 1)

    async def cancel(self, job_id: int) -> None:
        row = await self._row(SQL.cancel, id=job_id)
        if row is not None and row.state == "cancelled":
            await self.forget_parts(job_id, INPUT)

    async def forget(self, days: int) -> int:
        """Delete some jobs that ended so many days ago; returns how many."""
        return len(await self._rows(SQL.forget, days=days))

    async def forget_outputs(self, hours: int) -> int:
        """Delete some answers of jobs that ended so many hours ago; returns how many."""
        return len(await self._rows(SQL.forget_outputs, hours=hours))

    async def mentioning(self, email: str) -> list[tuple[int, dict[str, Any]]]:
        """Id and result of ended jobs whose result has this text in it."""
        rows = await self._rows(SQL.mentioning, email=email)
        return [(row.id, row.result) for row in rows]

    async def redact(self, job_id: int, result: dict[str, Any]) -> None:
        await self._rows(SQL.redact, id=job_id, result=json.dumps(result))


def _text(document: Mapping[str, Any] | None) -> str | None:
    return json.dumps(dict(document)) if document is not None else None


def _json(text: str | None) -> Any:
    return json.loads(text) if text is not None else None
