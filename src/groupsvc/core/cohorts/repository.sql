-- read, gathered: page
-- The page is not looked for when no line of the change log says that it may be another one: then
-- ``holds`` is true. Members are counted for the cohorts of the page alone, of which the last one
-- has a negative offset. ``collated`` is the order of utf8mb4_unicode_ci of MySQL: punctuation,
-- digits, letters without case and accents. An æ, ø or ł follows all that begins with its letter.
WITH place AS MATERIALIZED (
    SELECT d.acronym AS department, c.key AS course, c.id AS course_id, c.is_locked,
           p.id AS partition_id
    FROM courses c
    JOIN departments d ON d.id = c.department_id
    LEFT JOIN partitions p ON p.course_id = c.id AND p.kind = 'cohorts'
    WHERE c.key = :key::text
),
total AS MATERIALIZED (
    SELECT count(*) AS count FROM place
    JOIN groups g ON g.course_id = place.course_id AND g.partition_id = place.partition_id
),
known AS MATERIALIZED (
    SELECT :mark::bigint IS NOT NULL
       AND NOT EXISTS (
           SELECT FROM changes WHERE course_id = place.course_id AND seq > :mark::bigint)
       AND NOT EXISTS (
           SELECT FROM changes WHERE course_id = place.course_id
               AND transaction_id = ANY (CAST(:running::text[] AS xid8[]))) AS holds
    FROM place
)
SELECT place.*, total.count AS total, known.holds, shown.*,
       (SELECT coalesce(max(seq), 0) FROM changes) AS mark,
       (SELECT array_agg(x::text) FROM pg_snapshot_xip(pg_current_snapshot()) x) AS running
FROM place CROSS JOIN total CROSS JOIN known LEFT JOIN LATERAL (
    SELECT g.id, g.name, g.assignment_type, g.content_partition_id, g.content_group_id, (
        SELECT count(*) FROM memberships m
        JOIN enrollments e ON e.course_id = m.course_id AND e.user_id = m.user_id
        WHERE m.course_id = g.course_id AND m.group_id = g.id AND e.state = 'active') AS user_count,
        sorted.sort_key
    FROM groups g CROSS JOIN LATERAL (
        SELECT CASE WHEN NOT :collated::boolean THEN g.name ELSE translate(lower(CASE
            WHEN octet_length(g.name) = length(g.name) THEN g.name
            ELSE replace(replace(replace(replace(replace(translate(
                regexp_replace(normalize(g.name, NFKD), '[\u0300-\u036f]', '', 'g'),
                'ŒÆØŁΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩςАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ',
                'œæøłαβγδεζηθικλμνξοπρστυφχψωσабвгдежзиклмнопрстуфхцчшщъыьэюя'),
                'œ', 'oe'), 'ß', 'ss'), 'æ', 'a￿'), 'ø', 'o￿'), 'ł', 'l￿')
            END COLLATE "C"),
            ' `^_-–—,;:!?.''’"«»()[]{}@*/\&#%+<=>|~$',
            E'\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13'
            '\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x20\x21\x22\x23\x24\x25\x26')
            END COLLATE "C" AS sort_key
        OFFSET 0
    ) sorted
    WHERE NOT known.holds
      AND g.course_id = place.course_id AND g.partition_id = place.partition_id
    ORDER BY CASE WHEN NOT :descending::boolean THEN sorted.sort_key END,
             CASE WHEN NOT :descending::boolean THEN g.name END, sorted.sort_key DESC, g.name DESC
    LIMIT :limit::integer
    OFFSET CASE WHEN :offset::bigint < 0
                THEN greatest((total.count - 1) / :limit::integer, 0) * :limit::integer
                ELSE :offset::bigint END
) shown ON true
ORDER BY CASE WHEN NOT :descending::boolean THEN shown.sort_key END,
         CASE WHEN NOT :descending::boolean THEN shown.name END, shown.sort_key DESC, shown.name DESC;

-- read: members
WITH place AS MATERIALIZED (
    SELECT d.acronym AS department, c.key AS course, c.id AS course_id, c.is_locked,
           g.partition_id, g.id AS cohort_id
    FROM courses c
    JOIN departments d ON d.id = c.department_id
    LEFT JOIN (groups g
        JOIN partitions p
            ON p.course_id = g.course_id AND p.id = g.partition_id AND p.kind = 'cohorts')
        ON g.course_id = c.id AND g.id = :group_id::bigint
    WHERE c.key = :key::text
),
total AS MATERIALIZED (
    SELECT count(*) AS count FROM place
    JOIN memberships m ON m.course_id = place.course_id AND m.group_id = place.cohort_id
)
SELECT place.*, total.count AS total, shown.*
FROM place CROSS JOIN total LEFT JOIN LATERAL (
    SELECT u.id, u.username, u.email, u.given_name, u.family_name
    FROM memberships m CROSS JOIN LATERAL (SELECT * FROM users WHERE id = m.user_id OFFSET 0) u
    WHERE m.course_id = place.course_id AND m.group_id = place.cohort_id
    ORDER BY m.user_id
    LIMIT :limit::integer
    OFFSET CASE WHEN :offset::bigint < 0
                THEN greatest((total.count - 1) / :limit::integer, 0) * :limit::integer
                ELSE :offset::bigint END
) shown ON true
ORDER BY shown.id;

-- read: read
SELECT d.acronym AS department, c.key AS course, c.id AS course_id, c.is_locked, g.partition_id,
       g.id, g.name, g.assignment_type, g.content_partition_id, g.content_group_id, (
    SELECT count(*) FROM memberships m
    JOIN enrollments e ON e.course_id = m.course_id AND e.user_id = m.user_id
    WHERE m.course_id = g.course_id AND m.group_id = g.id AND e.state = 'active') AS user_count
FROM courses c JOIN departments d ON d.id = c.department_id
LEFT JOIN (groups g JOIN partitions p
        ON p.course_id = g.course_id AND p.id = g.partition_id AND p.kind = 'cohorts')
    ON g.course_id = c.id AND g.id = :group_id::bigint
WHERE c.key = :key::text;

-- read: lock
-- The course first and shared, as everywhere: adding to it goes on, locking it waits.
SELECT d.acronym AS department, c.key AS course, c.id AS course_id, c.is_locked, g.partition_id,
       g.id, g.capacity
FROM courses c JOIN departments d ON d.id = c.department_id
LEFT JOIN (groups g JOIN partitions p
        ON p.course_id = g.course_id AND p.id = g.partition_id AND p.kind = 'cohorts')
    ON g.course_id = c.id AND g.id = :group_id::bigint
WHERE c.key = :key::text
FOR SHARE OF c;

-- read: last_random
SELECT count(*) FILTER (WHERE id = :group_id::bigint) = 1 AND count(*) = 1 AS is_last
FROM groups
WHERE course_id = :course_id::bigint AND partition_id = :partition_id::bigint AND assignment_type = 'random';

-- read: find_settings
SELECT d.acronym AS department, c.key AS course, c.id AS course_id, c.is_locked, p.id AS partition_id,
       s.id AS settings_id, coalesce(s.is_cohorted, false) AS is_cohorted
FROM courses c
JOIN departments d ON d.id = c.department_id
LEFT JOIN cohort_settings s ON s.course_id = c.id
LEFT JOIN partitions p ON p.course_id = c.id AND p.kind = 'cohorts'
WHERE c.key = :key::text;

-- placed read: settings
-- A course that nobody has configured is not cohorted; reading does not configure it.
SELECT d.acronym AS department, c.key AS course, row_to_json(shape)::text AS body
FROM courses c
JOIN departments d ON d.id = c.department_id
LEFT JOIN cohort_settings s ON s.course_id = c.id
CROSS JOIN LATERAL (SELECT coalesce(s.is_cohorted, false) AS is_cohorted,
            coalesce(s.random_assignment, 'uniform') AS random_assignment) shape
WHERE c.id = :course_id::bigint;

-- write: create_settings
WITH acting AS MATERIALIZED (
    SELECT set_config('groupsvc.actor', :actor::text, true),
           set_config('groupsvc.request_id', :request_id::text, true),
           set_config('groupsvc.cause', :cause::text, true)
)
    INSERT INTO cohort_settings (course_id) SELECT :course_id::bigint FROM acting
    ON CONFLICT (course_id) DO NOTHING;

-- write: configure
-- Null keeps how chance decides, which is uniform at first.
INSERT INTO cohort_settings AS s (course_id, is_cohorted, random_assignment)
VALUES (:course_id::bigint, :is_cohorted::boolean, coalesce(:random_assignment::text, 'uniform'))
ON CONFLICT (course_id) DO UPDATE
    SET is_cohorted = excluded.is_cohorted,
        random_assignment = coalesce(:random_assignment::text, s.random_assignment)
    WHERE (s.is_cohorted, s.random_assignment) IS DISTINCT FROM
          (excluded.is_cohorted, coalesce(:random_assignment::text, s.random_assignment));

-- read: lock_course
SELECT d.acronym AS department, c.key AS course, c.id AS course_id, c.is_locked, p.id AS partition_id
FROM courses c JOIN departments d ON d.id = c.department_id
LEFT JOIN partitions p ON p.course_id = c.id AND p.kind = 'cohorts'
WHERE c.id = :course_id::bigint
FOR SHARE OF c;

-- placed read: of_user
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

-- checked write: assign_automatically
-- A first visit in one statement, unless a cohort has to be made first. Whoever loses the race for
-- one user writes no membership. Chance passes by what is full; when all are, the full one refuses.
WITH token AS MATERIALIZED (
    SELECT WHERE :access_version::uuid IS NULL OR EXISTS (
        SELECT FROM access_version v WHERE v.version = :access_version::uuid)
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

-- read: preassignments
SELECT x.id, json_build_object(
    'id', x.id, 'course_id', x.course_id, 'email', x.email, 'group_id', x.group_id,
    'group_name', g.name, 'created_at', x.created_at)::text AS body
FROM preassignments x
JOIN groups g ON g.course_id = x.course_id AND g.id = x.group_id
WHERE x.course_id = :course_id::bigint AND x.id > :after::bigint
ORDER BY x.id LIMIT :limit::integer;

-- write: cancel_preassignment
DELETE FROM preassignments WHERE course_id = :course_id::bigint AND id = :id::bigint RETURNING id;

-- write: delete_preassignments
WITH kept AS (
    DELETE FROM removed_preassignments WHERE lower(email COLLATE "C") = lower(:email::text COLLATE "C")
)
DELETE FROM preassignments
WHERE lower(email COLLATE "C") = lower(:email::text COLLATE "C") RETURNING id;

-- write: retire_users
UPDATE users SET is_retired = true
WHERE lower(email COLLATE "C") = lower(:email::text COLLATE "C") AND NOT is_retired RETURNING id;

-- placed read: content_partitions
SELECT d.acronym AS department, c.key AS course, coalesce((
    SELECT json_agg(json_build_object('id', x.id, 'scheme', x.scheme, 'name', x.name,
'description', x.description, 'is_active', x.is_active, 'groups', x.groups) ORDER BY x.position, x.id)
    FROM content_partitions x WHERE x.course_id = c.id), '[]')::text AS body
FROM courses c JOIN departments d ON d.id = c.department_id WHERE c.id = :course_id::bigint;

-- placed read: content_partition
SELECT d.acronym AS department, c.key AS course, json_build_object('id', x.id, 'scheme', x.scheme, 'name', x.name,
'description', x.description, 'is_active', x.is_active, 'groups', x.groups)::text AS body
FROM courses c
JOIN departments d ON d.id = c.department_id
JOIN content_partitions x ON x.course_id = c.id
WHERE c.id = :course_id::bigint AND x.id = :content_partition_id::bigint;

-- write: store_content_partition
INSERT INTO content_partitions AS x
    (course_id, id, scheme, name, description, is_active, position, groups)
SELECT :course_id::bigint, :content_partition_id::bigint, :scheme::text, :name::text, :description::text, :is_active::boolean,
       (SELECT coalesce(max(position), 0) + 1 FROM content_partitions
        WHERE course_id = :course_id::bigint), :groups::jsonb
ON CONFLICT (course_id, id) DO UPDATE
    SET scheme = excluded.scheme, name = excluded.name, description = excluded.description,
        is_active = excluded.is_active, groups = excluded.groups
RETURNING xmax = 0 AS created;

-- write: delete_content_partition
DELETE FROM content_partitions WHERE course_id = :course_id::bigint AND id = :content_partition_id::bigint;
