"""What must never break, whoever writes: lock, editability, capacity, enrollment, tracks.

A refusal is raised like a broken constraint: its CONSTRAINT names the rule, and one table in the
program gives that name its meaning. Rows are locked in one order: course, partition, group, user.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# FOR SHARE waits for a lock or unlock in flight and then sees its outcome; a plain read would not.
REFUSE_LOCKED = """
CREATE FUNCTION refuse_locked(course_ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    course record;
BEGIN
    FOR course IN
        SELECT id, is_locked FROM courses WHERE id = ANY (course_ids) ORDER BY id FOR SHARE
    LOOP
        IF course.is_locked THEN
            RAISE EXCEPTION 'the course is locked'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'course_open',
                  DETAIL = course.id::text;
        END IF;
    END LOOP;
END $$
"""

# NO KEY UPDATE lets the key-share locks of concurrent inserts through, so they cannot deadlock,
# and makes them count one after the other.
REFUSE_OVERFULL = """
CREATE FUNCTION refuse_overfull(group_ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    target record;
BEGIN
    FOR target IN
        SELECT course_id, id, capacity FROM groups
        WHERE id = ANY (group_ids) AND capacity IS NOT NULL
        ORDER BY id FOR NO KEY UPDATE
    LOOP
        IF target.capacity < (SELECT count(*) FROM memberships m
                              WHERE m.course_id = target.course_id AND m.group_id = target.id)
        THEN
            RAISE EXCEPTION 'the group is full'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'group_capacity',
                  DETAIL = target.id::text;
        END IF;
    END LOOP;
END $$
"""

IN_PARTITION = "JOIN partitions p ON p.course_id = n.course_id AND p.id = n.partition_id"

# KEY SHARE holds off the deletion of an enrollment that a membership is about to lean on.
# The lateral subquery keeps the planner from hashing the whole course for a few rows.
MEMBERSHIPS_CREATED = f"""
CREATE FUNCTION check_memberships_created() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted bigint;
    enrolled bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM new_rows) THEN
        RETURN NULL;
    END IF;
    PERFORM refuse_locked(ARRAY(SELECT DISTINCT course_id FROM new_rows));
    IF EXISTS (SELECT FROM new_rows n {IN_PARTITION} WHERE p.kind = 'default') THEN
        RAISE EXCEPTION 'membership of the default group is derived'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'default_partition';
    END IF;
    SELECT count(*) INTO wanted FROM new_rows n {IN_PARTITION} WHERE p.kind <> 'cohorts';
    SELECT count(*) INTO enrolled FROM (
        SELECT FROM new_rows n {IN_PARTITION}
        CROSS JOIN LATERAL (
            SELECT FROM enrollments e
            WHERE e.course_id = n.course_id AND e.user_id = n.user_id
            OFFSET 0 FOR KEY SHARE
        ) held
        WHERE p.kind <> 'cohorts'
    ) found;
    IF wanted <> enrolled THEN
        RAISE EXCEPTION 'the user is not enrolled in the course'
        USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'member_enrolled';
    END IF;
    PERFORM refuse_overfull(ARRAY(SELECT DISTINCT group_id FROM new_rows));
    {{follow}}
    RETURN NULL;
END $$
"""

MEMBERSHIPS_UPDATED = """
CREATE FUNCTION check_memberships_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM new_rows) THEN
        RETURN NULL;
    END IF;
    PERFORM refuse_locked(ARRAY(SELECT DISTINCT course_id FROM new_rows));
    PERFORM refuse_overfull(ARRAY(SELECT DISTINCT group_id FROM new_rows));
    {follow}
    RETURN NULL;
END $$
"""

MEMBERSHIPS_DELETED = """
CREATE FUNCTION check_memberships_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM old_rows) THEN
        RETURN NULL;
    END IF;
    PERFORM refuse_locked(ARRAY(SELECT DISTINCT course_id FROM old_rows));
    {follow}
    RETURN NULL;
END $$
"""


def _follow_tracks(rows: str, track: str) -> str:
    """Membership in a tracks group decides the track of the enrollment."""
    return f"""
    UPDATE enrollments e SET track = t.track
    FROM (
        SELECT n.course_id, n.user_id, {track} AS track FROM {rows} n {IN_PARTITION}
        JOIN groups g ON g.course_id = n.course_id AND g.id = n.group_id
        WHERE p.kind = 'tracks'
    ) t
    WHERE e.course_id = t.course_id AND e.user_id = t.user_id
      AND e.track IS DISTINCT FROM t.track;
    """


MEMBERSHIP_KEYS = """
CREATE FUNCTION refuse_rekeying() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.course_id, NEW.partition_id, NEW.user_id)
       IS DISTINCT FROM (OLD.course_id, OLD.partition_id, OLD.user_id)
    THEN
        RAISE EXCEPTION 'a membership moves between the groups of one partition only'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'membership_key';
    END IF;
    RETURN NEW;
END $$
"""

# Depth 0 is what a caller asked for; deeper is the course or the partition taking its own along.
PARTITIONS = """
CREATE FUNCTION check_partition() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was_default boolean := TG_OP <> 'INSERT' AND OLD.kind = 'default';
    is_default boolean := TG_OP <> 'DELETE' AND NEW.kind = 'default';
BEGIN
    IF pg_trigger_depth() = 1 THEN
        PERFORM refuse_locked(ARRAY[CASE TG_OP WHEN 'DELETE' THEN OLD.course_id
                                               ELSE NEW.course_id END]);
        IF was_default OR is_default THEN
            RAISE EXCEPTION 'the default partition is not for editing'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'default_partition';
        END IF;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.course_id, NEW.id, NEW.kind) <> (OLD.course_id, OLD.id, OLD.kind)
    THEN
        RAISE EXCEPTION 'a partition keeps its course and kind'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'partition_key';
    END IF;
    IF TG_OP = 'DELETE' THEN
        DELETE FROM memberships WHERE course_id = OLD.course_id AND partition_id = OLD.id;
        DELETE FROM groups WHERE course_id = OLD.course_id AND partition_id = OLD.id;
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$
"""

# The groups of a tracks partition come from the course's list of tracks and from nowhere else.
GROUPS = """
CREATE FUNCTION check_group() RETURNS trigger LANGUAGE plpgsql AS $$
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
                USING ERRCODE = 'check_violation', CONSTRAINT = 'group_capacity',
                      DETAIL = NEW.id::text;
            END IF;
        END IF;
    END IF;
    RETURN NEW;
END $$
"""

# After the row is gone: leaving a tracks group would otherwise write to the row being deleted.
ENROLLMENTS = """
CREATE FUNCTION leave_groups() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM memberships m USING partitions p
    WHERE m.user_id = OLD.user_id AND m.course_id = OLD.course_id
      AND p.course_id = m.course_id AND p.id = m.partition_id AND p.kind <> 'cohorts';
    RETURN NULL;
END $$
"""

USERS = """
CREATE FUNCTION leave_everything() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM memberships WHERE user_id = OLD.id;
    DELETE FROM enrollments WHERE user_id = OLD.id;
    RETURN OLD;
END $$
"""

COURSES_CREATED = """
CREATE FUNCTION divide_by_default() RETURNS trigger LANGUAGE plpgsql AS $$
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

COURSES_DELETED = """
CREATE FUNCTION clear_course() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_locked(ARRAY[OLD.id]);
    DELETE FROM partitions WHERE course_id = OLD.id;
    DELETE FROM enrollments WHERE course_id = OLD.id;
    DELETE FROM cohort_settings WHERE course_id = OLD.id;
    DELETE FROM content_partitions WHERE course_id = OLD.id;
    RETURN OLD;
END $$
"""

FOLLOW_NEW = _follow_tracks("new_rows", "g.name")
FOLLOW_OLD = _follow_tracks("old_rows", "NULL::text")

FUNCTIONS = {
    "refuse_locked(bigint[])": REFUSE_LOCKED,
    "refuse_overfull(bigint[])": REFUSE_OVERFULL,
    "check_memberships_created()": MEMBERSHIPS_CREATED.format(follow=FOLLOW_NEW),
    "check_memberships_updated()": MEMBERSHIPS_UPDATED.format(follow=FOLLOW_NEW),
    "check_memberships_deleted()": MEMBERSHIPS_DELETED.format(follow=FOLLOW_OLD),
    "refuse_rekeying()": MEMBERSHIP_KEYS,
    "check_partition()": PARTITIONS,
    "check_group()": GROUPS,
    "leave_groups()": ENROLLMENTS,
    "leave_everything()": USERS,
    "divide_by_default()": COURSES_CREATED,
    "clear_course()": COURSES_DELETED,
}

# (table, trigger, when, function); a_ fires before z_log writes the line
TRIGGERS = [
    (
        "memberships",
        "a_created",
        "AFTER INSERT ON {0} REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
        "check_memberships_created()",
    ),
    (
        "memberships",
        "a_updated",
        "AFTER UPDATE ON {0} REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
        "check_memberships_updated()",
    ),
    (
        "memberships",
        "a_deleted",
        "AFTER DELETE ON {0} REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT",
        "check_memberships_deleted()",
    ),
    (
        "memberships",
        "a_key",
        "BEFORE UPDATE OF course_id, partition_id, user_id ON {0} FOR EACH ROW",
        "refuse_rekeying()",
    ),
    (
        "partitions",
        "a_rules",
        "BEFORE INSERT OR UPDATE OR DELETE ON {0} FOR EACH ROW",
        "check_partition()",
    ),
    ("groups", "a_rules", "BEFORE INSERT OR UPDATE OR DELETE ON {0} FOR EACH ROW", "check_group()"),
    ("enrollments", "a_leave", "AFTER DELETE ON {0} FOR EACH ROW", "leave_groups()"),
    ("users", "a_leave", "BEFORE DELETE ON {0} FOR EACH ROW", "leave_everything()"),
    ("courses", "zz_divide", "AFTER INSERT ON {0} FOR EACH ROW", "divide_by_default()"),
    ("courses", "a_clear", "BEFORE DELETE ON {0} FOR EACH ROW", "clear_course()"),
]


def upgrade() -> None:
    for function in FUNCTIONS.values():
        op.execute(function)
    for table, name, when, function in TRIGGERS:
        op.execute(f"CREATE TRIGGER {name} {when.format(table)} EXECUTE FUNCTION {function}")


def downgrade() -> None:
    for table, name, _, _ in reversed(TRIGGERS):
        op.execute(f"DROP TRIGGER {name} ON {table}")
    for signature in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {signature}")
