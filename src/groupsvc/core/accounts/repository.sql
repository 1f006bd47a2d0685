-- read: read
SELECT '' AS department, NULL AS course, row_to_json(shape)::text AS body
FROM accounts a CROSS JOIN LATERAL (SELECT a.id, a.name, a.username, a.is_active, coalesce((
    SELECT json_agg(t.permission || coalesce('@department:' || gd.acronym,
                                             '@course:' || gc.key, '')
                    ORDER BY t.permission, gd.acronym, gc.key)
    FROM grants t
    LEFT JOIN departments gd ON gd.id = t.department_id
    LEFT JOIN courses gc ON gc.id = t.course_id
    WHERE t.account_id = a.id), '[]') AS grants) shape WHERE a.name = :name::text;

-- read: list
SELECT a.name, row_to_json(shape)::text AS body FROM accounts a
CROSS JOIN LATERAL (SELECT a.id, a.name, a.username, a.is_active, coalesce((
    SELECT json_agg(t.permission || coalesce('@department:' || gd.acronym,
                                             '@course:' || gc.key, '')
                    ORDER BY t.permission, gd.acronym, gc.key)
    FROM grants t
    LEFT JOIN departments gd ON gd.id = t.department_id
    LEFT JOIN courses gc ON gc.id = t.course_id
    WHERE t.account_id = a.id), '[]') AS grants) shape
WHERE a.name > :after_name::text ORDER BY a.name LIMIT :limit::integer;

-- primary read: bearer
-- Whom a token of ours stands for. One of a disabled account has ended long ago.
SELECT a.name, a.username, extract(epoch FROM t.expires_at)::float8 AS expires,
       t.expires_at <= now() AS is_expired, coalesce((
    SELECT json_agg(json_build_array(g.permission, d.acronym, c.key))
    FROM grants g
    LEFT JOIN departments d ON d.id = g.department_id
    LEFT JOIN courses c ON c.id = g.course_id
    WHERE g.account_id = a.id), '[]')::text AS grants, v.version AS access_version
FROM tokens t JOIN accounts a ON a.id = t.account_id AND a.is_active CROSS JOIN access_version v
WHERE t.digest = :digest::bytea AND t.expires_at > '-infinity';

-- primary read: bearers
-- Whom tokens of ours stand for. Those of a disabled account have ended long ago.
SELECT t.digest, a.name, a.username, extract(epoch FROM t.expires_at)::float8 AS expires,
       t.expires_at <= now() AS is_expired, coalesce((
    SELECT json_agg(json_build_array(g.permission, d.acronym, c.key))
    FROM grants g
    LEFT JOIN departments d ON d.id = g.department_id
    LEFT JOIN courses c ON c.id = g.course_id
    WHERE g.account_id = a.id), '[]')::text AS grants, v.version AS access_version
FROM tokens t JOIN accounts a ON a.id = t.account_id AND a.is_active CROSS JOIN access_version v
WHERE t.digest = ANY (:digests::bytea[]) AND t.expires_at > '-infinity';

-- primary read: find
SELECT a.id, a.name, a.secret_hash, a.is_active, coalesce(
    (SELECT ceil(extract(epoch FROM f.waits_until - now())) FROM failed_logins f
     WHERE f.login = :login::bytea AND f.waits_until > now()), 0)::integer AS seconds
FROM (VALUES (true)) one LEFT JOIN accounts a ON a.name = :name::text;

-- write: refuse
-- Whoever leaves an account alone for a day begins anew.
INSERT INTO failed_logins AS f (login, failures) VALUES (:login::bytea, 1)
ON CONFLICT ON CONSTRAINT pk_failed_logins DO UPDATE
SET failures = CASE WHEN f.last_at < now() - interval '1 day' THEN 1 ELSE f.failures + 1 END,
    last_at = now(), waits_until = CASE
    WHEN f.last_at >= now() - interval '1 day' AND f.failures + 1 >= :tries::integer
    THEN now() + make_interval(secs => least(900, 2.0 ^ least(f.failures + 1 - :tries::integer, 10)))
    END;

-- write: lock
SELECT id, name, secret_hash, is_active FROM accounts WHERE name = :name::text FOR NO KEY UPDATE;

-- write: create
INSERT INTO accounts (name, secret_hash, username, is_active)
VALUES (:name::text, :secret_hash::text, :username::text, :is_active::boolean)
RETURNING id;

-- write: grant
-- Writes nothing when a place is not known: without its place, a grant would hold everywhere.
WITH wanted AS MATERIALIZED (
    SELECT w.line, w.permission, d.id AS department_id, c.id AS course_id,
           (w.department IS NOT NULL AND d.id IS NULL)
           OR (w.course IS NOT NULL AND c.id IS NULL) AS is_lost
    FROM unnest(:permissions::text[], :departments::text[], :courses::text[])
        WITH ORDINALITY AS w (permission, department, course, line)
    LEFT JOIN departments d ON d.acronym = w.department
    LEFT JOIN courses c ON c.key = w.course
),
gone AS (
    DELETE FROM grants g
    WHERE g.account_id = :account_id::bigint
      AND NOT EXISTS (SELECT FROM wanted WHERE is_lost)
      AND NOT EXISTS (
          SELECT FROM wanted w
          WHERE w.permission = g.permission
            AND w.department_id IS NOT DISTINCT FROM g.department_id
            AND w.course_id IS NOT DISTINCT FROM g.course_id)
),
added AS (
    INSERT INTO grants (account_id, permission, department_id, course_id)
    SELECT DISTINCT :account_id::bigint, w.permission, w.department_id, w.course_id
    FROM wanted w
    WHERE NOT EXISTS (SELECT FROM wanted WHERE is_lost)
    ON CONFLICT ON CONSTRAINT uq_grants DO NOTHING
)
SELECT min(line) AS line FROM wanted WHERE is_lost;

-- write: issue
-- Held, so that whoever disables the account or changes its secret meanwhile ends this token too.
-- Tokens that have expired are remembered for a while, to be told from those that never were.
WITH known AS (
    DELETE FROM failed_logins WHERE login = :login::bytea
),
forgotten AS (
    DELETE FROM tokens WHERE digest IN (
        SELECT digest FROM tokens WHERE expires_at < now() - interval '1 hour'
        ORDER BY expires_at LIMIT 20 FOR UPDATE SKIP LOCKED)
)
INSERT INTO tokens (digest, account_id, expires_at)
SELECT :digest::bytea, a.id, now() + make_interval(secs => :lifetime::integer)
FROM accounts a
WHERE a.id = :account_id::bigint AND a.is_active AND a.secret_hash = :secret_hash::text
FOR SHARE
RETURNING digest;

-- write: revoke
DELETE FROM tokens t USING accounts a
WHERE t.digest = :digest::bytea AND a.id = t.account_id AND a.name = :name::text;

-- write: end_all
-- Over for good, and known for a while as what it was.
UPDATE tokens SET expires_at = '-infinity' WHERE account_id = :account_id::bigint;

-- read: disabled
SELECT coalesce(a.username, a.name) AS name
FROM tokens t JOIN accounts a ON a.id = t.account_id AND NOT a.is_active
WHERE t.digest = :digest::bytea;

-- write: update
-- A merge: columns that the changes do not name keep their values, null is a value.
UPDATE accounts a SET (secret_hash, username, is_active) = (
    SELECT r.secret_hash, r.username, r.is_active
    FROM jsonb_populate_record(a, :changes::jsonb) r)
WHERE a.id = :id::bigint;

-- write: delete
DELETE FROM accounts WHERE id = :id::bigint;

-- write: revoke_all
DELETE FROM tokens WHERE account_id = :account_id::bigint;
