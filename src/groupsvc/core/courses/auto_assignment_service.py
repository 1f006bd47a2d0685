"""The document that a group editor stores for a course: returned as it is, never interpreted."""

from typing import Any

from groupsvc.core.partitions.service import PartitionService
from groupsvc.core.service import Service
from groupsvc.domain.json_resource import JsonResource


class AutoAssignmentService(Service):
    async def read(self, course_id: int) -> JsonResource[Any]:
        """What was saved last, to the letter; an empty object before that."""
        return self._authorize_read(await self._uow.auto_assignments.read(course_id), "course")

    async def check_editable(self, course_id: int) -> None:
        """Lock a course whose document may be saved.

        Raises NotFoundError, ForbiddenError or LockedError, in this order.
        """
        await PartitionService(self._uow, self._principal).get_editable_course(course_id)

    async def save(self, course_id: int, document: str) -> None:
        """Save a JSON text. The change log says that it was saved, and not what is in it."""
        await self.check_editable(course_id)
        await self._uow.auto_assignments.save(course_id, document)
