"""Rolls: who is in a group or in a course, whole and in the order of names."""

from collections.abc import Sequence
from typing import Any

from groupsvc.core.json_columns import COURSE_OF, PLACE, USER_OF, as_json
from groupsvc.core.repository import Repository, scope_parameters
from groupsvc.core.users.repository import VISIBLE
from groupsvc.db.statements import sql
from groupsvc.domain.json_resource import JsonResource, PersonDoc
from groupsvc.domain.principal import GrantScope

PERSON = """u.id, u.username, u.email, u.family_name, u.given_name, u.usual_name, u.civility,
    u.student_number, u.national_number, coalesce(u.department_id, c.department_id)
    AS department_id, u.sort_key, e.state, e.track"""

# The default group has no rows: its members are the enrolled users.
OF_GROUP = sql(f"""
    SELECT {PLACE}, coalesce((
        SELECT json_agg(row_to_json(shape) ORDER BY u.sort_key, u.id)
        FROM (
            SELECT m.user_id FROM memberships m
            WHERE m.course_id = g.course_id AND m.group_id = g.id
            UNION ALL
            SELECT e.user_id FROM enrollments e
            WHERE p.kind = 'default' AND e.course_id = g.course_id
        ) member
        {USER_OF.format("member")}
        LEFT JOIN LATERAL (
            SELECT state, track FROM enrollments
            WHERE course_id = g.course_id AND user_id = member.user_id OFFSET 0) e ON true
        {as_json(PERSON)}
        WHERE :state IS NULL OR e.state = :state), '[]')::text AS body
    FROM groups g {COURSE_OF.format("g")}
    JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id
    WHERE g.id = :group_id
""")

PLACED = """p.id AS partition_id, p.name AS partition_name, p.position AS partition_position,
    p.bul_show_rank, p.show_in_lists, p.groups_editable,
    g.id AS group_id, g.name AS group_name, g.position AS group_position, g.edt_id"""

OF_COURSE = sql(f"""
    SELECT {PLACE}, coalesce((
        SELECT json_agg(row_to_json(shape) ORDER BY u.sort_key, u.id)
        FROM enrollments e
        {USER_OF.format("e")}
        CROSS JOIN LATERAL (
            SELECT json_agg(row_to_json(each_group) ORDER BY p.position, p.id) AS groups
            FROM memberships m
            JOIN partitions p ON p.course_id = m.course_id AND p.id = m.partition_id
            JOIN groups g ON g.course_id = m.course_id AND g.id = m.group_id
            CROSS JOIN LATERAL (SELECT {PLACED}) each_group
            WHERE m.course_id = e.course_id AND m.user_id = e.user_id
        ) own
        {as_json(f"{PERSON}, coalesce(own.groups, '[]') AS groups")}
        WHERE e.course_id = c.id AND (:state IS NULL OR e.state = :state)), '[]')::text AS body
    FROM (SELECT * FROM courses WHERE id = :course_id OFFSET 0) c
    JOIN departments d ON d.id = c.department_id
""")

# A number means somebody of the course's department, or of the course itself.
GROUPS_OF = sql(f"""
    SELECT {PLACE}, CASE WHEN person.id IS NULL THEN '' ELSE coalesce((
        SELECT json_agg(row_to_json(shape) ORDER BY p.kind <> 'default', p.position, p.id)
        FROM partitions p
        JOIN groups g ON g.course_id = p.course_id AND g.partition_id = p.id
        {as_json(PLACED)}
        WHERE p.course_id = c.id AND CASE p.kind
            WHEN 'default' THEN EXISTS (
                SELECT FROM enrollments e WHERE e.course_id = c.id AND e.user_id = person.id)
            ELSE EXISTS (
                SELECT FROM memberships m WHERE m.course_id = c.id AND m.partition_id = p.id
                  AND m.user_id = person.id AND m.group_id = g.id) END), '[]')::text
    END AS body
    FROM courses c JOIN departments d ON d.id = c.department_id
    LEFT JOIN LATERAL (
        SELECT u.id FROM users u
        WHERE (u.id = :user_id AND {VISIBLE})
           OR ((u.student_number = :student_number OR u.national_number = :national_number)
               AND (u.department_id = c.department_id OR EXISTS (
                   SELECT FROM enrollments e WHERE e.course_id = c.id AND e.user_id = u.id)))
        ORDER BY u.department_id IS DISTINCT FROM c.department_id, u.id LIMIT 1
    ) person ON true
    WHERE c.id = :course_id
""")


IDENTIFY = sql("""
    SELECT coalesce(
        (SELECT u.id FROM users u
         WHERE u.department_id = d.id AND u.student_number = named.student_number),
        (SELECT u.id FROM users u
         WHERE u.department_id = d.id AND u.national_number = named.national_number),
        (SELECT u.id FROM users u WHERE u.username = named.username)) AS id
    FROM unnest(:student_numbers, :national_numbers, :usernames) WITH ORDINALITY
        AS named (student_number, national_number, username, line)
    JOIN departments d ON d.acronym = :department
    ORDER BY named.line
""")


class ClassListRepository(Repository):
    async def of_group(
        self, group_id: int, *, state: str | None = None
    ) -> JsonResource[list[PersonDoc]] | None:
        """All members, or those enrolled in a state; None without the group."""
        return await self._document(OF_GROUP, group_id=group_id, state=state)

    async def of_course(
        self, course_id: int, *, state: str | None = None
    ) -> JsonResource[list[PersonDoc]] | None:
        """Everybody enrolled, each with ``groups``; None without the course."""
        return await self._document(OF_COURSE, course_id=course_id, state=state)

    async def groups_of(
        self,
        course_id: int,
        reach: GrantScope,
        *,
        user_id: int | None = None,
        student_number: str | None = None,
        national_number: str | None = None,
    ) -> JsonResource[list[Any]] | None:
        """The groups of one user, the default one first.

        None without the course; an empty body when nobody within reach is meant.
        """
        return await self._document(
            GROUPS_OF,
            course_id=course_id,
            user_id=user_id,
            student_number=student_number,
            national_number=national_number,
            **scope_parameters(reach),
        )

    async def identify(
        self,
        department: str,
        student_numbers: Sequence[str | None],
        national_numbers: Sequence[str | None],
        usernames: Sequence[str | None],
    ) -> list[int | None]:
        """By number in the department, else by username; one answer for each of the sequences."""
        rows = await self._rows(
            IDENTIFY,
            department=department,
            student_numbers=list(student_numbers),
            national_numbers=list(national_numbers),
            usernames=list(usernames),
        )
        return [row.id for row in rows]
