"""The log of many changed rows is planned for many.

A trigger keeps the plan of its first call. One that was made for a single row compares every old
row with every new one, which for a thousand of them takes seconds. So statements about more than a
few rows are planned anew, with their number known; for a few rows the kept plan is the better one.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INSERT_CHANGES = """
    INSERT INTO changes
        (course_id, actor, request_id, changeset_id, cause, kind, partition_id, group_id, user_id,
         before, after)
"""

CONTEXT_COLUMNS = "context.actor, context.request_id, context.changeset_id, context.cause"

STATE = "jsonb_build_object('state', {0}.state, 'track', {0}.track)"
NAMED = """jsonb_build_object(
    'group_id', {0}.id, 'group_name', {0}.name, 'partition_name', p.name)"""
PARTITION_OF = "JOIN partitions p ON p.course_id = {0}.course_id AND p.id = {0}.partition_id"
GROUP_OF = "JOIN groups {1} ON {1}.course_id = {0}.course_id AND {1}.id = {0}.group_id"

# What the functions write, as they were made.
SELECTS = {
    "users": f"""SELECT 0, {CONTEXT_COLUMNS}, 'user.updated', NULL, NULL, n.id, NULL,
                       jsonb_build_object('fields', (
                           SELECT jsonb_agg(f.key ORDER BY f.key) FROM jsonb_each(to_jsonb(n)) f
                           WHERE f.value IS DISTINCT FROM to_jsonb(o) -> f.key))
                   FROM new_rows n JOIN old_rows o ON o.id = n.id
                   WHERE n IS DISTINCT FROM o ORDER BY n.id""",
    "enrollments": f"""SELECT n.course_id, {CONTEXT_COLUMNS}, 'enrollment.updated', NULL, NULL,
                       n.user_id, {STATE.format("o")}, {STATE.format("n")}
                   FROM new_rows n JOIN old_rows o USING (course_id, user_id)
                   WHERE (n.state, n.track) IS DISTINCT FROM (o.state, o.track)
                   ORDER BY n.course_id, n.user_id""",
    "memberships": f"""SELECT n.course_id, {CONTEXT_COLUMNS}, 'membership.moved', n.partition_id,
                       n.group_id, n.user_id, {NAMED.format("f")}, {NAMED.format("g")}
                   FROM new_rows n
                   JOIN old_rows o USING (course_id, partition_id, user_id)
                   {PARTITION_OF.format("n")} {GROUP_OF.format("n", "g")}
                   {GROUP_OF.format("o", "f")}
                   WHERE n.group_id <> o.group_id
                   ORDER BY n.partition_id, n.user_id""",
}


def _log_function(table: str, write: str) -> str:
    return f"""
    CREATE OR REPLACE FUNCTION log_{table}_updated() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        context record;
    BEGIN
        IF NOT EXISTS (SELECT FROM new_rows) THEN
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
    for table, select in SELECTS.items():
        op.execute(_log_function(table, _planned(select)))


def downgrade() -> None:
    for table, select in SELECTS.items():
        op.execute(_log_function(table, f"{INSERT_CHANGES}\n        {select};"))
