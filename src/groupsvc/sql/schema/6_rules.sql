-- What must never break, whoever writes and through whatever path.
--
-- A refusal is raised like a broken constraint: its CONSTRAINT names the rule, and
-- db/constraints.py gives that name its meaning. Rows are locked in one order: course, partition,
-- group, user. Triggers named a_ fire before z_log writes the line of the change log.

-- Rule: a locked course refuses every change to its partitions, groups and memberships.
-- FOR SHARE waits for a lock or unlock in flight and then sees its outcome; a plain read would not.
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
END $$;

-- Rule: a group with a capacity is never over it.
-- NO KEY UPDATE lets the key-share locks of concurrent inserts through, so they cannot deadlock,
-- and makes them count one after the other.
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
END $$;

-- Rule: nobody is put into the default partition, whose members are the enrolled users.
-- Rule: members are enrolled in the course; cohorts take any known user.
-- Rule: membership in a tracks group sets the track of the enrollment.
CREATE FUNCTION check_memberships_created() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted bigint;
    enrolled bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM new_rows) THEN RETURN NULL; END IF;
    PERFORM refuse_locked(ARRAY(SELECT DISTINCT course_id FROM new_rows));
    IF EXISTS (SELECT FROM new_rows n
               JOIN partitions p ON p.course_id = n.course_id AND p.id = n.partition_id
               WHERE p.kind = 'default') THEN
        RAISE EXCEPTION 'membership of the default group is derived'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'default_partition';
    END IF;
    SELECT count(*) INTO wanted FROM new_rows n
    JOIN partitions p ON p.course_id = n.course_id AND p.id = n.partition_id
    WHERE p.kind <> 'cohorts';
    -- KEY SHARE holds off the deletion of an enrollment that a membership is about to lean on.
    -- OFFSET 0 keeps the planner from hashing the whole course for a few rows.
    SELECT count(*) INTO enrolled FROM (
        SELECT FROM new_rows n
        JOIN partitions p ON p.course_id = n.course_id AND p.id = n.partition_id
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
    UPDATE enrollments e SET track = t.track
    FROM (
        SELECT n.course_id, n.user_id, g.name AS track FROM new_rows n
        JOIN partitions p ON p.course_id = n.course_id AND p.id = n.partition_id
        JOIN groups g ON g.course_id = n.course_id AND g.id = n.group_id
        WHERE p.kind = 'tracks'
    ) t
    WHERE e.course_id = t.course_id AND e.user_id = t.user_id
      AND e.track IS DISTINCT FROM t.track;
    RETURN NULL;
END $$;

CREATE TRIGGER a_created AFTER INSERT ON memberships REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION check_memberships_created();

-- Rule: whoever moves leaves an open course's group for one with a place, and changes track.
CREATE FUNCTION check_memberships_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM new_rows) THEN RETURN NULL; END IF;
    PERFORM refuse_locked(ARRAY(SELECT DISTINCT course_id FROM new_rows));
    PERFORM refuse_overfull(ARRAY(SELECT DISTINCT group_id FROM new_rows));
    UPDATE enrollments e SET track = t.track
    FROM (
        SELECT n.course_id, n.user_id, g.name AS track FROM new_rows n
        JOIN partitions p ON p.course_id = n.course_id AND p.id = n.partition_id
        JOIN groups g ON g.course_id = n.course_id AND g.id = n.group_id
        WHERE p.kind = 'tracks'
    ) t
    WHERE e.course_id = t.course_id AND e.user_id = t.user_id
      AND e.track IS DISTINCT FROM t.track;
    RETURN NULL;
END $$;

CREATE TRIGGER a_updated AFTER UPDATE ON memberships REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION check_memberships_updated();

-- Rule: whoever leaves a tracks group, or loses it, has no track.
CREATE FUNCTION check_memberships_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM old_rows) THEN RETURN NULL; END IF;
    PERFORM refuse_locked(ARRAY(SELECT DISTINCT course_id FROM old_rows));
    UPDATE enrollments e SET track = t.track
    FROM (
        SELECT n.course_id, n.user_id, NULL::text AS track FROM old_rows n
        JOIN partitions p ON p.course_id = n.course_id AND p.id = n.partition_id
        JOIN groups g ON g.course_id = n.course_id AND g.id = n.group_id
        WHERE p.kind = 'tracks'
    ) t
    WHERE e.course_id = t.course_id AND e.user_id = t.user_id
      AND e.track IS DISTINCT FROM t.track;
    RETURN NULL;
END $$;

CREATE TRIGGER a_deleted AFTER DELETE ON memberships REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION check_memberships_deleted();

-- Rule: a membership moves between the groups of one partition only.
CREATE FUNCTION refuse_rekeying() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.course_id, NEW.partition_id, NEW.user_id)
       IS DISTINCT FROM (OLD.course_id, OLD.partition_id, OLD.user_id)
    THEN
        RAISE EXCEPTION 'a membership moves between the groups of one partition only'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'membership_key';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER a_key BEFORE UPDATE OF course_id, partition_id, user_id ON memberships
    FOR EACH ROW EXECUTE FUNCTION refuse_rekeying();

-- Rule: the default partition is not created, edited or deleted by anybody.
-- Rule: a partition keeps its course and kind, and takes its groups along when it goes.
-- Depth 1 is what a caller asked for; deeper is a course that makes its default partition, or goes.
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
END $$;

CREATE TRIGGER a_rules BEFORE INSERT OR UPDATE OR DELETE ON partitions
    FOR EACH ROW EXECUTE FUNCTION check_partition();

-- Rule: groups that are not editable are not created, renamed or deleted; the groups of a tracks
-- partition come from the course's list of tracks (cause 'tracks') and from nowhere else.
-- Rule: the default partition has its one group, the only one without a name.
-- Rule: a group keeps its partition, and its members and waiting addresses go with it.
-- Rule: a capacity is not lowered below the number of members.
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
                USING ERRCODE = 'check_violation', CONSTRAINT = 'capacity_below_members',
                      DETAIL = NEW.id::text;
            END IF;
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER a_rules BEFORE INSERT OR UPDATE OR DELETE ON groups
    FOR EACH ROW EXECUTE FUNCTION check_group();

-- Rule: whoever is no longer enrolled leaves the groups of the course, but for its cohorts.
-- After the row is gone: leaving a tracks group would otherwise write to the row being deleted.
CREATE FUNCTION leave_groups() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM memberships m USING partitions p
    WHERE m.user_id = OLD.user_id AND m.course_id = OLD.course_id
      AND p.course_id = m.course_id AND p.id = m.partition_id AND p.kind <> 'cohorts';
    RETURN NULL;
END $$;

CREATE TRIGGER a_leave AFTER DELETE ON enrollments
    FOR EACH ROW EXECUTE FUNCTION leave_groups();

-- Rule: a user who is deleted leaves every group and course.
CREATE FUNCTION leave_everything() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM memberships WHERE user_id = OLD.id;
    DELETE FROM enrollments WHERE user_id = OLD.id;
    IF OLD.foreign_id IS NOT NULL THEN
        INSERT INTO former_users (id, foreign_id) VALUES (OLD.id, OLD.foreign_id);
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER a_leave BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION leave_everything();

-- Rule: every course has its default partition with one group, from the start.
-- Both get new ids, unless the transaction says which: those of a course that moves over.
CREATE FUNCTION divide_by_default() RETURNS trigger LANGUAGE plpgsql AS $$
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
END $$;

CREATE TRIGGER zz_divide AFTER INSERT ON courses
    FOR EACH ROW EXECUTE FUNCTION divide_by_default();

-- Rule: a course that is deleted, which a locked one is not, takes all that it holds along.
CREATE FUNCTION clear_course() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_locked(ARRAY[OLD.id]);
    DELETE FROM partitions WHERE course_id = OLD.id;
    DELETE FROM enrollments WHERE course_id = OLD.id;
    DELETE FROM cohort_settings WHERE course_id = OLD.id;
    DELETE FROM content_partitions WHERE course_id = OLD.id;
    RETURN OLD;
END $$;

CREATE TRIGGER a_clear BEFORE DELETE ON courses FOR EACH ROW EXECUTE FUNCTION clear_course();
