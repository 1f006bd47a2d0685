"""What happened to cohorts, oldest first, complete as far as it goes."""

from typing import Any, Final

from groupsvc.core.repository import Repository, scope_parameters
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import Page
from groupsvc.domain.principal import GrantScope

SQL: Final = SqlFile(__file__)


BEGINNING = (0, 0)


class FeedRepository(Repository):
    async def page(
        self, reach: GrantScope, *, after: tuple[int, int] = BEGINNING, limit: int, **filters: Any
    ) -> Page:
        """Lines within reach after a key, which is a transaction and a sequence number.

        The key of the last line is there whether or not there are more: it is where to read on.
        """
        rows = await self._rows(
            SQL.page,
            after=after[0],
            after_seq=after[1],
            limit=limit,
            **scope_parameters(reach),
            **filters,
        )
        key = (rows[-1].transaction_id, rows[-1].seq) if rows else None
        return Page([row.body for row in rows], key)
