"""The change log writes itself.

Whatever changes a row of the domain, through whatever path, leaves its line: statement triggers
write it, in the transaction of the change. Who is acting is told by settings of the transaction
(``groupsvc.actor``, ``groupsvc.request_id``, ``groupsvc.cause``); one transaction is one changeset.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CONTEXT = """
CREATE FUNCTION change_context(
    OUT actor text, OUT request_id text, OUT changeset_id uuid, OUT cause text
) LANGUAGE plpgsql AS $$
BEGIN
    actor := coalesce(nullif(current_setting('groupsvc.actor', true), ''), session_user::text);
    request_id := nullif(current_setting('groupsvc.request_id', true), '');
    cause := nullif(current_setting('groupsvc.cause', true), '');
    changeset_id := nullif(current_setting('groupsvc.changeset_id', true), '')::uuid;
    IF changeset_id IS NULL THEN
        changeset_id := gen_random_uuid();
        PERFORM set_config('groupsvc.changeset_id', changeset_id::text, true);
    END IF;
END $$
"""

# Rare, small tables: one row at a time, the whole row before and after. A grant may name a course,
# but who may do what is for administrators to read: its line is outside every course.
LOG_ROW = """
CREATE FUNCTION log_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    context record;
    old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    row jsonb := coalesce(new_row, old_row);
    noun text := TG_ARGV[0];
    hidden text[] := string_to_array(TG_ARGV[1], ' ');
BEGIN
    IF old_row = new_row THEN
        RETURN NULL;
    END IF;
    context := change_context();
    INSERT INTO changes
        (course_id, actor, request_id, changeset_id, cause, kind, partition_id, group_id,
         before, after)
    VALUES (
        CASE noun WHEN 'course' THEN (row ->> 'id')::bigint
                  WHEN 'grant' THEN 0
                  ELSE coalesce((row ->> 'course_id')::bigint, 0) END,
        context.actor, context.request_id, context.changeset_id, context.cause,
        noun || CASE TG_OP WHEN 'INSERT' THEN '.created' WHEN 'UPDATE' THEN '.updated'
                           ELSE '.deleted' END,
        CASE noun WHEN 'partition' THEN (row ->> 'id')::bigint
                  WHEN 'group' THEN (row ->> 'partition_id')::bigint END,
        CASE noun WHEN 'group' THEN (row ->> 'id')::bigint
                  WHEN 'preassignment' THEN (row ->> 'group_id')::bigint END,
        old_row - hidden, new_row - hidden
    );
    RETURN NULL;
END $$
"""

# (table, noun, columns that stay out of the log). The username of an account names a person; a new
# secret leaves a line that shows no difference.
LOGGED_BY_ROW = [
    ("departments", "department", "created_at"),
    ("courses", "course", "created_at"),
    ("partitions", "partition", "created_at"),
    ("groups", "group", "created_at"),
    ("cohort_settings", "cohort_settings", "created_at"),
    ("preassignments", "preassignment", "email"),
    ("content_partitions", "content_partition", "created_at"),
    ("accounts", "account", "created_at secret_hash username"),
    ("grants", "grant", "id"),
]

INSERT_CHANGES = """
    INSERT INTO changes
        (course_id, actor, request_id, changeset_id, cause, kind, partition_id, group_id, user_id,
         before, after)
"""

CONTEXT_COLUMNS = "context.actor, context.request_id, context.changeset_id, context.cause"


def _log_function(name: str, *, rows: str, select: str) -> str:
    return f"""
    CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        context record;
    BEGIN
        IF NOT EXISTS (SELECT FROM {rows}) THEN
            RETURN NULL;
        END IF;
        context := change_context();
        {INSERT_CHANGES}
        {select};
        RETURN NULL;
    END $$
    """


# Users are named in the log by id alone, and their personal data not at all: erasing the user
# erases what the log knew of him.
LOG_USERS = [
    _log_function(
        "log_users_created",
        rows="new_rows",
        select=f"""SELECT 0, {CONTEXT_COLUMNS}, 'user.created', NULL, NULL, n.id, NULL, NULL
                   FROM new_rows n ORDER BY n.id""",
    ),
    _log_function(
        "log_users_updated",
        rows="new_rows",
        select=f"""SELECT 0, {CONTEXT_COLUMNS}, 'user.updated', NULL, NULL, n.id, NULL,
                       jsonb_build_object('fields', (
                           SELECT jsonb_agg(f.key ORDER BY f.key) FROM jsonb_each(to_jsonb(n)) f
                           WHERE f.value IS DISTINCT FROM to_jsonb(o) -> f.key))
                   FROM new_rows n JOIN old_rows o ON o.id = n.id
                   WHERE n IS DISTINCT FROM o ORDER BY n.id""",
    ),
    _log_function(
        "log_users_deleted",
        rows="old_rows",
        select=f"""SELECT 0, {CONTEXT_COLUMNS}, 'user.deleted', NULL, NULL, o.id, NULL, NULL
                   FROM old_rows o ORDER BY o.id""",
    ),
]

STATE = "jsonb_build_object('state', {0}.state, 'track', {0}.track)"

LOG_ENROLLMENTS = [
    _log_function(
        "log_enrollments_created",
        rows="new_rows",
        select=f"""SELECT n.course_id, {CONTEXT_COLUMNS}, 'enrollment.created', NULL, NULL,
                       n.user_id, NULL, {STATE.format("n")}
                   FROM new_rows n ORDER BY n.course_id, n.user_id""",
    ),
    _log_function(
        "log_enrollments_updated",
        rows="new_rows",
        select=f"""SELECT n.course_id, {CONTEXT_COLUMNS}, 'enrollment.updated', NULL, NULL,
                       n.user_id, {STATE.format("o")}, {STATE.format("n")}
                   FROM new_rows n JOIN old_rows o USING (course_id, user_id)
                   WHERE (n.state, n.track) IS DISTINCT FROM (o.state, o.track)
                   ORDER BY n.course_id, n.user_id""",
    ),
    _log_function(
        "log_enrollments_deleted",
        rows="old_rows",
        select=f"""SELECT o.course_id, {CONTEXT_COLUMNS}, 'enrollment.deleted', NULL, NULL,
                       o.user_id, {STATE.format("o")}, NULL
                   FROM old_rows o ORDER BY o.course_id, o.user_id""",
    ),
]

NAMED = """jsonb_build_object(
    'group_id', {0}.id, 'group_name', {0}.name, 'partition_name', p.name)"""
PARTITION_OF = "JOIN partitions p ON p.course_id = {0}.course_id AND p.id = {0}.partition_id"
GROUP_OF = "JOIN groups {1} ON {1}.course_id = {0}.course_id AND {1}.id = {0}.group_id"

LOG_MEMBERSHIPS = [
    _log_function(
        "log_memberships_created",
        rows="new_rows",
        select=f"""SELECT n.course_id, {CONTEXT_COLUMNS}, 'membership.assigned', n.partition_id,
                       n.group_id, n.user_id, NULL, {NAMED.format("g")}
                   FROM new_rows n {PARTITION_OF.format("n")} {GROUP_OF.format("n", "g")}
                   ORDER BY n.partition_id, n.user_id""",
    ),
    _log_function(
        "log_memberships_updated",
        rows="new_rows",
        select=f"""SELECT n.course_id, {CONTEXT_COLUMNS}, 'membership.moved', n.partition_id,
                       n.group_id, n.user_id, {NAMED.format("f")}, {NAMED.format("g")}
                   FROM new_rows n
                   JOIN old_rows o USING (course_id, partition_id, user_id)
                   {PARTITION_OF.format("n")} {GROUP_OF.format("n", "g")}
                   {GROUP_OF.format("o", "f")}
                   WHERE n.group_id <> o.group_id
                   ORDER BY n.partition_id, n.user_id""",
    ),
    _log_function(
        "log_memberships_deleted",
        rows="old_rows",
        select=f"""SELECT o.course_id, {CONTEXT_COLUMNS}, 'membership.removed', o.partition_id,
                       o.group_id, o.user_id, {NAMED.format("g")}, NULL
                   FROM old_rows o {PARTITION_OF.format("o")} {GROUP_OF.format("o", "g")}
                   ORDER BY o.partition_id, o.user_id""",
    ),
]

APPEND_ONLY = """
CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the change log is append-only'
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'changes_append_only';
END $$
"""

EVENTS = {
    "created": ("INSERT", "NEW TABLE AS new_rows"),
    "updated": ("UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
    "deleted": ("DELETE", "OLD TABLE AS old_rows"),
}
LOGGED_BY_STATEMENT = ("users", "enrollments", "memberships")


def upgrade() -> None:
    op.execute(CONTEXT)
    op.execute(LOG_ROW)
    for table, noun, hidden in LOGGED_BY_ROW:
        op.execute(
            f"CREATE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION log_row('{noun}', '{hidden}')"
        )
    for function in (*LOG_USERS, *LOG_ENROLLMENTS, *LOG_MEMBERSHIPS):
        op.execute(function)
    for table in LOGGED_BY_STATEMENT:
        for verb, (event, rows) in EVENTS.items():
            op.execute(
                f"CREATE TRIGGER z_log_{verb} AFTER {event} ON {table} REFERENCING {rows} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION log_{table}_{verb}()"
            )
    op.execute(APPEND_ONLY)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON changes "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER append_only ON changes")
    op.execute("DROP FUNCTION refuse_rewriting()")
    for table in LOGGED_BY_STATEMENT:
        for verb in EVENTS:
            op.execute(f"DROP TRIGGER z_log_{verb} ON {table}")
            op.execute(f"DROP FUNCTION log_{table}_{verb}()")
    for table, _, _ in LOGGED_BY_ROW:
        op.execute(f"DROP TRIGGER z_log ON {table}")
    op.execute("DROP FUNCTION log_row()")
    op.execute("DROP FUNCTION change_context()")
