"""The cohorts of a course: its settings, and finding a cohort for whoever comes."""

import secrets
from dataclasses import dataclass
from typing import Any

from groupsvc.auth.principal import Permission
from groupsvc.documents import Document
from groupsvc.errors import NotFoundError
from groupsvc.repositories.cohorts import CohortState
from groupsvc.services.partitions import PartitionService
from groupsvc.services.service import Expectation, Service

PARTITION_NAME = "Cohorts"
DEFAULT_COHORT = "Default Group"


@dataclass(frozen=True, slots=True)
class CohortAnswer:
    """The cohort of a user, or None in a course that is not cohorted."""

    group_id: int | None
    assigned: bool


class CohortService(Service):
    async def settings(self, course_id: int) -> Document[dict[str, Any]]:
        return self._readable(await self._uow.cohorts.settings(course_id), "course")

    async def configure(
        self,
        course_id: int,
        *,
        is_cohorted: bool,
        random_assignment: str,
        expected: Expectation | None = None,
    ) -> Document[dict[str, Any]]:
        """Turn cohorts on or off, keeping cohorts and members; choose how chance decides."""
        course = await PartitionService(self._uow, self._principal).open_course(course_id)
        if expected is not None:
            seen = await self._uow.cohorts.settings(course.id)
            await self._expect(expected, seen, course_id=course.id)
        await self._uow.cohorts.configure(
            course.id, is_cohorted=is_cohorted, random_assignment=random_assignment
        )
        document = await self._uow.cohorts.settings(course.id)
        assert document is not None
        return document

    async def assign_lazily(self, course_id: int, user_id: int) -> CohortAnswer:
        """The cohort of a user, who is given one if he has none and the course is cohorted.

        A preassignment of his e-mail address decides, else chance among the random cohorts, else
        the default cohort, which is made when there is none.
        """
        state = await self._state(course_id, user_id)
        self._require(Permission.GROUPS_WRITE, state.department, state.course)
        if not state.is_known:
            raise NotFoundError("no such user")
        if not state.is_cohorted or state.group_id is not None:
            return CohortAnswer(state.group_id if state.is_cohorted else None, assigned=False)
        await PartitionService(self._uow, self._principal).open_course(course_id)
        await self._uow.because("lazy")
        state = await self._state(course_id, user_id)
        if not state.is_cohorted or state.group_id is not None:
            return CohortAnswer(state.group_id if state.is_cohorted else None, assigned=False)
        partition_id = state.partition_id or await self._uow.partitions.create(
            course_id, PARTITION_NAME, kind="cohorts"
        )
        group_id = await self._choose(state, partition_id)
        await self._uow.memberships.assign_many(course_id, partition_id, [(user_id, group_id)])
        return CohortAnswer(group_id, assigned=True)

    async def _state(self, course_id: int, user_id: int) -> CohortState:
        state = await self._uow.cohorts.state(course_id, user_id)
        if state is None:
            raise NotFoundError("no such course")
        return state

    async def _choose(self, state: CohortState, partition_id: int) -> int:
        if state.email:
            waiting = await self._uow.cohorts.consume(state.course_id, state.email)
            if waiting is not None:
                return waiting
        cohorts = await self._uow.cohorts.random_cohorts(state.course_id, partition_id)
        if cohorts:
            balanced = state.random_assignment == "balanced"
            return cohorts[0] if balanced else secrets.choice(cohorts)
        return await self._default_cohort(state.course_id, partition_id)

    async def _default_cohort(self, course_id: int, partition_id: int) -> int:
        """By name: a manual cohort that is called so is used as it is."""
        names = await self._uow.groups.names(course_id, partition_id)
        for group_id, name in names.items():
            if name == DEFAULT_COHORT:
                return group_id
        return await self._uow.groups.create(
            course_id, partition_id, DEFAULT_COHORT, {"assignment_type": "random"}
        )

    async def content_partitions(self, course_id: int) -> Document[list[Any]]:
        return self._readable(await self._uow.cohorts.content_partitions(course_id), "course")

    async def declare_content(
        self,
        course_id: int,
        content_partition_id: int,
        *,
        expected: Expectation | None = None,
        **values: Any,
    ) -> tuple[Document[dict[str, Any]], bool]:
        """Say which content groups a learning platform has; answers whether that was new."""
        await self._open_content(course_id, content_partition_id, expected)
        created = await self._uow.cohorts.declare(course_id, content_partition_id, **values)
        document = await self._uow.cohorts.content_partition(course_id, content_partition_id)
        assert document is not None
        return document, created

    async def withdraw_content(
        self, course_id: int, content_partition_id: int, *, expected: Expectation | None = None
    ) -> None:
        """Forget content groups; cohorts that point at them keep pointing."""
        await self._open_content(course_id, content_partition_id, expected)
        await self._uow.cohorts.withdraw(course_id, content_partition_id)

    async def _open_content(
        self, course_id: int, content_partition_id: int, expected: Expectation | None
    ) -> None:
        partitions = PartitionService(self._uow, self._principal)
        course = await partitions.open_course(course_id, Permission.ROSTER_WRITE)
        if expected is not None:
            seen = await self._uow.cohorts.content_partition(course.id, content_partition_id)
            await self._expect(expected, seen, course_id=course.id)
