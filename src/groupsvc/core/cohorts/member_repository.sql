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
