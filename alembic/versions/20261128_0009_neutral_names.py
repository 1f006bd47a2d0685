"""Neutral names for two columns, and a name of its own for a second refusal.

Two columns were called as one dialect calls them. Lines of the change log keep the key with which
they were written, since the log is never rewritten; nothing in the program reads either key there.

To lower a capacity below the number of members is not the same as to join a full group.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

COLUMNS = [
    ("partitions", "bul_show_rank", "show_rank_on_report"),
    ("groups", "edt_id", "timetable_id"),
]

# From PostgreSQL 18 on NOT NULL is a constraint, whose name does not follow that of the column.
NOT_NULL = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_constraint
               WHERE conrelid = '{table}'::regclass AND conname = '{table}_{old}_not_null') THEN
        ALTER TABLE {table} RENAME CONSTRAINT {table}_{old}_not_null TO {table}_{new}_not_null;
    END IF;
END $$
"""

GROUPS = """
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
                USING ERRCODE = 'check_violation', CONSTRAINT = '{below_members}',
                      DETAIL = NEW.id::text;
            END IF;
        END IF;
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    for table, old, new in COLUMNS:
        _rename(table, old, new)
    op.execute(GROUPS.format(below_members="capacity_below_members"))


def downgrade() -> None:
    op.execute(GROUPS.format(below_members="group_capacity"))
    for table, old, new in reversed(COLUMNS):
        _rename(table, new, old)


def _rename(table: str, old: str, new: str) -> None:
    op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    op.execute(NOT_NULL.format(table=table, old=old, new=new))
