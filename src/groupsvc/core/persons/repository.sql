-- read: of_user
-- Also of a user who is no longer there: ids by which others know them outlive the user.
SELECT u.id IS NOT NULL AS exists, u.username, u.email,
       ARRAY[u.student_number, u.national_number] AS numbers,
       ARRAY[u.family_name, u.given_name, u.usual_name] AS names,
       ARRAY(SELECT f.name FROM former_user_names f WHERE f.user_id = given.id) AS former,
       ARRAY(SELECT x.external_id FROM external_ids x WHERE x.user_id = given.id)
           || coalesce(u.foreign_id::text, f.foreign_id::text) AS external,
       ARRAY(SELECT a.name FROM accounts a WHERE a.username = u.username) AS accounts
FROM (SELECT :user_id::bigint AS id) given
LEFT JOIN users u ON u.id = given.id
LEFT JOIN former_users f ON f.id = given.id;

-- read: everything
-- All that is known of a person, in one document.
SELECT json_build_object(
    'user', (SELECT row_to_json(u) FROM users u WHERE u.id = :user_id::bigint),
    'external_ids', (SELECT json_object_agg(x.system, x.external_id) FROM external_ids x
                     WHERE x.user_id = :user_id::bigint),
    'former_names', (SELECT json_agg(json_build_object('name', f.name, 'until', f.until)
                                     ORDER BY f.until, f.name)
                     FROM former_user_names f WHERE f.user_id = :user_id::bigint),
    'former_id_elsewhere', (SELECT f.foreign_id FROM former_users f WHERE f.id = :user_id::bigint),
    'roles', (SELECT json_agg(json_build_object('role', r.role, 'department', d.acronym,
                                                'course', c.key) ORDER BY r.id)
              FROM roles r LEFT JOIN departments d ON d.id = r.department_id
              LEFT JOIN courses c ON c.id = r.course_id WHERE r.user_id = :user_id::bigint),
    'enrollments', (SELECT json_agg(json_build_object(
                        'course', c.key, 'title', c.title, 'state', e.state, 'track', e.track,
                        'since', e.created_at) ORDER BY c.key)
                    FROM enrollments e JOIN courses c ON c.id = e.course_id
                    WHERE e.user_id = :user_id::bigint),
    'groups', (SELECT json_agg(json_build_object(
                   'course', c.key, 'partition', p.name, 'group', g.name, 'since', m.since)
                   ORDER BY c.key, p.position, p.id)
               FROM memberships m JOIN courses c ON c.id = m.course_id
               JOIN partitions p ON p.course_id = m.course_id AND p.id = m.partition_id
               JOIN groups g ON g.course_id = m.course_id AND g.id = m.group_id
               WHERE m.user_id = :user_id::bigint),
    'preassignments', (SELECT json_agg(json_build_object(
                           'course', c.key, 'group', g.name, 'email', w.email,
                           'since', w.created_at) ORDER BY c.key)
                       FROM preassignments w JOIN courses c ON c.id = w.course_id
                       JOIN groups g ON g.course_id = w.course_id AND g.id = w.group_id
                       WHERE lower(w.email COLLATE "C") = ANY (:identifiers::text[])),
    'removed_preassignments', (SELECT json_agg(json_build_object(
                                   'course', c.key, 'email', w.email, 'removed_at', w.removed_at)
                                   ORDER BY c.key)
                               FROM removed_preassignments w JOIN courses c ON c.id = w.course_id
                               WHERE lower(w.email COLLATE "C") = ANY (:identifiers::text[])),
    'accounts', (SELECT json_agg(json_build_object('name', a.name, 'since', a.created_at)
                                 ORDER BY a.name)
                 FROM accounts a WHERE a.name = ANY (:accounts::text[])),
    'uploads', (SELECT json_agg(json_build_object('course', c.key, 'job', j.id,
                                                  'at', j.created_at) ORDER BY j.id)
                FROM jobs j JOIN courses c ON c.id = j.course_id
                WHERE EXISTS (SELECT FROM unnest(:identifiers::text[]) t
                              WHERE position('"' || t || '"'
                                             IN lower(j.result::text COLLATE "C")) > 0)),
    'stored_answers', (SELECT count(*) FROM idempotency_keys k
                       WHERE k.subject = ANY (:subjects::text[]) OR EXISTS (
                           SELECT FROM unnest(:texts::bytea[]) t
                           WHERE position(lower(encode(t, 'escape'))
                                          IN lower(encode(k.body, 'escape'))) > 0)),
    'changes', (SELECT json_agg(json_build_object(
                    'at', x.at, 'kind', x.kind, 'cause', x.cause, 'course_id', nullif(x.course_id, 0),
                    'partition_id', x.partition_id, 'group_id', x.group_id, 'before', told(x.before),
                    'after', told(x.after)) ORDER BY x.seq)
                FROM changes x WHERE x.user_id = :user_id::bigint),
    'changed_by_them', (SELECT json_agg(json_build_object(
                            'at', x.at, 'kind', x.kind, 'as', x.actor) ORDER BY x.seq)
                        FROM changes x WHERE x.actor = ANY (:subjects::text[]))
)::text AS body;

-- read: open_uploads
SELECT payload FROM jobs WHERE state IN ('queued', 'running') AND payload IS NOT NULL;

-- write: leave
-- What is locked stays as it is, with somebody in it whom nobody can name.
WITH theirs AS MATERIALIZED (
    SELECT c.id, c.is_locked FROM courses c
    WHERE c.id IN (SELECT course_id FROM enrollments WHERE user_id = :user_id::bigint
                   UNION SELECT course_id FROM memberships WHERE user_id = :user_id::bigint)
    ORDER BY c.id FOR SHARE
),
left_groups AS (
    DELETE FROM memberships m USING theirs
    WHERE m.user_id = :user_id::bigint AND m.course_id = theirs.id AND NOT theirs.is_locked
    RETURNING 1
),
left_courses AS (
    DELETE FROM enrollments e USING theirs
    WHERE e.user_id = :user_id::bigint AND e.course_id = theirs.id AND NOT theirs.is_locked
    RETURNING 1
)
SELECT (SELECT count(*) FROM left_groups) AS groups, (SELECT count(*) FROM left_courses) AS courses,
       (SELECT count(*) FROM theirs WHERE is_locked) AS locked;

-- write: delete_user
DELETE FROM users WHERE id = :user_id::bigint;

-- write: empty_user
UPDATE users SET username = 'erased-' || gen_random_uuid(), email = NULL, family_name = '',
    given_name = '', usual_name = NULL, civility = 'X', student_number = NULL,
    national_number = NULL, sort_key = '', is_active = false, is_retired = true,
    foreign_id = NULL, imported_key = NULL, department_id = NULL
WHERE id = :user_id::bigint;

-- write: forget
-- Rows that are about nobody else. Those of the user themselves come after.
WITH roles_ AS (DELETE FROM roles WHERE user_id = :user_id::bigint RETURNING 1),
ids AS (DELETE FROM external_ids WHERE user_id = :user_id::bigint RETURNING 1),
waiting AS (
    DELETE FROM preassignments WHERE lower(email COLLATE "C") = ANY (:identifiers::text[])
    RETURNING 1
),
kept AS (
    DELETE FROM removed_preassignments WHERE lower(email COLLATE "C") = ANY (:identifiers::text[])
),
logins AS (DELETE FROM accounts WHERE name = ANY (:accounts::text[]) RETURNING 1),
documents AS (
    DELETE FROM auto_assignments WHERE EXISTS (
        SELECT FROM unnest(:texts::bytea[]) t
        WHERE position(lower(convert_from(t, 'UTF8') COLLATE "C")
                       IN lower(document COLLATE "C")) > 0)
    RETURNING 1
)
SELECT (SELECT count(*) FROM roles_) AS roles, (SELECT count(*) FROM ids) AS external_ids,
       (SELECT count(*) FROM waiting) AS preassignments, (SELECT count(*) FROM logins) AS accounts,
       (SELECT count(*) FROM documents) AS documents;

-- write: forget_former_ids
DELETE FROM former_users WHERE id = :user_id::bigint;

-- write: forget_former_names
DELETE FROM former_user_names WHERE user_id = :user_id::bigint;

-- write: forget_answers
-- The answer goes; the key stays, so that what it answered is not done again.
UPDATE idempotency_keys SET headers = NULL, body = NULL
WHERE EXISTS (SELECT FROM unnest(:texts::bytea[]) t
              WHERE position(lower(encode(t, 'escape')) IN lower(encode(body, 'escape'))) > 0)
RETURNING 1;

-- write: forget_keys
DELETE FROM idempotency_keys WHERE subject = ANY (:subjects::text[]) OR EXISTS (
    SELECT FROM unnest(:identifiers::text[]) t WHERE position(t IN lower(key COLLATE "C")) > 0)
RETURNING 1;

-- write: forget_uploaders
UPDATE jobs SET created_by = 'erased' WHERE created_by = ANY (:subjects::text[]);

-- read: lines_by
-- Who may only serve cannot change the log, not even so far.
SELECT count(*) AS lines, has_table_privilege('changes', 'UPDATE') AS may_be_forgotten
FROM changes WHERE actor = ANY (:subjects::text[]);

-- write: hold_off_sealing
-- A seal in the making might say that a line has no actor at all.
SELECT pg_advisory_xact_lock(hashtextextended('groupsvc audit', 0));

-- write: remember_actors
INSERT INTO audit_actors (actor)
SELECT DISTINCT x.actor FROM changes x WHERE x.actor = ANY (:subjects::text[])
ON CONFLICT (actor) DO NOTHING;

-- write: forget_actors
-- Seals hold for the digest of the name, which nobody can tell without the salt.
WITH forgotten AS (
    UPDATE changes x SET actor = 'erased:' || sealed_actor(a.actor, a.salt)
    FROM audit_actors a WHERE a.actor = x.actor AND x.actor = ANY (:subjects::text[])
    RETURNING x.actor
),
counted AS (SELECT actor, count(*) AS lines FROM forgotten GROUP BY actor)
INSERT INTO changes (actor, request_id, changeset_id, cause, kind, after)
SELECT c.actor, c.request_id, c.changeset_id, c.cause, 'actor.erased', to_jsonb(counted)
FROM counted, change_context() c;

-- write: forget_salts
DELETE FROM audit_actors WHERE actor = ANY (:subjects::text[]);
