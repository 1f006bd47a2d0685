-- The change log writes itself.
--
-- Rule: nothing changes without its line, which is written in the transaction of the change.
-- One transaction is one changeset, but for a statement of several callers. Who is acting stands in
-- settings of the transaction: groupsvc.actor, groupsvc.request_id, groupsvc.cause.

CREATE TABLE changes (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    course_id bigint NOT NULL DEFAULT 0,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    request_id text,
    changeset_id uuid NOT NULL,
    cause text,
    kind text NOT NULL,
    partition_id bigint,
    group_id bigint,
    user_id bigint,
    before jsonb,
    after jsonb,
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT pk_changes PRIMARY KEY (course_id, seq)
);

CREATE INDEX ix_changes_seq ON changes (seq);
-- Of a user, and of a partition itself, whose lines are about no user.
CREATE INDEX ix_changes_user_id ON changes (user_id, partition_id, seq);
-- Whoever has left a partition: with its members, all who were ever in it.
CREATE INDEX ix_changes_removed ON changes (partition_id, user_id)
    WHERE kind = 'membership.removed';
-- Lines of one actor, and of one partition, mostly follow one another, and those of one changeset
-- do. Every change pays for every index, and for these next to nothing; they are two because what
-- they say of a range has to fit into a page.
CREATE INDEX ix_changes_clustered ON changes
    USING brin (actor text_bloom_ops, partition_id int8_bloom_ops) WITH (autosummarize = on);
CREATE INDEX ix_changes_changeset_id ON changes
    USING brin (changeset_id uuid_bloom_ops) WITH (autosummarize = on);
-- Where a group was that is no longer there.
CREATE INDEX ix_changes_deleted_group ON changes (group_id) WHERE kind = 'group.deleted';
-- For readers that come back for more: sequence numbers do not commit in order, but transactions
-- below the oldest one still running are over.
CREATE INDEX ix_changes_transaction_id ON changes (transaction_id, seq);

-- Rule: the change log is append-only.
CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the change log is append-only'
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'changes_append_only';
END $$;

-- What may leave it or be forgotten in it is in 8_audit.sql.
CREATE TRIGGER append_only BEFORE TRUNCATE ON changes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

-- Rule: every line names who acted; without a caller, the role of the database session.
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
END $$;

-- Rule: a line that several callers could have made names the one who did.
-- A statement for several callers tells who changes what of which user: groupsvc.callers has by
-- user id the actor, request id, cause and changeset. What is nobody's is not written.
CREATE FUNCTION name_caller() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    caller jsonb := current_setting('groupsvc.callers')::jsonb -> NEW.user_id::text;
BEGIN
    IF caller IS NULL THEN
        RAISE EXCEPTION 'the change is of none of the callers'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'changes_caller';
    END IF;
    NEW.actor := caller ->> 0;
    NEW.request_id := nullif(caller ->> 1, '');
    NEW.cause := nullif(caller ->> 2, '');
    NEW.changeset_id := (caller ->> 3)::uuid;
    RETURN NEW;
END $$;

CREATE TRIGGER name_caller BEFORE INSERT ON changes FOR EACH ROW
    WHEN (current_setting('groupsvc.callers', true) <> '') EXECUTE FUNCTION name_caller();

-- Small tables that rarely change: one row at a time, the whole row before and after, without the
-- columns that the trigger names. A partition or group that is deleted keeps all of them in its line,
-- so that it can come back as it was. A grant or a role may name a course, but who may do what is for
-- administrators to read: its line is outside every course. Courses and departments show what is set.
CREATE FUNCTION log_row() RETURNS trigger LANGUAGE plpgsql AS $$
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
END $$;

CREATE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON departments
    FOR EACH ROW EXECUTE FUNCTION log_row('department', 'created_at');
CREATE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON courses
    FOR EACH ROW EXECUTE FUNCTION log_row('course', 'created_at imported_key');
CREATE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON partitions
    FOR EACH ROW EXECUTE FUNCTION log_row('partition', 'created_at imported_key');
CREATE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON groups
    FOR EACH ROW EXECUTE FUNCTION log_row('group', 'created_at imported_key');
CREATE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON former_names
    FOR EACH ROW EXECUTE FUNCTION log_row('former_name', 'course_id partition_id group_id');
CREATE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON cohort_settings
    FOR EACH ROW EXECUTE FUNCTION log_row('cohort_settings', 'created_at');
CREATE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON content_partitions
    FOR EACH ROW EXECUTE FUNCTION log_row('content_partition', 'created_at');
CREATE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON grants
    FOR EACH ROW EXECUTE FUNCTION log_row('grant', 'id');
CREATE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON roles
    FOR EACH ROW EXECUTE FUNCTION log_row('role', 'id user_id');
-- Rule: addresses, secrets, names of persons and documents stay out of the log. A new secret
-- leaves a line that shows no difference.
CREATE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON preassignments
    FOR EACH ROW EXECUTE FUNCTION log_row('preassignment', 'email');
CREATE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION log_row('account', 'created_at secret_hash username');
CREATE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON auto_assignments
    FOR EACH ROW EXECUTE FUNCTION log_row('auto_assignment', 'document');

-- Rule: users stand in the log by id alone, with the names of the fields that changed and never
-- their values: erasing the user erases what the log knew of them.
CREATE FUNCTION log_users_created() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE context record;
BEGIN
    IF NOT EXISTS (SELECT FROM new_rows) THEN RETURN NULL; END IF;
    context := change_context();
    INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
        partition_id, group_id, user_id, before, after)
    SELECT 0, context.actor, context.request_id, context.changeset_id, context.cause,
        'user.created', NULL, NULL, n.id, NULL, NULL
    FROM new_rows n ORDER BY n.id;
    RETURN NULL;
END $$;

CREATE TRIGGER z_log_created AFTER INSERT ON users REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION log_users_created();

-- A trigger keeps the plan of its first call, and one that was made for a single row compares every
-- old row with every new one. So from nine rows on EXECUTE plans for the rows that there are; below
-- that the kept plan is the better one.
CREATE FUNCTION log_users_updated() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE context record;
BEGIN
    IF NOT EXISTS (SELECT FROM new_rows) THEN RETURN NULL; END IF;
    context := change_context();
    IF (SELECT count(*) FROM (SELECT FROM new_rows LIMIT 9) first) = 9 THEN
        EXECUTE $statement$
            INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
                partition_id, group_id, user_id, before, after)
            SELECT 0, $1, $2, $3, $4, 'user.updated', NULL, NULL, n.id, NULL,
                jsonb_build_object('fields', (
                    SELECT jsonb_agg(f.key ORDER BY f.key) FROM jsonb_each(to_jsonb(n)) f
                    WHERE f.value IS DISTINCT FROM to_jsonb(o) -> f.key))
            FROM new_rows n JOIN old_rows o ON o.id = n.id
            WHERE n IS DISTINCT FROM o ORDER BY n.id
        $statement$ USING context.actor, context.request_id, context.changeset_id, context.cause;
    ELSE
        INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
            partition_id, group_id, user_id, before, after)
        SELECT 0, context.actor, context.request_id, context.changeset_id, context.cause,
            'user.updated', NULL, NULL, n.id, NULL,
            jsonb_build_object('fields', (
                SELECT jsonb_agg(f.key ORDER BY f.key) FROM jsonb_each(to_jsonb(n)) f
                WHERE f.value IS DISTINCT FROM to_jsonb(o) -> f.key))
        FROM new_rows n JOIN old_rows o ON o.id = n.id
        WHERE n IS DISTINCT FROM o ORDER BY n.id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER z_log_updated AFTER UPDATE ON users
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION log_users_updated();

CREATE FUNCTION log_users_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE context record;
BEGIN
    IF NOT EXISTS (SELECT FROM old_rows) THEN RETURN NULL; END IF;
    context := change_context();
    INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
        partition_id, group_id, user_id, before, after)
    SELECT 0, context.actor, context.request_id, context.changeset_id, context.cause,
        'user.deleted', NULL, NULL, o.id, NULL, NULL
    FROM old_rows o ORDER BY o.id;
    RETURN NULL;
END $$;

CREATE TRIGGER z_log_deleted AFTER DELETE ON users REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION log_users_deleted();

-- The ids that others know a user by are fields of the user, told in the log as such.
CREATE FUNCTION log_external_ids() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE context record;
BEGIN
    IF NEW = OLD THEN RETURN NULL; END IF;
    context := change_context();
    INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
        partition_id, group_id, user_id, before, after)
    SELECT 0, context.actor, context.request_id, context.changeset_id, context.cause,
        'user.updated', NULL, NULL, u.id, NULL, '{"fields": ["external_ids"]}'
    FROM users u WHERE u.id = coalesce(NEW.user_id, OLD.user_id);
    RETURN NULL;
END $$;

CREATE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON external_ids
    FOR EACH ROW EXECUTE FUNCTION log_external_ids();

CREATE FUNCTION log_enrollments_created() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE context record;
BEGIN
    IF NOT EXISTS (SELECT FROM new_rows) THEN RETURN NULL; END IF;
    context := change_context();
    INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
        partition_id, group_id, user_id, before, after)
    SELECT n.course_id, context.actor, context.request_id, context.changeset_id, context.cause,
        'enrollment.created', NULL, NULL, n.user_id, NULL,
        jsonb_build_object('state', n.state, 'track', n.track)
    FROM new_rows n ORDER BY n.course_id, n.user_id;
    RETURN NULL;
END $$;

CREATE TRIGGER z_log_created AFTER INSERT ON enrollments REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION log_enrollments_created();

CREATE FUNCTION log_enrollments_updated() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE context record;
BEGIN
    IF NOT EXISTS (SELECT FROM new_rows) THEN RETURN NULL; END IF;
    context := change_context();
    IF (SELECT count(*) FROM (SELECT FROM new_rows LIMIT 9) first) = 9 THEN
        EXECUTE $statement$
            INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
                partition_id, group_id, user_id, before, after)
            SELECT n.course_id, $1, $2, $3, $4, 'enrollment.updated', NULL, NULL, n.user_id,
                jsonb_build_object('state', o.state, 'track', o.track),
                jsonb_build_object('state', n.state, 'track', n.track)
            FROM new_rows n JOIN old_rows o USING (course_id, user_id)
            WHERE (n.state, n.track) IS DISTINCT FROM (o.state, o.track)
            ORDER BY n.course_id, n.user_id
        $statement$ USING context.actor, context.request_id, context.changeset_id, context.cause;
    ELSE
        INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
            partition_id, group_id, user_id, before, after)
        SELECT n.course_id, context.actor, context.request_id, context.changeset_id, context.cause,
            'enrollment.updated', NULL, NULL, n.user_id,
            jsonb_build_object('state', o.state, 'track', o.track),
            jsonb_build_object('state', n.state, 'track', n.track)
        FROM new_rows n JOIN old_rows o USING (course_id, user_id)
        WHERE (n.state, n.track) IS DISTINCT FROM (o.state, o.track)
        ORDER BY n.course_id, n.user_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER z_log_updated AFTER UPDATE ON enrollments
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION log_enrollments_updated();

CREATE FUNCTION log_enrollments_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE context record;
BEGIN
    IF NOT EXISTS (SELECT FROM old_rows) THEN RETURN NULL; END IF;
    context := change_context();
    INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
        partition_id, group_id, user_id, before, after)
    SELECT o.course_id, context.actor, context.request_id, context.changeset_id, context.cause,
        'enrollment.deleted', NULL, NULL, o.user_id,
        jsonb_build_object('state', o.state, 'track', o.track), NULL
    FROM old_rows o ORDER BY o.course_id, o.user_id;
    RETURN NULL;
END $$;

CREATE TRIGGER z_log_deleted AFTER DELETE ON enrollments REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION log_enrollments_deleted();

-- Lines about memberships are written by the triggers that check them, in 6_rules.sql. What such a
-- line says of a group before and after is short: its id, its name, the name of its partition. A
-- line of before migration 0026 says it at length, as all are read.
CREATE FUNCTION told(place jsonb) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT CASE WHEN jsonb_typeof(place) = 'array' AND place -> 2 IS NOT NULL AND place -> 3 IS NULL
    THEN jsonb_build_object(
        'group_id', place -> 0, 'group_name', place -> 1, 'partition_name', place -> 2)
    ELSE place
END $$;
