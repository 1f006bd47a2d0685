"""What every repository shares: a connection, who is acting, and statements."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from groupsvc.db.connection import Connection, Context
from groupsvc.db.statements import Statement
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.principal import GrantScope


def scope_parameters(scope: GrantScope) -> dict[str, Any]:
    return {
        "everywhere": scope.everywhere,
        "departments": list(scope.departments),
        "courses": list(scope.courses),
    }


class Repository:
    def __init__(self, connection: Connection, context: Context) -> None:
        self._connection = connection
        self._context = context

    async def _rows(self, statement: Statement, **parameters: Any) -> Sequence[Any]:
        return await self._connection.execute(statement, parameters)

    async def _row(self, statement: Statement, **parameters: Any) -> Any | None:
        rows = await self._connection.execute(statement, parameters)
        return rows[0] if rows else None

    async def _patch(
        self, statement: Statement, changes: Mapping[str, Any], **parameters: Any
    ) -> None:
        """For statements that merge ``:changes`` into a row."""
        await self._rows(statement, changes=json.dumps(changes), **parameters)

    async def _document(self, statement: Statement, **parameters: Any) -> JsonResource[Any] | None:
        """For statements that select ``department, course, body``."""
        row = await self._row(statement, **parameters)
        if row is None:
            return None
        department, course, body = row[0], row[1], row[2]
        return JsonResource(body.encode(), department, course)

    async def _page(
        self, statement: Statement, *, limit: int, key: Sequence[str], **parameters: Any
    ) -> Page:
        """For statements that select ``body`` and the columns of the key, ordered by them.

        One item more than the limit is asked for, to learn whether there is a next page.
        """
        rows = await self._rows(statement, **parameters, limit=limit + 1)
        return paged(rows, limit, key)


def paged(rows: Sequence[Any], limit: int, key: Sequence[str]) -> Page:
    """The first ``limit`` rows, and the key of the last of them when there are more."""
    items = [row.body for row in rows[:limit]]
    if len(rows) <= limit:
        return Page(items)
    last = rows[limit - 1]
    return Page(items, tuple(getattr(last, column) for column in key))
