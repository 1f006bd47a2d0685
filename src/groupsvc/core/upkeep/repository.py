"""What has been kept for long enough."""

from typing import Final

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile

SQL: Final = SqlFile(__file__)
AT_ONCE: Final = 500


class UpkeepRepository(Repository):
    async def may_rewrite(self) -> bool:
        """Whether this role could change or delete lines of the change log."""
        row = await self._row(SQL.may_rewrite)
        return row is not None and bool(row.is_so)

    async def forget_former_names(self, days: int) -> int:
        """Delete some names that users no longer have; returns how many."""
        return len(await self._rows(SQL.forget_former_names, days=days, limit=AT_ONCE))

    async def forget_preassignments(self, days: int) -> int:
        """Delete some addresses that have waited so long; returns how many."""
        return len(await self._rows(SQL.forget_preassignments, days=days, limit=AT_ONCE))

    async def forget_removed_preassignments(self) -> int:
        """Delete some addresses that went with their group long ago; returns how many."""
        return len(await self._rows(SQL.forget_removed_preassignments, limit=AT_ONCE))

    async def forget_failed_logins(self) -> int:
        """Delete some counts of wrong secrets that no longer matter; returns how many."""
        return len(await self._rows(SQL.forget_failed_logins, limit=AT_ONCE))
