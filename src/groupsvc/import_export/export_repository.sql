-- read: sees_department
SELECT d.id FROM departments d
WHERE d.acronym = :department::text AND (
    :everywhere::boolean OR d.acronym = ANY (:departments::text[])
    OR EXISTS (SELECT FROM courses c WHERE c.department_id = d.id AND c.key = ANY (:courses::text[])));

-- read: departments
-- Departments without a course here: empty ones, and those of users from elsewhere.
SELECT d.acronym AS department, d.name AS department_name
    FROM departments d
    WHERE d.acronym > :after_key::text
      AND NOT EXISTS (SELECT FROM courses c WHERE c.department_id = d.id AND ((:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])) AND (:department::text IS NULL OR d.acronym = :department::text)
    AND (:course_id::bigint IS NULL OR c.id = :course_id::bigint)))
      AND ((:course_id::bigint IS NULL AND (:department::text IS NULL OR d.acronym = :department::text)
    AND (:everywhere::boolean OR d.acronym = ANY (:departments::text[]))) OR d.id IN (SELECT u.department_id FROM users u WHERE u.id IN (
    SELECT e.user_id FROM enrollments e
    JOIN courses c ON c.id = e.course_id
    JOIN departments d ON d.id = c.department_id WHERE ((:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])) AND (:department::text IS NULL OR d.acronym = :department::text)
    AND (:course_id::bigint IS NULL OR c.id = :course_id::bigint))
    UNION SELECT m.user_id FROM memberships m
    JOIN courses c ON c.id = m.course_id
    JOIN departments d ON d.id = c.department_id WHERE ((:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])) AND (:department::text IS NULL OR d.acronym = :department::text)
    AND (:course_id::bigint IS NULL OR c.id = :course_id::bigint))
    UNION SELECT u.id FROM users u
    JOIN departments d ON d.id = u.department_id WHERE (:course_id::bigint IS NULL AND (:department::text IS NULL OR d.acronym = :department::text)
    AND (:everywhere::boolean OR d.acronym = ANY (:departments::text[])))
)))
    ORDER BY d.acronym LIMIT :limit::integer;

-- read: courses
SELECT d.acronym AS department, c.key AS course_key, d.name AS department_name, c.title,
       c.is_locked, c.starts_on, c.ends_on, c.programme, c.term, c.modality, s.is_cohorted,
       s.random_assignment,
       (SELECT json_agg(f.key ORDER BY f.key)::text
        FROM former_course_keys f WHERE f.course_id = c.id) AS former_keys,
       record_key(c.imported_key, c.id, c.created_at) AS key, c.id
FROM courses c JOIN departments d ON d.id = c.department_id
LEFT JOIN cohort_settings s ON s.course_id = c.id
WHERE c.id > :after::bigint AND ((:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])) AND (:department::text IS NULL OR d.acronym = :department::text)
AND (:course_id::bigint IS NULL OR c.id = :course_id::bigint))
ORDER BY c.id LIMIT :limit::integer;

-- read: whole_roster
-- Looking for all of them with every page would cost as much as all pages.
SELECT u.username, u.email, u.family_name, u.given_name, u.usual_name, u.civility,
       u.student_number, u.national_number,
       (SELECT d.acronym FROM departments d WHERE d.id = u.department_id) AS department,
       u.is_active, p.key AS course_key, p.state, p.track, u.is_retired,
       (SELECT json_object_agg(x.system, x.external_id ORDER BY x.system)::text
        FROM external_ids x WHERE x.user_id = u.id) AS external_ids,
       (SELECT json_agg(f.name ORDER BY f.name)::text
        FROM former_user_names f WHERE f.user_id = u.id) AS former_names,
       record_key(u.imported_key, u.id, u.created_at) AS key, u.id
FROM (SELECT * FROM users u WHERE u.id > :after::bigint AND true ORDER BY u.id LIMIT :limit::integer) u
LEFT JOIN LATERAL (
    SELECT c.id, c.key, e.state, e.track
    FROM enrollments e
    JOIN courses c ON c.id = e.course_id
    JOIN departments d ON d.id = c.department_id
    WHERE e.user_id = u.id AND ((:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])) AND (:department::text IS NULL OR d.acronym = :department::text)
AND (:course_id::bigint IS NULL OR c.id = :course_id::bigint))
    UNION ALL SELECT 0, NULL, NULL, NULL WHERE u.department_id IS NULL
) p ON true
ORDER BY u.id, p.id;

-- read: part_of_roster
SELECT u.username, u.email, u.family_name, u.given_name, u.usual_name, u.civility,
           u.student_number, u.national_number,
           (SELECT d.acronym FROM departments d WHERE d.id = u.department_id) AS department,
           u.is_active, p.key AS course_key, p.state, p.track, u.is_retired,
           (SELECT json_object_agg(x.system, x.external_id ORDER BY x.system)::text
            FROM external_ids x WHERE x.user_id = u.id) AS external_ids,
           (SELECT json_agg(f.name ORDER BY f.name)::text
            FROM former_user_names f WHERE f.user_id = u.id) AS former_names,
           record_key(u.imported_key, u.id, u.created_at) AS key, u.id
    FROM (SELECT * FROM users u WHERE u.id > :after::bigint AND u.id IN (
    SELECT e.user_id FROM enrollments e
    JOIN courses c ON c.id = e.course_id
    JOIN departments d ON d.id = c.department_id WHERE ((:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])) AND (:department::text IS NULL OR d.acronym = :department::text)
    AND (:course_id::bigint IS NULL OR c.id = :course_id::bigint))
    UNION SELECT m.user_id FROM memberships m
    JOIN courses c ON c.id = m.course_id
    JOIN departments d ON d.id = c.department_id WHERE ((:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])) AND (:department::text IS NULL OR d.acronym = :department::text)
    AND (:course_id::bigint IS NULL OR c.id = :course_id::bigint))
    UNION SELECT u.id FROM users u
    JOIN departments d ON d.id = u.department_id WHERE (:course_id::bigint IS NULL AND (:department::text IS NULL OR d.acronym = :department::text)
    AND (:everywhere::boolean OR d.acronym = ANY (:departments::text[])))
) ORDER BY u.id LIMIT :limit::integer) u
    LEFT JOIN LATERAL (
        SELECT c.id, c.key, e.state, e.track
        FROM enrollments e
        JOIN courses c ON c.id = e.course_id
        JOIN departments d ON d.id = c.department_id
        WHERE e.user_id = u.id AND ((:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])) AND (:department::text IS NULL OR d.acronym = :department::text)
    AND (:course_id::bigint IS NULL OR c.id = :course_id::bigint))
        UNION ALL SELECT 0, NULL, NULL, NULL WHERE u.department_id IS NULL
    ) p ON true
    ORDER BY u.id, p.id;

-- read: structure
-- Positions are places in the list, from 1: numbers between which something went mean nothing.
SELECT p.course_key, p.name AS partition, p.kind, (
           SELECT count(*) FROM partitions o
           WHERE o.course_id = p.course_id AND o.kind <> 'default'
             AND (o.position, o.id) <= (p.position, p.id)) AS position,
       p.groups_editable, p.show_in_lists, p.show_rank_on_report, g.name AS "group",
       CASE WHEN g.id IS NOT NULL THEN
           row_number() OVER (PARTITION BY p.course_id, p.position, p.id ORDER BY g.position, g.name)
       END AS group_position,
       g.capacity, g.timetable_id, g.assignment_type, g.content_partition_id, g.content_group_id,
       (SELECT json_agg(f.name ORDER BY f.name)::text FROM former_names f
        WHERE f.course_id = p.course_id AND f.partition_id = p.id AND f.group_id IS NULL)
           AS partition_former_names,
       (SELECT json_agg(f.name ORDER BY f.name)::text FROM former_names f
        WHERE f.course_id = p.course_id AND f.partition_id = p.id AND f.group_id = g.id)
           AS former_names,
       record_key(p.imported_key, p.id, p.created_at) AS partition_key,
       CASE WHEN g.id IS NOT NULL THEN record_key(g.imported_key, g.id, g.created_at) END AS key,
       p.course_id, p.position AS stored_position, p.id
FROM (
    SELECT c.key AS course_key, p.*
    FROM partitions p
    JOIN courses c ON c.id = p.course_id
    JOIN departments d ON d.id = c.department_id
    WHERE (p.course_id, p.position, p.id) > (:after::bigint, :position::bigint, :id::bigint)
      AND p.kind <> 'default' AND ((:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])) AND (:department::text IS NULL OR d.acronym = :department::text)
AND (:course_id::bigint IS NULL OR c.id = :course_id::bigint))
    ORDER BY p.course_id, p.position, p.id LIMIT :limit::integer
) p
LEFT JOIN groups g ON g.course_id = p.course_id AND g.partition_id = p.id
ORDER BY p.course_id, p.position, p.id, g.position, g.name;

-- read: assignments
-- Partitions in their order, which is that of their ids where the table comes in again. A page first
-- and names for it alone: the planner expects next to nothing from these joins.
SELECT m.course_key, u.username AS "user", m.partition, g.name AS "group",
       m.course_id, m.position, m.partition_id, m.user_id
FROM (
    SELECT p.course_key, p.name AS partition, p.course_id, p.position, p.id AS partition_id,
           m.user_id, m.group_id
    FROM (
        SELECT c.key AS course_key, p.course_id, p.position, p.id, p.name
        FROM partitions p
        JOIN courses c ON c.id = p.course_id
        JOIN departments d ON d.id = c.department_id
        WHERE (p.course_id, p.position, p.id) >= (:after::bigint, :position::bigint, :partition_id::bigint)
          AND p.kind <> 'default' AND ((:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])) AND (:department::text IS NULL OR d.acronym = :department::text)
AND (:course_id::bigint IS NULL OR c.id = :course_id::bigint))
        ORDER BY p.course_id, p.position, p.id
    ) p
    CROSS JOIN LATERAL (
        SELECT m.user_id, m.group_id FROM memberships m
        WHERE m.course_id = p.course_id AND m.partition_id = p.id AND m.user_id > CASE
            WHEN (p.course_id, p.position, p.id) = (:after::bigint, :position::bigint, :partition_id::bigint)
            THEN :user_id::bigint ELSE 0 END
        ORDER BY m.user_id LIMIT :limit::integer
    ) m
    ORDER BY p.course_id, p.position, p.id, m.user_id LIMIT :limit::integer
) m
JOIN groups g ON g.course_id = m.course_id AND g.id = m.group_id
JOIN users u ON u.id = m.user_id
ORDER BY m.course_id, m.position, m.partition_id, m.user_id;

-- read: preassignments
SELECT c.key AS course_key, p.name AS partition, g.name AS "group", x.email AS waiting_email,
       x.course_id, x.id
FROM preassignments x
JOIN courses c ON c.id = x.course_id
JOIN departments d ON d.id = c.department_id
JOIN partitions p ON p.course_id = x.course_id AND p.id = x.partition_id
JOIN groups g ON g.course_id = x.course_id AND g.id = x.group_id
WHERE (x.course_id, x.id) > (:after::bigint, :id::bigint) AND ((:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])) AND (:department::text IS NULL OR d.acronym = :department::text)
AND (:course_id::bigint IS NULL OR c.id = :course_id::bigint))
ORDER BY x.course_id, x.id LIMIT :limit::integer;

-- read: content_groups
SELECT x.course_key, x.id AS content_partition_id, x.name AS content_partition, x.scheme,
       x.description, x.is_active, (g.content ->> 'id')::bigint AS content_group_id,
       g.content ->> 'name' AS content_group, x.course_id, x.position
FROM (
    SELECT c.key AS course_key, x.*
    FROM content_partitions x
    JOIN courses c ON c.id = x.course_id
    JOIN departments d ON d.id = c.department_id
    WHERE (x.course_id, x.position, x.id) > (:after::bigint, :position::bigint, :id::bigint)
      AND ((:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])) AND (:department::text IS NULL OR d.acronym = :department::text)
AND (:course_id::bigint IS NULL OR c.id = :course_id::bigint))
    ORDER BY x.course_id, x.position, x.id LIMIT :limit::integer
) x
LEFT JOIN LATERAL jsonb_array_elements(x.groups) WITH ORDINALITY AS g (content, place) ON true
ORDER BY x.course_id, x.position, x.id, g.place;

-- read: roles
-- A role everywhere is in no department: it goes out with everything alone.
SELECT u.username AS "user", r.role, r.department, r.course_key, r.user_id
FROM (
    SELECT r.user_id, r.role,
           CASE WHEN r.department_id IS NOT NULL THEN d.acronym ELSE '' END AS department,
           coalesce(c.key, '') AS course_key
    FROM roles r
    LEFT JOIN courses c ON c.id = r.course_id
    LEFT JOIN departments d ON d.id = coalesce(r.department_id, c.department_id)
    WHERE r.user_id >= :after::bigint
      AND (:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[]))
      AND (:department::text IS NULL OR d.acronym = :department::text)
      AND (:course_id::bigint IS NULL OR c.id = :course_id::bigint)
) r
JOIN users u ON u.id = r.user_id
WHERE (r.user_id, r.role, r.department, r.course_key)
    > (:after::bigint, :after_role::text, :after_department::text, :after_course::text)
ORDER BY r.user_id, r.role, r.department, r.course_key LIMIT :limit::integer;
