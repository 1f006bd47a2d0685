"""The log of many memberships looks the names of groups up once.

Joined to every row they cost as much as the line itself; and nobody can tell beforehand how many
rows such joins leave, so that a hundred thousand moves were compared row with row. For a few rows
the joins in a plan that is kept remain the better way.
"""

from typing import NamedTuple

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INSERT_CHANGES = """
    INSERT INTO changes
        (course_id, actor, request_id, changeset_id, cause, kind, partition_id, group_id, user_id,
         before, after)
"""

CONTEXT_COLUMNS = "context.actor, context.request_id, context.changeset_id, context.cause"

NAMED = """jsonb_build_object(
    'group_id', {0}.id, 'group_name', {0}.name, 'partition_name', p.name)"""
PARTITION_OF = "JOIN partitions p ON p.course_id = {0}.course_id AND p.id = {0}.partition_id"
GROUP_OF = "JOIN groups {1} ON {1}.course_id = {0}.course_id AND {1}.id = {0}.group_id"


class Log(NamedTuple):
    """``groups`` are those in the changed rows; ``few`` and ``many`` select their lines."""

    rows: str
    groups: str
    few: str
    many: str


LOGS = {
    "created": Log(
        "new_rows",
        "SELECT group_id FROM new_rows",
        f"""SELECT n.course_id, {CONTEXT_COLUMNS}, 'membership.assigned', n.partition_id,
                       n.group_id, n.user_id, NULL, {NAMED.format("g")}
                   FROM new_rows n {PARTITION_OF.format("n")} {GROUP_OF.format("n", "g")}
                   ORDER BY n.partition_id, n.user_id""",
        """SELECT n.course_id, $1, $2, $3, $4, 'membership.assigned', n.partition_id,
                       n.group_id, n.user_id, NULL, $5 -> n.group_id::text
                   FROM new_rows n ORDER BY n.partition_id, n.user_id""",
    ),
    "updated": Log(
        "new_rows",
        "SELECT group_id FROM new_rows UNION SELECT group_id FROM old_rows",
        f"""SELECT n.course_id, {CONTEXT_COLUMNS}, 'membership.moved', n.partition_id,
                       n.group_id, n.user_id, {NAMED.format("f")}, {NAMED.format("g")}
                   FROM new_rows n
                   JOIN old_rows o USING (course_id, partition_id, user_id)
                   {PARTITION_OF.format("n")} {GROUP_OF.format("n", "g")}
                   {GROUP_OF.format("o", "f")}
                   WHERE n.group_id <> o.group_id
                   ORDER BY n.partition_id, n.user_id""",
        """SELECT n.course_id, $1, $2, $3, $4, 'membership.moved', n.partition_id,
                       n.group_id, n.user_id, $5 -> o.group_id::text, $5 -> n.group_id::text
                   FROM new_rows n JOIN old_rows o USING (course_id, partition_id, user_id)
                   WHERE n.group_id <> o.group_id
                   ORDER BY n.partition_id, n.user_id""",
    ),
    "deleted": Log(
        "old_rows",
        "SELECT group_id FROM old_rows",
        f"""SELECT o.course_id, {CONTEXT_COLUMNS}, 'membership.removed', o.partition_id,
                       o.group_id, o.user_id, {NAMED.format("g")}, NULL
                   FROM old_rows o {PARTITION_OF.format("o")} {GROUP_OF.format("o", "g")}
                   ORDER BY o.partition_id, o.user_id""",
        """SELECT o.course_id, $1, $2, $3, $4, 'membership.removed', o.partition_id,
                       o.group_id, o.user_id, $5 -> o.group_id::text, NULL
                   FROM old_rows o ORDER BY o.partition_id, o.user_id""",
    ),
}


def _names_once(verb: str, log: Log) -> str:
    """``EXECUTE`` plans a statement for the rows that there are."""
    return f"""
    CREATE OR REPLACE FUNCTION log_memberships_{verb}() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        context record;
        names jsonb;
    BEGIN
        IF NOT EXISTS (SELECT FROM {log.rows}) THEN
            RETURN NULL;
        END IF;
        context := change_context();
        IF (SELECT count(*) FROM (SELECT FROM {log.rows} LIMIT 9) first) = 9 THEN
            SELECT jsonb_object_agg(g.id, {NAMED.format("g")}) INTO names
            FROM groups g {PARTITION_OF.format("g")}
            WHERE g.id = ANY (ARRAY(SELECT DISTINCT group_id FROM ({log.groups}) changed));
            EXECUTE $statement$
                {INSERT_CHANGES}
                {log.many}
            $statement$ USING {CONTEXT_COLUMNS}, names;
        ELSE
            {INSERT_CHANGES}
            {log.few};
        END IF;
        RETURN NULL;
    END $$
    """


def _before(verb: str, log: Log, write: str) -> str:
    return f"""
    CREATE OR REPLACE FUNCTION log_memberships_{verb}() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        context record;
    BEGIN
        IF NOT EXISTS (SELECT FROM {log.rows}) THEN
            RETURN NULL;
        END IF;
        context := change_context();
        {write}
        RETURN NULL;
    END $$
    """


def _planned(select: str) -> str:
    dynamic = select.replace(CONTEXT_COLUMNS, "$1, $2, $3, $4")
    return f"""IF (SELECT count(*) FROM (SELECT FROM new_rows LIMIT 9) first) = 9 THEN
            EXECUTE $statement$
                {INSERT_CHANGES}
                {dynamic}
            $statement$ USING {CONTEXT_COLUMNS};
        ELSE
            {INSERT_CHANGES}
            {select};
        END IF;"""


def upgrade() -> None:
    for verb, log in LOGS.items():
        op.execute(_names_once(verb, log))


def downgrade() -> None:
    for verb, log in LOGS.items():
        plain = f"{INSERT_CHANGES}\n        {log.few};"
        op.execute(_before(verb, log, _planned(log.few) if verb == "updated" else plain))
