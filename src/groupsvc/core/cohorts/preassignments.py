"""E-mail addresses that wait in cohorts: list, cancel, delete for good."""

from dataclasses import dataclass
from typing import Final

from groupsvc.core.partitions.service import PartitionService
from groupsvc.core.persons.known_texts import redacted
from groupsvc.core.service import Service
from groupsvc.domain.errors import NotFoundError
from groupsvc.domain.json_resource import Page
from groupsvc.domain.principal import Permission, forbidden

REDACTED: Final = "[retired]"
RETIREMENT: Final = "retirement"


@dataclass(frozen=True, slots=True)
class Retirement:
    """How many rows there were of each kind."""

    preassignments: int
    jobs: int
    users: int


class PreassignmentService(Service):
    async def page(self, course_id: int, *, after: int = 0, limit: int) -> Page:
        """The addresses that wait in a course, in the order in which they were first given."""
        course = await self._uow.courses.find(course_id)
        if course is None:
            raise NotFoundError("no such course")
        self._require(Permission.GROUPS_READ, course.department, course.key)
        return await self._uow.cohorts.preassignments(course.id, after=after, limit=limit)

    async def cancel(self, course_id: int, preassignment_id: int) -> None:
        """No error and no change when the address does not wait."""
        course = await PartitionService(self._uow, self._principal).get_editable_course(course_id)
        await self._uow.cohorts.cancel_preassignment(course.id, preassignment_id)

    async def retire(self, email: str) -> Retirement:
        """Delete an address in all courses, locked ones too, and from the results of uploads.

        Whoever has it in the roster counts as leaving: nobody finds them to add them to a cohort.
        Needs ``admin`` or ``roster:write`` everywhere.
        """
        may = self._principal.may
        if not (may(Permission.ADMIN) or may(Permission.ROSTER_WRITE)):
            raise forbidden(Permission.ROSTER_WRITE)
        self._require(Permission.ADMIN if may(Permission.ADMIN) else Permission.ROSTER_WRITE)
        await self._uow.begin()
        await self._uow.set_cause(RETIREMENT)
        preassignments = await self._uow.cohorts.delete_preassignments(email)
        jobs = 0
        for course_id, job_id, result in await self._uow.jobs.mentioning(email):
            rest = redacted(result, frozenset({email.lower()}), REDACTED)
            if rest != result:
                await self._uow.jobs.redact(course_id, job_id, rest)
                jobs += 1
        return Retirement(preassignments, jobs, await self._uow.cohorts.retire_users(email))
