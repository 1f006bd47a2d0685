-- placed read: read
-- The course is found without the enrollment, since it decides what the caller may know.
SELECT d.acronym AS department, c.key AS course, coalesce((
    SELECT row_to_json(shape)::text
    FROM enrollments e
    JOIN users u ON u.id = e.user_id
    CROSS JOIN LATERAL (SELECT e.course_id, e.user_id, u.username, u.family_name, u.given_name, e.state, e.track) shape
    WHERE e.course_id = c.id AND e.user_id = :user_id::bigint), '') AS body
FROM courses c JOIN departments d ON d.id = c.department_id
WHERE c.id = :course_id::bigint;

-- read: page
SELECT e.user_id, row_to_json(shape)::text AS body
    FROM enrollments e
    CROSS JOIN LATERAL (SELECT * FROM users WHERE id = e.user_id OFFSET 0) u
    CROSS JOIN LATERAL (SELECT e.course_id, e.user_id, u.username, u.family_name, u.given_name, e.state, e.track) shape
    WHERE e.course_id = :course_id::bigint AND e.user_id > :after::bigint
      AND (:state::text IS NULL OR e.state = :state::text) AND (
    :search::text IS NULL
    OR translate(' ' || u.sort_key, '-''', '  ') LIKE ALL (:names::text[])
    OR starts_with(lower(u.username), lower(:search::text COLLATE "C"))
    OR starts_with(lower(u.email), lower(:search::text COLLATE "C"))
    OR starts_with(lower(u.student_number), lower(:search::text COLLATE "C"))
    OR starts_with(lower(u.national_number), lower(:search::text COLLATE "C"))
)
    ORDER BY e.user_id LIMIT :limit::integer;

-- read: count_active
SELECT count(*) AS active FROM enrollments WHERE course_id = :course_id::bigint AND state = 'active';

-- read: lock
-- The course first: a change of the track, or the end of memberships, needs it held as well. One
-- that is out of sight is not held.
WITH place AS MATERIALIZED (
    SELECT d.acronym AS department, c.key AS course, c.id FROM courses c
    JOIN departments d ON d.id = c.department_id
    WHERE c.id = :course_id::bigint
      AND (:everywhere::boolean OR d.acronym = ANY (:departments::text[])
           OR c.key = ANY (:courses::text[]))
    FOR SHARE OF c
),
held AS MATERIALIZED (
    SELECT e.state, e.track FROM place
    JOIN enrollments e ON e.course_id = place.id AND e.user_id = :user_id::bigint
    FOR NO KEY UPDATE OF e
)
SELECT place.department, place.course, place.id AS course_id, held.state, held.track,
       EXISTS (SELECT FROM users WHERE id = :user_id::bigint) AS is_known
FROM place LEFT JOIN held ON true;

-- write: create
INSERT INTO enrollments (course_id, user_id, state) VALUES (:course_id::bigint, :user_id::bigint, :state::text)
ON CONFLICT (course_id, user_id) DO NOTHING
RETURNING user_id;

-- read: track_group
SELECT g.id FROM partitions p
JOIN groups g ON g.course_id = p.course_id AND g.partition_id = p.id
WHERE p.course_id = :course_id::bigint AND p.kind = 'tracks' AND g.name = :name::text;

-- write: set_state
UPDATE enrollments SET state = :state::text
WHERE course_id = :course_id::bigint AND user_id = :user_id::bigint;

-- write: delete
DELETE FROM enrollments WHERE course_id = :course_id::bigint AND user_id = :user_id::bigint;
