"""The change log, for reading: triggers alone write it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from groupsvc.core.json_columns import CHANGE, as_json
from groupsvc.core.repository import IN_SCOPE, Repository, scope_parameters
from groupsvc.db.statements import sql
from groupsvc.domain.json_resource import Page
from groupsvc.domain.principal import GrantScope

# Newest first. Lines outside every course are for callers whose reach is everywhere.
PAGE = sql(f"""
    SELECT x.seq, row_to_json(shape)::text AS body
    FROM changes x
    LEFT JOIN courses c ON c.id = x.course_id
    LEFT JOIN departments d ON d.id = c.department_id
    {as_json(CHANGE)}
    WHERE x.seq < :before AND {IN_SCOPE}
      AND (:course_id IS NULL OR x.course_id = :course_id)
      AND (:user_id IS NULL OR x.user_id = :user_id)
      AND (:partition_id IS NULL OR x.partition_id = :partition_id)
      AND (:group_id IS NULL OR x.group_id = :group_id)
      AND (:actor IS NULL OR x.actor = :actor)
      AND (:kind IS NULL OR x.kind = :kind)
      AND (:kinds IS NULL OR x.kind = ANY (:kinds))
      AND (:request IS NULL OR x.request_id = :request)
      AND (:changeset IS NULL OR x.changeset_id::text = :changeset)
      AND (:since IS NULL OR x.at >= :since)
      AND (:until IS NULL OR x.at < :until)
    ORDER BY x.seq DESC LIMIT :limit
""")

LATEST = sql("""
    SELECT seq, at, actor, kind, before, after FROM changes
    WHERE split_part(kind, '.', 1) = ANY (:nouns)
      AND (:partition_id IS NULL OR partition_id = :partition_id)
      AND (:group_id IS NULL OR group_id = :group_id)
      AND (:user_id IS NULL OR user_id = :user_id)
      AND (:course_id IS NULL OR course_id = :course_id)
    ORDER BY seq DESC LIMIT 5
""")

NEWEST = 2**63 - 1


class ChangeRepository(Repository):
    async def page(
        self,
        reach: GrantScope,
        *,
        before: int = NEWEST,
        limit: int,
        since: datetime | None = None,
        until: datetime | None = None,
        kinds: Sequence[str] | None = None,
        **filters: Any,
    ) -> Page:
        """Lines of the log within reach, newest first; filters by column, ``None`` is any."""
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
            PAGE,
            limit=limit,
            key=("seq",),
            before=before,
            since=since,
            until=until,
            kinds=list(kinds) if kinds is not None else None,
            **scope_parameters(reach),
            **{**wanted, **filters},
        )

    async def latest(self, nouns: Sequence[str], **about: int) -> list[dict[str, Any]]:
        """The last few changes of one thing, for a caller who has missed them.

        ``nouns`` begin the kinds of changes that count.
        """
        nothing = dict.fromkeys(("course_id", "partition_id", "group_id", "user_id"))
        rows = await self._rows(LATEST, nouns=list(nouns), **{**nothing, **about})
        return [{**row._asdict(), "at": row.at.isoformat().replace("+00:00", "Z")} for row in rows]
