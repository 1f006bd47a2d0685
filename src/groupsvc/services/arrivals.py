"""Giving a cohort to whoever comes: by chance, by his e-mail address, or by name."""

from dataclasses import dataclass
from typing import Final

from groupsvc.auth.principal import Permission
from groupsvc.errors import FullError, InvalidError, NotFoundError, UnavailableError
from groupsvc.repositories.cohorts import CohortState
from groupsvc.services.cohort_sets import CohortSetService
from groupsvc.services.names import normalise
from groupsvc.services.partitions import PartitionService
from groupsvc.services.service import Service

DEFAULT_COHORT: Final = "Default Group"
LAZY: Final = "lazy"
# Each loss means that somebody else has got on.
MOST_TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class CohortAnswer:
    """The cohort of a user, or None in a course that is not cohorted."""

    group_id: int | None
    assigned: bool


class ArrivalService(Service):
    async def assign(self, course_id: int, user_id: int) -> CohortAnswer:
        """The cohort of a user, who is given one if he has none and the course is cohorted.

        The cohort that his address waits in decides, else chance among the random cohorts, else
        the default cohort, which is made when there is none (spec section 11.3). Raises
        NotFoundError, ForbiddenError or LockedError.
        """
        for _ in range(MOST_TRIES):
            state = await self.state(course_id, user_id)
            self._require(Permission.GROUPS_WRITE, state.department, state.course)
            if not state.is_cohorted or state.group_id is not None:
                return CohortAnswer(state.group_id if state.is_cohorted else None, assigned=False)
            self._unlocked(state.is_locked)
            group_id = await self._arrive(state, user_id)
            if group_id is not None:
                return CohortAnswer(group_id, assigned=True)
        raise UnavailableError("too many others are coming at this moment")

    async def state(self, course_id: int, user_id: int) -> CohortState:
        """What decides on the cohort of a user. Raises NotFoundError without either of the two."""
        state = await self._uow.cohorts.state(course_id, user_id)
        if state is None:
            raise NotFoundError("no such course")
        self._require_sight(state)
        if not state.is_known:
            raise NotFoundError("no such user")
        return state

    def _require_sight(self, state: CohortState) -> None:
        writes = self._principal.reach(Permission.GROUPS_WRITE)
        allowed = writes.everywhere or state.department in writes.departments
        wanted = Permission.GROUPS_WRITE if allowed or state.course in writes.courses else None
        self._require(wanted or Permission.GROUPS_READ, state.department, state.course)

    async def _arrive(self, state: CohortState, user_id: int) -> int | None:
        """None when somebody else was faster: all that was decided may be otherwise now."""
        self._uow.context.cause = LAZY
        if state.random_assignment == "balanced" and state.partition_id is not None:
            # Whoever counts must see those who came before him: one after the other.
            await self._uow.begin()
            await self._uow.partitions.hold(state.partition_id)
        try:
            group_id = await self._uow.cohorts.arrive(state.course_id, user_id)
            if group_id is not None:
                return group_id
            return await self._arrive_first(state.course_id, user_id)
        except (FullError, NotFoundError):
            # The cohort has filled up, or gone, since it was chosen.
            if self._uow.began:
                raise
            return None

    async def _arrive_first(self, course_id: int, user_id: int) -> int | None:
        """Make the default cohort, unless there is one to be given by now."""
        await PartitionService(self._uow, self._principal).open_course(course_id)
        await self._uow.because(LAZY)
        state = await self.state(course_id, user_id)
        if state.group_id is not None:
            return None
        if state.partition_id is not None:
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
