-- checked write, gathered: assign
-- Checks, writes and answers in one statement. The upsert keeps the group it moves from, so that
-- the answer is right when two of these race. The rules are enforced by triggers all the same.
-- What is out of sight is not even locked, or it would take longer than what is not there.
-- Every table, subquery and CTE is paid for by each call, whether it has any rows or not.
WITH target AS MATERIALIZED (
    SELECT d.acronym AS department, c.key AS course, g.course_id, g.partition_id, g.id, p.kind, c.is_locked,
           (:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])) AS allowed,
           EXISTS (SELECT FROM users WHERE id = :user_id::bigint) AS is_known,
           EXISTS (
               SELECT FROM enrollments e
               WHERE e.course_id = g.course_id AND e.user_id = :user_id::bigint
           ) AS is_enrolled,
           set_config('groupsvc.actor', :actor::text, true),
           set_config('groupsvc.request_id', :request_id::text, true),
           set_config('groupsvc.cause', :cause::text, true)
    FROM groups g
    JOIN courses c ON c.id = g.course_id
    JOIN departments d ON d.id = c.department_id
    JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id
    WHERE g.id = :group_id::bigint
      AND (:access_version::uuid IS NULL OR EXISTS (
          SELECT FROM access_version v WHERE v.version = :access_version::uuid))
      AND (:seen_departments::text[] IS NULL OR d.acronym = ANY (:seen_departments::text[])
           OR c.key = ANY (:seen_courses::text[]))
    FOR SHARE OF c
),
moved AS (
    INSERT INTO memberships AS m (course_id, partition_id, user_id, group_id)
    SELECT course_id, partition_id, :user_id::bigint, id
    FROM target
    WHERE allowed AND NOT is_locked AND is_known AND (is_enrolled OR kind = 'cohorts')
      AND kind <> 'default'
    ON CONFLICT (course_id, partition_id, user_id) DO UPDATE
        SET group_id = excluded.group_id, previous_group_id = m.group_id, since = now()
        WHERE m.group_id <> excluded.group_id
    RETURNING m.user_id, m.previous_group_id
)
SELECT department, course, course_id, partition_id, kind, is_locked, is_known,
       is_known AND (is_enrolled OR kind = 'cohorts') AS is_enrolled,
       moved.user_id IS NOT NULL AS changed, moved.previous_group_id
FROM target LEFT JOIN moved ON true;

-- gathered write: assign by user_id
-- The same for several callers, one a user: rows are locked in the order of courses, partitions and
-- users. All of them wait for the lock that one waits for, so not for long: then each waits alone.
-- Who changes what of which user is told to the change log by a map.
WITH call AS MATERIALIZED (
    SELECT call.*, call.departments::text[] AS in_departments, call.courses::text[] AS in_courses
    FROM set_config('lock_timeout', '100ms', true),
        unnest((SELECT :group_id::bigint[]), (SELECT :user_id::bigint[]), (SELECT :everywhere::boolean[]),
               (SELECT :departments::text[]), (SELECT :courses::text[]),
               (SELECT :seen_departments::text[]), (SELECT :seen_courses::text[]),
               (SELECT :actor::text[]), (SELECT :request_id::text[]), (SELECT :cause::text[]))
        WITH ORDINALITY AS call (group_id, user_id, everywhere, departments, courses,
            seen_departments, seen_courses, actor, request_id, cause, call)
    WHERE :access_version::uuid IS NULL OR EXISTS (
        SELECT FROM access_version v WHERE v.version = :access_version::uuid)
),
target AS MATERIALIZED (
    SELECT call.call, d.acronym AS department, c.key AS course, g.course_id, g.partition_id, g.id, p.kind,
           c.is_locked, call.user_id, call.actor, call.request_id, call.cause,
           call.everywhere OR d.acronym = ANY (call.in_departments) OR c.key = ANY (call.in_courses) AS allowed,
           EXISTS (SELECT FROM users WHERE id = call.user_id) AS is_known,
           EXISTS (
               SELECT FROM enrollments e
               WHERE e.course_id = g.course_id AND e.user_id = call.user_id
           ) AS is_enrolled
    FROM call
    JOIN groups g ON g.id = call.group_id
    JOIN courses c ON c.id = g.course_id
    JOIN departments d ON d.id = c.department_id
    JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id
    WHERE call.seen_departments IS NULL OR d.acronym = ANY (call.seen_departments::text[])
       OR c.key = ANY (call.seen_courses::text[])
    ORDER BY c.id
    FOR SHARE OF c
),
audit AS MATERIALIZED (
    SELECT set_config('groupsvc.callers', jsonb_object_agg(user_id, jsonb_build_array(
        actor, request_id, cause, gen_random_uuid()))::text, true)
    FROM target
),
moved AS (
    INSERT INTO memberships AS m (course_id, partition_id, user_id, group_id)
    SELECT course_id, partition_id, user_id, id
    FROM audit CROSS JOIN target
    WHERE allowed AND NOT is_locked AND is_known AND (is_enrolled OR kind = 'cohorts')
      AND kind <> 'default'
    ORDER BY course_id, partition_id, user_id
    ON CONFLICT (course_id, partition_id, user_id) DO UPDATE
        SET group_id = excluded.group_id, previous_group_id = m.group_id, since = now()
        WHERE m.group_id <> excluded.group_id
    RETURNING m.user_id, m.previous_group_id
)
SELECT department, course, course_id, partition_id, kind, is_locked, is_known,
       is_known AND (is_enrolled OR kind = 'cohorts') AS is_enrolled,
       moved.user_id IS NOT NULL AS changed, moved.previous_group_id, call
FROM target LEFT JOIN moved USING (user_id);

-- checked write, gathered: assign_known
-- The same for a caller who knows users by the ids of another server, or sees some of them only.
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
target AS MATERIALIZED (
    SELECT d.acronym AS department, c.key AS course, g.course_id, g.partition_id, g.id, p.kind, c.is_locked,
           (:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])) AS allowed
    FROM audit
    CROSS JOIN groups g
    JOIN courses c ON c.id = g.course_id
    JOIN departments d ON d.id = c.department_id
    JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id
    WHERE g.id = :group_id::bigint
      AND (:seen_departments::text[] IS NULL OR d.acronym = ANY (:seen_departments::text[])
           OR c.key = ANY (:seen_courses::text[]))
    FOR SHARE OF c
),
person AS (
    SELECT u.id, EXISTS (
        SELECT FROM enrollments e
        WHERE e.course_id = target.course_id AND e.user_id = u.id
    ) OR target.kind = 'cohorts' AS is_enrolled
    FROM users u, target
        WHERE u.id = CASE WHEN :by_known_id::boolean THEN (
            SELECT k.id FROM users k WHERE coalesce(k.foreign_id, k.id) = :user_id::bigint)
        ELSE :user_id::bigint END
        AND (NOT :visible_users_only::boolean OR (
        :everywhere::boolean
        OR EXISTS (
            SELECT FROM departments d
            WHERE d.id = u.department_id AND d.acronym = ANY (:departments::text[]))
        OR EXISTS (
            SELECT FROM enrollments e
            JOIN courses c ON c.id = e.course_id
            JOIN departments d ON d.id = c.department_id
            WHERE e.user_id = u.id AND (d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])))
    ))
),
moved AS (
    INSERT INTO memberships AS m (course_id, partition_id, user_id, group_id)
    SELECT target.course_id, target.partition_id, person.id, target.id
    FROM target, person
    WHERE target.allowed AND NOT target.is_locked AND person.is_enrolled
      AND target.kind <> 'default'
    ON CONFLICT (course_id, partition_id, user_id) DO UPDATE
        SET group_id = excluded.group_id, previous_group_id = m.group_id, since = now()
        WHERE m.group_id <> excluded.group_id
    RETURNING m.previous_group_id
)
SELECT target.department, target.course, target.course_id, target.partition_id,
       target.kind, target.is_locked,
       EXISTS (SELECT FROM person) AS is_known,
       coalesce((SELECT is_enrolled FROM person), false) AS is_enrolled,
       EXISTS (SELECT FROM moved) AS changed,
       (SELECT previous_group_id FROM moved) AS previous_group_id
FROM target;

-- gathered write: assign_known by user_id
-- The same for several callers.
WITH call AS MATERIALIZED (
    SELECT call.*, call.departments::text[] AS in_departments, call.courses::text[] AS in_courses
    FROM set_config('lock_timeout', '100ms', true),
        unnest((SELECT :group_id::bigint[]), (SELECT :user_id::bigint[]),
               (SELECT :visible_users_only::boolean[]), (SELECT :everywhere::boolean[]),
               (SELECT :departments::text[]), (SELECT :courses::text[]),
               (SELECT :seen_departments::text[]), (SELECT :seen_courses::text[]),
               (SELECT :actor::text[]), (SELECT :request_id::text[]), (SELECT :cause::text[]))
        WITH ORDINALITY AS call (group_id, user_id, visible_users_only, everywhere, departments, courses,
            seen_departments, seen_courses, actor, request_id, cause, call)
    WHERE :access_version::uuid IS NULL OR EXISTS (
        SELECT FROM access_version v WHERE v.version = :access_version::uuid)
),
target AS MATERIALIZED (
    SELECT call.*, d.acronym AS department, c.key AS course, g.course_id, g.partition_id, p.kind, c.is_locked,
           call.everywhere OR d.acronym = ANY (call.in_departments) OR c.key = ANY (call.in_courses) AS allowed
    FROM call
    JOIN groups g ON g.id = call.group_id
    JOIN courses c ON c.id = g.course_id
    JOIN departments d ON d.id = c.department_id
    JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id
    WHERE call.seen_departments IS NULL OR d.acronym = ANY (call.seen_departments::text[])
       OR c.key = ANY (call.seen_courses::text[])
    ORDER BY c.id
    FOR SHARE OF c
),
found AS MATERIALIZED (
    SELECT target.*, u.id AS known_id, u.id IS NOT NULL AND (target.kind = 'cohorts' OR EXISTS (
        SELECT FROM enrollments e
        WHERE e.course_id = target.course_id AND e.user_id = u.id)) AS is_enrolled
    FROM target LEFT JOIN users u ON u.id = CASE WHEN :by_known_id::boolean THEN (
            SELECT k.id FROM users k WHERE coalesce(k.foreign_id, k.id) = target.user_id)
        ELSE target.user_id END
        AND (NOT target.visible_users_only OR target.everywhere
            OR EXISTS (
                SELECT FROM departments d
                WHERE d.id = u.department_id AND d.acronym = ANY (target.in_departments))
            OR EXISTS (
                SELECT FROM enrollments e
                JOIN courses c ON c.id = e.course_id
                JOIN departments d ON d.id = c.department_id
                WHERE e.user_id = u.id
                  AND (d.acronym = ANY (target.in_departments) OR c.key = ANY (target.in_courses))))
),
audit AS MATERIALIZED (
    SELECT set_config('groupsvc.callers', jsonb_object_agg(known_id, jsonb_build_array(
        actor, request_id, cause, gen_random_uuid()))::text, true)
    FROM found WHERE known_id IS NOT NULL
),
moved AS (
    INSERT INTO memberships AS m (course_id, partition_id, user_id, group_id)
    SELECT course_id, partition_id, known_id, group_id
    FROM audit CROSS JOIN found
    WHERE allowed AND NOT is_locked AND is_enrolled AND kind <> 'default'
    ORDER BY course_id, partition_id, known_id
    ON CONFLICT (course_id, partition_id, user_id) DO UPDATE
        SET group_id = excluded.group_id, previous_group_id = m.group_id, since = now()
        WHERE m.group_id <> excluded.group_id
    RETURNING m.user_id, m.previous_group_id
)
SELECT department, course, course_id, partition_id, kind, is_locked, known_id IS NOT NULL AS is_known,
       is_enrolled, moved.user_id IS NOT NULL AS changed, moved.previous_group_id, call
FROM found LEFT JOIN moved ON moved.user_id = found.known_id;

-- checked write: remove
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
target AS MATERIALIZED (
    SELECT d.acronym AS department, c.key AS course, p.course_id, p.id AS partition_id, p.kind, c.is_locked,
           (:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])) AS allowed
    FROM audit
    CROSS JOIN partitions p
    JOIN courses c ON c.id = p.course_id
    JOIN departments d ON d.id = c.department_id
    WHERE p.id = coalesce(:partition_id::bigint,
                          (SELECT g.partition_id FROM groups g WHERE g.id = :group_id::bigint))
      AND (:seen_departments::text[] IS NULL OR d.acronym = ANY (:seen_departments::text[])
           OR c.key = ANY (:seen_courses::text[]))
    FOR SHARE OF c
),
named AS MATERIALIZED (
    SELECT CASE WHEN :by_known_id::boolean THEN (
        SELECT k.id FROM users k WHERE coalesce(k.foreign_id, k.id) = :user_id::bigint)
    ELSE :user_id::bigint END AS id
),
gone AS (
    DELETE FROM memberships m USING target
    WHERE target.allowed AND NOT target.is_locked AND target.kind <> 'default'
      AND m.course_id = target.course_id AND m.partition_id = target.partition_id
      AND m.user_id = (SELECT id FROM named)
      AND (m.group_id = :group_id::bigint OR :group_id::bigint IS NULL)
    RETURNING m.group_id
)
SELECT target.department, target.course, target.course_id, target.partition_id,
       target.kind, target.is_locked,
       NOT :visible_users_only::boolean OR EXISTS (
           SELECT FROM users u WHERE u.id = (SELECT id FROM named) AND (
        :everywhere::boolean
        OR EXISTS (
            SELECT FROM departments d
            WHERE d.id = u.department_id AND d.acronym = ANY (:departments::text[]))
        OR EXISTS (
            SELECT FROM enrollments e
            JOIN courses c ON c.id = e.course_id
            JOIN departments d ON d.id = c.department_id
            WHERE e.user_id = u.id AND (d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])))
    )
       ) AS is_known,
       true AS is_enrolled,
       EXISTS (SELECT FROM gone) AS changed,
       (SELECT group_id FROM gone) AS previous_group_id
FROM target;

-- placed read, gathered: in_group
-- The default group has no rows: its members are the enrolled users. One more than the limit is
-- looked for, to learn whether there is a next page; the items come as one text.
SELECT d.acronym AS department, c.key AS course, page.members, page.last_id, page.found > :limit::integer AS has_more
FROM groups g JOIN courses c ON c.id = g.course_id JOIN departments d ON d.id = c.department_id
JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id
CROSS JOIN LATERAL (
    SELECT array_to_string((array_agg(shown.body ORDER BY shown.id))[1 : :limit::integer], ',')
               AS members,
           (array_agg(shown.id ORDER BY shown.id))[:limit::integer] AS last_id, count(*) AS found
    FROM (
        SELECT u.id, row_to_json(shape)::text AS body
        FROM (
            (SELECT m.user_id, e.state FROM memberships m
             LEFT JOIN LATERAL (
                 SELECT state FROM enrollments
                 WHERE course_id = m.course_id AND user_id = m.user_id OFFSET 0) e ON true
             WHERE m.course_id = g.course_id AND m.group_id = g.id AND m.user_id > :after::bigint
               AND (:state::text IS NULL OR e.state = :state::text)
             ORDER BY m.user_id LIMIT :limit::integer + 1)
            UNION ALL
            (SELECT e.user_id, e.state FROM enrollments e
             WHERE p.kind = 'default' AND e.course_id = g.course_id AND e.user_id > :after::bigint
               AND (:state::text IS NULL OR e.state = :state::text)
             ORDER BY e.user_id LIMIT :limit::integer + 1)
        ) e
        CROSS JOIN LATERAL (SELECT * FROM users WHERE id = e.user_id OFFSET 0) u
        CROSS JOIN LATERAL (SELECT u.id, u.username, u.family_name, u.given_name, u.email, u.student_number, e.state) shape
    ) shown
) page
WHERE g.id = :group_id::bigint;

-- read: in_no_group
-- One look-up for each, in the order of the page: never the whole partition for every user.
SELECT u.id, row_to_json(shape)::text AS body
FROM enrollments e
CROSS JOIN LATERAL (SELECT * FROM users WHERE id = e.user_id OFFSET 0) u
CROSS JOIN LATERAL (SELECT u.id, u.username, u.family_name, u.given_name, u.email, u.student_number, e.state) shape
WHERE e.course_id = :course_id::bigint AND e.user_id > :after::bigint
  AND (:state::text IS NULL OR e.state = :state::text)
  AND NOT EXISTS (
      SELECT FROM memberships m
      WHERE m.course_id = e.course_id AND m.partition_id = :partition_id::bigint
        AND m.user_id = e.user_id OFFSET 0)
ORDER BY e.user_id LIMIT :limit::integer;

-- read: in_group_as_of
-- What the last line of the log before that time says of each user who was ever in the partition:
-- whoever is in it now, and whoever has left it.
SELECT m.user_id AS id, row_to_json(shape)::text AS body
FROM (
    SELECT user_id FROM memberships
    WHERE course_id = :course_id::bigint AND partition_id = :partition_id::bigint AND user_id > :after::bigint
    UNION
    SELECT user_id FROM changes
    WHERE partition_id = :partition_id::bigint AND kind = 'membership.removed' AND user_id > :after::bigint
) m
CROSS JOIN LATERAL (
    SELECT told(after) AS after FROM changes
    WHERE partition_id = :partition_id::bigint AND kind LIKE 'membership.%' AND at <= :as_of::timestamptz
      AND user_id = m.user_id
    ORDER BY seq DESC LIMIT 1
) last
CROSS JOIN LATERAL (SELECT * FROM users WHERE id = m.user_id OFFSET 0) u
CROSS JOIN LATERAL (SELECT u.id, u.username, u.family_name, u.given_name, u.email, u.student_number) shape
WHERE CAST(last.after ->> 'group_id' AS bigint) = :group_id::bigint
ORDER BY m.user_id LIMIT :limit::integer;

-- read: in_course_as_of
SELECT m.user_id AS id, row_to_json(shape)::text AS body
FROM (
    SELECT DISTINCT ON (user_id) user_id, after
    FROM changes
    WHERE course_id = :course_id::bigint AND kind LIKE 'enrollment.%' AND at <= :as_of::timestamptz
      AND user_id > :after::bigint
    ORDER BY user_id, seq DESC
) m
CROSS JOIN LATERAL (SELECT * FROM users WHERE id = m.user_id OFFSET 0) u
CROSS JOIN LATERAL (SELECT u.id, u.username, u.family_name, u.given_name, u.email, u.student_number) shape
WHERE m.after IS NOT NULL
ORDER BY m.user_id LIMIT :limit::integer;

-- placed read, gathered: of_user_in_course
SELECT d.acronym AS department, c.key AS course, coalesce((
    SELECT json_agg(row_to_json(shape) ORDER BY p.position, p.id)
    FROM memberships m
    JOIN partitions p ON p.course_id = m.course_id AND p.id = m.partition_id
    JOIN groups g ON g.course_id = m.course_id AND g.id = m.group_id
    CROSS JOIN LATERAL (SELECT p.name AS partition_name, g.id, g.course_id, g.partition_id, g.name, g.position, g.capacity, g.timetable_id,
g.assignment_type,
CASE WHEN g.content_partition_id IS NOT NULL
     THEN json_build_object('content_partition_id', g.content_partition_id,
                            'content_group_id', g.content_group_id) END AS content_link) shape
    WHERE m.user_id = :user_id::bigint AND m.course_id = c.id), '[]')::text AS body
FROM courses c JOIN departments d ON d.id = c.department_id
WHERE c.id = :course_id::bigint
  AND EXISTS (SELECT FROM users WHERE id = :user_id::bigint);

-- placed read: of_user_in_course_as_of
SELECT d.acronym AS department, c.key AS course, coalesce((
    SELECT json_agg(json_build_object(
        'partition_id', m.partition_id, 'partition_name', m.after ->> 'partition_name',
        'group_id', m.after -> 'group_id', 'group_name', m.after ->> 'group_name'
    ) ORDER BY m.partition_id)
    FROM (
        SELECT DISTINCT ON (partition_id) partition_id, told(after) AS after
        FROM changes
        WHERE course_id = c.id AND user_id = :user_id::bigint AND kind LIKE 'membership.%'
          AND at <= :as_of::timestamptz
        ORDER BY partition_id, seq DESC
    ) m WHERE m.after IS NOT NULL), '[]')::text AS body
FROM courses c JOIN departments d ON d.id = c.department_id
WHERE c.id = :course_id::bigint;

-- read: mine
SELECT '' AS department, NULL AS course, coalesce((
       SELECT json_agg(row_to_json(shape) ORDER BY c.key, p.position, p.id)
       FROM memberships m
       JOIN courses c ON c.id = m.course_id
       JOIN departments d ON d.id = c.department_id
       JOIN partitions p ON p.course_id = m.course_id AND p.id = m.partition_id
       JOIN groups g ON g.course_id = m.course_id AND g.id = m.group_id
       CROSS JOIN LATERAL (
           SELECT c.key AS course_key, c.title AS course_title, p.name AS partition_name, g.id, g.course_id, g.partition_id, g.name, g.position, g.capacity, g.timetable_id,
   g.assignment_type,
   CASE WHEN g.content_partition_id IS NOT NULL
        THEN json_build_object('content_partition_id', g.content_partition_id,
                               'content_group_id', g.content_group_id) END AS content_link
       ) shape
       WHERE m.user_id = u.id), '[]')::text AS body
   FROM users u
WHERE u.username = :username::text;

-- read: of_user
-- Whoever is in sight, or in a group that is: the member of a cohort need not be enrolled.
SELECT '' AS department, NULL AS course, coalesce((
        SELECT json_agg(row_to_json(shape) ORDER BY c.key, p.position, p.id)
        FROM memberships m
        JOIN courses c ON c.id = m.course_id
        JOIN departments d ON d.id = c.department_id
        JOIN partitions p ON p.course_id = m.course_id AND p.id = m.partition_id
        JOIN groups g ON g.course_id = m.course_id AND g.id = m.group_id
        CROSS JOIN LATERAL (
            SELECT c.key AS course_key, c.title AS course_title, p.name AS partition_name, g.id, g.course_id, g.partition_id, g.name, g.position, g.capacity, g.timetable_id,
    g.assignment_type,
    CASE WHEN g.content_partition_id IS NOT NULL
         THEN json_build_object('content_partition_id', g.content_partition_id,
                                'content_group_id', g.content_group_id) END AS content_link
        ) shape
        WHERE m.user_id = u.id AND (:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[]))), '[]')::text AS body
    FROM users u

    WHERE u.id = :user_id::bigint AND ((
        :everywhere::boolean
        OR EXISTS (
            SELECT FROM departments d
            WHERE d.id = u.department_id AND d.acronym = ANY (:departments::text[]))
        OR EXISTS (
            SELECT FROM enrollments e
            JOIN courses c ON c.id = e.course_id
            JOIN departments d ON d.id = c.department_id
            WHERE e.user_id = u.id AND (d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])))
    ) OR EXISTS (
        SELECT FROM memberships m
        JOIN courses c ON c.id = m.course_id
        JOIN departments d ON d.id = c.department_id
        WHERE m.user_id = u.id AND (:everywhere::boolean OR d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[]))));

-- read: placements
-- What planning a batch needs to know, of the users named and the groups of the partition. Each
-- index is read once from end to end, and one row of long columns comes back: for a hundred thousand
-- users that takes a fraction of what looking each of them up takes.
SELECT (SELECT array_agg(id) FROM users WHERE id = ANY (:user_ids::bigint[])) AS known,
       (SELECT array_agg(user_id) FROM enrollments
        WHERE course_id = :course_id::bigint AND user_id = ANY (:user_ids::bigint[])) AS enrolled,
       array_agg(user_id) AS members, array_agg(group_id) AS group_ids
FROM memberships
WHERE course_id = :course_id::bigint AND partition_id = :partition_id::bigint AND user_id = ANY (:user_ids::bigint[]);

-- write: occupancy
SELECT g.id, g.name, g.capacity, CASE WHEN g.capacity IS NOT NULL THEN (
    SELECT count(*) FROM memberships m
    WHERE m.course_id = g.course_id AND m.group_id = g.id) END AS taken
FROM groups g
WHERE g.course_id = :course_id::bigint AND g.partition_id = :partition_id::bigint
ORDER BY g.id FOR NO KEY UPDATE;

-- write: assign_many
-- Every assignment of many ends here. What it returns is true however many of these race: the row
-- itself keeps where it came from. Sorted, so that two of these cannot wait for one another; groups
-- before members, as whoever deletes a group takes them. One row of long columns comes back, which
-- for many users takes a fraction of a row each.
WITH kept AS MATERIALIZED (
    SELECT FROM (
        SELECT DISTINCT course_id, id
        FROM unnest(:course_ids::bigint[], :group_ids::bigint[]) AS given (course_id, id)
    ) named JOIN groups g USING (course_id, id)
    ORDER BY g.course_id, g.id FOR KEY SHARE OF g
),
entered AS (
    INSERT INTO memberships AS m (course_id, partition_id, user_id, group_id)
    SELECT course_id, partition_id, user_id, group_id
    FROM unnest(:course_ids::bigint[], :partition_ids::bigint[], :user_ids::bigint[],
                :group_ids::bigint[]) AS given (course_id, partition_id, user_id, group_id)
    WHERE (SELECT count(*) FROM kept) >= 0
    ORDER BY course_id, partition_id, user_id
    ON CONFLICT (course_id, partition_id, user_id) DO UPDATE
        SET group_id = excluded.group_id, previous_group_id = m.group_id, since = now()
        WHERE m.group_id <> excluded.group_id
    RETURNING m.course_id, m.partition_id, m.user_id, m.previous_group_id
)
SELECT array_agg(user_id) AS user_ids, array_agg(previous_group_id) AS previous_ids,
       array_agg(course_id) AS course_ids, array_agg(partition_id) AS partition_ids,
       (SELECT json_object_agg(g.id, g.name)
        FROM (SELECT DISTINCT course_id, previous_group_id FROM entered) left_group
        JOIN groups g ON g.course_id = left_group.course_id
            AND g.id = left_group.previous_group_id) AS names
FROM entered;

-- write: remove_many
-- Returns like assign_many what it has found.
WITH gone AS (
    DELETE FROM memberships m
    USING unnest(:course_ids::bigint[], :partition_ids::bigint[], :user_ids::bigint[])
        AS given (course_id, partition_id, user_id)
    WHERE m.course_id = given.course_id AND m.partition_id = given.partition_id
      AND m.user_id = given.user_id
    RETURNING m.course_id, m.partition_id, m.user_id, m.group_id
)
SELECT array_agg(course_id) AS course_ids, array_agg(partition_id) AS partition_ids,
       array_agg(user_id) AS user_ids, array_agg(group_id) AS group_ids
FROM gone;
