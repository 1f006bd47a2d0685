"""Enrollments: who is in which course."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, update

from groupsvc.core.json_columns import ENROLLMENT, PLACE, USER_OF, as_json
from groupsvc.core.repository import Repository
from groupsvc.core.users.search import MATCHING, Search
from groupsvc.db.statements import sql
from groupsvc.domain.json_resource import JsonResource, Page, State
from groupsvc.models import Enrollment

# The course is found without the enrollment, since it decides what the caller may know.
READ = sql(f"""
    SELECT {PLACE}, coalesce((
        SELECT row_to_json(shape)::text
        FROM enrollments e JOIN users u ON u.id = e.user_id {as_json(ENROLLMENT)}
        WHERE e.course_id = c.id AND e.user_id = :user_id), '') AS body
    FROM courses c JOIN departments d ON d.id = c.department_id
    WHERE c.id = :course_id
""")

PAGE = sql(f"""
    SELECT e.user_id, row_to_json(shape)::text AS body
    FROM enrollments e {USER_OF.format("e")} {as_json(ENROLLMENT)}
    WHERE e.course_id = :course_id AND e.user_id > :after
      AND (:state IS NULL OR e.state = :state) AND {MATCHING}
    ORDER BY e.user_id LIMIT :limit
""")

# The course first: a change of the track, or the end of memberships, needs it held as well.
HOLD = sql(f"""
    WITH place AS MATERIALIZED (
        SELECT {PLACE}, c.id FROM courses c JOIN departments d ON d.id = c.department_id
        WHERE c.id = :course_id FOR SHARE OF c
    ),
    held AS MATERIALIZED (
        SELECT e.state, e.track FROM place
        JOIN enrollments e ON e.course_id = place.id AND e.user_id = :user_id
        FOR NO KEY UPDATE OF e
    )
    SELECT place.department, place.course, place.id AS course_id, held.state, held.track,
           EXISTS (SELECT FROM users WHERE id = :user_id) AS is_known
    FROM place LEFT JOIN held ON true
""")

CREATE = sql("""
    INSERT INTO enrollments (course_id, user_id, state) VALUES (:course_id, :user_id, :state)
    ON CONFLICT (course_id, user_id) DO NOTHING
    RETURNING user_id
""")

TRACK_GROUP = sql("""
    SELECT g.id FROM partitions p
    JOIN groups g ON g.course_id = p.course_id AND g.partition_id = p.id
    WHERE p.course_id = :course_id AND p.kind = 'tracks' AND g.name = :name
""")


@dataclass(frozen=True, slots=True)
class LockedEnrollment:
    """A course and one user's place in it; ``state`` is None when he has none.

    The enrollment stays as it is until the transaction ends. ``is_known``: there is such a user.
    """

    department: str
    course: str
    course_id: int
    state: State | None
    track: str | None
    is_known: bool


class EnrollmentRepository(Repository):
    async def read(self, course_id: int, user_id: int) -> JsonResource[dict[str, Any]] | None:
        """None without the course; an empty body when the user is not enrolled in it."""
        return await self._document(READ, course_id=course_id, user_id=user_id)

    async def page(
        self, course_id: int, *, state: str | None, search: Search, after: int = 0, limit: int
    ) -> Page:
        """Enrollments of a course by user id."""
        return await self._page(
            PAGE,
            limit=limit,
            key=("user_id",),
            course_id=course_id,
            state=state,
            after=after,
            search=search.text,
            names=search.names,
        )

    async def get_for_update(self, course_id: int, user_id: int) -> LockedEnrollment | None:
        """None without the course."""
        row = await self._row(HOLD, course_id=course_id, user_id=user_id)
        return LockedEnrollment(**row._asdict()) if row is not None else None

    async def create(self, course_id: int, user_id: int, state: str) -> bool:
        """False when somebody else has just enrolled him. Raises NotFoundError without the user."""
        row = await self._row(CREATE, course_id=course_id, user_id=user_id, state=state)
        return row is not None

    async def set_state(self, course_id: int, user_id: int, state: str) -> None:
        await self._execute(
            update(Enrollment)
            .where(Enrollment.course_id == course_id, Enrollment.user_id == user_id)
            .values(state=state)
        )

    async def delete(self, course_id: int, user_id: int) -> None:
        """His memberships end as well, but for that in a cohort. Raises LockedError."""
        await self._execute(
            delete(Enrollment).where(
                Enrollment.course_id == course_id, Enrollment.user_id == user_id
            )
        )

    async def track_group(self, course_id: int, name: str) -> int | None:
        """The group that stands for a track of the course."""
        row = await self._row(TRACK_GROUP, course_id=course_id, name=name)
        return row.id if row is not None else None
