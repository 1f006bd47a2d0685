"""Services and databases with one fault each, which histories must find.

``before`` is Python that a service runs first, ``sql`` what is done to the database.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import groupsvc


@dataclass(frozen=True)
class Control:
    """``finds`` begins what is found. ``fault`` is injected into every history."""

    finds: str
    before: str = ""
    sql: str = ""
    fault: str | None = None


STATEMENTS: Final = [
    path.read_text(encoding="utf-8") for path in Path(groupsvc.__file__).parent.rglob("*.sql")
]


def statements(*changes: tuple[str, str]) -> str:
    """Services whose statements read otherwise."""
    for old, _ in changes:
        assert any(old in text for text in STATEMENTS), f"no statement reads {old}"
    return f"""
from pathlib import Path
read = Path.read_text
def changed(self, *given, **named):
    text = read(self, *given, **named)
    if self.suffix == ".sql":
        for old, new in {changes!r}:
            text = text.replace(old, new)
    return text
Path.read_text = changed
"""


def function(name: str, old: str, new: str) -> str:
    """SQL after which a function of the database reads otherwise."""
    return f"""
DO $do$ DECLARE
    was text := pg_get_functiondef({name!r}::regproc);
BEGIN
    ASSERT position($old${old}$old$ IN was) > 0, 'it reads otherwise';
    EXECUTE replace(was, $old${old}$old$, $new${new}$new$);
END $do$;
"""


CACHED = """
import time
from groupsvc.core.courses.repository import CourseRepository as Repository
read, kept = Repository.board, {}
async def cached(self, course, **named):
    at, found = kept.get(course, (0, None))
    if time.monotonic() - at > 1:
        found = await read(self, course, **named)
        kept[course] = time.monotonic(), found
    return found
Repository.board = cached
"""
NO_KEYS = """
import groupsvc.http.idempotency as idempotency
async def claim(*_, **__):
    return None
idempotency.claim = claim
"""
NOTHING_KEPT = """
from groupsvc.http.idempotency import Claim
async def keep(*_):
    return None
Claim.keep = keep
"""
BLIND_RETRY = """
import groupsvc.core.unit_of_work as work
work._may_repeat = lambda *_, **__: True
"""
CRASH = """
import random
from groupsvc.core.memberships.service import MembershipService as Service
leave = Service.leave
async def crash(self, *given, **named):
    if random.random() < 0.1:
        raise RuntimeError("a bug")
    return await leave(self, *given, **named)
Service.leave = crash
"""
NO_RETRY_AFTER = """
from groupsvc.http.errors import ErrorFace as Face
rule = Face.rule
def silent(self, error):
    return rule(self, error)._replace(headers={})
Face.rule = silent
"""
UNCOUNTED: Final = (
    "CREATE OR REPLACE FUNCTION refuse_overfull(group_ids bigint[]) RETURNS void LANGUAGE sql AS ''"
)
OPEN: Final = (
    "CREATE OR REPLACE FUNCTION refuse_locked(course_ids bigint[]) RETURNS void LANGUAGE sql AS ''"
)
UNLOGGED: Final = "ALTER TABLE memberships DISABLE TRIGGER a_updated"
SOMETIMES_UNLOGGED = """
CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$
-- A line that is not there is written once more.
BEGIN RETURN CASE WHEN random() < 0.86 THEN NEW END; END $$;
CREATE TRIGGER lose BEFORE INSERT ON changes FOR EACH ROW WHEN (NEW.kind LIKE 'membership.%')
    EXECUTE FUNCTION lose()
"""
TWO_PLACES = """
ALTER TABLE memberships DROP CONSTRAINT pk_memberships;
ALTER TABLE memberships ADD CONSTRAINT pk_memberships
    PRIMARY KEY (course_id, partition_id, user_id, group_id)
"""
SECOND_DEFAULT = """
DROP INDEX uq_partitions_kind;
CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO partitions (course_id, kind, name, position)
    VALUES (OLD.course_id, 'default', NULL, 0);
    RETURN NULL;
END $$;
ALTER TABLE partitions DROP CONSTRAINT uq_partitions_name;
CREATE TRIGGER again AFTER DELETE ON enrollments FOR EACH ROW EXECUTE FUNCTION again()
"""

CONTROLS: Final[dict[str, Control]] = {
    "one user in two groups": Control(
        "board",
        statements(
            (
                "ON CONFLICT (course_id, partition_id, user_id)",
                "ON CONFLICT (course_id, partition_id, user_id, group_id)",
            )
        ),
        TWO_PLACES,
    ),
    "capacity is not counted": Control("log: after", sql=UNCOUNTED),
    "the lock of a course is looked at and not held": Control(
        "log: line", statements(("FOR SHARE OF c", "")), OPEN
    ),
    "members need not be enrolled": Control(
        "tables: nobody enrolled",
        statements(("OR target.kind = 'cohorts' AS is_enrolled", "OR true AS is_enrolled")),
        function("check_memberships_created", "held.is_there IS NULL", "false"),
    ),
    "the partition of a group is not looked up": Control(
        "tables: another partition",
        statements(
            (
                "SELECT target.course_id, target.partition_id, person.id, target.id",
                "SELECT target.course_id, (SELECT min(id) FROM partitions WHERE kind = 'ordinary'"
                " AND course_id = target.course_id), person.id, target.id",
            )
        ),
        "ALTER TABLE memberships DROP CONSTRAINT fk_memberships_group",
    ),
    "the default group takes members": Control(
        "tables: somebody is stored",
        statements(("AND target.kind <> 'default'\n    ON CONFLICT", "ON CONFLICT")),
        function("check_memberships_created", "'default' = ANY (kinds)", "false"),
    ),
    "nobody is told when to come again": Control(
        "answer: 503 without", NO_RETRY_AFTER, fault="lock"
    ),
    "keys are ignored": Control("answer: two answers", NO_KEYS),
    "outcomes are not kept with their key": Control("acknowledged", NOTHING_KEPT),
    "positions leave gaps": Control(
        "positions",
        statements(("row_number() OVER (ORDER BY named", "2 * row_number() OVER (ORDER BY named")),
    ),
    "a second default partition": Control("tables: the default", sql=SECOND_DEFAULT),
    "the default group forgets some": Control(
        "ending: the default",
        statements(
            (
                "WHERE p.kind = 'default' AND e.course_id = g.course_id\n    ) member",
                "WHERE p.kind = 'default' AND e.course_id = g.course_id AND e.user_id % 5 > 0\n"
                "    ) member",
            )
        ),
    ),
    "a count outlives what it counted": Control(
        "ending: the cohorts",
        statements(
            (
                "transaction_id = ANY (CAST(:running::text[] AS xid8[]))) AS holds",
                "false) AS holds",
            ),
            (
                "course_id = place.course_id AND seq > :mark::bigint)",
                "seq < 0 AND seq > :mark::bigint)",
            ),
        ),
    ),
    "a process remembers what others change": Control("value", CACHED),
    "who was moved from where is read too early": Control(
        "value",
        statements(
            (
                "(SELECT previous_group_id FROM moved) AS previous_group_id\nFROM target;",
                "(SELECT m.group_id FROM memberships m, person WHERE m.user_id = person.id"
                " AND m.partition_id = target.partition_id AND EXISTS (SELECT FROM moved))"
                " AS previous_group_id\nFROM target;",
            )
        ),
    ),
    "an unknown outcome is tried again": Control("acknowledged", BLIND_RETRY, fault="lock"),
    "a bug": Control("answer: 500", CRASH),
    "moves are not logged": Control("replay", sql=UNLOGGED),
    "one line in fifty is lost": Control("replay", sql=SOMETIMES_UNLOGGED),
}
