"""What every repository shares: a session, who is acting, and statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable, Row, TextClause
from sqlalchemy.ext.asyncio import AsyncSession

from groupsvc.auth.principal import Reach
from groupsvc.db.constraints import broken_constraints
from groupsvc.documents import Document, Page


@dataclass(slots=True)
class Context:
    """Who is acting, for the change log. ``cause`` tells apart what the rows alone do not."""

    actor: str = "anonymous"
    request_id: str = ""
    cause: str = ""

    def parameters(self) -> dict[str, str]:
        return {"actor": self.actor, "request_id": self.request_id, "cause": self.cause}


# Opens a statement that stands alone and changes something: triggers read these settings.
ACTING = """acting AS MATERIALIZED (
    SELECT set_config('groupsvc.actor', :actor, true),
           set_config('groupsvc.request_id', :request_id, true),
           set_config('groupsvc.cause', :cause, true)
)"""

# Rows of d (departments) and c (courses) that lie within a reach.
WITHIN = "(:everywhere OR d.acronym = ANY (:departments) OR c.key = ANY (:courses))"


def reach_parameters(reach: Reach) -> dict[str, Any]:
    return {
        "everywhere": reach.everywhere,
        "departments": list(reach.departments),
        "courses": list(reach.courses),
    }


class Repository:
    def __init__(self, session: AsyncSession, context: Context) -> None:
        self._session = session
        self._context = context

    async def _execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        with broken_constraints():
            result = await self._session.execute(statement, parameters or {})
            return result.all() if result.returns_rows else ()  # type: ignore[attr-defined]

    async def _rows(self, statement: TextClause, **parameters: Any) -> Sequence[Any]:
        return await self._execute(statement, parameters)

    async def _row(self, statement: TextClause, **parameters: Any) -> Any | None:
        rows = await self._execute(statement, parameters)
        return rows[0] if rows else None

    async def _document(self, statement: TextClause, **parameters: Any) -> Document[Any] | None:
        """For statements that select ``department, course, body``."""
        row = await self._row(statement, **parameters)
        if row is None:
            return None
        return Document(row.body.encode(), row.department, row.course)

    async def _page(
        self, statement: TextClause, *, limit: int, key: Sequence[str], **parameters: Any
    ) -> Page:
        """For statements that select ``body`` and the columns of the key, ordered by them.

        One item more than the limit is asked for, to learn whether there is a next page.
        """
        rows = await self._execute(statement, {**parameters, "limit": limit + 1})
        return paged(rows, limit, key)


def paged(rows: Sequence[Any], limit: int, key: Sequence[str]) -> Page:
    """The first ``limit`` rows, and the key of the last of them when there are more."""
    items = [row.body for row in rows[:limit]]
    if len(rows) <= limit:
        return Page(items)
    last = rows[limit - 1]
    return Page(items, tuple(getattr(last, column) for column in key))
