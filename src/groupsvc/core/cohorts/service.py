"""The cohorts of a course: its settings, and the content groups that they can point at."""

from typing import Any, Final

from groupsvc.core.cohorts.records import CohortPlace
from groupsvc.core.partitions.service import PartitionService
from groupsvc.core.service import IfMatch, Service
from groupsvc.domain.json_resource import JsonResource
from groupsvc.domain.principal import Permission

COHORT_SCHEME: Final = "cohort"


class CohortService(Service):
    async def settings(self, course_id: int) -> JsonResource[dict[str, Any]]:
        return self._authorize_read(await self._uow.cohorts.settings(course_id), "course")

    async def configure(
        self,
        course_id: int,
        *,
        is_cohorted: bool,
        random_assignment: str,
        expected: IfMatch | None = None,
    ) -> JsonResource[dict[str, Any]]:
        """Turn cohorts on or off, keeping cohorts and members; choose how chance decides."""
        course = await PartitionService(self._uow, self._principal).get_editable_course(course_id)
        if expected is not None:
            seen = await self._uow.cohorts.settings(course.id)
            await self._check_if_match(expected, seen, "cohort_settings", course_id=course.id)
        await self._uow.cohorts.configure(
            course.id, is_cohorted=is_cohorted, random_assignment=random_assignment
        )
        document = await self._uow.cohorts.settings(course.id)
        assert document is not None
        return document

    async def content_partitions(self, course_id: int) -> JsonResource[list[Any]]:
        return self._authorize_read(await self._uow.cohorts.content_partitions(course_id), "course")

    async def for_cohorts(self, place: CohortPlace) -> list[dict[str, Any]]:
        """The content partitions of a course that are for cohorts, in order.

        For whoever may write its groups.
        """
        self._require(Permission.GROUPS_WRITE, place.department, place.course)
        document = await self._uow.cohorts.content_partitions(place.course_id)
        found = document.data if document is not None else []
        return [each for each in found if each["scheme"] == COHORT_SCHEME]

    async def declare_content(
        self,
        course_id: int,
        content_partition_id: int,
        *,
        expected: IfMatch | None = None,
        **values: Any,
    ) -> tuple[JsonResource[dict[str, Any]], bool]:
        """Say which content groups a learning platform has; answers whether that was new."""
        await self._open_content(course_id, content_partition_id, expected)
        created = await self._uow.cohorts.declare(course_id, content_partition_id, **values)
        document = await self._uow.cohorts.content_partition(course_id, content_partition_id)
        assert document is not None
        return document, created

    async def withdraw_content(
        self, course_id: int, content_partition_id: int, *, expected: IfMatch | None = None
    ) -> None:
        """Forget content groups; cohorts that point at them keep pointing."""
        await self._open_content(course_id, content_partition_id, expected)
        await self._uow.cohorts.withdraw(course_id, content_partition_id)

    async def _open_content(
        self, course_id: int, content_partition_id: int, expected: IfMatch | None
    ) -> None:
        partitions = PartitionService(self._uow, self._principal)
        course = await partitions.get_editable_course(course_id, Permission.ROSTER_WRITE)
        if expected is not None:
            seen = await self._uow.cohorts.content_partition(course.id, content_partition_id)
            await self._check_if_match(expected, seen, "content_partition", course_id=course.id)
