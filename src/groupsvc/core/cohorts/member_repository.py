"""Adding users to cohorts, many at once: who is meant, who enters, who is waited for."""

from collections.abc import Sequence
from typing import Final

from groupsvc.core.cohorts.records import CohortPlace
from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile

SQL: Final = SqlFile(__file__)


class CohortMemberRepository(Repository):
    async def expect(
        self, course_id: int, partition_id: int, places: Sequence[tuple[str, int]]
    ) -> None:
        """Let e-mail addresses wait for their users, each in the last cohort given for it."""
        await self._rows(
            SQL.preassign,
            course_id=course_id,
            partition_id=partition_id,
            emails=[email for email, _ in places],
            group_ids=[group_id for _, group_id in places],
        )

    async def get_editable_course(self, course_id: int) -> CohortPlace | None:
        """Hold a course so that nobody locks it meanwhile."""
        row = await self._row(SQL.open_course, course_id=course_id)
        return CohortPlace(**row._asdict()) if row is not None else None
