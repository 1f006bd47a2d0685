-- read: resolve
-- A username that somebody has is meant before the address that somebody else has.
SELECT named.identifier, u.id, u.username, u.email
FROM unnest(:identifiers::text[]) AS named (identifier)
CROSS JOIN LATERAL (
    SELECT 1 AS rank, x.id, x.username, x.email FROM users x
    WHERE x.username = named.identifier AND NOT x.is_retired
    UNION ALL
    SELECT 2, x.id, x.username, x.email FROM users x
    WHERE lower(x.email COLLATE "C") = lower(named.identifier COLLATE "C")
      AND NOT x.is_retired
    ORDER BY rank LIMIT 1
) u;

-- write: enter
-- What is returned is true however many of these race: the row itself keeps where it came from.
-- Sorted by user, so that two of these cannot wait for one another.
WITH entered AS (
    INSERT INTO memberships AS m (course_id, partition_id, user_id, group_id)
    SELECT :course_id::bigint, :partition_id::bigint, named.user_id, named.group_id
    FROM unnest(:user_ids::bigint[], :group_ids::bigint[]) AS named (user_id, group_id)
    ORDER BY named.user_id
    ON CONFLICT (course_id, partition_id, user_id) DO UPDATE
        SET group_id = excluded.group_id, previous_group_id = m.group_id, since = now()
        WHERE m.group_id <> excluded.group_id
    RETURNING m.user_id, m.previous_group_id
)
SELECT entered.user_id, entered.previous_group_id, g.name AS previous_name
FROM entered
LEFT JOIN groups g ON g.course_id = :course_id::bigint AND g.id = entered.previous_group_id;

-- write: preassign
-- One address may be spelled in several ways: the last one counts. An address that waits already
-- waits anew, so that every time leaves its line.
INSERT INTO preassignments AS x (course_id, partition_id, group_id, email)
SELECT :course_id::bigint, :partition_id::bigint, named.group_id, named.email
FROM (
    SELECT DISTINCT ON (lower(email COLLATE "C")) email, group_id
    FROM unnest(:emails::text[], :group_ids::bigint[]) WITH ORDINALITY AS each (email, group_id, place)
    ORDER BY lower(email COLLATE "C"), place DESC
) named
ORDER BY lower(named.email COLLATE "C")
ON CONFLICT (course_id, lower(email COLLATE "C")) DO UPDATE
    SET group_id = excluded.group_id, partition_id = excluded.partition_id,
        email = excluded.email, created_at = clock_timestamp();

-- read: open_course
SELECT d.acronym AS department, c.key AS course, c.id AS course_id, c.is_locked, p.id AS partition_id
FROM courses c JOIN departments d ON d.id = c.department_id
LEFT JOIN partitions p ON p.course_id = c.id AND p.kind = 'cohorts'
WHERE c.id = :course_id::bigint
FOR SHARE OF c;
