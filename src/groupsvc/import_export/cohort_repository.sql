-- read: groups
SELECT p.course_id, p.name AS partition, g.name, p.kind, p.id AS partition_id, g.id
FROM unnest(:course_ids::bigint[], :partitions::text[], :names::text[])
    AS named (course_id, partition, name)
JOIN partitions p ON p.course_id = named.course_id AND p.name = named.partition
JOIN groups g ON g.course_id = p.course_id AND g.partition_id = p.id AND g.name = named.name;

-- read: with_random
SELECT named.course_id, named.partition_id
FROM unnest(:course_ids::bigint[], :partition_ids::bigint[]) AS named (course_id, partition_id)
WHERE EXISTS (
    SELECT FROM groups g
    WHERE g.course_id = named.course_id AND g.partition_id = named.partition_id
      AND g.assignment_type = 'random' AND g.id <> ALL (:but::bigint[]));

-- read: waiting
SELECT x.course_id, x.partition_id, x.group_id, x.email, named.email AS folded
FROM unnest(:course_ids::bigint[], :emails::text[]) AS named (course_id, email)
JOIN preassignments x
    ON x.course_id = named.course_id AND lower(x.email COLLATE "C") = named.email;

-- write: preassign
INSERT INTO preassignments (course_id, partition_id, group_id, email)
SELECT course_id, partition_id, group_id, email
FROM unnest(:course_ids::bigint[], :partition_ids::bigint[], :group_ids::bigint[], :emails::text[])
    WITH ORDINALITY AS given (course_id, partition_id, group_id, email, place)
ORDER BY place
ON CONFLICT (course_id, lower(email COLLATE "C")) DO UPDATE
    SET group_id = excluded.group_id, partition_id = excluded.partition_id,
        email = excluded.email, created_at = clock_timestamp();

-- read: contents
SELECT course_id, id, name, scheme, description, is_active, groups::text AS groups
FROM content_partitions WHERE course_id = ANY (:course_ids::bigint[]);

-- write: store_contents
-- New ones come after those that there are, in the order given.
INSERT INTO content_partitions
    (course_id, id, scheme, name, description, is_active, position, groups)
SELECT given.course_id, given.id, given.scheme, given.name, given.description, given.is_active,
       place + coalesce((SELECT max(x.position) FROM content_partitions x
                         WHERE x.course_id = given.course_id), 0), given.groups
FROM unnest(:course_ids::bigint[], :ids::bigint[], :schemes::text[], :names::text[], :descriptions::text[],
            :active::boolean[], :groups::jsonb[])
    WITH ORDINALITY AS given (course_id, id, scheme, name, description, is_active, groups, place)
ON CONFLICT (course_id, id) DO UPDATE
    SET scheme = excluded.scheme, name = excluded.name, description = excluded.description,
        is_active = excluded.is_active, groups = excluded.groups;
