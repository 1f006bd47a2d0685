"""Which content group a user gets: docs/compat/openedx.md, "Content groups"."""

from dataclasses import dataclass
from typing import Literal

from groupsvc.core.cohorts.assignment import CohortAssignmentService
from groupsvc.core.cohorts.service import COHORT_SCHEME
from groupsvc.core.service import Service
from groupsvc.domain.errors import NotFoundError
from groupsvc.domain.principal import Permission

Reason = Literal["no_cohort", "no_link", "partition_mismatch", "group_not_found"]


@dataclass(frozen=True, slots=True)
class ContentGroupAnswer:
    """``reason`` says why there is none."""

    content_group_id: int | None
    cohort_id: int | None
    reason: Reason | None = None


class ContentGroupService(Service):
    async def find(
        self, course_id: int, content_partition_id: int, user_id: int, *, assign: bool
    ) -> ContentGroupAnswer:
        """The content group of a user in a partition that is for cohorts.

        With ``assign`` he is given a cohort first, if he has none. Raises NotFoundError without
        the course, the user or such a partition, and what an arrival raises.
        """
        arrivals = CohortAssignmentService(self._uow, self._principal)
        permission = Permission.GROUPS_WRITE if assign else Permission.GROUPS_READ
        state = await arrivals.state(course_id, user_id, permission)
        document = await self._uow.cohorts.content_partition(course_id, content_partition_id)
        if document is None or document.data["scheme"] != COHORT_SCHEME:
            raise NotFoundError("no such content partition")
        cohort_id = state.group_id if state.is_cohorted else None
        if assign and cohort_id is None:
            cohort_id = (await arrivals.assign(course_id, user_id)).group_id
        if cohort_id is None:
            return ContentGroupAnswer(None, None, "no_cohort")
        groups = {group["id"] for group in document.data["groups"]}
        return await self._of_cohort(cohort_id, content_partition_id, groups)

    async def _of_cohort(
        self, cohort_id: int, content_partition_id: int, known: set[int]
    ) -> ContentGroupAnswer:
        cohort = await self._uow.groups.read(cohort_id)
        link = cohort.data["content_link"] if cohort is not None else None
        if link is None:
            return ContentGroupAnswer(None, cohort_id, "no_link")
        if link["content_partition_id"] != content_partition_id:
            return ContentGroupAnswer(None, cohort_id, "partition_mismatch")
        if link["content_group_id"] not in known:
            return ContentGroupAnswer(None, cohort_id, "group_not_found")
        return ContentGroupAnswer(link["content_group_id"], cohort_id)
