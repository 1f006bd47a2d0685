"""What exports read: rows of tables in pages, each page after the last row of the one before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from groupsvc.core.repository import Repository, scope_parameters
from groupsvc.db.statements import SqlFile, Statement
from groupsvc.domain.principal import GrantScope

SQL: Final = SqlFile(__file__)


@dataclass(frozen=True, slots=True)
class Extent:
    """What is exported: what lies within scope, of one department or course if one is named."""

    scope: GrantScope
    department: str | None = None
    course_id: int | None = None

    @property
    def is_everything(self) -> bool:
        return self.scope.everywhere and self.department is None and self.course_id is None

    def parameters(self) -> dict[str, Any]:
        return {
            "department": self.department,
            "course_id": self.course_id,
            **scope_parameters(self.scope),
        }


Rows = Sequence[dict[str, Any]]


class ExportRepository(Repository):
    async def sees_department(self, department: str, scope: GrantScope) -> bool:
        row = await self._row(SQL.sees_department, department=department, **scope_parameters(scope))
        return row is not None

    async def page(self, name: str, extent: Extent, limit: int, key: Mapping[str, Any]) -> Rows:
        """``limit`` counts users of a roster and partitions of a structure, who may have several
        rows each; ``key`` is where the page before ended."""
        if name == "roster":
            name = "whole_roster" if extent.is_everything else "part_of_roster"
        statement: Statement = getattr(SQL, name)
        rows = await self._rows(statement, limit=limit, **extent.parameters(), **key)
        return [row._asdict() for row in rows]
