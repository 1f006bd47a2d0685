"""Room for the ids of another server, dates of courses, and what a course is a part of.

Ids made here start at 1,000,000,000 from now on, so that those of a server whose departments move
over (small numbers) never meet those made later. No sequence is lowered.

Departments and users who were here before such a move keep their ids and are also known by the one
that they have there: ``foreign_id``. Courses get optional dates, term, programme and modality.

The downgrade leaves the sequences where they are: ids that were given out are never given again.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = ["departments", "users", "courses", "partitions", "groups"]

RAISE_SEQUENCE = """
DO $$
DECLARE
    sequence text := pg_get_serial_sequence('{table}', 'id');
    given bigint;
BEGIN
    ALTER TABLE {table} ALTER COLUMN id SET START WITH 1000000000;
    EXECUTE format('SELECT last_value FROM %s', sequence) INTO given;
    IF given < 1000000000 THEN
        EXECUTE 'ALTER TABLE {table} ALTER COLUMN id RESTART WITH 1000000000';
    END IF;
END $$
"""

COURSES = """
ALTER TABLE courses
    ADD starts_on date,
    ADD ends_on date,
    ADD programme text,
    ADD term integer,
    ADD modality text,
    ADD CONSTRAINT ck_courses_dates CHECK (starts_on <= ends_on)
"""

# Members that were not there before are in the log when they have a value.
LOG_ROW = """
CREATE OR REPLACE FUNCTION log_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    context record;
    old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    row jsonb := coalesce(new_row, old_row);
    noun text := TG_ARGV[0];
    hidden text[] := string_to_array(TG_ARGV[1], ' ');
BEGIN
    IF old_row = new_row THEN RETURN NULL; END IF;
    context := change_context();
    {strip}INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
        partition_id, group_id, user_id, before, after)
    VALUES (
        CASE noun WHEN 'course' THEN (row ->> 'id')::bigint
                  WHEN 'grant' THEN 0
                  WHEN 'role' THEN 0
                  ELSE coalesce((row ->> 'course_id')::bigint, 0) END,
        context.actor, context.request_id, context.changeset_id, context.cause,
        noun || CASE TG_OP WHEN 'INSERT' THEN '.created' WHEN 'UPDATE' THEN '.updated'
                           ELSE '.deleted' END,
        CASE noun WHEN 'partition' THEN (row ->> 'id')::bigint
                  WHEN 'group' THEN (row ->> 'partition_id')::bigint END,
        CASE noun WHEN 'group' THEN (row ->> 'id')::bigint
                  WHEN 'preassignment' THEN (row ->> 'group_id')::bigint END,
        CASE noun WHEN 'role' THEN (row ->> 'user_id')::bigint END,
        old_row - hidden, new_row - hidden
    );
    RETURN NULL;
END $$
"""
STRIP = """IF noun IN ('course', 'department') THEN
        old_row := jsonb_strip_nulls(old_row);
        new_row := jsonb_strip_nulls(new_row);
    END IF;
    """

# The transaction that makes a course may say which ids its default partition and group get.
DIVIDE = """
CREATE OR REPLACE FUNCTION divide_by_default() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    default_id bigint := nullif(current_setting('groupsvc.default_partition_id', true), '');
    default_group_id bigint := nullif(current_setting('groupsvc.default_group_id', true), '');
BEGIN
    INSERT INTO partitions (course_id, id, kind, name, position, groups_editable, show_in_lists)
    VALUES (NEW.id, coalesce(default_id, nextval(pg_get_serial_sequence('partitions', 'id'))),
            'default', NULL, 0, false, false)
    RETURNING id INTO default_id;
    INSERT INTO groups (course_id, partition_id, id, name, position)
    VALUES (NEW.id, default_id,
            coalesce(default_group_id, nextval(pg_get_serial_sequence('groups', 'id'))), NULL, 0);
    RETURN NULL;
END $$
"""
DIVIDE_BEFORE = """
CREATE OR REPLACE FUNCTION divide_by_default() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    default_id bigint;
BEGIN
    INSERT INTO partitions (course_id, kind, name, position, groups_editable, show_in_lists)
    VALUES (NEW.id, 'default', NULL, 0, false, false)
    RETURNING id INTO default_id;
    INSERT INTO groups (course_id, partition_id, name, position)
    VALUES (NEW.id, default_id, NULL, 0);
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    for table in TABLES:
        op.execute(RAISE_SEQUENCE.format(table=table))
    for table in ("departments", "users"):
        op.execute(f"ALTER TABLE {table} ADD foreign_id bigint")
        op.execute(f"CREATE UNIQUE INDEX uq_{table}_known_id ON {table} (coalesce(foreign_id, id))")
    op.execute(COURSES)
    op.execute("CREATE INDEX ix_courses_dates ON courses (ends_on, starts_on)")
    op.execute(LOG_ROW.format(strip=STRIP))
    op.execute(DIVIDE)


def downgrade() -> None:
    op.execute(DIVIDE_BEFORE)
    op.execute(LOG_ROW.format(strip=""))
    op.execute(
        "ALTER TABLE courses DROP starts_on, DROP ends_on, DROP programme, DROP term, DROP modality"
    )
    for table in ("departments", "users"):
        op.execute(f"ALTER TABLE {table} DROP foreign_id")
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN id SET START WITH 1")
