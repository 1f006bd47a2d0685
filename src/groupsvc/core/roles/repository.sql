-- primary read: of_bearers
-- The roles of those whom tokens of an identity provider name; none when they are not active here.
SELECT named.username, coalesce((
    SELECT json_agg(json_build_array(r.role, d.acronym, c.key))
    FROM users u JOIN roles r ON r.user_id = u.id
    LEFT JOIN departments d ON d.id = r.department_id
    LEFT JOIN courses c ON c.id = r.course_id
    WHERE u.username = named.username AND u.is_active), '[]')::text AS roles,
    v.version AS access_version
FROM access_version v CROSS JOIN unnest(:usernames::text[]) AS named (username);

-- placed read: team
SELECT d.acronym AS department, c.key AS course, json_build_object('members', coalesce((
    SELECT json_agg(row_to_json(member)) FROM (
        SELECT u.id AS user_id, u.username, u.family_name, u.given_name,
               json_agg(r.role ORDER BY r.role) AS roles
        FROM roles r JOIN users u ON u.id = r.user_id
        WHERE r.course_id = c.id
        GROUP BY u.id ORDER BY u.sort_key, u.id) member), '[]'))::text AS body
FROM courses c JOIN departments d ON d.id = c.department_id
WHERE c.id = :course_id::bigint;

-- read: of_user
SELECT '' AS department, NULL AS course, json_build_object('roles', coalesce((
    SELECT json_agg(r.role || coalesce('@department:' || d.acronym, '@course:' || c.key, '')
                    ORDER BY r.role, d.acronym, c.key)
    FROM roles r
    LEFT JOIN departments d ON d.id = r.department_id
    LEFT JOIN courses c ON c.id = r.course_id
    WHERE r.user_id = u.id), '[]'))::text AS body
FROM users u WHERE u.id = :user_id::bigint;

-- write: replace_team
-- Writes nothing when a user is not known. A user restricts it to their own roles in the course.
WITH wanted AS MATERIALIZED (
    SELECT w.line, w.role, u.id AS user_id
    FROM unnest(:usernames::text[], :roles::text[]) WITH ORDINALITY AS w (username, role, line)
    LEFT JOIN users u ON u.username = w.username
),
gone AS (
    DELETE FROM roles r
    WHERE r.course_id = :course_id::bigint
      AND (:user_id::bigint IS NULL OR r.user_id = :user_id::bigint)
      AND NOT EXISTS (SELECT FROM wanted WHERE user_id IS NULL)
      AND NOT EXISTS (
          SELECT FROM wanted w WHERE w.user_id = r.user_id AND w.role = r.role)
),
added AS (
    INSERT INTO roles (user_id, role, course_id)
    SELECT DISTINCT w.user_id, w.role, :course_id::bigint FROM wanted w
    WHERE NOT EXISTS (SELECT FROM wanted WHERE user_id IS NULL)
    ON CONFLICT ON CONSTRAINT uq_roles DO NOTHING
)
SELECT min(line) AS line FROM wanted WHERE user_id IS NULL;

-- write: replace_of_user
-- Writes nothing when a place is not known: without its place, a role would hold everywhere.
WITH wanted AS MATERIALIZED (
    SELECT w.line, w.role, d.id AS department_id, c.id AS course_id,
           (w.department IS NOT NULL AND d.id IS NULL)
           OR (w.course IS NOT NULL AND c.id IS NULL) AS is_lost
    FROM unnest(:roles::text[], :departments::text[], :courses::text[])
        WITH ORDINALITY AS w (role, department, course, line)
    LEFT JOIN departments d ON d.acronym = w.department
    LEFT JOIN courses c ON c.key = w.course
),
gone AS (
    DELETE FROM roles r
    WHERE r.user_id = :user_id::bigint
      AND NOT EXISTS (SELECT FROM wanted WHERE is_lost)
      AND NOT EXISTS (
          SELECT FROM wanted w
          WHERE w.role = r.role
            AND w.department_id IS NOT DISTINCT FROM r.department_id
            AND w.course_id IS NOT DISTINCT FROM r.course_id)
),
added AS (
    INSERT INTO roles (user_id, role, department_id, course_id)
    SELECT DISTINCT :user_id::bigint, w.role, w.department_id, w.course_id
    FROM wanted w
    WHERE NOT EXISTS (SELECT FROM wanted WHERE is_lost)
    ON CONFLICT ON CONSTRAINT uq_roles DO NOTHING
)
SELECT min(line) AS line FROM wanted WHERE is_lost;

-- read: held
SELECT r.user_id, r.role, d.acronym AS department, c.key AS course
FROM roles r
LEFT JOIN departments d ON d.id = r.department_id
LEFT JOIN courses c ON c.id = r.course_id
WHERE r.user_id = ANY (:user_ids::bigint[]);

-- write: change
-- What names a place that is not there is left out: without its place, a role would hold everywhere.
WITH given AS MATERIALIZED (
    SELECT g.user_id, g.role, d.id AS department_id, c.id AS course_id, g.is_held
    FROM unnest(:user_ids::bigint[], :roles::text[], :departments::text[], :courses::text[],
                :is_held::boolean[]) AS g (user_id, role, department, course, is_held)
    LEFT JOIN departments d ON d.acronym = g.department
    LEFT JOIN courses c ON c.key = g.course
    WHERE (g.department IS NULL OR d.id IS NOT NULL) AND (g.course IS NULL OR c.id IS NOT NULL)
),
gone AS (
    DELETE FROM roles r USING given g
    WHERE NOT g.is_held AND r.user_id = g.user_id AND r.role = g.role
      AND r.department_id IS NOT DISTINCT FROM g.department_id
      AND r.course_id IS NOT DISTINCT FROM g.course_id
)
INSERT INTO roles (user_id, role, department_id, course_id)
SELECT user_id, role, department_id, course_id FROM given WHERE is_held
ON CONFLICT ON CONSTRAINT uq_roles DO NOTHING;
