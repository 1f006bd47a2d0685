-- write: lock_partitions
SELECT p.course_id, p.name, p.id, p.kind, p.groups_editable
FROM partitions p
WHERE (p.course_id, p.name) IN (
    SELECT * FROM unnest(:course_ids::bigint[], :partition_names::text[]))
ORDER BY p.id FOR NO KEY UPDATE;

-- read: room
-- Nothing is held: whoever fills a group meanwhile makes the batch be decided anew.
SELECT g.partition_id, g.id, g.name, g.capacity, CASE WHEN g.capacity IS NOT NULL THEN (
    SELECT count(*) FROM memberships m
    WHERE m.course_id = g.course_id AND m.group_id = g.id) END AS taken
FROM unnest(:course_ids::bigint[], :partition_ids::bigint[], :group_names::text[])
    AS named (course_id, partition_id, name)
CROSS JOIN LATERAL (
    SELECT * FROM groups
    WHERE course_id = named.course_id AND partition_id = named.partition_id
      AND name = named.name
    OFFSET 0
) g;

-- read: standings
SELECT named.course_id, named.partition_id, named.user_id, m.group_id,
       EXISTS (SELECT FROM enrollments e
               WHERE e.course_id = named.course_id AND e.user_id = named.user_id)
           AS is_enrolled
FROM unnest(:course_ids::bigint[], :partition_ids::bigint[], :user_ids::bigint[])
    AS named (course_id, partition_id, user_id)
LEFT JOIN LATERAL (
    SELECT group_id FROM memberships
    WHERE course_id = named.course_id AND partition_id = named.partition_id
      AND user_id = named.user_id
    OFFSET 0
) m ON true;
