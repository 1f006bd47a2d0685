"""The document that a group editor keeps for a course."""

from typing import Any

from groupsvc.core.json_columns import PLACE
from groupsvc.core.repository import Repository
from groupsvc.db.statements import sql
from groupsvc.domain.json_resource import JsonResource

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
    async def read(self, course_id: int) -> JsonResource[Any] | None:
        """An empty object when nothing was saved; None without the course."""
        return await self._document(READ, course_id=course_id)

    async def save(self, course_id: int, document: str) -> None:
        await self._rows(SAVE, course_id=course_id, document=document)
