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

-- read: find
SELECT id, name, secret_hash, is_active FROM accounts WHERE name = :name::text;

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
WITH forgotten AS (
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
