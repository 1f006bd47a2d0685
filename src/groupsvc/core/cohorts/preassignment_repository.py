"""E-mail addresses that wait in cohorts for their users."""

from typing import Final

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import Page

SQL: Final = SqlFile(__file__)


class PreassignmentRepository(Repository):
    async def page(self, course_id: int, *, after: int = 0, limit: int) -> Page:
        """In the order in which the addresses were first given."""
        return await self._page(
            SQL.page, limit=limit, key=("id",), course_id=course_id, after=after
        )

    async def cancel(self, course_id: int, preassignment_id: int) -> bool:
        return bool(await self._rows(SQL.cancel, course_id=course_id, id=preassignment_id))

    async def retire(self, email: str) -> int:
        """Forget an address in all courses; answers in how many it waited."""
        return len(await self._rows(SQL.retire, email=email))

    async def mark_retired(self, email: str) -> int:
        """Mark whoever has an address as leaving; answers how many that were."""
        return len(await self._rows(SQL.mark_retired, email=email))
