"""The journal: what was changed, when and by whom."""

from typing import Any

from groupsvc.core.changes.feed import BEGINNING
from groupsvc.core.changes.journals import JOURNALS
from groupsvc.core.changes.openedx_events import render_events
from groupsvc.core.changes.repository import NEWEST
from groupsvc.core.service import Service
from groupsvc.domain.json_resource import Page
from groupsvc.domain.principal import Permission


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

    async def events(
        self, *, after: tuple[int, int] | None = None, limit: int, **filters: Any
    ) -> Page:
        """What happened to cohorts that the caller may read, oldest first, as events of Open edX.

        A page of lines of the log has more events than that. Its last key is where to read on,
        now or later.
        """
        reach = self._principal.reach(Permission.GROUPS_READ)
        page = await self._uow.feed.page(reach, after=after or BEGINNING, limit=limit, **filters)
        return Page(render_events(page.items), page.last_key)
