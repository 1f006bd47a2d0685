"""What was changed, when and by whom."""

from typing import Any

from groupsvc.core.changes.repository import BEGINNING, NEWEST
from groupsvc.core.service import Service
from groupsvc.domain.json_resource import Page
from groupsvc.domain.principal import Permission


class ChangeService(Service):
    async def page(self, *, before: int | None = None, limit: int, **filters: Any) -> Page:
        """Lines of the change log that the caller may read, newest first."""
        scope = self._principal.scope(Permission.GROUPS_READ)
        return await self._uow.changes.page(scope, before=before or NEWEST, limit=limit, **filters)

    async def cohort_page(
        self, *, system: str, after: tuple[int, int] | None = None, limit: int, **filters: Any
    ) -> Page:
        """What happened to cohorts that the caller may read, oldest first.

        Changes have the id by which ``system`` knows the user. The last key is where to read on,
        now or later.
        """
        scope = self._principal.scope(Permission.GROUPS_READ)
        return await self._uow.changes.cohort_page(
            scope, system=system, after=after or BEGINNING, limit=limit, **filters
        )
