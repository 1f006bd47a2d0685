"""What happened to cohorts, oldest first, complete as far as it goes."""

from typing import Any

from groupsvc.core.json_columns import CHANGE, as_json
from groupsvc.core.repository import IN_SCOPE, Repository, scope_parameters
from groupsvc.db.statements import sql
from groupsvc.domain.json_resource import Page
from groupsvc.domain.principal import GrantScope

KINDS = """x.kind IN ('group.created', 'membership.assigned', 'membership.moved',
        'membership.removed', 'preassignment.created', 'preassignment.updated')"""

# What the kind of the partition was is in the log, also when it is gone.
OF_COHORTS = """(x.partition_id IS NULL OR EXISTS (
        SELECT FROM changes made
        WHERE made.course_id = x.course_id AND made.partition_id = x.partition_id
          AND made.user_id IS NULL AND made.kind = 'partition.created'
          AND made.after ->> 'kind' = 'cohorts'))"""

USER = """CASE WHEN u.id IS NOT NULL THEN json_build_object(
        'id', u.id, 'username', u.username, 'email', u.email, 'given_name', u.given_name,
        'family_name', u.family_name, 'is_active', u.is_active) END"""

# Below the oldest transaction that is still running nothing is added any more: whoever reads on
# from the last key misses nothing and reads nothing twice. An address is told while it waits.
PAGE = sql(f"""
    SELECT CAST(x.transaction_id::text AS bigint) AS transaction_id, x.seq,
           row_to_json(shape)::text AS body
    FROM changes x
    JOIN courses c ON c.id = x.course_id
    JOIN departments d ON d.id = c.department_id
    LEFT JOIN users u ON u.id = x.user_id
    LEFT JOIN preassignments w
        ON x.kind LIKE 'preassignment.%' AND w.course_id = x.course_id
        AND w.id = CAST(x.after ->> 'id' AS bigint)
    LEFT JOIN groups g
        ON x.kind LIKE 'preassignment.%' AND g.course_id = x.course_id AND g.id = x.group_id
    {
    as_json(
        f'''{CHANGE}, c.key AS course_key, {USER} AS "user", w.email,
                  g.name AS group_name'''
    )
}
    WHERE (x.transaction_id, x.seq) > (CAST(CAST(:after AS text) AS xid8), :after_seq)
      AND x.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
      AND {KINDS} AND {OF_COHORTS} AND {IN_SCOPE}
      AND (:course_id IS NULL OR x.course_id = :course_id)
      AND (:user_id IS NULL OR x.user_id = :user_id)
      AND (:partition_id IS NULL OR x.partition_id = :partition_id)
      AND (:group_id IS NULL OR x.group_id = :group_id)
      AND (:actor IS NULL OR x.actor = :actor)
      AND (:kind IS NULL OR x.kind = :kind)
      AND (:request IS NULL OR x.request_id = :request)
      AND (:changeset IS NULL OR x.changeset_id::text = :changeset)
      AND (:since IS NULL OR x.at >= :since)
      AND (:until IS NULL OR x.at < :until)
    ORDER BY x.transaction_id, x.seq LIMIT :limit
""")

BEGINNING = (0, 0)


class FeedRepository(Repository):
    async def page(
        self, reach: GrantScope, *, after: tuple[int, int] = BEGINNING, limit: int, **filters: Any
    ) -> Page:
        """Lines within reach after a key, which is a transaction and a sequence number.

        The key of the last line is there whether or not there are more: it is where to read on.
        """
        rows = await self._rows(
            PAGE,
            after=after[0],
            after_seq=after[1],
            limit=limit,
            **scope_parameters(reach),
            **filters,
        )
        key = (rows[-1].transaction_id, rows[-1].seq) if rows else None
        return Page([row.body for row in rows], key)
