-- read: settings
-- A course that nobody has configured is not cohorted; reading does not configure it.
SELECT d.acronym AS department, c.key AS course, row_to_json(shape)::text AS body
FROM courses c
JOIN departments d ON d.id = c.department_id
LEFT JOIN cohort_settings s ON s.course_id = c.id
CROSS JOIN LATERAL (SELECT coalesce(s.is_cohorted, false) AS is_cohorted,
            coalesce(s.random_assignment, 'uniform') AS random_assignment) shape
WHERE c.id = :course_id::bigint;

-- write: configure
INSERT INTO cohort_settings AS s (course_id, is_cohorted, random_assignment)
VALUES (:course_id::bigint, :is_cohorted::boolean, :random_assignment::text)
ON CONFLICT (course_id) DO UPDATE
    SET is_cohorted = excluded.is_cohorted, random_assignment = excluded.random_assignment
    WHERE (s.is_cohorted, s.random_assignment)
          IS DISTINCT FROM (excluded.is_cohorted, excluded.random_assignment);

-- read: cohort_of
SELECT d.acronym AS department, c.key AS course, c.id AS course_id, c.is_locked,
       coalesce(s.is_cohorted, false) AS is_cohorted,
       coalesce(s.random_assignment, 'uniform') AS random_assignment,
       p.id AS partition_id, m.group_id, u.id IS NOT NULL AS is_known
FROM courses c JOIN departments d ON d.id = c.department_id
LEFT JOIN cohort_settings s ON s.course_id = c.id
LEFT JOIN partitions p ON p.course_id = c.id AND p.kind = 'cohorts'
LEFT JOIN memberships m ON m.course_id = c.id AND m.partition_id = p.id
    AND m.user_id = :user_id::bigint
LEFT JOIN users u ON u.id = :user_id::bigint
WHERE c.id = :course_id::bigint;

-- checked write: arrive
-- A first visit in one statement, unless a cohort has to be made first. Whoever loses the race for
-- one user writes no membership. Chance passes by what is full; when all are, the full one refuses.
WITH token AS MATERIALIZED (
    SELECT WHERE :bearer::text IS NULL OR EXISTS (
        SELECT FROM bearers b
        WHERE b.digest = :bearer_digest::bytea AND b.bearer = :bearer::text AND NOT b.is_expired)
),
audit AS MATERIALIZED (
    SELECT set_config('groupsvc.actor', :actor::text, true),
           set_config('groupsvc.request_id', :request_id::text, true),
           set_config('groupsvc.cause', :cause::text, true)
    FROM token
),
place AS MATERIALIZED (
    SELECT c.id AS course_id, p.id AS partition_id, u.id AS user_id, u.email,
           s.random_assignment = 'balanced' AS is_balanced
    FROM audit CROSS JOIN courses c
    JOIN cohort_settings s ON s.course_id = c.id AND s.is_cohorted
    JOIN partitions p ON p.course_id = c.id AND p.kind = 'cohorts'
    JOIN users u ON u.id = :user_id::bigint
    WHERE c.id = :course_id::bigint AND NOT c.is_locked
    FOR SHARE OF c
),
waiting AS (
    DELETE FROM preassignments x USING place
    WHERE x.course_id = place.course_id
      AND lower(x.email COLLATE "C") = lower(place.email COLLATE "C")
      AND NOT EXISTS (
          SELECT FROM memberships m
          WHERE m.course_id = place.course_id AND m.partition_id = place.partition_id
            AND m.user_id = place.user_id)
    RETURNING x.group_id
),
chance AS (
    SELECT g.id, g.capacity <= own.size AS is_full,
           CASE WHEN place.is_balanced THEN own.size END AS size,
           CASE WHEN place.is_balanced THEN g.id END AS id_of_equals
    FROM place JOIN groups g ON g.course_id = place.course_id
        AND g.partition_id = place.partition_id AND g.assignment_type = 'random'
    CROSS JOIN LATERAL (
        SELECT count(*) AS size FROM memberships m
        WHERE m.course_id = g.course_id AND m.group_id = g.id
          AND (g.capacity IS NOT NULL OR place.is_balanced)
    ) own
),
chosen AS MATERIALIZED (
    SELECT coalesce((SELECT group_id FROM waiting), (
        SELECT id FROM chance
        ORDER BY is_full IS TRUE, size, id_of_equals, random() LIMIT 1
    ), :group_id::bigint) AS group_id
),
entered AS (
    INSERT INTO memberships (course_id, partition_id, user_id, group_id)
    SELECT place.course_id, place.partition_id, place.user_id, chosen.group_id
    FROM place, chosen WHERE chosen.group_id IS NOT NULL
    ON CONFLICT (course_id, partition_id, user_id) DO NOTHING
    RETURNING group_id
)
SELECT group_id FROM entered;

-- read: content_partitions
SELECT d.acronym AS department, c.key AS course, coalesce((
    SELECT json_agg(json_build_object('id', x.id, 'scheme', x.scheme, 'name', x.name,
'description', x.description, 'is_active', x.is_active, 'groups', x.groups) ORDER BY x.position, x.id)
    FROM content_partitions x WHERE x.course_id = c.id), '[]')::text AS body
FROM courses c JOIN departments d ON d.id = c.department_id WHERE c.id = :course_id::bigint;

-- read: content_partition
SELECT d.acronym AS department, c.key AS course, json_build_object('id', x.id, 'scheme', x.scheme, 'name', x.name,
'description', x.description, 'is_active', x.is_active, 'groups', x.groups)::text AS body
FROM courses c
JOIN departments d ON d.id = c.department_id
JOIN content_partitions x ON x.course_id = c.id
WHERE c.id = :course_id::bigint AND x.id = :content_partition_id::bigint;

-- write: declare
INSERT INTO content_partitions AS x
    (course_id, id, scheme, name, description, is_active, position, groups)
SELECT :course_id::bigint, :content_partition_id::bigint, :scheme::text, :name::text, :description::text, :is_active::boolean,
       (SELECT coalesce(max(position), 0) + 1 FROM content_partitions
        WHERE course_id = :course_id::bigint), :groups::jsonb
ON CONFLICT (course_id, id) DO UPDATE
    SET scheme = excluded.scheme, name = excluded.name, description = excluded.description,
        is_active = excluded.is_active, groups = excluded.groups
RETURNING xmax = 0 AS created;

-- write: withdraw
DELETE FROM content_partitions WHERE course_id = :course_id::bigint AND id = :content_partition_id::bigint;
