-- read: active
SELECT named.course_id, (
    SELECT count(*) FROM enrollments
    WHERE course_id = named.course_id AND state = 'active') AS count
FROM unnest(:course_ids::bigint[]) AS named (course_id);

-- read: members
SELECT named.course_id, named.partition_id, (
    SELECT count(*) FROM memberships
    WHERE course_id = named.course_id AND partition_id = named.partition_id) AS count
FROM unnest(:course_ids::bigint[], :partition_ids::bigint[]) AS named (course_id, partition_id);

-- read: ids_in_courses
-- Who is named there is left out by whoever asks: a join with so many ids may be planned as a loop.
SELECT course_id AS place, array_agg(user_id) AS ids
FROM enrollments
WHERE course_id = ANY (:course_ids::bigint[]) AND state = 'active'
GROUP BY course_id;

-- read: ids_in_groups
SELECT listed.course_id, listed.partition_id, listed.group_id, m.ids
FROM unnest(:course_ids::bigint[], :partition_ids::bigint[], :group_ids::bigint[])
    AS listed (course_id, partition_id, group_id)
CROSS JOIN LATERAL (
    SELECT array_agg(user_id) AS ids FROM memberships
    WHERE course_id = listed.course_id AND group_id = listed.group_id
) m
WHERE m.ids IS NOT NULL;

-- write: hold_in_courses
-- Looked up one by one, in an order that keeps two of these from waiting for one another.
SELECT e.course_id, 0, NULL, e.user_id, c.key, NULL, NULL, u.username
FROM (
    SELECT * FROM unnest(:course_ids::bigint[], :user_ids::bigint[]) AS missing (course_id, user_id)
    ORDER BY course_id, user_id
) missing
CROSS JOIN LATERAL (
    SELECT * FROM enrollments
    WHERE course_id = missing.course_id AND user_id = missing.user_id AND state = 'active'
    FOR NO KEY UPDATE
) e
CROSS JOIN LATERAL (SELECT key FROM courses WHERE id = e.course_id OFFSET 0) c
CROSS JOIN LATERAL (SELECT username FROM users WHERE id = e.user_id OFFSET 0) u;

-- write: hold_in_groups
SELECT m.course_id, m.partition_id, m.group_id, m.user_id, c.key, p.name, g.name, u.username
FROM (
    SELECT * FROM unnest(:course_ids::bigint[], :partition_ids::bigint[], :group_ids::bigint[],
                         :user_ids::bigint[]) AS missing (course_id, partition_id, group_id, user_id)
    ORDER BY course_id, partition_id, user_id
) missing
CROSS JOIN LATERAL (
    SELECT * FROM memberships
    WHERE course_id = missing.course_id AND partition_id = missing.partition_id
      AND user_id = missing.user_id AND group_id = missing.group_id
    FOR UPDATE
) m
CROSS JOIN LATERAL (SELECT key FROM courses WHERE id = m.course_id OFFSET 0) c
CROSS JOIN LATERAL (
    SELECT name FROM partitions WHERE course_id = m.course_id AND id = m.partition_id OFFSET 0
) p
CROSS JOIN LATERAL (
    SELECT name FROM groups WHERE course_id = m.course_id AND id = m.group_id OFFSET 0
) g
CROSS JOIN LATERAL (SELECT username FROM users WHERE id = m.user_id OFFSET 0) u;
