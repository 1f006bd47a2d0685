"""Jobs for those who left them: how far they are, what became of them, and their end."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from groupsvc.core.jobs.repository import INPUT, OUTPUT, Standing
from groupsvc.core.service import Service
from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork
from groupsvc.domain.errors import ConflictError, NotFoundError, ThrottledError
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.limits import LARGEST
from groupsvc.domain.principal import Permission, Place

NEWEST: Final = LARGEST
OPEN: Final = frozenset({"queued", "running"})
SECONDS_TO_WAIT: Final = 5


@dataclass(frozen=True, slots=True)
class LeftRequest:
    """A whole request: how it is told, what is needed to do it, and who asked."""

    asked: str
    given: Mapping[str, Any]
    asker: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a job answers: ``whole``, or in so many parts that are stored."""

    job_id: int
    whole: bytes | None
    stored: Mapping[str, Any]


class JobService(Service):
    """A job is read by whoever left it, by those who may write the groups of its course, if it is
    in one, and by administrators; the answer of a whole request only by whoever left it.
    """

    async def read(self, job_id: int) -> JsonResource[dict[str, Any]]:
        found = await self._uow.jobs.read(job_id)
        if found is None:
            raise NotFoundError("no such job")
        self._require_sight(found)
        return JsonResource(found.body)

    async def page(self, course_id: int, *, before: int | None, limit: int) -> Page:
        """The jobs of a course, newest first."""
        course = await self._uow.courses.find(course_id)
        if course is None:
            raise NotFoundError("no such course")
        self._require(Permission.GROUPS_WRITE, course.department, course.key)
        return await self._uow.jobs.page(course.id, before=before or NEWEST, limit=limit)

    async def own_page(self, *, before: int | None, limit: int) -> Page:
        """Those that the caller has left, newest first."""
        subject = self._principal.subject
        return await self._uow.jobs.own_page(subject, before=before or NEWEST, limit=limit)

    async def leave(
        self, kind: str, request: LeftRequest, content: AsyncIterator[bytes], *, most: int
    ) -> JsonResource[dict[str, Any]]:
        """Leave a request to be done later.

        Raises ThrottledError while as many as that of the caller are still to be done.
        """
        await self._uow.begin()
        jobs = self._uow.jobs
        if await jobs.open_of(self._principal.subject) >= most:
            why = "as many jobs of this caller are still to be done as there may be"
            raise ThrottledError(why, code="too_many_jobs", retry_after=SECONDS_TO_WAIT)
        job_id = await jobs.enqueue(
            kind, request={"asked": request.asked, **request.given}, asker=request.asker
        )
        number = 0
        async for part in content:
            await jobs.add_part(job_id, INPUT, number, part)
            number += 1
        found = await jobs.read(job_id)
        assert found is not None
        return JsonResource(found.body)

    async def cancel(self, job_id: int) -> JsonResource[dict[str, Any]]:
        """What is waiting ends now, what is running soon; what has ended stays as it is."""
        await self.read(job_id)
        await self._uow.begin()
        await self._uow.jobs.cancel(job_id)
        return await self.read(job_id)

    async def answer(self, job_id: int) -> Answer:
        """What the request would have been answered, if the caller may still do what it did.

        Raises ConflictError when there is none: not yet, not any more, or never.
        """
        found = await self._uow.jobs.outcome(job_id)
        if found is None:
            raise NotFoundError("no such job")
        if found.is_request and found.created_by != self._principal.subject:
            raise NotFoundError("no such job")
        self._require_sight(Standing(found.department, found.course, found.created_by, b""))
        for permission, department, course in found.decisions:
            place = Place(department or "", course) if department or course else None
            self._principal.require(Permission(permission), place, what="job")
        if found.state in OPEN:
            why, code = "the job has not ended yet", "job_open"
            raise ConflictError(why, code=code, retry_after=1)
        if found.state != "succeeded":
            raise ConflictError(f"the job has {found.state}", code=f"job_{found.state}")
        if not found.is_request:
            whole = json.dumps(json.loads(found.result)).encode()
            return Answer(job_id, whole, {"media_type": "application/json"})
        if found.output is None:
            why = "this was done, and its answer has been erased since"
            raise ConflictError(why, code="answer_erased")
        return Answer(job_id, None, found.output)

    def _require_sight(self, job: Standing) -> None:
        place = Place(job.department, job.course) if job.department is not None else None
        if job.created_by == self._principal.subject:
            return
        if self._principal.may(Permission.ADMIN, place):
            return
        if place is None:
            raise NotFoundError("no such job")
        self._require(Permission.GROUPS_WRITE, job.department, job.course, what="job")


async def stored_parts(units: TransactionRunner, answer: Answer) -> AsyncIterator[bytes]:
    """Each is a unit of work of its own: a slow client holds no connection."""
    for number in range(answer.stored["parts"]):

        async def read(uow: UnitOfWork, number: int = number) -> bytes | None:
            return await uow.jobs.part(answer.job_id, OUTPUT, number)

        part = await units.run("jobs", read, bulk=True)
        if part is None:
            # It has expired meanwhile: the length that was told shows that something is missing.
            return
        yield part
