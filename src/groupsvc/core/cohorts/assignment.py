"""Giving a cohort to whoever comes: by his e-mail address, by chance, or by name."""

from dataclasses import dataclass
from typing import Final

from groupsvc.core.cohorts.repository import CohortState
from groupsvc.core.cohorts.sets import CohortSetService
from groupsvc.core.enrollments.repository import LockedEnrollment
from groupsvc.core.partitions.service import PartitionService
from groupsvc.core.service import Service
from groupsvc.domain.errors import FullError, InvalidError, NotFoundError, UnavailableError
from groupsvc.domain.names import normalise
from groupsvc.domain.principal import Permission

DEFAULT_COHORT: Final = "Default Group"
LAZY: Final = "lazy"
# Who loses a race finds what the winner has done: the second try is the last one but for cohorts
# that fill up or go between being chosen and being entered.
MOST_TRIES: Final = 4


@dataclass(frozen=True, slots=True)
class CohortAnswer:
    """The cohort of a user, or None in a course that is not cohorted."""

    group_id: int | None
    assigned: bool


class CohortAssignmentService(Service):
    async def assign(self, course_id: int, user_id: int) -> CohortAnswer:
        """The cohort of a user, who is given one if he has none and the course is cohorted.

        The cohort that his address waits in decides, else chance among the random cohorts, else
        the default cohort, which is made when there is none: docs/compat/openedx.md, "Lazy
        assignment and the default cohort".

        Raises NotFoundError, ForbiddenError, LockedError, or FullError when all are full.
        """
        refusal: Exception | None = None
        for _ in range(MOST_TRIES):
            state = await self.state(course_id, user_id, Permission.GROUPS_WRITE)
            if not state.is_cohorted or state.group_id is not None:
                return CohortAnswer(state.group_id if state.is_cohorted else None, assigned=False)
            self._refuse_if_locked(state.is_locked)
            try:
                group_id = await self._arrive(state, user_id)
            except (FullError, NotFoundError) as error:
                if self._uow.began:
                    raise
                refusal = error
                continue
            if group_id is not None:
                return CohortAnswer(group_id, assigned=True)
        raise refusal or UnavailableError("too many others are coming at this moment")

    async def state(self, course_id: int, user_id: int, permission: Permission) -> CohortState:
        """What decides on the cohort of a user.

        Raises NotFoundError without the course or the user, ForbiddenError without permission.
        """
        state = await self._uow.cohorts.state(course_id, user_id)
        if state is None:
            raise NotFoundError("no such course")
        self._require(permission, state.department, state.course)
        if not state.is_known:
            raise NotFoundError("no such user")
        return state

    async def _arrive(self, state: CohortState, user_id: int) -> int | None:
        """None when somebody else was faster: all that was decided may be otherwise now."""
        self._uow.context.cause = LAZY
        if state.random_assignment == "balanced" and state.partition_id is not None:
            # Whoever counts must see those who came before him: one after the other.
            await self._uow.begin()
            await self._uow.partitions.get_for_update(state.partition_id)
        group_id = await self._uow.cohorts.arrive(state.course_id, user_id)
        return group_id or await self._arrive_first(state.course_id, user_id)

    async def _arrive_first(self, course_id: int, user_id: int) -> int | None:
        """Make the default cohort, unless there is one to be given by now."""
        await PartitionService(self._uow, self._principal).get_editable_course(course_id)
        state = await self.state(course_id, user_id, Permission.GROUPS_WRITE)
        if not state.is_cohorted or state.group_id is not None:
            return None
        group_id = await self._uow.cohorts.arrive(course_id, user_id)
        if group_id is not None:
            return group_id
        partition_id = await CohortSetService(self._uow, self._principal).partition(course_id)
        default = await self._default_cohort(course_id, partition_id)
        return await self._uow.cohorts.arrive(course_id, user_id, default)

    async def _default_cohort(self, course_id: int, partition_id: int) -> int:
        """By name: a manual cohort that is called so is used as it is."""
        names = await self._uow.groups.names(course_id, partition_id)
        for group_id, name in names.items():
            if name == DEFAULT_COHORT:
                return group_id
        return await self._uow.groups.create(
            course_id, partition_id, DEFAULT_COHORT, {"assignment_type": "random"}
        )

    async def place(self, held: LockedEnrollment, user_id: int, name: str | None) -> None:
        """Put a user into the cohort of a name, or with None into none.

        Raises ForbiddenError without ``groups:write``, LockedError, FullError, or InvalidError
        when the course has no such cohort.
        """
        self._require(Permission.GROUPS_WRITE, held.department, held.course)
        scope = self._principal.scope(Permission.GROUPS_WRITE)
        partition_id = await self._uow.partitions.of_kind(held.course_id, "cohorts")
        if name is None:
            if partition_id is not None:
                outcome = await self._uow.memberships.remove(
                    user_id, scope, partition_id=partition_id
                )
                self._refuse_if_locked(outcome is not None and outcome.is_locked)
            return
        group_id = await self._named(held.course_id, partition_id, normalise(name, field="cohort"))
        outcome = await self._uow.memberships.assign(group_id, user_id, scope)
        self._refuse_if_locked(outcome is not None and outcome.is_locked)

    async def _named(self, course_id: int, partition_id: int | None, name: str) -> int:
        if partition_id is not None:
            names = await self._uow.groups.names(course_id, partition_id)
            for group_id, known in names.items():
                if known == name:
                    return group_id
        raise InvalidError(
            "the course has no such cohort", code="unknown_cohort", pointer="#/cohort"
        )
