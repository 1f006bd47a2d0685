"""What was done can be undone: the log keeps what deleted groups and former names were."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

REMOVED = """
CREATE TABLE removed_preassignments (
    course_id bigint NOT NULL,
    id bigint NOT NULL,
    email text COLLATE "C" NOT NULL,
    removed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_removed_preassignments PRIMARY KEY (course_id, id),
    CONSTRAINT fk_removed_preassignments_course FOREIGN KEY (course_id)
        REFERENCES courses (id) ON DELETE CASCADE
)
"""

LOG_ROW_BEFORE = r"""
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
    IF noun IN ('course', 'department') THEN
        old_row := jsonb_strip_nulls(old_row);
        new_row := jsonb_strip_nulls(new_row);
    END IF;
    INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
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

LOG_ROW = r"""
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
    IF TG_OP = 'DELETE' AND noun IN ('partition', 'group') THEN
        hidden := '{}';
    END IF;
    IF noun IN ('course', 'department') THEN
        old_row := jsonb_strip_nulls(old_row);
        new_row := jsonb_strip_nulls(new_row);
    END IF;
    INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
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
                  WHEN 'group' THEN (row ->> 'partition_id')::bigint
                  WHEN 'former_name' THEN (row ->> 'partition_id')::bigint END,
        CASE noun WHEN 'group' THEN (row ->> 'id')::bigint
                  WHEN 'former_name' THEN (row ->> 'group_id')::bigint
                  WHEN 'preassignment' THEN (row ->> 'group_id')::bigint END,
        CASE noun WHEN 'role' THEN (row ->> 'user_id')::bigint END,
        old_row - hidden, new_row - hidden
    );
    RETURN NULL;
END $$
"""

CHECK_GROUP_BEFORE = r"""
CREATE OR REPLACE FUNCTION check_group() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    parent record;
    row groups := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    IF pg_trigger_depth() = 1 THEN
        PERFORM refuse_locked(ARRAY[row.course_id]);
        SELECT kind, groups_editable INTO parent FROM partitions
        WHERE course_id = row.course_id AND id = row.partition_id FOR SHARE;
        IF NOT parent.groups_editable AND (TG_OP <> 'UPDATE' OR OLD.name IS DISTINCT FROM NEW.name)
           AND NOT (parent.kind = 'tracks'
                    AND current_setting('groupsvc.cause', true) IS NOT DISTINCT FROM 'tracks')
        THEN
            RAISE EXCEPTION 'the groups of this partition are not editable'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'groups_editable';
        END IF;
        IF parent.kind = 'default' OR (TG_OP <> 'DELETE' AND NEW.name IS NULL) THEN
            RAISE EXCEPTION 'the default partition is not for editing'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'default_partition';
        END IF;
    END IF;
    IF TG_OP = 'DELETE' THEN
        DELETE FROM preassignments WHERE course_id = OLD.course_id AND group_id = OLD.id;
        DELETE FROM memberships WHERE course_id = OLD.course_id AND group_id = OLD.id;
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.course_id, NEW.partition_id, NEW.id)
           <> (OLD.course_id, OLD.partition_id, OLD.id)
        THEN
            RAISE EXCEPTION 'a group keeps its partition'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'group_key';
        END IF;
        IF NEW.capacity IS DISTINCT FROM OLD.capacity THEN
            -- Waits for inserts in flight, which hold KEY SHARE on the group; new ones wait for us.
            PERFORM FROM groups WHERE course_id = NEW.course_id AND id = NEW.id FOR UPDATE;
            IF NEW.capacity < (SELECT count(*) FROM memberships m
                               WHERE m.course_id = NEW.course_id AND m.group_id = NEW.id)
            THEN
                RAISE EXCEPTION 'the group has more members than that'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'capacity_below_members',
                      DETAIL = NEW.id::text;
            END IF;
        END IF;
    END IF;
    RETURN NEW;
END $$
"""

CHECK_GROUP = r"""
CREATE OR REPLACE FUNCTION check_group() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    parent record;
    row groups := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    IF pg_trigger_depth() = 1 THEN
        PERFORM refuse_locked(ARRAY[row.course_id]);
        SELECT kind, groups_editable INTO parent FROM partitions
        WHERE course_id = row.course_id AND id = row.partition_id FOR SHARE;
        IF NOT parent.groups_editable AND (TG_OP <> 'UPDATE' OR OLD.name IS DISTINCT FROM NEW.name)
           AND NOT (parent.kind = 'tracks' AND coalesce(
               current_setting('groupsvc.cause', true) ~ '^(tracks$|undo:|redo:)', false))
        THEN
            RAISE EXCEPTION 'the groups of this partition are not editable'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'groups_editable';
        END IF;
        IF parent.kind = 'default' OR (TG_OP <> 'DELETE' AND NEW.name IS NULL) THEN
            RAISE EXCEPTION 'the default partition is not for editing'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'default_partition';
        END IF;
    END IF;
    IF TG_OP = 'DELETE' THEN
        INSERT INTO removed_preassignments (course_id, id, email)
        SELECT course_id, id, email FROM preassignments
        WHERE course_id = OLD.course_id AND partition_id = OLD.partition_id AND group_id = OLD.id;
        DELETE FROM preassignments WHERE course_id = OLD.course_id AND group_id = OLD.id;
        DELETE FROM memberships WHERE course_id = OLD.course_id AND group_id = OLD.id;
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.course_id, NEW.partition_id, NEW.id)
           <> (OLD.course_id, OLD.partition_id, OLD.id)
        THEN
            RAISE EXCEPTION 'a group keeps its partition'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'group_key';
        END IF;
        IF NEW.capacity IS DISTINCT FROM OLD.capacity THEN
            -- Waits for inserts in flight, which hold KEY SHARE on the group; new ones wait for us.
            PERFORM FROM groups WHERE course_id = NEW.course_id AND id = NEW.id FOR UPDATE;
            IF NEW.capacity < (SELECT count(*) FROM memberships m
                               WHERE m.course_id = NEW.course_id AND m.group_id = NEW.id)
            THEN
                RAISE EXCEPTION 'the group has more members than that'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'capacity_below_members',
                      DETAIL = NEW.id::text;
            END IF;
        END IF;
    END IF;
    RETURN NEW;
END $$
"""

REMEMBER_NAME_BEFORE = r"""
CREATE OR REPLACE FUNCTION remember_name() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    partition bigint := CASE TG_TABLE_NAME WHEN 'groups'
        THEN (to_jsonb(NEW) ->> 'partition_id')::bigint ELSE NEW.id END;
    group_of_it bigint := CASE TG_TABLE_NAME WHEN 'groups' THEN NEW.id END;
BEGIN
    DELETE FROM former_names
    WHERE course_id = NEW.course_id AND partition_id = partition
      AND group_id IS NOT DISTINCT FROM group_of_it AND name = NEW.name;
    INSERT INTO former_names (course_id, partition_id, group_id, name)
    VALUES (NEW.course_id, partition, group_of_it, OLD.name)
    ON CONFLICT ON CONSTRAINT uq_former_names DO UPDATE SET until = now();
    RETURN NULL;
END $$
"""

REMEMBER_NAME = r"""
CREATE OR REPLACE FUNCTION remember_name() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    partition bigint := CASE TG_TABLE_NAME WHEN 'groups'
        THEN (to_jsonb(NEW) ->> 'partition_id')::bigint ELSE NEW.id END;
    group_of_it bigint := CASE TG_TABLE_NAME WHEN 'groups' THEN NEW.id END;
BEGIN
    DELETE FROM former_names
    WHERE course_id = NEW.course_id AND partition_id = partition
      AND group_id IS NOT DISTINCT FROM group_of_it AND name = NEW.name;
    IF current_setting('groupsvc.cause', true) ~ '^(un|re)do:' THEN RETURN NULL; END IF;
    INSERT INTO former_names (course_id, partition_id, group_id, name)
    VALUES (NEW.course_id, partition, group_of_it, OLD.name)
    ON CONFLICT ON CONSTRAINT uq_former_names DO UPDATE SET until = now();
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.execute(REMOVED)
    op.execute(
        "CREATE INDEX ix_removed_preassignments_email "
        'ON removed_preassignments (lower(email COLLATE "C"))'
    )
    for function in (LOG_ROW, CHECK_GROUP, REMEMBER_NAME):
        op.execute(function)
    op.execute(
        "CREATE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON former_names FOR EACH ROW "
        "EXECUTE FUNCTION log_row('former_name', 'course_id partition_id group_id')"
    )
    op.execute(
        "CREATE INDEX ix_changes_changeset_id ON changes USING brin (changeset_id uuid_bloom_ops) "
        "WITH (autosummarize = on)"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_changes_changeset_id")
    op.execute("DROP TRIGGER z_log ON former_names")
    for function in (LOG_ROW_BEFORE, CHECK_GROUP_BEFORE, REMEMBER_NAME_BEFORE):
        op.execute(function)
    op.execute("DROP TABLE removed_preassignments")
