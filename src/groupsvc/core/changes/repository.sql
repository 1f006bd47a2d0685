-- read: page
-- Newest first. Lines outside every course are for callers whose reach is everywhere.
SELECT x.seq, row_to_json(shape)::text AS body
FROM changes x
LEFT JOIN courses c ON c.id = x.course_id
LEFT JOIN departments d ON d.id = c.department_id
CROSS JOIN LATERAL (SELECT x.seq, nullif(x.course_id, 0) AS course_id, x.at, x.actor, x.request_id,
x.changeset_id, x.cause, x.kind, x.partition_id, x.group_id, x.user_id, x.before, x.after) shape
WHERE x.seq < :before::bigint AND (:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[]))
  AND (:course_id::bigint IS NULL OR x.course_id = :course_id::bigint)
  AND (:user_id::bigint IS NULL OR x.user_id = :user_id::bigint)
  AND (:partition_id::bigint IS NULL OR x.partition_id = :partition_id::bigint)
  AND (:group_id::bigint IS NULL OR x.group_id = :group_id::bigint)
  AND (:actor::text IS NULL OR x.actor = :actor::text)
  AND (:kind::text IS NULL OR x.kind = :kind::text)
  AND (:kinds::text[] IS NULL OR x.kind = ANY (:kinds::text[]))
  AND (:request::text IS NULL OR x.request_id = :request::text)
  AND (:changeset::text IS NULL OR x.changeset_id::text = :changeset::text)
  AND (:since::timestamptz IS NULL OR x.at >= :since::timestamptz)
  AND (:until::timestamptz IS NULL OR x.at < :until::timestamptz)
ORDER BY x.seq DESC LIMIT :limit::integer;

-- read: latest
SELECT seq, at, actor, kind, before, after FROM changes
WHERE split_part(kind, '.', 1) = ANY (:nouns::text[])
  AND (:partition_id::bigint IS NULL OR partition_id = :partition_id::bigint)
  AND (:group_id::bigint IS NULL OR group_id = :group_id::bigint)
  AND (:user_id::bigint IS NULL OR user_id = :user_id::bigint)
  AND (:course_id::bigint IS NULL OR course_id = :course_id::bigint)
ORDER BY seq DESC LIMIT 5;
