-- read: page_up
WITH place AS MATERIALIZED (
    SELECT d.acronym AS department, c.key AS course, c.id AS course_id, c.is_locked, p.id AS partition_id
    FROM courses c
    JOIN departments d ON d.id = c.department_id
    LEFT JOIN partitions p ON p.course_id = c.id AND p.kind = 'cohorts'
    WHERE c.key = :key::text
),
total AS MATERIALIZED (
    SELECT count(*) AS count FROM place
    JOIN groups g ON g.course_id = place.course_id AND g.partition_id = place.partition_id
),
known AS MATERIALIZED (SELECT (:mark::bigint IS NOT NULL
AND NOT EXISTS (SELECT FROM changes WHERE course_id = place.course_id AND seq > :mark::bigint)
AND NOT EXISTS (
    SELECT FROM changes
    WHERE transaction_id = ANY (CAST(:running::text[] AS xid8[])) AND course_id = place.course_id)) AS holds FROM place)
SELECT place.*, total.count AS total, known.holds, shown.*, (SELECT coalesce(max(seq), 0) FROM changes) AS mark,
(SELECT array_agg(x::text) FROM pg_snapshot_xip(pg_current_snapshot()) x) AS running
FROM place CROSS JOIN total CROSS JOIN known LEFT JOIN LATERAL (
    SELECT g.id, g.name, g.assignment_type, g.content_partition_id, g.content_group_id, (SELECT count(*) FROM memberships m
    JOIN enrollments e ON e.course_id = m.course_id AND e.user_id = m.user_id
    WHERE m.course_id = g.course_id AND m.group_id = g.id AND e.state = 'active') AS user_count FROM groups g
    WHERE NOT known.holds
      AND g.course_id = place.course_id AND g.partition_id = place.partition_id
    ORDER BY g.name ASC LIMIT :limit::integer OFFSET CASE WHEN :offset::bigint < 0 THEN greatest((total.count - 1) / :limit::integer, 0) * :limit::integer
                ELSE :offset::bigint END
) shown ON true
ORDER BY shown.name ASC;

-- read: page_down
WITH place AS MATERIALIZED (
    SELECT d.acronym AS department, c.key AS course, c.id AS course_id, c.is_locked, p.id AS partition_id
    FROM courses c
    JOIN departments d ON d.id = c.department_id
    LEFT JOIN partitions p ON p.course_id = c.id AND p.kind = 'cohorts'
    WHERE c.key = :key::text
),
total AS MATERIALIZED (
    SELECT count(*) AS count FROM place
    JOIN groups g ON g.course_id = place.course_id AND g.partition_id = place.partition_id
),
known AS MATERIALIZED (SELECT (:mark::bigint IS NOT NULL
AND NOT EXISTS (SELECT FROM changes WHERE course_id = place.course_id AND seq > :mark::bigint)
AND NOT EXISTS (
    SELECT FROM changes
    WHERE transaction_id = ANY (CAST(:running::text[] AS xid8[])) AND course_id = place.course_id)) AS holds FROM place)
SELECT place.*, total.count AS total, known.holds, shown.*, (SELECT coalesce(max(seq), 0) FROM changes) AS mark,
(SELECT array_agg(x::text) FROM pg_snapshot_xip(pg_current_snapshot()) x) AS running
FROM place CROSS JOIN total CROSS JOIN known LEFT JOIN LATERAL (
    SELECT g.id, g.name, g.assignment_type, g.content_partition_id, g.content_group_id, (SELECT count(*) FROM memberships m
    JOIN enrollments e ON e.course_id = m.course_id AND e.user_id = m.user_id
    WHERE m.course_id = g.course_id AND m.group_id = g.id AND e.state = 'active') AS user_count FROM groups g
    WHERE NOT known.holds
      AND g.course_id = place.course_id AND g.partition_id = place.partition_id
    ORDER BY g.name DESC LIMIT :limit::integer OFFSET CASE WHEN :offset::bigint < 0 THEN greatest((total.count - 1) / :limit::integer, 0) * :limit::integer
                ELSE :offset::bigint END
) shown ON true
ORDER BY shown.name DESC;

-- read: members
WITH place AS MATERIALIZED (
    SELECT d.acronym AS department, c.key AS course, c.id AS course_id, c.is_locked, g.partition_id, g.id AS cohort_id
    FROM courses c
    JOIN departments d ON d.id = c.department_id
    LEFT JOIN (groups g
    JOIN partitions p
    ON p.course_id = g.course_id AND p.id = g.partition_id AND p.kind = 'cohorts') ON g.course_id = c.id AND g.id = :group_id::bigint
    WHERE c.key = :key::text
),
total AS MATERIALIZED (
    SELECT count(*) AS count FROM place
    JOIN memberships m ON m.course_id = place.course_id AND m.group_id = place.cohort_id
)
SELECT place.*, total.count AS total, shown.*
FROM place CROSS JOIN total LEFT JOIN LATERAL (
    SELECT u.id, u.username, u.email, u.given_name, u.family_name
    FROM memberships m CROSS JOIN LATERAL (SELECT * FROM users WHERE id = m.user_id OFFSET 0) u
    WHERE m.course_id = place.course_id AND m.group_id = place.cohort_id
    ORDER BY m.user_id LIMIT :limit::integer OFFSET CASE WHEN :offset::bigint < 0 THEN greatest((total.count - 1) / :limit::integer, 0) * :limit::integer
                ELSE :offset::bigint END
) shown ON true
ORDER BY shown.id;

-- read: read
SELECT d.acronym AS department, c.key AS course, c.id AS course_id, c.is_locked, g.partition_id, g.id AS cohort_id,
       g.capacity, g.id, g.name, g.assignment_type, g.content_partition_id, g.content_group_id, (SELECT count(*) FROM memberships m
    JOIN enrollments e ON e.course_id = m.course_id AND e.user_id = m.user_id
    WHERE m.course_id = g.course_id AND m.group_id = g.id AND e.state = 'active') AS user_count
FROM courses c JOIN departments d ON d.id = c.department_id LEFT JOIN (groups g JOIN partitions p
    ON p.course_id = g.course_id AND p.id = g.partition_id AND p.kind = 'cohorts') ON g.course_id = c.id AND g.id = :group_id::bigint
WHERE c.key = :key::text;

-- read: lock
-- The course first and shared, as everywhere: adding to it goes on, locking it waits.
SELECT d.acronym AS department, c.key AS course, c.id AS course_id, c.is_locked, g.partition_id, g.id AS cohort_id,
          g.capacity, g.id, g.name, g.assignment_type, g.content_partition_id, g.content_group_id, (SELECT count(*) FROM memberships m
       JOIN enrollments e ON e.course_id = m.course_id AND e.user_id = m.user_id
       WHERE m.course_id = g.course_id AND m.group_id = g.id AND e.state = 'active') AS user_count
   FROM courses c JOIN departments d ON d.id = c.department_id LEFT JOIN (groups g JOIN partitions p
       ON p.course_id = g.course_id AND p.id = g.partition_id AND p.kind = 'cohorts') ON g.course_id = c.id AND g.id = :group_id::bigint
   WHERE c.key = :key::text
FOR SHARE OF c;

-- read: settings
SELECT d.acronym AS department, c.key AS course, c.id AS course_id, c.is_locked, p.id AS partition_id,
       s.id AS settings_id, coalesce(s.is_cohorted, false) AS is_cohorted
FROM courses c
JOIN departments d ON d.id = c.department_id
LEFT JOIN cohort_settings s ON s.course_id = c.id
LEFT JOIN partitions p ON p.course_id = c.id AND p.kind = 'cohorts'
WHERE c.key = :key::text;

-- write: settle
WITH acting AS MATERIALIZED (
    SELECT set_config('groupsvc.actor', :actor::text, true),
           set_config('groupsvc.request_id', :request_id::text, true),
           set_config('groupsvc.cause', :cause::text, true)
)
    INSERT INTO cohort_settings (course_id) SELECT :course_id::bigint FROM acting
    ON CONFLICT (course_id) DO NOTHING;

-- write: switch
INSERT INTO cohort_settings AS s (course_id, is_cohorted) VALUES (:course_id::bigint, :is_cohorted::boolean)
ON CONFLICT (course_id) DO UPDATE SET is_cohorted = excluded.is_cohorted
    WHERE s.is_cohorted <> excluded.is_cohorted;

-- read: last_random
SELECT count(*) FILTER (WHERE id = :group_id::bigint) = 1 AND count(*) = 1 AS is_last
FROM groups
WHERE course_id = :course_id::bigint AND partition_id = :partition_id::bigint AND assignment_type = 'random';
