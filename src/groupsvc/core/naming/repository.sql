-- read: group_names
SELECT g.partition_id, g.id, g.name
FROM groups g
WHERE (g.course_id, g.partition_id) IN (
    SELECT * FROM unnest(:course_ids::bigint[], :partition_ids::bigint[]))
  AND g.name IS NOT NULL
ORDER BY g.id;

-- read: former_names
-- Of partitions, which have no group here, and of groups, with what they are called now; the last
-- change comes first.
SELECT f.course_id, f.partition_id, f.group_id, f.name,
       CASE WHEN f.group_id IS NULL THEN p.name ELSE g.name END AS bearer
FROM former_names f
JOIN partitions p ON p.course_id = f.course_id AND p.id = f.partition_id
LEFT JOIN groups g ON g.course_id = f.course_id AND g.id = f.group_id
WHERE f.course_id = ANY (:course_ids::bigint[])
ORDER BY f.until DESC, f.name;
