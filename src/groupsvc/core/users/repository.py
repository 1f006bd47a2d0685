"""Users: the people of the roster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, or_, update

from groupsvc.core.json_columns import USER, as_json
from groupsvc.core.repository import Repository, scope_parameters
from groupsvc.core.users.search import FOUND, Search
from groupsvc.db.statements import sql
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.principal import GrantScope
from groupsvc.models import User

# A user is where his department is and wherever he is enrolled.
VISIBLE = """(
    :everywhere
    OR EXISTS (
        SELECT FROM departments d
        WHERE d.id = u.department_id AND d.acronym = ANY (:departments))
    OR EXISTS (
        SELECT FROM enrollments e
        JOIN courses c ON c.id = e.course_id
        JOIN departments d ON d.id = c.department_id
        WHERE e.user_id = u.id AND (d.acronym = ANY (:departments) OR c.key = ANY (:courses)))
)"""

# The same for many users at once: the places are looked up once, not for every user.
AMONG_VISIBLE = """(
    :everywhere
    OR u.department_id IN (SELECT d.id FROM departments d WHERE d.acronym = ANY (:departments))
    OR u.id IN (
        SELECT e.user_id FROM enrollments e
        JOIN courses c ON c.id = e.course_id
        JOIN departments d ON d.id = c.department_id
        WHERE d.acronym = ANY (:departments) OR c.key = ANY (:courses))
)"""

DEPARTMENT_OF = "(SELECT ud.acronym FROM departments ud WHERE ud.id = u.department_id)"

LOOK = f"""
    SELECT coalesce({DEPARTMENT_OF}, '') AS department, NULL AS course,
           row_to_json(shape)::text AS body
    FROM users u {as_json(USER)}
"""
READ = sql(f"{LOOK} WHERE u.id = :id AND {VISIBLE}")
READ_NAME = sql(f"{LOOK} WHERE u.username = :username AND {VISIBLE}")

LIST = f"""
    SELECT u.sort_key, u.id, row_to_json(shape)::text AS body
    FROM users u {as_json(USER)}
    WHERE (u.sort_key, u.id) > (:after_key, :after) AND {AMONG_VISIBLE}
      AND (:department IS NULL
           OR u.department_id = (SELECT id FROM departments WHERE acronym = :department))
      {{matching}}
    ORDER BY u.sort_key, u.id LIMIT :limit
"""
PAGE = sql(LIST.format(matching=""))

FOUND_PAGE = sql(f"WITH {FOUND} {LIST.format(matching='AND u.id IN (SELECT id FROM found)')}")

TAKE = f"""
    SELECT u.id, u.username, u.family_name, u.given_name, {DEPARTMENT_OF} AS department,
           {VISIBLE} AS in_sight
    FROM users u
"""
HOLD = sql(f"{TAKE} WHERE u.id = :id FOR NO KEY UPDATE OF u")
HOLD_NAME = sql(f"{TAKE} WHERE u.username = :username FOR NO KEY UPDATE OF u")

CREATE = sql("""
    INSERT INTO users (department_id, username, email, family_name, given_name, usual_name,
                       civility, student_number, national_number, sort_key, is_active)
    VALUES (:department_id, :username, :email, :family_name, :given_name, :usual_name,
            :civility, :student_number, :national_number, :sort_key, :is_active)
    ON CONFLICT (username) DO NOTHING
    RETURNING id
""")

# A student number is unique in a department only: of several the department's own is meant.
IDS_OF = sql("""
    SELECT named.identifier, coalesce(
        (SELECT u.id FROM users u WHERE u.username = named.identifier),
        (SELECT u.id FROM users u
         WHERE lower(u.email COLLATE "C") = lower(named.identifier COLLATE "C")),
        (SELECT CASE WHEN count(*) = 1 THEN min(u.id) ELSE min(u.id) FILTER (WHERE
             u.department_id = (SELECT d.id FROM departments d WHERE d.acronym = :department))
         END FROM users u WHERE u.student_number = named.identifier)
    ) AS id
    FROM unnest(:identifiers) AS named (identifier)
""")


@dataclass(frozen=True, slots=True)
class LockedUser:
    """A user whom nobody else changes until the transaction ends, in sight of the caller or not."""

    id: int
    username: str
    family_name: str
    given_name: str
    department: str | None
    in_sight: bool


class UserRepository(Repository):
    async def read(self, user_id: int, reach: GrantScope) -> JsonResource[dict[str, Any]] | None:
        """A user within reach; the place of one without a department is ``""``."""
        return await self._document(READ, id=user_id, **scope_parameters(reach))

    async def read_name(
        self, username: str, reach: GrantScope
    ) -> JsonResource[dict[str, Any]] | None:
        return await self._document(READ_NAME, username=username, **scope_parameters(reach))

    async def page(
        self,
        reach: GrantScope,
        *,
        search: Search,
        department: str | None,
        after: tuple[str, int] = ("", 0),
        limit: int,
    ) -> Page:
        """Users within reach, by name."""
        parameters = scope_parameters(reach)
        if search.text is not None:
            parameters |= {"names": search.names, "identifiers": search.identifiers}
        return await self._page(
            PAGE if search.text is None else FOUND_PAGE,
            limit=limit,
            key=("sort_key", "id"),
            after_key=after[0],
            after=after[1],
            department=department,
            **parameters,
        )

    async def ids_of(self, names: Sequence[str], department: str) -> dict[str, int]:
        """Ids by username, else e-mail address, else student number.

        Names that mean nobody, or several users none of whom is of the department, are left out.
        """
        rows = await self._rows(IDS_OF, identifiers=list(names), department=department)
        return {row.identifier: row.id for row in rows if row.id is not None}

    async def get_for_update(self, user_id: int, sight: GrantScope) -> LockedUser | None:
        row = await self._row(HOLD, id=user_id, **scope_parameters(sight))
        return LockedUser(**row._asdict()) if row is not None else None

    async def hold_name(self, username: str, sight: GrantScope) -> LockedUser | None:
        row = await self._row(HOLD_NAME, username=username, **scope_parameters(sight))
        return LockedUser(**row._asdict()) if row is not None else None

    async def create(self, values: Mapping[str, Any]) -> int | None:
        """The id of the new user; None when somebody else has just taken the username."""
        row = await self._row(CREATE, **values)
        return row.id if row is not None else None

    async def update(self, user_id: int, values: Mapping[str, Any]) -> None:
        """Write what differs; nothing at all when nothing does."""
        differs = or_(
            *(getattr(User, name).is_distinct_from(value) for name, value in values.items())
        )
        statement = update(User).where(User.id == user_id, differs).values(**values)
        await self._execute(statement.execution_options(synchronize_session=False))

    async def delete(self, user_id: int) -> None:
        """His memberships and enrollments go with him, each with its line in the log."""
        await self._execute(delete(User).where(User.id == user_id))
