"""Exports: tables, from which an import makes the same again."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from groupsvc.core.service import Service
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import NotFoundError
from groupsvc.domain.principal import Principal
from groupsvc.import_export.columns import Kind
from groupsvc.import_export.export_repository import ExportRepository, Extent

PAGE: Final = 2_000
Page = list[Sequence[object]]


@dataclass(slots=True)
class Export:
    """A table on its way out, and how far it is."""

    kind: Kind
    extent: Extent
    source: int = 0
    key: tuple[Any, ...] | None = None

    @property
    def is_done(self) -> bool:
        return self.source == len(self.kind.sources)


class ExportService(Service):
    async def extent(
        self, kind: Kind, *, department: str | None = None, course_id: int | None = None
    ) -> Extent:
        """What the caller may have of a department, of a course or of everything.

        Raises NotFoundError for a department or course out of sight, ForbiddenError for a course
        in sight.
        """
        scope = self._principal.scope(kind.permission)
        if course_id is not None:
            course = await self._uow.courses.find(course_id)
            if course is None:
                raise NotFoundError("no such course")
            self._require(kind.permission, course.department, course.key)
        if department is not None and not await self._uow.repository(
            ExportRepository
        ).sees_department(department, scope):
            raise NotFoundError("no such department")
        return Extent(scope, department, course_id)

    async def next_page(self, export: Export) -> Page:
        """The next rows, with the header before the first; the last page may be empty."""
        kind, source = export.kind, export.kind.sources[export.source]
        is_first = export.source == 0 and export.key is None
        rows = await self._uow.repository(ExportRepository).page(
            source.statement,
            export.extent,
            PAGE,
            dict(zip(source.key, export.key or source.first, strict=True)),
        )
        if rows:
            export.key = tuple(rows[-1][column] for column in source.key.values())
        else:
            export.source, export.key = export.source + 1, None
        page: Page = [[row.get(column) for column in kind.exported] for row in rows]
        return [kind.exported, *page] if is_first else page


def page_reader(principal: Principal, export: Export) -> Callable[[UnitOfWork], Awaitable[Page]]:
    """Read the next page in a unit of work of its own."""

    async def read(uow: UnitOfWork) -> Page:
        return await ExportService(uow, principal).next_page(export)

    return read
