"""The cohort of whoever arrives, and the content group that it points at."""

from dataclasses import dataclass
from typing import Final, Literal

from groupsvc.core.cohorts.records import UserCohort
from groupsvc.core.cohorts.service import COHORT_SCHEME, cohorts_partition, group_named
from groupsvc.core.partitions.service import PartitionService
from groupsvc.core.service import Service
from groupsvc.domain.errors import FullError, NotFoundError, UnavailableError
from groupsvc.domain.principal import Permission

DEFAULT_COHORT: Final = "Default Group"
AUTOMATIC: Final = "lazy"  # the cause in the change log
# Whoever loses a race finds what the winner has done: the second try is the last one but for
# cohorts that fill up or are deleted between being chosen and being entered.
MOST_TRIES: Final = 4

Reason = Literal["no_cohort", "no_link", "partition_mismatch", "group_not_found"]


@dataclass(frozen=True, slots=True)
class CohortAnswer:
    """The cohort of a user, or None in a course that is not cohorted."""

    group_id: int | None
    assigned: bool


@dataclass(frozen=True, slots=True)
class ContentGroupAnswer:
    """``reason`` says why there is none."""

    content_group_id: int | None
    cohort_id: int | None
    reason: Reason | None = None


class CohortAssignmentService(Service):
    async def assign(self, course_id: int, user_id: int) -> CohortAnswer:
        """The cohort of a user, who is given one if they have none and the course is cohorted.

        The cohort that their address waits in decides, else chance among the random cohorts, else
        the default cohort, which is created when there is none: docs/compat/openedx.md, "Lazy
        assignment and the default cohort".

        Raises NotFoundError, ForbiddenError, LockedError, or FullError when all are full.
        """
        refusal: Exception | None = None
        for _ in range(MOST_TRIES):
            state = await self._of_user(course_id, user_id, Permission.GROUPS_WRITE)
            if not state.is_cohorted or state.group_id is not None:
                return CohortAnswer(state.group_id if state.is_cohorted else None, assigned=False)
            self._refuse_if_locked(state.is_locked)
            try:
                group_id = await self._assign_automatically(state, user_id)
            except (FullError, NotFoundError) as error:
                if self._uow.began:
                    raise
                refusal = error
                continue
            if group_id is not None:
                return CohortAnswer(group_id, assigned=True)
        raise refusal or UnavailableError("too many others are coming at this moment")

    async def content_group(
        self, course_id: int, content_partition_id: int, user_id: int, *, assign: bool
    ) -> ContentGroupAnswer:
        """The content group of a user in a partition that is for cohorts.

        With ``assign`` they are given a cohort first, if they have none. Raises NotFoundError
        without the course, the user or such a partition, and what ``assign`` raises.
        """
        permission = Permission.GROUPS_WRITE if assign else Permission.GROUPS_READ
        state = await self._of_user(course_id, user_id, permission)
        if state.group_id is None and not assign and not await self._seen_users([user_id]):
            raise NotFoundError("no such user")
        document = await self._uow.cohorts.content_partition(course_id, content_partition_id)
        if document is None or document.data["scheme"] != COHORT_SCHEME:
            raise NotFoundError("no such content partition")
        cohort_id = state.group_id if state.is_cohorted else None
        if assign and cohort_id is None:
            cohort_id = (await self.assign(course_id, user_id)).group_id
        if cohort_id is None:
            return ContentGroupAnswer(None, None, "no_cohort")
        cohort = await self._uow.groups.read(cohort_id)
        link = cohort.data["content_link"] if cohort is not None else None
        if link is None:
            return ContentGroupAnswer(None, cohort_id, "no_link")
        if link["content_partition_id"] != content_partition_id:
            return ContentGroupAnswer(None, cohort_id, "partition_mismatch")
        if link["content_group_id"] not in {group["id"] for group in document.data["groups"]}:
            return ContentGroupAnswer(None, cohort_id, "group_not_found")
        return ContentGroupAnswer(link["content_group_id"], cohort_id)

    async def _of_user(self, course_id: int, user_id: int, permission: Permission) -> UserCohort:
        """Raises NotFoundError without the course or the user, ForbiddenError."""
        state = await self._uow.cohorts.of_user(course_id, user_id)
        if state is None:
            raise NotFoundError("no such course")
        self._require(permission, state.department, state.course)
        if not state.is_known:
            raise NotFoundError("no such user")
        return state

    async def _assign_automatically(self, state: UserCohort, user_id: int) -> int | None:
        """None when somebody else was faster: all that was decided may be otherwise now."""
        self._uow.context.cause = AUTOMATIC
        if state.random_assignment == "balanced" and state.partition_id is not None:
            # Whoever counts must see those who came before: one after the other.
            await self._uow.begin()
            await self._uow.partitions.get_for_update(state.partition_id)
        cohorts = self._uow.cohorts
        group_id = await cohorts.assign_automatically(state.course_id, user_id)
        return group_id or await self._assign_default(state.course_id, user_id)

    async def _assign_default(self, course_id: int, user_id: int) -> int | None:
        """Create the default cohort, unless there is one to be given by now.

        It goes by its name: a manual cohort that is called so is used as it is.
        """
        await PartitionService(self._uow, self._principal).get_editable_course(course_id)
        state = await self._of_user(course_id, user_id, Permission.GROUPS_WRITE)
        if not state.is_cohorted or state.group_id is not None:
            return None
        group_id = await self._uow.cohorts.assign_automatically(course_id, user_id)
        if group_id is not None:
            return group_id
        partition_id = await cohorts_partition(self._uow, course_id)
        default = await group_named(self._uow, course_id, partition_id, DEFAULT_COHORT)
        if default is None:
            values = {"assignment_type": "random"}
            default = await self._uow.groups.create(course_id, partition_id, DEFAULT_COHORT, values)
        return await self._uow.cohorts.assign_automatically(course_id, user_id, default)
