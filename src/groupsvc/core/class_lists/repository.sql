-- placed read: of_group
-- Persons and departments are told by the ids that callers know: those of the server that they moved
-- over from, where there was one.
-- The default group has no rows: its members are the enrolled users.
SELECT d.acronym AS department, c.key AS course, coalesce((
    SELECT json_agg(row_to_json(shape) ORDER BY u.sort_key, u.id)
    FROM (
        SELECT m.user_id FROM memberships m
        WHERE m.course_id = g.course_id AND m.group_id = g.id
        UNION ALL
        SELECT e.user_id FROM enrollments e
        WHERE p.kind = 'default' AND e.course_id = g.course_id
    ) member
    CROSS JOIN LATERAL (SELECT * FROM users WHERE id = member.user_id OFFSET 0) u
    LEFT JOIN LATERAL (
        SELECT state, track FROM enrollments
        WHERE course_id = g.course_id AND user_id = member.user_id OFFSET 0) e ON true
    CROSS JOIN LATERAL (
        SELECT CASE WHEN coalesce(u.department_id, d.id) = d.id THEN coalesce(d.foreign_id, d.id)
               ELSE (SELECT coalesce(foreign_id, id) FROM departments WHERE id = u.department_id)
               END AS department_id) known
    CROSS JOIN LATERAL (SELECT coalesce(u.foreign_id, u.id) AS id, u.username, u.email, u.family_name, u.given_name, u.usual_name, u.civility,
u.student_number, u.national_number, known.department_id, u.sort_key, e.state, e.track) shape
    WHERE :state::text IS NULL OR e.state = :state::text), '[]')::text AS body
FROM groups g JOIN courses c ON c.id = g.course_id JOIN departments d ON d.id = c.department_id
JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id
WHERE g.id = :group_id::bigint;

-- placed read: of_course
SELECT d.acronym AS department, c.key AS course, coalesce((
    SELECT json_agg(row_to_json(shape) ORDER BY u.sort_key, u.id)
    FROM enrollments e
    CROSS JOIN LATERAL (SELECT * FROM users WHERE id = e.user_id OFFSET 0) u
    CROSS JOIN LATERAL (
        SELECT json_agg(row_to_json(each_group) ORDER BY p.position, p.id) AS groups
        FROM memberships m
        JOIN partitions p ON p.course_id = m.course_id AND p.id = m.partition_id
        JOIN groups g ON g.course_id = m.course_id AND g.id = m.group_id
        CROSS JOIN LATERAL (SELECT p.id AS partition_id, p.name AS partition_name, p.position AS partition_position,
p.show_rank_on_report, p.show_in_lists, p.groups_editable,
g.id AS group_id, g.name AS group_name, g.position AS group_position, g.timetable_id) each_group
        WHERE m.course_id = e.course_id AND m.user_id = e.user_id
    ) own
    CROSS JOIN LATERAL (
        SELECT CASE WHEN coalesce(u.department_id, d.id) = d.id THEN coalesce(d.foreign_id, d.id)
               ELSE (SELECT coalesce(foreign_id, id) FROM departments WHERE id = u.department_id)
               END AS department_id) known
    CROSS JOIN LATERAL (SELECT coalesce(u.foreign_id, u.id) AS id, u.username, u.email, u.family_name, u.given_name, u.usual_name, u.civility,
u.student_number, u.national_number, known.department_id, u.sort_key, e.state, e.track, coalesce(own.groups, '[]') AS groups) shape
    WHERE e.course_id = c.id AND (:state::text IS NULL OR e.state = :state::text)), '[]')::text AS body
FROM (SELECT * FROM courses WHERE id = :course_id::bigint OFFSET 0) c
JOIN departments d ON d.id = c.department_id;

-- placed read: groups_of
-- A number means somebody of the course's department, or of the course itself.
SELECT d.acronym AS department, c.key AS course, CASE WHEN person.id IS NULL THEN '' ELSE coalesce((
        SELECT json_agg(row_to_json(shape) ORDER BY p.kind <> 'default', p.position, p.id)
        FROM partitions p
        JOIN groups g ON g.course_id = p.course_id AND g.partition_id = p.id
        CROSS JOIN LATERAL (SELECT p.id AS partition_id, p.name AS partition_name, p.position AS partition_position,
    p.show_rank_on_report, p.show_in_lists, p.groups_editable,
    g.id AS group_id, g.name AS group_name, g.position AS group_position, g.timetable_id) shape
        WHERE p.course_id = c.id AND CASE p.kind
            WHEN 'default' THEN EXISTS (
                SELECT FROM enrollments e WHERE e.course_id = c.id AND e.user_id = person.id)
            ELSE EXISTS (
                SELECT FROM memberships m WHERE m.course_id = c.id AND m.partition_id = p.id
                  AND m.user_id = person.id AND m.group_id = g.id) END), '[]')::text
    END AS body
    FROM courses c JOIN departments d ON d.id = c.department_id
    LEFT JOIN LATERAL (
        SELECT u.id FROM users u
        WHERE (coalesce(u.foreign_id, u.id) = :user_id::bigint AND (
        :everywhere::boolean
        OR EXISTS (
            SELECT FROM departments d
            WHERE d.id = u.department_id AND d.acronym = ANY (:departments::text[]))
        OR EXISTS (
            SELECT FROM enrollments e
            JOIN courses c ON c.id = e.course_id
            JOIN departments d ON d.id = c.department_id
            WHERE e.user_id = u.id AND (d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])))
    ))
           OR ((u.student_number = :student_number::text OR u.national_number = :national_number::text)
               AND (u.department_id = c.department_id OR EXISTS (
                   SELECT FROM enrollments e WHERE e.course_id = c.id AND e.user_id = u.id)))
        ORDER BY u.department_id IS DISTINCT FROM c.department_id, u.id LIMIT 1
    ) person ON true
    WHERE c.id = :course_id::bigint;

-- read: identify
SELECT coalesce(
    (SELECT u.id FROM users u
     WHERE u.department_id = d.id AND u.student_number = named.student_number),
    (SELECT u.id FROM users u
     WHERE u.department_id = d.id AND u.national_number = named.national_number),
    (SELECT u.id FROM users u WHERE u.username = named.username)) AS id
FROM unnest(:student_numbers::text[], :national_numbers::text[], :usernames::text[]) WITH ORDINALITY
    AS named (student_number, national_number, username, line)
JOIN departments d ON d.acronym = :department::text
ORDER BY named.line;
