"""Settings, cohorts and members of an Open edX course, written into the course of the same key.

What is there already under the same name is used as it is, so that an import may be repeated.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from groupsvc.cli.openedx_source import SourceCohort, SourceCourse, SourceUser
from groupsvc.core.cohorts.add_result import looked_up
from groupsvc.core.cohorts.edits import CohortEdit, CohortEditService
from groupsvc.core.cohorts.members import CohortMemberService
from groupsvc.core.cohorts.records import Cohort
from groupsvc.core.cohorts.sets import CohortSetService
from groupsvc.core.courses.service import CourseService
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.core.users.records import Person
from groupsvc.core.users.service import UserService
from groupsvc.domain.errors import NotFoundError
from groupsvc.domain.names import normalise
from groupsvc.domain.principal import Principal


@dataclass(frozen=True, slots=True)
class CopiedRow:
    """What became of one user in one cohort."""

    cohort: str
    user: str
    result: str
    code: str | None = None


class CourseCopy:
    """Writes within one unit of work, as a caller who may do so.

    With a ``department`` it declares the course and the users that are missing, in there.
    """

    def __init__(self, uow: UnitOfWork, caller: Principal, department: str | None) -> None:
        self._courses = CourseService(uow, caller)
        self._users = UserService(uow, caller)
        self._sets = CohortSetService(uow, caller)
        self._edits = CohortEditService(uow, caller)
        self._members = CohortMemberService(uow, caller)
        self._department = department

    async def write(self, key: str, source: SourceCourse) -> list[CopiedRow]:
        """Raises NotFoundError without the course, and what the services refuse."""
        await self._open(key)
        own = {cohort.name: cohort for cohort in (await self._sets.page(key)).cohorts}
        # Of two that change their type, the one that becomes random must not come second.
        ordered = sorted(source.cohorts, key=lambda each: each.assignment_type != "random")
        ids = {each.name: await self._write_cohort(key, each, own) for each in ordered}
        rows: list[CopiedRow] = []
        for cohort in source.cohorts:
            rows += await self._write_users(key, ids[cohort.name], cohort)
        await self._sets.switch(key, is_cohorted=source.is_cohorted)
        return rows

    async def _open(self, key: str) -> None:
        try:
            await self._courses.read_key(key)
        except NotFoundError:
            if self._department is None:
                raise NotFoundError(
                    f"there is no course {key}: declare it first, or name a --department"
                ) from None
            await self._courses.declare(key, department=self._department, title="")

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
            return (await self._edits.create(key, edit)).id
        await self._edits.edit(key, found.id, edit)
        return found.id

    async def _write_users(self, key: str, cohort_id: int, source: SourceCohort) -> list[CopiedRow]:
        people = await self._recognise(source.users)
        usernames = [person.username for person in people.values()]
        found = await self._members.get_editable(key, cohort_id)
        told = await self._members.add(found, usernames)
        results = dict.fromkeys(told.present, "unchanged")
        results |= {person.username: "assigned" for person in told.added}
        results |= {change.person.username: "moved" for change in told.changed}
        rows: list[CopiedRow] = []
        for user in source.users:
            person = people.get(user.username)
            result = results.get(person.username) if person is not None else None
            code = "unknown_user" if person is None else "group_full"
            rows.append(
                CopiedRow(source.name, user.username, result, None)
                if result is not None
                else CopiedRow(source.name, user.username, "refused", code)
            )
        return rows

    async def _recognise(self, users: list[SourceUser]) -> dict[str, Person]:
        """Who they are here, by the username there: by username, then by address."""
        texts = [text for user in users for text in (user.username, user.email) if text]
        people = await self._members.resolve(texts)
        named: dict[str, Person] = {}
        for user in users:
            sought = filter(None, map(looked_up, (user.username, user.email)))
            person = next((people[each] for each in sought if each in people), None)
            if person is None and self._department is not None:
                person = await self._declare(user)
            if person is not None:
                named[user.username] = person
        return named

    async def _declare(self, user: SourceUser) -> Person:
        given, _, family = user.name.strip().partition(" ")
        values = {
            "email": user.email or None,
            "family_name": family,
            "given_name": given,
            "usual_name": None,
            "civility": "X",
            "student_number": None,
            "national_number": None,
            "department": self._department,
            "is_active": True,
        }
        document, _ = await self._users.declare(user.username, values)
        return Person(document.data["id"], document.data["username"], document.data["email"])
