"""What exports read: rows of tables in pages, each page after the last row of the one before."""

from collections.abc import Sequence
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
    """Pages of rows by column; each method takes where the page before ended.

    The columns of a row that are no columns of the table are its key.
    """

    async def sees_department(self, department: str, scope: GrantScope) -> bool:
        row = await self._row(SQL.sees_department, department=department, **scope_parameters(scope))
        return row is not None

    async def departments(self, extent: Extent, limit: int, after_key: str) -> Rows:
        return await self._read(SQL.departments, extent, limit=limit, after_key=after_key)

    async def courses(self, extent: Extent, limit: int, after: int) -> Rows:
        return await self._read(SQL.courses, extent, limit=limit, after=after)

    async def roster(self, extent: Extent, limit: int, after: int) -> Rows:
        """``limit`` counts users, of whom each has a row for every course."""
        statement = SQL.whole_roster if extent.is_everything else SQL.part_of_roster
        return await self._read(statement, extent, limit=limit, after=after)

    async def structure(
        self, extent: Extent, limit: int, after: int, position: int, id_: int
    ) -> Rows:
        """``limit`` counts partitions, of which each has a row for every group."""
        return await self._read(
            SQL.structure, extent, limit=limit, after=after, position=position, id=id_
        )

    async def assignments(
        self, extent: Extent, limit: int, after: int, partition_id: int, user_id: int
    ) -> Rows:
        return await self._read(
            SQL.assignments,
            extent,
            limit=limit,
            after=after,
            partition_id=partition_id,
            user_id=user_id,
        )

    async def _read(self, statement: Statement, extent: Extent, **parameters: Any) -> Rows:
        rows = await self._rows(statement, **extent.parameters(), **parameters)
        return [row._asdict() for row in rows]
