-- placed read: groups
-- One row at least, if there is the partition. ``members`` are those who go out, as the statements
-- below tell it, and addresses that wait.
SELECT d.acronym AS department, c.key AS course, p.course_id, p.kind, p.name AS partition,
       g.name AS "group", m.members + CASE WHEN :anybody::boolean THEN (
           SELECT count(*) FROM preassignments w
           WHERE w.course_id = p.course_id AND w.partition_id = p.id AND w.group_id = g.id
       ) ELSE 0 END AS members, m.left_out
FROM partitions p
JOIN courses c ON c.id = p.course_id
JOIN departments d ON d.id = c.department_id
LEFT JOIN groups g ON g.course_id = p.course_id AND g.partition_id = p.id
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE fit) AS members, count(*) FILTER (WHERE NOT fit) AS left_out
    FROM (
        SELECT (:anybody::boolean OR coalesce(e.state = 'active', false))
               AND u.username !~ ALL (:unfit::text[]) AS fit
        FROM memberships
        JOIN users u ON u.id = memberships.user_id
        LEFT JOIN enrollments e
            ON e.course_id = memberships.course_id AND e.user_id = memberships.user_id
        WHERE memberships.course_id = p.course_id AND memberships.group_id = g.id
    ) member
) m ON true
WHERE p.id = :partition_id::bigint
ORDER BY g.position, g.name;

-- read: members
-- ``unfit`` is the place of the first pattern that the username fits.
SELECT m.user_id AS id, g.name AS "group", u.username, '' AS email,
       :anybody::boolean OR coalesce(e.state = 'active', false) AS is_taken,
       (SELECT min(place) FROM unnest(:unfit::text[]) WITH ORDINALITY AS each_one (pattern, place)
        WHERE u.username ~ pattern) AS unfit
FROM (
    SELECT * FROM memberships
    WHERE course_id = :course_id::bigint AND partition_id = :partition_id::bigint
      AND user_id > :after::bigint
    ORDER BY user_id LIMIT :limit::integer
) m
JOIN groups g ON g.course_id = m.course_id AND g.id = m.group_id
JOIN users u ON u.id = m.user_id
LEFT JOIN enrollments e ON e.course_id = m.course_id AND e.user_id = m.user_id
ORDER BY m.user_id;

-- read: waiting
SELECT w.id, g.name AS "group", '' AS username, w.email, true AS is_taken, NULL::bigint AS unfit
FROM preassignments w
JOIN groups g ON g.course_id = w.course_id AND g.id = w.group_id
WHERE w.course_id = :course_id::bigint AND w.partition_id = :partition_id::bigint
  AND w.id > :after::bigint
ORDER BY w.id LIMIT :limit::integer;
