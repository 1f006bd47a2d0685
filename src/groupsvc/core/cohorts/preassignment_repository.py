"""E-mail addresses that wait in cohorts for their users."""

from groupsvc.core.repository import Repository
from groupsvc.db.statements import sql
from groupsvc.domain.json_resource import Page

PAGE = sql("""
    SELECT x.id, json_build_object(
        'id', x.id, 'course_id', x.course_id, 'email', x.email, 'group_id', x.group_id,
        'group_name', g.name, 'created_at', x.created_at)::text AS body
    FROM preassignments x
    JOIN groups g ON g.course_id = x.course_id AND g.id = x.group_id
    WHERE x.course_id = :course_id AND x.id > :after
    ORDER BY x.id LIMIT :limit
""")

CANCEL = sql("""
    DELETE FROM preassignments WHERE course_id = :course_id AND id = :id RETURNING id
""")

RETIRE = sql("""
    DELETE FROM preassignments
    WHERE lower(email COLLATE "C") = lower(:email COLLATE "C") RETURNING id
""")

MARK_RETIRED = sql("""
    UPDATE users SET is_retired = true
    WHERE lower(email COLLATE "C") = lower(:email COLLATE "C") AND NOT is_retired RETURNING id
""")


class PreassignmentRepository(Repository):
    async def page(self, course_id: int, *, after: int = 0, limit: int) -> Page:
        """In the order in which the addresses were first given."""
        return await self._page(PAGE, limit=limit, key=("id",), course_id=course_id, after=after)

    async def cancel(self, course_id: int, preassignment_id: int) -> bool:
        return bool(await self._rows(CANCEL, course_id=course_id, id=preassignment_id))

    async def retire(self, email: str) -> int:
        """Forget an address in all courses; answers in how many it waited."""
        return len(await self._rows(RETIRE, email=email))

    async def mark_retired(self, email: str) -> int:
        """Mark whoever has an address as leaving; answers how many that were."""
        return len(await self._rows(MARK_RETIRED, email=email))
