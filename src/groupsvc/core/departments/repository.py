"""Departments: who runs which courses."""

import json
from typing import Any, Final

from groupsvc.core.repository import Repository, scope_parameters
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.principal import GrantScope

SQL: Final = SqlFile(__file__)


class DepartmentRepository(Repository):
    async def read(self, acronym: str) -> JsonResource[dict[str, Any]] | None:
        return await self._document(SQL.read, acronym=acronym)

    async def ids(self, acronym: str) -> JsonResource[dict[str, Any]] | None:
        return await self._document(SQL.ids, acronym=acronym)

    async def page(self, scope: GrantScope, *, after: str = "", limit: int) -> Page:
        """Departments that lie in scope as a whole, by acronym."""
        parameters = scope_parameters(scope)
        del parameters["courses"]
        return await self._page(
            SQL.page, limit=limit, key=("acronym",), after_key=after, **parameters
        )

    async def exists(self, acronym: str) -> bool:
        return await self._row(SQL.exists, acronym=acronym) is not None

    async def id_of(self, acronym: str) -> int | None:
        """For a row that is about to refer to the department."""
        row = await self._row(SQL.id_of, acronym=acronym)
        return row.id if row is not None else None

    async def get_for_update(self, acronym: str) -> bool:
        """Lock it until the transaction ends; returns whether there is such a department."""
        return await self._row(SQL.lock, acronym=acronym) is not None

    async def upsert(self, acronym: str, name: str) -> bool:
        """Create or update; returns whether it was created."""
        row = await self._row(SQL.upsert, acronym=acronym, name=name)
        return bool(row is not None and row.created)

    async def delete(self, acronym: str) -> None:
        """Raises ConflictError while users or courses belong to it."""
        await self._rows(SQL.delete, acronym=acronym)

    async def latest(self, acronym: str) -> list[dict[str, Any]]:
        """Its last few changes, for a caller who has missed them."""
        rows = await self._rows(SQL.latest, acronym=acronym)
        return [json.loads(row.body) for row in rows]
