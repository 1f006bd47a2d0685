-- primary read: look
-- Whoever has drawn a number up to the newest one that is seen is over, or is among the writers: the
-- lock that writing a line takes comes before its number, and is held to the end of the
-- transaction. The snapshot is taken before the locks are read. Numbers are in the order of cause
-- and effect, which transaction ids are not: a transaction with a low one may act on what a later
-- one has committed.
SELECT pg_is_in_recovery() AS is_standby, coalesce(newest.seq, 0) AS seq,
       coalesce(newest.mark, '') AS mark, coalesce(sealed.seq, 0) AS sealed_seq,
       coalesce(sealed.mark, '') AS sealed_mark,
       :seq::bigint = 0 OR EXISTS (
           SELECT FROM changes x
           WHERE x.seq = :seq::bigint AND left(x.changeset_id::text, 8) = :mark::text) AS is_known,
       ARRAY(SELECT l.virtualtransaction FROM pg_locks l
             WHERE l.locktype = 'relation' AND l.relation = 'changes'::regclass
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND l.mode = 'RowExclusiveLock' AND l.granted) AS writers
FROM (VALUES (true)) one
LEFT JOIN LATERAL (
    SELECT x.seq, left(x.changeset_id::text, 8) AS mark FROM changes x
    ORDER BY x.seq DESC LIMIT 1) newest ON true
LEFT JOIN LATERAL (
    SELECT x.seq, left(x.changeset_id::text, 8) AS mark FROM changes x
    WHERE x.seq <= (SELECT last_seq FROM audit_seals ORDER BY id DESC LIMIT 1)
    ORDER BY x.seq DESC LIMIT 1) sealed ON true;

-- primary read: start
-- Where a course is, and whether the log still has the line that a reader has come to.
SELECT d.acronym AS department, c.key AS course, :seq::bigint = 0 OR EXISTS (
    SELECT FROM changes x
    WHERE x.seq = :seq::bigint AND left(x.changeset_id::text, 8) = :mark::text) AS is_known
FROM courses c JOIN departments d ON d.id = c.department_id
WHERE c.id = :course_id::bigint;

-- primary read: knows
-- Whether the log still has the line that a reader has come to.
SELECT :seq::bigint = 0 OR EXISTS (
    SELECT FROM changes x
    WHERE x.seq = :seq::bigint AND left(x.changeset_id::text, 8) = :mark::text) AS is_known;

-- primary read: lines
SELECT x.seq, left(x.changeset_id::text, 8) AS mark, x.course_id, row_to_json(shape)::text AS body
FROM changes x
CROSS JOIN LATERAL (SELECT x.seq, nullif(x.course_id, 0) AS course_id, x.at, x.actor, x.request_id,
x.changeset_id, x.cause, x.kind, x.partition_id, x.group_id, x.user_id,
told(x.before) AS before, told(x.after) AS after) shape
WHERE x.seq > :after::bigint AND x.seq <= :until::bigint AND x.course_id = ANY (:courses::bigint[])
ORDER BY x.seq LIMIT :limit::integer;

-- primary read: course_lines
SELECT x.seq, left(x.changeset_id::text, 8) AS mark, x.course_id, row_to_json(shape)::text AS body
FROM changes x
CROSS JOIN LATERAL (SELECT x.seq, nullif(x.course_id, 0) AS course_id, x.at, x.actor, x.request_id,
x.changeset_id, x.cause, x.kind, x.partition_id, x.group_id, x.user_id,
told(x.before) AS before, told(x.after) AS after) shape
WHERE x.course_id = :course_id::bigint AND x.seq > :after::bigint AND x.seq <= :until::bigint
ORDER BY x.seq LIMIT :limit::integer;

-- primary read: places
-- One row at least: the version of what tokens stand for, and where courses are.
SELECT v.version AS access_version, c.id, d.acronym AS department, c.key AS course
FROM access_version v
LEFT JOIN (courses c JOIN departments d ON d.id = c.department_id)
    ON c.id = ANY (:courses::bigint[]);
