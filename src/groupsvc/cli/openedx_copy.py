"""Writes settings, cohorts, members and team of an Open edX course into the course of the same key.

An import may be repeated: cohorts that exist under the same name are used.
"""

from collections.abc import Mapping

from groupsvc.cli.openedx_people import People
from groupsvc.cli.openedx_source import SourceCohort, SourceCourse
from groupsvc.cli.openedx_team_copy import write_team
from groupsvc.cli.remote_import import CopiedRow
from groupsvc.cli.runtime import OPERATOR
from groupsvc.core.cohorts.members import CohortMemberService
from groupsvc.core.cohorts.records import Cohort, CohortEdit
from groupsvc.core.cohorts.service import CohortService
from groupsvc.core.courses.service import CourseService
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.core.users.records import Person
from groupsvc.domain.errors import NotFoundError
from groupsvc.domain.names import normalise


async def copy_course(
    key: str, source: SourceCourse, department: str | None, uow: UnitOfWork
) -> list[CopiedRow]:
    """Write a course; missing courses and users are created in the ``department``.

    Raises NotFoundError without the course, and the refusals of the services.
    """
    await uow.begin()
    return await _CourseCopy(uow, department).write(key, source)


class _CourseCopy:
    def __init__(self, uow: UnitOfWork, department: str | None) -> None:
        self._courses = CourseService(uow, OPERATOR)
        self._uow = uow
        self._people = People(uow, department)
        self._cohorts = CohortService(uow, OPERATOR)
        self._members = CohortMemberService(uow, OPERATOR)
        self._department = department

    async def write(self, key: str, source: SourceCourse) -> list[CopiedRow]:
        course_id = await self._ensure_course(key)
        own = {cohort.name: cohort for cohort in (await self._cohorts.page(key)).cohorts}
        # A cohort must become random before the last random one becomes manual.
        ordered = sorted(source.cohorts, key=lambda each: each.assignment_type != "random")
        ids = {each.name: await self._write_cohort(key, each, own) for each in ordered}
        rows: list[CopiedRow] = []
        for cohort in source.cohorts:
            rows += await self._write_users(key, ids[cohort.name], cohort)
        await self._cohorts.switch(key, is_cohorted=source.is_cohorted)
        return rows + await write_team(self._uow, self._people, course_id, source.team)

    async def _ensure_course(self, key: str) -> int:
        try:
            course = await self._courses.read_key(key)
        except NotFoundError:
            if self._department is None:
                raise NotFoundError(
                    f"there is no course {key}: declare it first, or name a --department"
                ) from None
            course, _ = await self._courses.declare(key, department=self._department, title="")
        return int(course.data["id"])

    async def _write_cohort(self, key: str, source: SourceCohort, own: Mapping[str, Cohort]) -> int:
        edit = CohortEdit(
            name=source.name,
            assignment_type="random" if source.assignment_type == "random" else "manual",
            relink=True,
            content_partition_id=source.user_partition_id,
            content_group_id=source.group_id,
        )
        found = own.get(normalise(source.name))
        if found is None:
            return (await self._cohorts.create(key, edit)).id
        await self._cohorts.edit(key, found.id, edit)
        return found.id

    async def _write_users(self, key: str, cohort_id: int, source: SourceCohort) -> list[CopiedRow]:
        people = await self._people.find_or_create(source.users)
        cohort = await self._members.get_editable(key, cohort_id)
        done = await self._members.add(cohort, [person.username for person in people.values()])
        results = dict.fromkeys(done.present, "unchanged")
        results |= {person.username: "assigned" for person in done.added}
        results |= {moved.person.username: "moved" for moved in done.moved}
        return [
            _row(source.name, user.username, people.get(user.username), results)
            for user in source.users
        ]


def _row(
    cohort: str, username: str, person: Person | None, results: Mapping[str, str]
) -> CopiedRow:
    if person is None:
        return CopiedRow((cohort,), username, "refused", "unknown_user")
    if person.username not in results:
        return CopiedRow((cohort,), username, "refused", "group_full")
    return CopiedRow((cohort,), username, results[person.username])
