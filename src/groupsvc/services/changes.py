"""The journal: what was changed, when and by whom."""

from typing import Any

from groupsvc.auth.principal import Permission
from groupsvc.documents import Page
from groupsvc.repositories.changes import NEWEST
from groupsvc.services.service import Service


class ChangeService(Service):
    async def page(self, *, before: int | None = None, limit: int, **filters: Any) -> Page:
        """Lines of the change log that the caller may read, newest first."""
        reach = self._principal.reach(Permission.GROUPS_READ)
        return await self._uow.changes.page(reach, before=before or NEWEST, limit=limit, **filters)
