-- read: page
SELECT x.id, json_build_object(
    'id', x.id, 'course_id', x.course_id, 'email', x.email, 'group_id', x.group_id,
    'group_name', g.name, 'created_at', x.created_at)::text AS body
FROM preassignments x
JOIN groups g ON g.course_id = x.course_id AND g.id = x.group_id
WHERE x.course_id = :course_id::bigint AND x.id > :after::bigint
ORDER BY x.id LIMIT :limit::integer;

-- write: cancel
DELETE FROM preassignments WHERE course_id = :course_id::bigint AND id = :id::bigint RETURNING id;

-- write: retire
DELETE FROM preassignments
WHERE lower(email COLLATE "C") = lower(:email::text COLLATE "C") RETURNING id;

-- write: mark_retired
UPDATE users SET is_retired = true
WHERE lower(email COLLATE "C") = lower(:email::text COLLATE "C") AND NOT is_retired RETURNING id;
