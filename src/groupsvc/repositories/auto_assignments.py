"""The document that a group editor keeps for a course."""

from typing import Any

from groupsvc.documents import Document
from groupsvc.repositories.repository import Repository
from groupsvc.repositories.shapes import PLACE
from groupsvc.repositories.statements import sql

READ = sql(f"""
    SELECT {PLACE}, coalesce(a.document, '{{}}') AS body
    FROM courses c JOIN departments d ON d.id = c.department_id
    LEFT JOIN auto_assignments a ON a.course_id = c.id
    WHERE c.id = :course_id
""")

SAVE = sql("""
    INSERT INTO auto_assignments AS a (course_id, document) VALUES (:course_id, :document)
    ON CONFLICT (course_id) DO UPDATE SET document = excluded.document, saved_at = now()
        WHERE a.document <> excluded.document
""")


class AutoAssignmentRepository(Repository):
    async def read(self, course_id: int) -> Document[Any] | None:
        """An empty object when nothing was saved; None without the course."""
        return await self._document(READ, course_id=course_id)

    async def save(self, course_id: int, document: str) -> None:
        await self._rows(SAVE, course_id=course_id, document=document)
