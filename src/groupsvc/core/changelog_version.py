"""Whether a course is as it was at a moment: two look-ups in an index of its change log."""

from typing import Any, Final

# The moment: the last line that was visible, and the transactions whose lines were not yet.
MOMENT: Final = """(SELECT coalesce(max(seq), 0) FROM changes) AS mark,
    (SELECT array_agg(x::text) FROM pg_snapshot_xip(pg_current_snapshot()) x) AS running"""

# Whether nothing has changed since; {0} is the id of the course.
UNCHANGED: Final = """(:mark IS NOT NULL
    AND NOT EXISTS (SELECT FROM changes WHERE course_id = {0} AND seq > :mark)
    AND NOT EXISTS (
        SELECT FROM changes
        WHERE transaction_id = ANY (CAST(:running AS xid8[])) AND course_id = {0}))"""

NEVER: Final[dict[str, Any]] = {"mark": None, "running": None}
