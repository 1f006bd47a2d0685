"""Departments: who runs which courses."""

from typing import Any

from groupsvc.core.json_columns import DEPARTMENT, as_json
from groupsvc.core.repository import Repository, scope_parameters
from groupsvc.db.statements import sql
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.principal import GrantScope

READ = sql(f"""
    SELECT d.acronym AS department, NULL AS course, row_to_json(shape)::text AS body
    FROM departments d {as_json(DEPARTMENT)}
    WHERE d.acronym = :acronym
""")

PAGE = sql(f"""
    SELECT d.acronym, row_to_json(shape)::text AS body
    FROM departments d {as_json(DEPARTMENT)}
    WHERE d.acronym > :after_key AND (:everywhere OR d.acronym = ANY (:departments))
    ORDER BY d.acronym LIMIT :limit
""")

HOLD = sql("SELECT id FROM departments WHERE acronym = :acronym FOR NO KEY UPDATE")

EXISTS = sql("SELECT id FROM departments WHERE acronym = :acronym")

# KEY SHARE keeps the department there for the row that is about to refer to it.
ID_OF = sql("SELECT id FROM departments WHERE acronym = :acronym FOR KEY SHARE")

UPSERT = sql("""
    INSERT INTO departments AS d (acronym, name) VALUES (:acronym, :name)
    ON CONFLICT (acronym) DO UPDATE SET name = excluded.name
        WHERE d.name IS DISTINCT FROM excluded.name
    RETURNING xmax = 0 AS created
""")

DELETE = sql("DELETE FROM departments WHERE acronym = :acronym")

# A department has no column of its own in the log. Without a user, the index leads to few lines.
LATEST = sql("""
    SELECT seq, at, actor, kind, before, after FROM changes
    WHERE user_id IS NULL AND course_id = 0 AND kind LIKE 'department.%'
      AND coalesce(after, before) ->> 'acronym' = :acronym
    ORDER BY seq DESC LIMIT 5
""")


class DepartmentRepository(Repository):
    async def read(self, acronym: str) -> JsonResource[dict[str, Any]] | None:
        return await self._document(READ, acronym=acronym)

    async def page(self, reach: GrantScope, *, after: str = "", limit: int) -> Page:
        """Departments that lie within reach as a whole, by acronym."""
        parameters = scope_parameters(reach)
        del parameters["courses"]
        return await self._page(PAGE, limit=limit, key=("acronym",), after_key=after, **parameters)

    async def exists(self, acronym: str) -> bool:
        return await self._row(EXISTS, acronym=acronym) is not None

    async def id_of(self, acronym: str) -> int | None:
        """For a row that is about to refer to the department."""
        row = await self._row(ID_OF, acronym=acronym)
        return row.id if row is not None else None

    async def get_for_update(self, acronym: str) -> bool:
        """Keep others from changing it meanwhile; answers whether there is such a department."""
        return await self._row(HOLD, acronym=acronym) is not None

    async def upsert(self, acronym: str, name: str) -> bool:
        """Create or update; answers whether it was created."""
        row = await self._row(UPSERT, acronym=acronym, name=name)
        return bool(row is not None and row.created)

    async def delete(self, acronym: str) -> None:
        """Raises ConflictError while users or courses belong to it."""
        await self._rows(DELETE, acronym=acronym)

    async def latest(self, acronym: str) -> list[dict[str, Any]]:
        """Its last few changes, for a caller who has missed them."""
        rows = await self._rows(LATEST, acronym=acronym)
        return [{**row._asdict(), "at": row.at.isoformat().replace("+00:00", "Z")} for row in rows]
