"""Uploads of tables that put users into cohorts: checked at once, done later as a job."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from groupsvc.core.cohorts.sets import CohortSetService
from groupsvc.core.cohorts.upload_file import check_file, read_rows
from groupsvc.core.service import Service
from groupsvc.domain.errors import NotFoundError
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.principal import Permission

KIND: Final = "cohort_upload"
NO_RESULT: Final[Mapping[str, Any]] = {"cohorts": [], "without_identifier": 0, "error": None}
NEWEST: Final = 2**63 - 1


class CohortUploadService(Service):
    """Whoever may write the groups of a course uploads to it and reads what became of that."""

    async def accept_for_key(self, key: str, name: str, content: bytes) -> None:
        """Accept a file for a course; for an unknown one there is nothing to do.

        Raises UnusableUploadError.
        """
        check_file(name, len(content))
        total = await self._count(content)
        try:
            place = (await CohortSetService(self._uow, self._principal).course(key)).place
        except NotFoundError:
            return
        self._require(Permission.GROUPS_WRITE, place.department, place.course)
        await self._enqueue(place.course_id, content, total)

    async def accept(self, course_id: int, content: bytes) -> JsonResource[dict[str, Any]]:
        """Accept a table for a course; answers the job.

        Raises NotFoundError, ForbiddenError, LockedError or UnusableUploadError, in this order.
        """
        course = await self._uow.courses.find(course_id)
        if course is None:
            raise NotFoundError("no such course")
        self._require(Permission.GROUPS_WRITE, course.department, course.key)
        self._refuse_if_locked(course.is_locked)
        total = await self._count(content)
        job_id = await self._enqueue(course.id, content, total)
        document = await self._uow.jobs.read(job_id)
        assert document is not None
        return document

    async def read(self, job_id: int) -> JsonResource[dict[str, Any]]:
        return self._authorize_read(
            await self._uow.jobs.read(job_id), "job", Permission.GROUPS_WRITE
        )

    async def page(self, course_id: int, *, before: int | None, limit: int) -> Page:
        """The jobs of a course, newest first."""
        course = await self._uow.courses.find(course_id)
        if course is None:
            raise NotFoundError("no such course")
        self._require(Permission.GROUPS_WRITE, course.department, course.key)
        return await self._uow.jobs.page(course.id, before=before or NEWEST, limit=limit)

    async def _enqueue(self, course_id: int, content: bytes, total: int) -> int:
        return await self._uow.jobs.enqueue(
            course_id, KIND, content, total=total, result=dict(NO_RESULT)
        )

    @staticmethod
    async def _count(content: bytes) -> int:
        return len(await asyncio.to_thread(read_rows, content))
