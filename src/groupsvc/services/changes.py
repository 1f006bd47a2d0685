"""The journal: what was changed, when and by whom."""

from typing import Any

from groupsvc.auth.principal import Permission
from groupsvc.documents import Page
from groupsvc.repositories.changes import NEWEST
from groupsvc.services.journals import JOURNALS
from groupsvc.services.service import Service


class ChangeService(Service):
    async def page(
        self, *, before: int | None = None, limit: int, journal: str | None = None, **filters: Any
    ) -> Page:
        """Lines of the change log that the caller may read, newest first.

        ``journal`` names a system in whose words they are told, those that it would tell.
        """
        reach = self._principal.reach(Permission.GROUPS_READ)
        before = before or NEWEST
        if journal is None:
            return await self._uow.changes.page(reach, before=before, limit=limit, **filters)
        told = JOURNALS[journal]
        page = await self._uow.changes.page(
            reach, before=before, limit=limit, kinds=told.kinds, **filters
        )
        return Page(told.lines(page.items), page.last_key)
