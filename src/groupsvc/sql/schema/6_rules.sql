-- What must never break, whoever writes and through whatever path.
--
-- A refusal is raised like a broken constraint: its CONSTRAINT names the rule, and
-- db/constraints.py gives that name its meaning. Rows are locked in one order: course, partition,
-- group, user. Triggers named a_ fire before z_log writes the line of the change log; those of
-- memberships write it themselves.

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

-- What changes memberships is checked and written to the change log by one trigger, and a single
-- row in an open course, an ordinary partition and a group without a capacity by one statement: it
-- finds all that the rules want under the locks that they want, and writes the line. So are a few,
-- all or none of them. Where it finds less, the rules are asked one by one, and a course that is
-- being locked is waited for.
--
-- Rule: a line about a membership keeps the names that group and partition had: told() reads them.
-- For many rows the names are looked up once: joined to every row they cost as much as the line.
-- A trigger keeps the plan of its first call, and one that was made for a single row compares every
-- old row with every new one. So from nine rows on EXECUTE plans for the rows that there are; below
-- that the kept plan is the better one.

-- Rule: nobody is put into the default partition, whose members are the enrolled users.
-- Rule: members are enrolled in the course; cohorts take any known user.
-- Rule: membership in a tracks group sets the track of the enrollment.
CREATE FUNCTION check_memberships_created() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    one record;
    changed bigint;
    context record;
    kinds text[];
    names jsonb;
BEGIN
    SELECT * INTO one FROM new_rows;
    IF NOT FOUND THEN RETURN NULL; END IF;
    context := change_context();
    INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
        partition_id, group_id, user_id, before, after)
    SELECT one.course_id, context.actor, context.request_id, context.changeset_id, context.cause,
        'membership.assigned', one.partition_id, one.group_id, one.user_id,
        NULL, jsonb_build_array(g.id, g.name, p.name)
    FROM courses c
    JOIN partitions p
        ON p.course_id = c.id AND p.id = one.partition_id AND p.kind = 'ordinary'
    JOIN groups g ON g.course_id = c.id AND g.id = one.group_id AND g.capacity IS NULL
    JOIN enrollments e ON e.course_id = c.id AND e.user_id = one.user_id
    WHERE c.id = one.course_id AND NOT c.is_locked
      AND NOT EXISTS (SELECT FROM new_rows OFFSET 1)
    FOR SHARE OF c FOR KEY SHARE OF e;
    IF FOUND THEN RETURN NULL; END IF;
    SELECT count(*) INTO changed FROM (SELECT FROM new_rows LIMIT 33) first;
    IF changed BETWEEN 2 AND 32 THEN
        WITH looked AS MATERIALIZED (
            SELECT n.*, jsonb_build_array(g.id, g.name, p.name) AS entered
            FROM new_rows n
            JOIN courses c ON c.id = n.course_id AND NOT c.is_locked
            JOIN partitions p
                ON p.course_id = c.id AND p.id = n.partition_id AND p.kind = 'ordinary'
            JOIN groups g ON g.course_id = c.id AND g.id = n.group_id AND g.capacity IS NULL
            JOIN enrollments e ON e.course_id = c.id AND e.user_id = n.user_id
            ORDER BY n.course_id, n.partition_id, n.user_id
            FOR SHARE OF c FOR KEY SHARE OF e
        )
        INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
            partition_id, group_id, user_id, before, after)
        SELECT course_id, context.actor, context.request_id, context.changeset_id, context.cause,
            'membership.assigned', partition_id, group_id, user_id, NULL, entered
        FROM looked WHERE (SELECT count(*) FROM looked) = changed;
        IF FOUND THEN RETURN NULL; END IF;
    END IF;
    PERFORM refuse_locked(ARRAY(SELECT DISTINCT course_id FROM new_rows));
    SELECT array_agg(DISTINCT p.kind) INTO kinds
    FROM (SELECT DISTINCT course_id, partition_id FROM new_rows) n
    JOIN partitions p ON p.course_id = n.course_id AND p.id = n.partition_id;
    IF 'default' = ANY (kinds) THEN
        RAISE EXCEPTION 'membership of the default group is derived'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'default_partition';
    END IF;
    -- KEY SHARE holds off the deletion of an enrollment that a membership is about to lean on.
    -- OFFSET 0 keeps the planner from hashing the whole course for a few rows.
    IF kinds <> '{cohorts}' AND EXISTS (
        SELECT FROM new_rows n
        LEFT JOIN LATERAL (
            SELECT true AS is_there FROM enrollments e
            WHERE e.course_id = n.course_id AND e.user_id = n.user_id
            OFFSET 0 FOR KEY SHARE
        ) held ON true
        WHERE held.is_there IS NULL AND NOT EXISTS (
            SELECT FROM partitions p
            WHERE p.course_id = n.course_id AND p.id = n.partition_id AND p.kind = 'cohorts')
    ) THEN
        RAISE EXCEPTION 'the user is not enrolled in the course'
        USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'member_enrolled';
    END IF;
    PERFORM refuse_overfull(ARRAY(SELECT DISTINCT group_id FROM new_rows));
    IF 'tracks' = ANY (kinds) THEN
        UPDATE enrollments e SET track = t.track
        FROM (
            SELECT n.course_id, n.user_id, g.name AS track FROM new_rows n
            JOIN partitions p ON p.course_id = n.course_id AND p.id = n.partition_id
            JOIN groups g ON g.course_id = n.course_id AND g.id = n.group_id
            WHERE p.kind = 'tracks'
        ) t
        WHERE e.course_id = t.course_id AND e.user_id = t.user_id
          AND e.track IS DISTINCT FROM t.track;
    END IF;
    IF (SELECT count(*) FROM (SELECT FROM new_rows LIMIT 9) first) = 9 THEN
        SELECT jsonb_object_agg(g.id, jsonb_build_array(g.id, g.name, p.name)) INTO names
        FROM groups g JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id
        WHERE g.id = ANY (ARRAY(SELECT DISTINCT group_id FROM new_rows));
        EXECUTE $statement$
            INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
                partition_id, group_id, user_id, before, after)
            SELECT n.course_id, $1, $2, $3, $4, 'membership.assigned', n.partition_id,
                n.group_id, n.user_id, NULL, $5 -> n.group_id::text
            FROM new_rows n ORDER BY n.partition_id, n.user_id
        $statement$ USING
            context.actor, context.request_id, context.changeset_id, context.cause, names;
    ELSE
        INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
            partition_id, group_id, user_id, before, after)
        SELECT n.course_id, context.actor, context.request_id, context.changeset_id, context.cause,
            'membership.assigned', n.partition_id, n.group_id, n.user_id,
            NULL, jsonb_build_array(g.id, g.name, p.name)
        FROM new_rows n
        JOIN partitions p ON p.course_id = n.course_id AND p.id = n.partition_id
        JOIN groups g ON g.course_id = n.course_id AND g.id = n.group_id
        ORDER BY n.partition_id, n.user_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER a_created AFTER INSERT ON memberships REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION check_memberships_created();

-- Rule: whoever moves leaves an open course's group for one with a place, and changes track.
CREATE FUNCTION check_memberships_updated() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    one record;
    changed bigint;
    context record;
    kinds text[];
    names jsonb;
BEGIN
    SELECT n.*, o.group_id AS left_id INTO one FROM new_rows n, old_rows o;
    IF NOT FOUND THEN RETURN NULL; END IF;
    context := change_context();
    INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
        partition_id, group_id, user_id, before, after)
    SELECT one.course_id, context.actor, context.request_id, context.changeset_id, context.cause,
        'membership.moved', one.partition_id, one.group_id, one.user_id,
        jsonb_build_array(f.id, f.name, p.name), jsonb_build_array(g.id, g.name, p.name)
    FROM courses c
    JOIN partitions p ON p.course_id = c.id AND p.id = one.partition_id AND p.kind <> 'tracks'
    JOIN groups g ON g.course_id = c.id AND g.id = one.group_id AND g.capacity IS NULL
    JOIN groups f ON f.course_id = c.id AND f.id = one.left_id
    WHERE c.id = one.course_id AND NOT c.is_locked AND one.group_id <> one.left_id
      AND NOT EXISTS (SELECT FROM new_rows OFFSET 1)
    FOR SHARE OF c;
    IF FOUND THEN RETURN NULL; END IF;
    SELECT count(*) INTO changed FROM (SELECT FROM new_rows LIMIT 33) first;
    IF changed BETWEEN 2 AND 32 THEN
        WITH looked AS MATERIALIZED (
            SELECT n.*, jsonb_build_array(f.id, f.name, p.name) AS "left",
                jsonb_build_array(g.id, g.name, p.name) AS entered
            FROM new_rows n
            JOIN old_rows o USING (course_id, partition_id, user_id)
            JOIN courses c ON c.id = n.course_id AND NOT c.is_locked
            JOIN partitions p
                ON p.course_id = c.id AND p.id = n.partition_id AND p.kind <> 'tracks'
            JOIN groups g ON g.course_id = c.id AND g.id = n.group_id AND g.capacity IS NULL
            JOIN groups f ON f.course_id = c.id AND f.id = o.group_id
            WHERE n.group_id <> o.group_id
            ORDER BY n.course_id, n.partition_id, n.user_id
            FOR SHARE OF c
        )
        INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
            partition_id, group_id, user_id, before, after)
        SELECT course_id, context.actor, context.request_id, context.changeset_id, context.cause,
            'membership.moved', partition_id, group_id, user_id, "left", entered
        FROM looked WHERE (SELECT count(*) FROM looked) = changed;
        IF FOUND THEN RETURN NULL; END IF;
    END IF;
    PERFORM refuse_locked(ARRAY(SELECT DISTINCT course_id FROM new_rows));
    SELECT array_agg(DISTINCT p.kind) INTO kinds
    FROM (SELECT DISTINCT course_id, partition_id FROM new_rows) n
    JOIN partitions p ON p.course_id = n.course_id AND p.id = n.partition_id;
    PERFORM refuse_overfull(ARRAY(SELECT DISTINCT group_id FROM new_rows));
    IF 'tracks' = ANY (kinds) THEN
        UPDATE enrollments e SET track = t.track
        FROM (
            SELECT n.course_id, n.user_id, g.name AS track FROM new_rows n
            JOIN partitions p ON p.course_id = n.course_id AND p.id = n.partition_id
            JOIN groups g ON g.course_id = n.course_id AND g.id = n.group_id
            WHERE p.kind = 'tracks'
        ) t
        WHERE e.course_id = t.course_id AND e.user_id = t.user_id
          AND e.track IS DISTINCT FROM t.track;
    END IF;
    IF (SELECT count(*) FROM (SELECT FROM new_rows LIMIT 9) first) = 9 THEN
        SELECT jsonb_object_agg(g.id, jsonb_build_array(g.id, g.name, p.name)) INTO names
        FROM groups g JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id
        WHERE g.id = ANY (ARRAY(SELECT DISTINCT group_id FROM (
            SELECT group_id FROM new_rows UNION SELECT group_id FROM old_rows) few));
        EXECUTE $statement$
            INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
                partition_id, group_id, user_id, before, after)
            SELECT n.course_id, $1, $2, $3, $4, 'membership.moved', n.partition_id,
                n.group_id, n.user_id, $5 -> o.group_id::text, $5 -> n.group_id::text
            FROM new_rows n JOIN old_rows o USING (course_id, partition_id, user_id)
            WHERE n.group_id <> o.group_id
            ORDER BY n.partition_id, n.user_id
        $statement$ USING
            context.actor, context.request_id, context.changeset_id, context.cause, names;
    ELSE
        INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
            partition_id, group_id, user_id, before, after)
        SELECT n.course_id, context.actor, context.request_id, context.changeset_id, context.cause,
            'membership.moved', n.partition_id, n.group_id, n.user_id,
            jsonb_build_array(f.id, f.name, p.name), jsonb_build_array(g.id, g.name, p.name)
        FROM new_rows n
        JOIN old_rows o USING (course_id, partition_id, user_id)
        JOIN partitions p ON p.course_id = n.course_id AND p.id = n.partition_id
        JOIN groups g ON g.course_id = n.course_id AND g.id = n.group_id
        JOIN groups f ON f.course_id = o.course_id AND f.id = o.group_id
        WHERE n.group_id <> o.group_id
        ORDER BY n.partition_id, n.user_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER a_updated AFTER UPDATE ON memberships
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION check_memberships_updated();

-- Rule: whoever leaves a tracks group, or loses it, has no track.
CREATE FUNCTION check_memberships_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    one record;
    context record;
    kinds text[];
    names jsonb;
BEGIN
    SELECT * INTO one FROM old_rows;
    IF NOT FOUND THEN RETURN NULL; END IF;
    context := change_context();
    INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
        partition_id, group_id, user_id, before, after)
    SELECT one.course_id, context.actor, context.request_id, context.changeset_id, context.cause,
        'membership.removed', one.partition_id, one.group_id, one.user_id,
        jsonb_build_array(g.id, g.name, p.name), NULL
    FROM courses c
    JOIN partitions p ON p.course_id = c.id AND p.id = one.partition_id AND p.kind <> 'tracks'
    JOIN groups g ON g.course_id = c.id AND g.id = one.group_id
    WHERE c.id = one.course_id AND NOT c.is_locked
      AND NOT EXISTS (SELECT FROM old_rows OFFSET 1)
    FOR SHARE OF c;
    IF FOUND THEN RETURN NULL; END IF;
    PERFORM refuse_locked(ARRAY(SELECT DISTINCT course_id FROM old_rows));
    SELECT array_agg(DISTINCT p.kind) INTO kinds
    FROM (SELECT DISTINCT course_id, partition_id FROM old_rows) n
    JOIN partitions p ON p.course_id = n.course_id AND p.id = n.partition_id;
    IF 'tracks' = ANY (kinds) THEN
        UPDATE enrollments e SET track = t.track
        FROM (
            SELECT n.course_id, n.user_id, NULL::text AS track FROM old_rows n
            JOIN partitions p ON p.course_id = n.course_id AND p.id = n.partition_id
            JOIN groups g ON g.course_id = n.course_id AND g.id = n.group_id
            WHERE p.kind = 'tracks'
        ) t
        WHERE e.course_id = t.course_id AND e.user_id = t.user_id
          AND e.track IS DISTINCT FROM t.track;
    END IF;
    IF (SELECT count(*) FROM (SELECT FROM old_rows LIMIT 9) first) = 9 THEN
        SELECT jsonb_object_agg(g.id, jsonb_build_array(g.id, g.name, p.name)) INTO names
        FROM groups g JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id
        WHERE g.id = ANY (ARRAY(SELECT DISTINCT group_id FROM old_rows));
        EXECUTE $statement$
            INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
                partition_id, group_id, user_id, before, after)
            SELECT o.course_id, $1, $2, $3, $4, 'membership.removed', o.partition_id,
                o.group_id, o.user_id, $5 -> o.group_id::text, NULL
            FROM old_rows o ORDER BY o.partition_id, o.user_id
        $statement$ USING
            context.actor, context.request_id, context.changeset_id, context.cause, names;
    ELSE
        INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
            partition_id, group_id, user_id, before, after)
        SELECT o.course_id, context.actor, context.request_id, context.changeset_id, context.cause,
            'membership.removed', o.partition_id, o.group_id, o.user_id,
            jsonb_build_array(g.id, g.name, p.name), NULL
        FROM old_rows o
        JOIN partitions p ON p.course_id = o.course_id AND p.id = o.partition_id
        JOIN groups g ON g.course_id = o.course_id AND g.id = o.group_id
        ORDER BY o.partition_id, o.user_id;
    END IF;
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
-- partition come from the course's list of tracks (cause 'tracks'), or come back when a change of it
-- is undone, and from nowhere else.
-- Rule: the default partition has its one group, the only one without a name.
-- Rule: a group keeps its partition, and its members and waiting addresses go with it. The addresses
-- are kept apart for a while, since they may come back with it and are not in the change log.
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

-- Rule: names that were changed are remembered, whoever changes them, and no longer when the user is
-- retired.
CREATE FUNCTION remember_user_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM former_user_names
    WHERE user_id = NEW.id AND (NEW.is_retired OR name IN (NEW.username, NEW.email));
    IF NOT NEW.is_retired THEN
        INSERT INTO former_user_names (user_id, name)
        SELECT NEW.id, name FROM unnest(ARRAY[OLD.username, OLD.email]) AS name
        WHERE name NOT IN (NEW.username, coalesce(NEW.email, ''))
        ON CONFLICT (user_id, name) DO UPDATE SET until = now();
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER b_remember AFTER UPDATE ON users FOR EACH ROW
    WHEN (OLD.username <> NEW.username OR OLD.email IS DISTINCT FROM NEW.email
          OR NEW.is_retired AND NOT OLD.is_retired)
    EXECUTE FUNCTION remember_user_names();

CREATE FUNCTION remember_course_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM former_course_keys WHERE course_id = NEW.id AND key = NEW.key;
    INSERT INTO former_course_keys (course_id, key) VALUES (NEW.id, OLD.key)
    ON CONFLICT (course_id, key) DO UPDATE SET until = now();
    RETURN NULL;
END $$;

CREATE TRIGGER b_remember AFTER UPDATE ON courses FOR EACH ROW
    WHEN (OLD.key <> NEW.key) EXECUTE FUNCTION remember_course_key();

-- A name that is given back because a change is undone was none.
CREATE FUNCTION remember_name() RETURNS trigger LANGUAGE plpgsql AS $$
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
END $$;

CREATE TRIGGER b_remember AFTER UPDATE ON partitions FOR EACH ROW
    WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION remember_name();

CREATE TRIGGER b_remember AFTER UPDATE ON groups FOR EACH ROW
    WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION remember_name();
