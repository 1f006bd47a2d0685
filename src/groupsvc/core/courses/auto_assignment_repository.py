"""The document that a group editor keeps for a course."""

from typing import Any, Final

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import JsonResource

SQL: Final = SqlFile(__file__)


class AutoAssignmentRepository(Repository):
    async def read(self, course_id: int) -> JsonResource[Any] | None:
        """An empty object when nothing was saved; None without the course."""
        return await self._document(SQL.read, course_id=course_id)

    async def save(self, course_id: int, document: str) -> None:
        await self._rows(SQL.save, course_id=course_id, document=document)
