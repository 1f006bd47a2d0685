-- read: read
SELECT d.acronym AS department, c.key AS course, json_strip_nulls(row_to_json(shape))::text AS body
FROM courses c JOIN departments d ON d.id = c.department_id
CROSS JOIN LATERAL (
    SELECT c.id, c.key, d.acronym AS department, c.title, c.is_locked,
        c.starts_on, c.ends_on, c.programme, c.term, c.modality) shape
WHERE c.id = coalesce(:id::bigint, (SELECT id FROM courses WHERE key = :key::text));

-- read: list
SELECT c.id, json_strip_nulls(row_to_json(shape))::text AS body
FROM courses c JOIN departments d ON d.id = c.department_id
CROSS JOIN LATERAL (
    SELECT c.id, c.key, d.acronym AS department, c.title, c.is_locked,
        c.starts_on, c.ends_on, c.programme, c.term, c.modality) shape
WHERE c.id > :after::bigint
  AND (:everywhere::boolean OR d.acronym = ANY (:departments::text[])
       OR c.key = ANY (:courses::text[]))
  AND (:department::text IS NULL OR d.acronym = :department::text)
ORDER BY c.id LIMIT :limit::integer;

-- read: find
SELECT c.id, d.acronym AS department, c.key AS course, c.is_locked
FROM courses c JOIN departments d ON d.id = c.department_id
WHERE c.id = :id::bigint;

-- placed read: lock
-- SHARE lets memberships of the course go on; lists of partitions change one after the other.
SELECT c.id, d.acronym AS department, c.key AS course, c.is_locked
FROM courses c JOIN departments d ON d.id = c.department_id
WHERE c.id = :id::bigint
FOR NO KEY UPDATE OF c;

-- read: lock_keyed
-- Whoever declares a course learns that its key is taken, wherever that is.
SELECT c.id, d.acronym AS department, c.key AS course, c.is_locked
FROM courses c JOIN departments d ON d.id = c.department_id
WHERE c.id = (SELECT id FROM courses WHERE key = :key::text)
FOR NO KEY UPDATE OF c;

-- write: create
INSERT INTO courses (department_id, key, title) VALUES (:department_id::bigint, :key::text, :title::text)
ON CONFLICT (key) DO NOTHING
RETURNING id;

-- write: replace
UPDATE courses SET department_id = :department_id::bigint, title = :title::text
WHERE key = :key::text AND (department_id, title) IS DISTINCT FROM (:department_id::bigint, :title::text);

-- placed read: board
SELECT d.acronym AS department, c.key AS course, json_build_object(
    'course', (SELECT row_to_json(shape) FROM (
        SELECT c.id, c.key, d.acronym AS department, c.title, c.is_locked) shape),
    'enrolled', (SELECT count(*) FROM enrollments e WHERE e.course_id = c.id),
    'partitions', coalesce((
        SELECT json_agg(row_to_json(each_partition)) FROM (
            SELECT p.id, p.course_id, p.kind, p.name, p.position, p.groups_editable,
                p.show_in_lists, p.show_rank_on_report,
                coalesce((
                    SELECT json_agg(row_to_json(each_group)) FROM (
                        SELECT g.id, g.course_id, g.partition_id, g.name, g.position, g.capacity,
                            g.timetable_id, g.assignment_type,
                            CASE WHEN g.content_partition_id IS NOT NULL THEN json_build_object(
                                'content_partition_id', g.content_partition_id,
                                'content_group_id', g.content_group_id) END AS content_link,
                            own.count AS member_count, own.members
                        FROM groups g CROSS JOIN LATERAL (
                            SELECT count(*) AS count,
                                coalesce(json_agg(m.user_id ORDER BY u.sort_key, u.id), '[]') AS members
                            FROM memberships m LEFT JOIN LATERAL (
                                SELECT id, sort_key FROM users WHERE id = m.user_id OFFSET 0
                            ) u ON true
                            WHERE m.course_id = g.course_id AND m.group_id = g.id
                        ) own
                        WHERE g.course_id = p.course_id AND g.partition_id = p.id
                        ORDER BY g.position, g.name
                    ) each_group), '[]') AS groups,
                none.count AS unassigned_count, none.members AS unassigned
            FROM partitions p CROSS JOIN LATERAL (
                SELECT count(*) AS count,
                    coalesce(json_agg(e.user_id ORDER BY u.sort_key, u.id), '[]') AS members
                FROM enrollments e LEFT JOIN LATERAL (
                    SELECT id, sort_key FROM users WHERE id = e.user_id OFFSET 0
                ) u ON true
                WHERE e.course_id = c.id AND NOT EXISTS (
                    SELECT FROM memberships m
                    WHERE m.course_id = c.id AND m.partition_id = p.id AND m.user_id = e.user_id)
            ) none
            WHERE p.course_id = c.id AND p.kind <> 'default'
            ORDER BY p.position, p.id
        ) each_partition), '[]'),
    'users', coalesce((
        SELECT json_agg(row_to_json(shape) ORDER BY u.sort_key, u.id)
        FROM (
            SELECT user_id FROM enrollments WHERE course_id = c.id
            UNION SELECT user_id FROM memberships WHERE course_id = c.id
        ) shown
        CROSS JOIN LATERAL (SELECT * FROM users WHERE id = shown.user_id OFFSET 0) u
        LEFT JOIN LATERAL (
            SELECT state FROM enrollments
            WHERE course_id = c.id AND user_id = shown.user_id OFFSET 0) e ON true
        CROSS JOIN LATERAL (
            SELECT u.id, u.username, u.family_name, u.given_name, u.email, u.student_number,
                e.state) shape), '[]')
)::text AS body
FROM courses c JOIN departments d ON d.id = c.department_id
WHERE c.id = :id::bigint;

-- placed read: counts
-- The board without members. No body comes back while the cached one is still right.
SELECT d.acronym AS department, c.key AS course, CASE WHEN NOT (
    :mark::bigint IS NOT NULL
    AND NOT EXISTS (SELECT FROM changes WHERE course_id = c.id AND seq > :mark::bigint)
    AND NOT EXISTS (
        SELECT FROM changes
        WHERE transaction_id = ANY (CAST(:running::text[] AS xid8[])) AND course_id = c.id)
) THEN json_build_object(
    'course', (SELECT row_to_json(shape) FROM (
        SELECT c.id, c.key, d.acronym AS department, c.title, c.is_locked) shape),
    'enrolled', (SELECT count(*) FROM enrollments e WHERE e.course_id = c.id),
    'partitions', coalesce((
        SELECT json_agg(row_to_json(each_partition)) FROM (
            SELECT p.id, p.course_id, p.kind, p.name, p.position, p.groups_editable,
                p.show_in_lists, p.show_rank_on_report,
                coalesce((
                    SELECT json_agg(row_to_json(each_group)) FROM (
                        SELECT g.id, g.course_id, g.partition_id, g.name, g.position, g.capacity,
                            g.timetable_id, g.assignment_type,
                            CASE WHEN g.content_partition_id IS NOT NULL THEN json_build_object(
                                'content_partition_id', g.content_partition_id,
                                'content_group_id', g.content_group_id) END AS content_link,
                            (SELECT count(*) FROM memberships m
                             WHERE m.course_id = g.course_id AND m.group_id = g.id) AS member_count,
                            NULL AS members
                        FROM groups g
                        WHERE g.course_id = p.course_id AND g.partition_id = p.id
                        ORDER BY g.position, g.name
                    ) each_group), '[]') AS groups,
                (SELECT count(*) FROM enrollments e
                 WHERE e.course_id = c.id AND NOT EXISTS (
                    SELECT FROM memberships m
                    WHERE m.course_id = c.id AND m.partition_id = p.id AND m.user_id = e.user_id)
                ) AS unassigned_count,
                NULL AS unassigned
            FROM partitions p
            WHERE p.course_id = c.id AND p.kind <> 'default'
            ORDER BY p.position, p.id
        ) each_partition), '[]'),
    'users', NULL
)::text END AS body,
    (SELECT coalesce(max(seq), 0) FROM changes) AS mark,
    (SELECT array_agg(x::text) FROM pg_snapshot_xip(pg_current_snapshot()) x) AS running
FROM courses c JOIN departments d ON d.id = c.department_id
WHERE c.id = :id::bigint;

-- write: update
-- A merge: columns that the changes do not name keep their values, null is a value.
UPDATE courses c SET (department_id, title, is_locked, starts_on, ends_on, programme, term, modality) = (
    SELECT r.department_id, r.title, r.is_locked, r.starts_on, r.ends_on, r.programme, r.term, r.modality
    FROM jsonb_populate_record(c, :changes::jsonb) r)
WHERE c.id = :id::bigint;

-- write: delete
DELETE FROM courses WHERE id = :id::bigint;
