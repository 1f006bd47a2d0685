-- read: groups_of_courses
SELECT p.course_id, p.name AS partition, g.name AS group
FROM partitions p JOIN groups g ON g.course_id = p.course_id AND g.partition_id = p.id
WHERE p.course_id = ANY (:course_ids::bigint[]) AND p.kind <> 'default';
