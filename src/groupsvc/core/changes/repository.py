"""The change log, for reading: triggers alone write it."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from groupsvc.core.repository import Repository, scope_parameters
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import Page
from groupsvc.domain.limits import LARGEST
from groupsvc.domain.principal import GrantScope

SQL: Final = SqlFile(__file__)


NEWEST: Final = LARGEST


class ChangeRepository(Repository):
    async def page(
        self,
        scope: GrantScope,
        *,
        before: int = NEWEST,
        limit: int,
        since: datetime | None = None,
        until: datetime | None = None,
        kinds: Sequence[str] | None = None,
        by_known_id: bool = False,
        **filters: Any,
    ) -> Page:
        """Lines of the log within scope, newest first; filters by column, ``None`` is any.

        ``by_known_id`` names users by the ids that callers of another server know.
        """
        wanted = dict.fromkeys(
            (
                "course_id",
                "user_id",
                "partition_id",
                "group_id",
                "actor",
                "kind",
                "request",
                "changeset",
            )
        )
        return await self._page(
            SQL.page,
            limit=limit,
            key=("seq",),
            before=before,
            since=since,
            until=until,
            kinds=list(kinds) if kinds is not None else None,
            by_known_id=by_known_id,
            **scope_parameters(scope),
            **{**wanted, **filters},
        )

    async def cohort_page(
        self,
        scope: GrantScope,
        *,
        system: str,
        after: int,
        settled: int,
        limit: int,
        **filters: Any,
    ) -> Page:
        """Lines about cohorts, those up to ``settled``; the key is that of a ``feed.Position``.

        The key of the last line is there whether or not there are more: it is where to read on.
        """
        rows = await self._rows(
            SQL.cohort_page,
            system=system,
            after=after,
            settled=settled,
            limit=limit,
            **scope_parameters(scope),
            **filters,
        )
        key = (rows[-1].seq, rows[-1].mark) if rows else None
        return Page([row.body for row in rows], key)

    async def latest(self, nouns: Sequence[str], **about: int) -> list[dict[str, Any]]:
        """The last few changes of one thing, for a caller who has missed them.

        ``nouns`` begin the kinds of changes that count.
        """
        nothing = dict.fromkeys(("course_id", "partition_id", "group_id", "user_id"))
        rows = await self._rows(SQL.latest, nouns=list(nouns), **{**nothing, **about})
        return [json.loads(row.body) for row in rows]
