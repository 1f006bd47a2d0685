"""Members of cohorts: list, add many at once, remove, leave."""

from collections.abc import Mapping, Sequence

from groupsvc.core.cohorts.add_result import AddResult, sort_out
from groupsvc.core.cohorts.records import LARGEST_ID, CohortCourse, LockedCohort, MemberPage
from groupsvc.core.cohorts.service import (
    CohortService,
    existing,
    group_named,
    unknown_course,
)
from groupsvc.core.enrollments.repository import LockedEnrollment
from groupsvc.core.memberships.planning import AssignmentRequest
from groupsvc.core.memberships.repository import Entry, MembershipChange
from groupsvc.core.memberships.service import plan_requests
from groupsvc.core.service import Service
from groupsvc.core.users.identifiers import find_people
from groupsvc.core.users.records import Person
from groupsvc.domain.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
)
from groupsvc.domain.names import normalise
from groupsvc.domain.principal import Permission


class CohortMemberService(Service):
    """Raises what CohortService raises."""

    @property
    def _cohorts(self) -> CohortService:
        return CohortService(self._uow, self._principal)

    async def page(
        self, key: str, cohort_id: int, *, limit: int, offset: int = 0, writers_only: bool = False
    ) -> MemberPage:
        """Members whatever their enrollment, for readers of the course or for writers alone."""
        page = await self._uow.cohorts.members(
            key, min(cohort_id, LARGEST_ID), limit=limit, offset=offset
        )
        if page is None:
            raise unknown_course()
        if writers_only:
            self._cohorts.require_writer(page.course)
        else:
            self._cohorts.require_reader(page.course)
        existing(page.cohort_id)
        return page

    async def get_editable(self, key: str, cohort_id: int) -> LockedCohort:
        """A cohort whose members may be changed."""
        await self._uow.begin()
        locked = await self._uow.cohorts.get_for_update(key, min(cohort_id, LARGEST_ID))
        if locked is None:
            raise unknown_course()
        self._cohorts.require_writer(locked.course)
        existing(locked.id)
        self._refuse_if_locked(locked.course.is_locked)
        return locked

    async def add(self, locked: LockedCohort, identifiers: Sequence[object]) -> AddResult:
        """Put users into a cohort, out of any other, and let unknown addresses wait in it.

        The cohort comes from ``get_editable``; one that is full refuses those for whom there is no
        place. The number of statements does not depend on how many users there are.
        """
        cohort_id = existing(locked.id)
        course_id, partition_id = locked.course.course_id, locked.course.partition_id or 0
        people = await find_people(self._uow, identifiers)
        wanted = list(dict.fromkeys(person.id for person in people.values()))
        refused = await self._refused(locked, cohort_id, wanted)
        entering = [user_id for user_id in wanted if user_id not in refused]
        entries: Mapping[int, Entry] = {}
        if entering:
            entries = await self._uow.memberships.assign_many(
                [(course_id, partition_id, user_id) for user_id in entering],
                [cohort_id] * len(entering),
            )
        result = sort_out(identifiers, people, entries, refused)
        if waiting := result.unmatched["preassigned"]:
            await self._uow.cohorts.preassign(
                course_id, partition_id, [(address, cohort_id) for address in waiting]
            )
        return result

    async def _refused(
        self, locked: LockedCohort, cohort_id: int, user_ids: Sequence[int]
    ) -> set[int]:
        """Those for whom a cohort has no place; the places of the others are kept for them."""
        if locked.capacity is None or not user_ids:
            return set()
        course_id, partition_id = locked.course.course_id, locked.course.partition_id or 0
        occupancy = await self._uow.memberships.occupancy(course_id, partition_id)
        requests = [AssignmentRequest(line, each, cohort_id) for line, each in enumerate(user_ids)]
        planned = await plan_requests(
            self._uow, course_id, partition_id, requests, occupancy, enrolled_only=False
        )
        return {user_ids[answer.line] for answer in planned.answers if answer.result == "refused"}

    async def remove(self, key: str, cohort_id: int, username: str) -> None:
        """Take a user out of this very cohort.

        Raises NotFoundError with code ``unknown_user`` for anything but a username, and
        ConflictError with code ``not_a_member``.
        """
        found = await self._cohorts.find(key, cohort_id)
        self._cohorts.require_writer(found.course)
        group_id = existing(found.cohort).id
        if not await self._remove((await self._named(username)).id, group_id=group_id):
            raise ConflictError("the user is not in this cohort", code="not_a_member")

    async def leave(self, course: CohortCourse, username: str) -> None:
        """Take a user out of whatever cohort of the course they are in, if they are in any.

        Raises NotFoundError with code ``unknown_user``.
        """
        self._cohorts.require_writer(course)
        person = await self._named(username)
        if course.partition_id is not None:
            await self._remove(person.id, partition_id=course.partition_id)

    async def set_cohort(self, locked: LockedEnrollment, user_id: int, name: str | None) -> None:
        """Put a user into the cohort of a name, or with None into none.

        Raises ForbiddenError without ``groups:write``, LockedError, FullError, or InvalidError
        when the course has no such cohort.
        """
        self._require(Permission.GROUPS_WRITE, locked.department, locked.course)
        partition_id = await self._uow.partitions.of_kind(locked.course_id, "cohorts")
        if name is None:
            if partition_id is not None:
                await self._remove(user_id, partition_id=partition_id)
            return
        tidy = normalise(name, field="cohort")
        group_id = None
        if partition_id is not None:
            group_id = await group_named(self._uow, locked.course_id, partition_id, tidy)
        if group_id is None:
            raise InvalidError(
                "the course has no such cohort", code="unknown_cohort", pointer="#/cohort"
            )
        scope = self._principal.scope(Permission.GROUPS_WRITE)
        self._changed(await self._uow.memberships.assign(group_id, user_id, scope))

    async def _named(self, username: str) -> Person:
        person = (await find_people(self._uow, [username])).get(username)
        found = person.username if person is not None else None
        if self._uow.vocabulary.usernames_in_any_case:
            found, username = found and found.lower(), username.lower()
        if person is None or found != username:
            raise NotFoundError("no such user", code="unknown_user")
        return person

    async def _remove(
        self, user_id: int, *, group_id: int | None = None, partition_id: int | None = None
    ) -> bool:
        scope = self._principal.scope(Permission.GROUPS_WRITE)
        return self._changed(
            await self._uow.memberships.remove(
                user_id, scope, group_id=group_id, partition_id=partition_id
            )
        )

    def _changed(self, outcome: MembershipChange | None) -> bool:
        self._refuse_if_locked(outcome is not None and outcome.is_locked)
        return outcome is not None and outcome.changed
