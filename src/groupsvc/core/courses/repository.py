"""Courses: what is divided. The board shows one whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import delete, update

from groupsvc.core.changelog_version import MOMENT, NEVER, UNCHANGED
from groupsvc.core.json_columns import (
    COURSE,
    GROUP,
    MEMBER,
    PARTITION_ONLY,
    PLACE,
    USER_OF,
    as_json,
)
from groupsvc.core.repository import IN_SCOPE, Repository, scope_parameters
from groupsvc.db.statements import sql
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.principal import GrantScope
from groupsvc.models import Course

SOURCE = f"courses c JOIN departments d ON d.id = c.department_id {as_json(COURSE)}"

READ = sql(f"SELECT {PLACE}, row_to_json(shape)::text AS body FROM {SOURCE} WHERE c.id = :id")
READ_KEY = sql(f"SELECT {PLACE}, row_to_json(shape)::text AS body FROM {SOURCE} WHERE c.key = :key")

LIST = sql(f"""
    SELECT c.id, row_to_json(shape)::text AS body FROM {SOURCE}
    WHERE c.id > :after AND {IN_SCOPE} AND (:department IS NULL OR d.acronym = :department)
    ORDER BY c.id LIMIT :limit
""")

LOCATE = """
    SELECT c.id, c.key, d.acronym AS department, c.is_locked
    FROM courses c JOIN departments d ON d.id = c.department_id
"""
FIND = sql(f"{LOCATE} WHERE c.id = :id")
# SHARE lets memberships of the course go on; lists of partitions change one after the other.
HOLD = sql(f"{LOCATE} WHERE c.id = :id FOR NO KEY UPDATE OF c")
HOLD_KEY = sql(f"{LOCATE} WHERE c.key = :key FOR NO KEY UPDATE OF c")

CREATE = sql("""
    INSERT INTO courses (department_id, key, title) VALUES (:department_id, :key, :title)
    ON CONFLICT (key) DO NOTHING
    RETURNING id
""")

REPLACE = sql("""
    UPDATE courses SET department_id = :department_id, title = :title
    WHERE key = :key AND (department_id, title) IS DISTINCT FROM (:department_id, :title)
""")

# Whose names decide the order, one by one as in USER_OF; nobody's when members are not shown.
NAMED = """LEFT JOIN LATERAL (
                SELECT id, sort_key FROM users
                WHERE :with_members AND id = {0}.user_id OFFSET 0) u ON true"""

# Partitions in order, groups in order with their members, and who is in no group of each.
CONTENT = f"""json_build_object(
        'course', (SELECT row_to_json(shape) FROM (SELECT {COURSE}) shape),
        'enrolled', (SELECT count(*) FROM enrollments e WHERE e.course_id = c.id),
        'partitions', coalesce((
            SELECT json_agg(row_to_json(each_partition)) FROM (
                SELECT {PARTITION_ONLY}, coalesce((
                    SELECT json_agg(row_to_json(each_group)) FROM (
                        SELECT {GROUP}, own.count AS member_count, own.members
                        FROM groups g CROSS JOIN LATERAL (
                            SELECT count(*) AS count, CASE WHEN :with_members THEN coalesce(
                                json_agg(m.user_id ORDER BY u.sort_key, u.id), '[]') END AS members
                            FROM memberships m {NAMED.format("m")}
                            WHERE m.course_id = g.course_id AND m.group_id = g.id
                        ) own
                        WHERE g.course_id = p.course_id AND g.partition_id = p.id
                        ORDER BY g.position, g.name
                    ) each_group), '[]') AS groups,
                    none.count AS unassigned_count, none.members AS unassigned
                FROM partitions p CROSS JOIN LATERAL (
                    SELECT count(*) AS count, CASE WHEN :with_members THEN coalesce(
                        json_agg(e.user_id ORDER BY u.sort_key, u.id), '[]') END AS members
                    FROM enrollments e {NAMED.format("e")}
                    WHERE e.course_id = c.id AND NOT EXISTS (
                        SELECT FROM memberships m
                        WHERE m.course_id = c.id AND m.partition_id = p.id
                          AND m.user_id = e.user_id)
                ) none
                WHERE p.course_id = c.id AND p.kind <> 'default'
                ORDER BY p.position, p.id
            ) each_partition), '[]'),
        'users', CASE WHEN :with_members THEN coalesce((
            SELECT json_agg(row_to_json(shape) ORDER BY u.sort_key, u.id)
            FROM (
                SELECT user_id FROM enrollments WHERE course_id = c.id
                UNION SELECT user_id FROM memberships WHERE course_id = c.id
            ) shown
            {USER_OF.format("shown")}
            LEFT JOIN LATERAL (
                SELECT state FROM enrollments
                WHERE course_id = c.id AND user_id = shown.user_id OFFSET 0) e ON true
            {as_json(MEMBER)}), '[]') END
    )::text"""

BOARD = sql(f"""
    SELECT {PLACE}, {CONTENT} AS body
    FROM courses c JOIN departments d ON d.id = c.department_id
    WHERE c.id = :id
""")

# Without members it is made of counts; no body comes back while those kept are still right.
COUNTS = sql(f"""
    SELECT {PLACE}, CASE WHEN NOT {UNCHANGED.format("c.id")} THEN {CONTENT} END AS body, {MOMENT}
    FROM courses c JOIN departments d ON d.id = c.department_id
    WHERE c.id = :id
""")


@dataclass(frozen=True, slots=True)
class LockedCourse:
    """A course, locked in the database or not as the method says."""

    id: int
    key: str
    department: str
    is_locked: bool


class CourseRepository(Repository):
    async def read(self, course_id: int) -> JsonResource[dict[str, Any]] | None:
        return await self._document(READ, id=course_id)

    async def read_key(self, key: str) -> JsonResource[dict[str, Any]] | None:
        return await self._document(READ_KEY, key=key)

    async def board(
        self, course_id: int, *, with_members: bool = True
    ) -> JsonResource[dict[str, Any]] | None:
        if with_members:
            return await self._document(BOARD, id=course_id, with_members=True)
        return await self._counts(course_id)

    async def _counts(self, course_id: int) -> JsonResource[dict[str, Any]] | None:
        kept = self._connection.kept
        known = kept.get(("board", course_id)) if kept is not None else None
        moment = known.moment() if known is not None else NEVER
        row = await self._row(COUNTS, id=course_id, with_members=False, **moment)
        if row is None:
            return None
        if row.body is None and known is not None:
            return cast("JsonResource[dict[str, Any]]", known.value)
        body = cast("str", row.body)
        document = JsonResource[dict[str, Any]](body.encode(), row.department, row.course)
        if kept is not None:
            kept.put(("board", course_id), document, row)
        return document

    async def page(
        self, reach: GrantScope, *, department: str | None, after: int = 0, limit: int
    ) -> Page:
        return await self._page(
            LIST,
            limit=limit,
            key=("id",),
            after=after,
            department=department,
            **scope_parameters(reach),
        )

    async def find(self, course_id: int) -> LockedCourse | None:
        row = await self._row(FIND, id=course_id)
        return LockedCourse(**row._asdict()) if row is not None else None

    async def get_for_update(self, course_id: int) -> LockedCourse | None:
        """Hold the course itself, and with it the list of its partitions."""
        row = await self._row(HOLD, id=course_id)
        return LockedCourse(**row._asdict()) if row is not None else None

    async def hold_key(self, key: str) -> LockedCourse | None:
        row = await self._row(HOLD_KEY, key=key)
        return LockedCourse(**row._asdict()) if row is not None else None

    async def create(self, department_id: int, key: str, title: str) -> bool:
        """False when somebody else has just taken the key."""
        row = await self._row(CREATE, department_id=department_id, key=key, title=title)
        return row is not None

    async def replace(self, department_id: int, key: str, title: str) -> None:
        """Write what differs; nothing at all when nothing does."""
        await self._rows(REPLACE, department_id=department_id, key=key, title=title)

    async def update(self, course_id: int, values: Mapping[str, Any]) -> None:
        await self._execute(update(Course).where(Course.id == course_id).values(**values))

    async def delete(self, course_id: int) -> None:
        """All that is in the course goes with it, each with its line in the log."""
        await self._execute(delete(Course).where(Course.id == course_id))
