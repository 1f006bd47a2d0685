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
SELECT seq, at, actor, kind, before, after FROM changes
WHERE user_id IS NULL AND course_id = 0 AND kind LIKE 'department.%'
  AND coalesce(after, before) ->> 'acronym' = :acronym::text
ORDER BY seq DESC LIMIT 5;
