"""What exports read: rows of tables in pages, each page after the last row of the one before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from groupsvc.core.repository import IN_SCOPE, Repository, scope_parameters
from groupsvc.db.statements import Statement, sql
from groupsvc.domain.principal import GrantScope

# Rows of d and c that are wanted.
WANTED = f"""({IN_SCOPE} AND (:department IS NULL OR d.acronym = :department)
    AND (:course_id IS NULL OR c.id = :course_id))"""
COURSE_OF = "JOIN courses c ON c.id = {0}.course_id JOIN departments d ON d.id = c.department_id"

# Departments that are wanted whole, and only when no single course is.
WHOLE = """(:course_id IS NULL AND (:department IS NULL OR d.acronym = :department)
    AND (:everywhere OR d.acronym = ANY (:departments)))"""

# Whoever is enrolled in a wanted course or is in one of its cohorts, or belongs to a department
# that is wanted whole.
USERS = f"""(
    SELECT e.user_id FROM enrollments e {COURSE_OF.format("e")} WHERE {WANTED}
    UNION SELECT m.user_id FROM memberships m {COURSE_OF.format("m")} WHERE {WANTED}
    UNION SELECT u.id FROM users u JOIN departments d ON d.id = u.department_id WHERE {WHOLE}
)"""

SEES_DEPARTMENT = sql("""
    SELECT d.id FROM departments d
    WHERE d.acronym = :department AND (
        :everywhere OR d.acronym = ANY (:departments)
        OR EXISTS (SELECT FROM courses c WHERE c.department_id = d.id AND c.key = ANY (:courses)))
""")

# Departments without a course here: empty ones, and those of users from elsewhere.
DEPARTMENTS = sql(f"""
    SELECT d.acronym AS department, d.name AS department_name
    FROM departments d
    WHERE d.acronym > :after_key
      AND NOT EXISTS (SELECT FROM courses c WHERE c.department_id = d.id AND {WANTED})
      AND ({WHOLE} OR d.id IN (SELECT u.department_id FROM users u WHERE u.id IN {USERS}))
    ORDER BY d.acronym LIMIT :limit
""")

COURSES = sql(f"""
    SELECT d.acronym AS department, c.key AS course_key, d.name AS department_name, c.title,
           c.is_locked, c.id
    FROM courses c JOIN departments d ON d.id = c.department_id
    WHERE c.id > :after AND {WANTED}
    ORDER BY c.id LIMIT :limit
""")

# A user without a department comes first without a course, lest he be given one when he is created.
ROSTER = """
    SELECT u.username, u.email, u.family_name, u.given_name, u.usual_name, u.civility,
           u.student_number, u.national_number,
           (SELECT d.acronym FROM departments d WHERE d.id = u.department_id) AS department,
           u.is_active, p.key AS course_key, p.state, p.track, u.id
    FROM (SELECT * FROM users u WHERE u.id > :after AND {users} ORDER BY u.id LIMIT :limit) u
    LEFT JOIN LATERAL (
        SELECT c.id, c.key, e.state, e.track
        FROM enrollments e {course_of}
        WHERE e.user_id = u.id AND {wanted}
        UNION ALL SELECT 0, NULL, NULL, NULL WHERE u.department_id IS NULL
    ) p ON true
    ORDER BY u.id, p.id
"""
PARTS = {"course_of": COURSE_OF.format("e"), "wanted": WANTED}
# Looking for all of them with every page would cost as much as all pages.
WHOLE_ROSTER = sql(ROSTER.format(users="true", **PARTS))
PART_OF_ROSTER = sql(ROSTER.format(users=f"u.id IN {USERS}", **PARTS))

STRUCTURE = sql(f"""
    SELECT p.course_key, p.name AS partition, p.kind, p.position, p.groups_editable,
           p.show_in_lists, p.bul_show_rank, g.name AS "group", g.position AS group_position,
           g.capacity, g.edt_id, g.assignment_type, g.content_partition_id, g.content_group_id,
           p.course_id, p.id
    FROM (
        SELECT c.key AS course_key, p.*
        FROM partitions p {COURSE_OF.format("p")}
        WHERE (p.course_id, p.position, p.id) > (:after, :position, :id)
          AND p.kind <> 'default' AND {WANTED}
        ORDER BY p.course_id, p.position, p.id LIMIT :limit
    ) p
    LEFT JOIN groups g ON g.course_id = p.course_id AND g.partition_id = p.id
    ORDER BY p.course_id, p.position, p.id, g.position, g.name
""")

# A page first and names for it alone: the planner expects next to nothing from these joins.
ASSIGNMENTS = sql(f"""
    SELECT c.key AS course_key, u.username AS "user", p.name AS partition, g.name AS "group",
           m.course_id, m.partition_id, m.user_id
    FROM (
        SELECT * FROM memberships m
        WHERE (m.course_id, m.partition_id, m.user_id) > (:after, :partition_id, :user_id)
          AND m.course_id IN (
              SELECT c.id FROM courses c JOIN departments d ON d.id = c.department_id
              WHERE {WANTED})
        ORDER BY m.course_id, m.partition_id, m.user_id LIMIT :limit
    ) m
    JOIN courses c ON c.id = m.course_id
    JOIN partitions p ON p.course_id = m.course_id AND p.id = m.partition_id
    JOIN groups g ON g.course_id = m.course_id AND g.id = m.group_id
    JOIN users u ON u.id = m.user_id
    ORDER BY m.course_id, m.partition_id, m.user_id
""")


@dataclass(frozen=True, slots=True)
class Extent:
    """What is exported: what lies within reach, of one department or course if one is named."""

    reach: GrantScope
    department: str | None = None
    course_id: int | None = None

    @property
    def is_everything(self) -> bool:
        return self.reach.everywhere and self.department is None and self.course_id is None

    def parameters(self) -> dict[str, Any]:
        return {
            "department": self.department,
            "course_id": self.course_id,
            **scope_parameters(self.reach),
        }


Rows = Sequence[dict[str, Any]]


class ExportRepository(Repository):
    """Pages of rows by column; each method takes where the page before ended.

    The columns of a row that are no columns of the table are its key.
    """

    async def sees_department(self, department: str, reach: GrantScope) -> bool:
        row = await self._row(SEES_DEPARTMENT, department=department, **scope_parameters(reach))
        return row is not None

    async def departments(self, extent: Extent, limit: int, after_key: str) -> Rows:
        return await self._read(DEPARTMENTS, extent, limit=limit, after_key=after_key)

    async def courses(self, extent: Extent, limit: int, after: int) -> Rows:
        return await self._read(COURSES, extent, limit=limit, after=after)

    async def roster(self, extent: Extent, limit: int, after: int) -> Rows:
        """``limit`` counts users, of whom each has a row for every course."""
        statement = WHOLE_ROSTER if extent.is_everything else PART_OF_ROSTER
        return await self._read(statement, extent, limit=limit, after=after)

    async def structure(
        self, extent: Extent, limit: int, after: int, position: int, id_: int
    ) -> Rows:
        """``limit`` counts partitions, of which each has a row for every group."""
        return await self._read(
            STRUCTURE, extent, limit=limit, after=after, position=position, id=id_
        )

    async def assignments(
        self, extent: Extent, limit: int, after: int, partition_id: int, user_id: int
    ) -> Rows:
        return await self._read(
            ASSIGNMENTS,
            extent,
            limit=limit,
            after=after,
            partition_id=partition_id,
            user_id=user_id,
        )

    async def _read(self, statement: Statement, extent: Extent, **parameters: Any) -> Rows:
        rows = await self._rows(statement, **extent.parameters(), **parameters)
        return [row._asdict() for row in rows]
