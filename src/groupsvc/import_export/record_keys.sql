-- read: courses
SELECT named.key AS record, t.id, t.key AS name
FROM unnest(:keys::uuid[], :ids::bigint[]) AS named (key, id)
CROSS JOIN LATERAL (
    SELECT * FROM courses WHERE imported_key = named.key
    UNION ALL
    SELECT * FROM courses WHERE id = named.id AND imported_key IS NULL
       AND record_key(NULL, id, created_at) = named.key
) t;

-- read: users
SELECT named.key AS record, t.id, t.username AS name
FROM unnest(:keys::uuid[], :ids::bigint[]) AS named (key, id)
CROSS JOIN LATERAL (
    SELECT * FROM users WHERE imported_key = named.key
    UNION ALL
    SELECT * FROM users WHERE id = named.id AND imported_key IS NULL
       AND record_key(NULL, id, created_at) = named.key
) t;

-- read: partitions
SELECT named.key AS record, t.id, t.course_id, t.name
FROM unnest(:keys::uuid[], :ids::bigint[]) AS named (key, id)
CROSS JOIN LATERAL (
    SELECT * FROM partitions WHERE imported_key = named.key
    UNION ALL
    SELECT * FROM partitions WHERE id = named.id AND imported_key IS NULL
       AND record_key(NULL, id, created_at) = named.key
) t
WHERE t.name IS NOT NULL;

-- read: groups
SELECT named.key AS record, t.id, t.partition_id, t.name
FROM unnest(:keys::uuid[], :ids::bigint[]) AS named (key, id)
CROSS JOIN LATERAL (
    SELECT * FROM groups WHERE imported_key = named.key
    UNION ALL
    SELECT * FROM groups WHERE id = named.id AND imported_key IS NULL
       AND record_key(NULL, id, created_at) = named.key
) t
WHERE t.name IS NOT NULL;
