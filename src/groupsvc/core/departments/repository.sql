-- read: read
SELECT d.acronym AS department, NULL AS course, row_to_json(shape)::text AS body
FROM departments d CROSS JOIN LATERAL (SELECT d.acronym, d.name) shape
WHERE d.acronym = :acronym::text;

-- read: ids
SELECT d.acronym AS department, NULL AS course, json_strip_nulls(row_to_json(shape))::text AS body
FROM departments d
CROSS JOIN LATERAL (SELECT d.id, nullif(d.foreign_id, d.id) AS foreign_id) shape
WHERE d.acronym = :acronym::text;

-- read: page
SELECT d.acronym, row_to_json(shape)::text AS body
FROM departments d CROSS JOIN LATERAL (SELECT d.acronym, d.name) shape
WHERE d.acronym > :after_key::text AND (:everywhere::boolean OR d.acronym = ANY (:departments::text[]))
ORDER BY d.acronym LIMIT :limit::integer;

-- write: lock
SELECT id FROM departments WHERE acronym = :acronym::text FOR NO KEY UPDATE;

-- read: exists
SELECT id FROM departments WHERE acronym = :acronym::text;

-- read: id_of
-- KEY SHARE keeps the department there for the row that is about to refer to it.
SELECT id FROM departments WHERE acronym = :acronym::text FOR KEY SHARE;

-- write: upsert
INSERT INTO departments AS d (acronym, name) VALUES (:acronym::text, :name::text)
ON CONFLICT (acronym) DO UPDATE SET name = excluded.name
    WHERE d.name IS DISTINCT FROM excluded.name
RETURNING xmax = 0 AS created;

-- write: delete
DELETE FROM departments WHERE acronym = :acronym::text;

-- read: latest
-- A department has no column of its own in the log. Without a user, the index leads to few lines.
SELECT row_to_json(shape)::text AS body FROM changes x
CROSS JOIN LATERAL (SELECT x.seq, nullif(x.course_id, 0) AS course_id, x.at, x.actor, x.request_id,
    x.changeset_id, x.cause, x.kind, x.partition_id, x.group_id, x.user_id, x.before, x.after) shape
WHERE x.user_id IS NULL AND x.course_id = 0 AND x.kind LIKE 'department.%'
  AND coalesce(x.after, x.before) ->> 'acronym' = :acronym::text
ORDER BY x.seq DESC LIMIT 5;
