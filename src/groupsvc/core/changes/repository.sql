-- read: page
-- Newest first. Lines outside every course are for callers whose reach is everywhere. A reader of
-- another server knows users by the ids there, those who have been deleted as well. A partition is
-- looked for in the lines of its course, which lines of its own tell when it is gone.
SELECT x.seq, row_to_json(shape)::text AS body
FROM changes x
LEFT JOIN courses c ON c.id = x.course_id
LEFT JOIN departments d ON d.id = c.department_id
CROSS JOIN LATERAL (SELECT x.seq, nullif(x.course_id, 0) AS course_id, x.at, x.actor, x.request_id,
x.changeset_id, x.cause, x.kind, x.partition_id, x.group_id, CASE WHEN :by_known_id::boolean THEN coalesce(
    (SELECT foreign_id FROM users WHERE id = x.user_id),
    (SELECT foreign_id FROM former_users WHERE id = x.user_id), x.user_id) ELSE x.user_id END AS user_id,
told(x.before) AS before, told(x.after) AS after) shape
WHERE x.seq < :before::bigint AND (:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[]))
  AND (:course_id::bigint IS NULL OR x.course_id = :course_id::bigint)
  AND (:user_id::bigint IS NULL OR x.user_id = :user_id::bigint)
  AND (:partition_id::bigint IS NULL OR x.partition_id = :partition_id::bigint AND x.course_id = coalesce(
      (SELECT course_id FROM partitions WHERE id = :partition_id::bigint),
      (SELECT course_id FROM changes
       WHERE user_id IS NULL AND partition_id = :partition_id::bigint LIMIT 1)))
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
-- What is told of a partition is about no user.
SELECT row_to_json(shape)::text AS body FROM changes x
CROSS JOIN LATERAL (SELECT x.seq, nullif(x.course_id, 0) AS course_id, x.at, x.actor, x.request_id,
    x.changeset_id, x.cause, x.kind, x.partition_id, x.group_id, x.user_id, told(x.before) AS before,
    told(x.after) AS after) shape
WHERE split_part(x.kind, '.', 1) = ANY (:nouns::text[])
  AND (:partition_id::bigint IS NULL OR x.partition_id = :partition_id::bigint AND x.user_id IS NULL)
  AND (:group_id::bigint IS NULL OR x.group_id = :group_id::bigint)
  AND (:user_id::bigint IS NULL OR x.user_id = :user_id::bigint)
  AND (:course_id::bigint IS NULL OR x.course_id = :course_id::bigint)
ORDER BY x.seq DESC LIMIT 5;

-- primary read: cohort_page
-- Up to a line below which the log is settled: whoever reads on from the last key misses nothing and
-- reads nothing twice. A standby may have a line and not yet the one before. An address is told
-- while it waits.
SELECT x.seq, left(x.changeset_id::text, 8) AS mark, row_to_json(shape)::text AS body
FROM changes x
JOIN courses c ON c.id = x.course_id
JOIN departments d ON d.id = c.department_id
LEFT JOIN users u ON u.id = x.user_id
LEFT JOIN external_ids i ON i.user_id = x.user_id AND i.system = :system::text
LEFT JOIN preassignments w
    ON x.kind LIKE 'preassignment.%' AND w.course_id = x.course_id
    AND w.id = CAST(x.after ->> 'id' AS bigint)
LEFT JOIN groups g
    ON x.kind LIKE 'preassignment.%' AND g.course_id = x.course_id AND g.id = x.group_id
CROSS JOIN LATERAL (SELECT x.seq, nullif(x.course_id, 0) AS course_id, x.at, x.actor, x.request_id,
x.changeset_id, x.cause, x.kind, x.partition_id, x.group_id, x.user_id, told(x.before) AS before, told(x.after) AS after, c.key AS course_key, CASE WHEN u.id IS NOT NULL THEN json_build_object(
    'id', u.id, 'username', u.username, 'email', u.email, 'given_name', u.given_name,
    'family_name', u.family_name, 'is_active', u.is_active) END AS "user", i.external_id, w.email,
              g.name AS group_name) shape
WHERE x.seq > :after::bigint AND x.seq <= :settled::bigint
  AND x.kind IN ('group.created', 'membership.assigned', 'membership.moved',
    'membership.removed', 'preassignment.created', 'preassignment.updated') AND (x.partition_id IS NULL OR EXISTS (
    SELECT FROM changes made
    WHERE made.course_id = x.course_id AND made.partition_id = x.partition_id
      AND made.user_id IS NULL AND made.kind = 'partition.created'
      AND made.after ->> 'kind' = 'cohorts')) AND (:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[]))
  AND (:course_id::bigint IS NULL OR x.course_id = :course_id::bigint)
  AND (:user_id::bigint IS NULL OR x.user_id = :user_id::bigint)
  AND (:partition_id::bigint IS NULL OR x.partition_id = :partition_id::bigint)
  AND (:group_id::bigint IS NULL OR x.group_id = :group_id::bigint)
  AND (:actor::text IS NULL OR x.actor = :actor::text)
  AND (:kind::text IS NULL OR x.kind = :kind::text)
  AND (:request::text IS NULL OR x.request_id = :request::text)
  AND (:changeset::text IS NULL OR x.changeset_id::text = :changeset::text)
  AND (:since::timestamptz IS NULL OR x.at >= :since::timestamptz)
  AND (:until::timestamptz IS NULL OR x.at < :until::timestamptz)
ORDER BY x.seq LIMIT :limit::integer;
