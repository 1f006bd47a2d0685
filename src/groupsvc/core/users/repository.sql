-- read: read
-- Ids of other systems are a member of those users who have some.
SELECT coalesce((SELECT ud.acronym FROM departments ud WHERE ud.id = u.department_id), '')
           AS department,
       NULL AS course, left(row_to_json(shape)::text, -1) || coalesce(',"external_ids":' || (
           SELECT json_object_agg(x.system, x.external_id ORDER BY x.system)
           FROM external_ids x WHERE x.user_id = u.id)::text, '') || '}' AS body
FROM users u
CROSS JOIN LATERAL (
    SELECT u.id, u.username, u.email, u.family_name, u.given_name, u.usual_name, u.civility,
        u.student_number, u.national_number,
        (SELECT ud.acronym FROM departments ud WHERE ud.id = u.department_id) AS department,
        u.is_active) shape
WHERE u.id = coalesce(:id::bigint, (SELECT id FROM users WHERE username = :username::text)) AND (
    :everywhere::boolean
    OR EXISTS (
        SELECT FROM departments d
        WHERE d.id = u.department_id AND d.acronym = ANY (:departments::text[]))
    OR EXISTS (
        SELECT FROM enrollments e
        JOIN courses c ON c.id = e.course_id
        JOIN departments d ON d.id = c.department_id
        WHERE e.user_id = u.id
          AND (d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[]))));

-- read: seen
-- Those of some users who are in a place, by their department, an enrollment or a cohort.
SELECT array_agg(u.id) AS ids FROM users u
WHERE u.id = ANY (:user_ids::bigint[]) AND (
    EXISTS (
        SELECT FROM departments d
        WHERE d.id = u.department_id AND d.acronym = ANY (:departments::text[]))
    OR EXISTS (
        SELECT FROM (
            SELECT e.course_id FROM enrollments e WHERE e.user_id = u.id
            UNION ALL SELECT m.course_id FROM memberships m WHERE m.user_id = u.id) present
        JOIN courses c ON c.id = present.course_id
        JOIN departments d ON d.id = c.department_id
        WHERE d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])));

-- read: page
SELECT u.sort_key, u.id, left(row_to_json(shape)::text, -1) || coalesce(',"external_ids":' || (
           SELECT json_object_agg(x.system, x.external_id ORDER BY x.system)
           FROM external_ids x WHERE x.user_id = u.id)::text, '') || '}' AS body
FROM users u
CROSS JOIN LATERAL (
    SELECT u.id, u.username, u.email, u.family_name, u.given_name, u.usual_name, u.civility,
        u.student_number, u.national_number,
        (SELECT ud.acronym FROM departments ud WHERE ud.id = u.department_id) AS department,
        u.is_active) shape
WHERE (u.sort_key, u.id) > (:after_key::text, :after::bigint)
  AND (
    :everywhere::boolean
    OR u.department_id IN (
        SELECT d.id FROM departments d WHERE d.acronym = ANY (:departments::text[]))
    OR u.id IN (
        SELECT e.user_id FROM enrollments e
        JOIN courses c ON c.id = e.course_id
        JOIN departments d ON d.id = c.department_id
        WHERE d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])))
  AND (:department::text IS NULL
       OR u.department_id = (SELECT id FROM departments WHERE acronym = :department::text))
ORDER BY u.sort_key, u.id LIMIT :limit::integer;

-- read: found_page
WITH found AS MATERIALIZED (
    SELECT u.id FROM users u
    WHERE u.sort_key LIKE ALL (ARRAY(SELECT '%' || substr(name, 3) FROM unnest(:names::text[]) name))
      AND translate(' ' || u.sort_key, '-''', '  ') LIKE ALL (:names::text[])
    UNION
    SELECT u.id FROM unnest(:identifiers::text[]) AS typed (text)
    JOIN users u ON u.username >= typed.text AND u.username < typed.text || chr(1114111)
    UNION
    SELECT u.id FROM unnest(:identifiers::text[]) AS typed (text)
    JOIN users u ON lower(u.email COLLATE "C") >= typed.text
        AND lower(u.email COLLATE "C") < typed.text || chr(1114111)
    UNION
    SELECT u.id FROM unnest(:identifiers::text[]) AS typed (text)
    JOIN users u ON u.student_number >= typed.text AND u.student_number < typed.text || chr(1114111)
    UNION
    SELECT u.id FROM unnest(:identifiers::text[]) AS typed (text)
    JOIN users u ON u.national_number >= typed.text
        AND u.national_number < typed.text || chr(1114111)
)
SELECT u.sort_key, u.id, left(row_to_json(shape)::text, -1) || coalesce(',"external_ids":' || (
           SELECT json_object_agg(x.system, x.external_id ORDER BY x.system)
           FROM external_ids x WHERE x.user_id = u.id)::text, '') || '}' AS body
FROM users u
CROSS JOIN LATERAL (
    SELECT u.id, u.username, u.email, u.family_name, u.given_name, u.usual_name, u.civility,
        u.student_number, u.national_number,
        (SELECT ud.acronym FROM departments ud WHERE ud.id = u.department_id) AS department,
        u.is_active) shape
WHERE (u.sort_key, u.id) > (:after_key::text, :after::bigint)
  AND (
    :everywhere::boolean
    OR u.department_id IN (
        SELECT d.id FROM departments d WHERE d.acronym = ANY (:departments::text[]))
    OR u.id IN (
        SELECT e.user_id FROM enrollments e
        JOIN courses c ON c.id = e.course_id
        JOIN departments d ON d.id = c.department_id
        WHERE d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[])))
  AND (:department::text IS NULL
       OR u.department_id = (SELECT id FROM departments WHERE acronym = :department::text))
  AND u.id IN (SELECT id FROM found)
ORDER BY u.sort_key, u.id LIMIT :limit::integer;

-- read: lock
-- By id or by username, which somebody may change while this waits: then it is nobody's any more.
-- Out of sight only the name is held, of which whoever declares it learns that it is taken.
SELECT u.id, u.username, u.family_name, u.given_name,
       (SELECT ud.acronym FROM departments ud WHERE ud.id = u.department_id) AS department,
       sight.in_sight
FROM users u CROSS JOIN LATERAL (SELECT
    :everywhere::boolean
    OR EXISTS (
        SELECT FROM departments d
        WHERE d.id = u.department_id AND d.acronym = ANY (:departments::text[]))
    OR EXISTS (
        SELECT FROM enrollments e
        JOIN courses c ON c.id = e.course_id
        JOIN departments d ON d.id = c.department_id
        WHERE e.user_id = u.id
          AND (d.acronym = ANY (:departments::text[]) OR c.key = ANY (:courses::text[]))) AS in_sight
) sight
WHERE (sight.in_sight OR :id::bigint IS NULL)
  AND u.id = coalesce(:id::bigint, (SELECT id FROM users WHERE username = :username::text))
  AND (:username::text IS NULL OR u.username = :username::text)
FOR NO KEY UPDATE OF u;

-- write: create
INSERT INTO users (department_id, username, email, family_name, given_name, usual_name,
                   civility, student_number, national_number, sort_key, is_active)
VALUES (:department_id::bigint, :username::text, :email::text, :family_name::text, :given_name::text, :usual_name::text,
        :civility::text, :student_number::text, :national_number::text, :sort_key::text, :is_active::boolean)
ON CONFLICT (username) DO NOTHING
RETURNING id;

-- write: update
-- A merge: columns that the changes do not name keep their values, null is a value. Nothing is
-- written when nothing differs.
UPDATE users u SET (department_id, username, email, family_name, given_name, usual_name, civility, student_number, national_number, is_active, is_retired, sort_key) = (
    SELECT department_id, username, email, family_name, given_name, usual_name, civility, student_number, national_number, is_active, is_retired, sort_key
    FROM jsonb_populate_record(u, :changes::jsonb))
WHERE u.id = :id::bigint
  AND to_jsonb(u) || :changes::jsonb IS DISTINCT FROM to_jsonb(u);

-- write: set_external_ids
-- Null takes an id away; systems that are not named keep theirs. The id of a user who has been
-- deleted is free again. The insert waits for that, which is why it counts.
WITH given AS MATERIALIZED (
    SELECT * FROM unnest(:systems::text[], :external_ids::text[]) AS g (system, external_id)
),
gone AS (
    DELETE FROM external_ids x USING given g
    WHERE x.user_id = :id::bigint AND x.system = g.system AND g.external_id IS NULL
),
freed AS (
    DELETE FROM external_ids x USING given g
    WHERE x.system = g.system AND x.external_id = g.external_id AND x.user_id <> :id::bigint
      AND NOT EXISTS (SELECT FROM users u WHERE u.id = x.user_id)
    RETURNING x.user_id
)
INSERT INTO external_ids AS x (user_id, system, external_id)
SELECT :id::bigint, g.system, g.external_id FROM given g
WHERE g.external_id IS NOT NULL AND (SELECT count(*) FROM freed) >= 0
ON CONFLICT ON CONSTRAINT pk_external_ids DO UPDATE SET external_id = excluded.external_id
WHERE x.external_id <> excluded.external_id;

-- write: delete
DELETE FROM users WHERE id = :id::bigint;

-- read: by_username
-- For many: the index is read once from end to end, which takes a fraction of a look-up for each.
SELECT id, username, email FROM users WHERE username = ANY (:usernames::text[]);

-- read: identify
-- Who is meant by a text: a username, else one in any case, else an e-mail address, else a student
-- number, else a national one. A number is unique in a department only: of several users the department's own is meant.
-- Of several usernames in any case none is, not even when all the others are retired.
SELECT named.identifier, named.department, u.id, u.username, u.email
FROM (
    SELECT given.identifier, given.department, coalesce(
        (SELECT u.id FROM users u
         WHERE u.username = given.identifier AND (:with_retired::boolean OR NOT u.is_retired)),
        (SELECT min(u.id) FILTER (WHERE :with_retired::boolean OR NOT u.is_retired) FROM users u
         WHERE :any_case::boolean
           AND lower(u.username COLLATE "C") = lower(given.identifier COLLATE "C")
         HAVING count(*) = 1),
        (SELECT u.id FROM users u
         WHERE lower(u.email COLLATE "C") = lower(given.identifier COLLATE "C")
           AND (:with_retired::boolean OR NOT u.is_retired)),
        (SELECT CASE WHEN count(*) = 1 THEN min(u.id) ELSE min(u.id) FILTER (WHERE
             u.department_id = (SELECT d.id FROM departments d
                                WHERE d.acronym = given.department))
         END FROM users u WHERE :by_number::boolean AND u.student_number = given.identifier),
        (SELECT CASE WHEN count(*) = 1 THEN min(u.id) ELSE min(u.id) FILTER (WHERE
             u.department_id = (SELECT d.id FROM departments d
                                WHERE d.acronym = given.department))
         END FROM users u WHERE :by_number::boolean AND u.national_number = given.identifier)
    ) AS id
    FROM unnest(:identifiers::text[], :departments::text[]) AS given (identifier, department)
    OFFSET 0
) named
CROSS JOIN LATERAL (SELECT id, username, email FROM users WHERE id = named.id OFFSET 0) u;

-- read: candidates
-- Who may be meant by texts that are nobody's as they stand. Rough forms bring some users too many,
-- and what is in no rough form at all (neither letters nor digits) finds nobody. Of a rounded number
-- some of those that it may stand for are enough.
SELECT given.place, u.id, u.username, u.email, u.student_number, u.national_number,
       d.acronym AS department, found.former
FROM unnest(:names::text[], :lows::text[], :highs::text[]) WITH ORDINALITY
    AS given (name, low, high, place)
CROSS JOIN LATERAL (SELECT rough_name(given.name) AS name OFFSET 0) rough
CROSS JOIN LATERAL (
    SELECT id, NULL AS former FROM users WHERE rough_name(username) = rough.name AND rough.name <> ''
    UNION
    SELECT id, NULL FROM users WHERE rough_name(email) = rough.name AND rough.name <> ''
    UNION
    (SELECT id, NULL FROM users
     WHERE ltrim(student_number, '0') BETWEEN given.low AND given.high
       AND length(ltrim(student_number, '0')) = length(given.low)
     ORDER BY ltrim(student_number, '0') LIMIT 20)
    UNION
    (SELECT id, NULL FROM users
     WHERE ltrim(national_number, '0') BETWEEN given.low AND given.high
       AND length(ltrim(national_number, '0')) = length(given.low)
     ORDER BY ltrim(national_number, '0') LIMIT 20)
    UNION
    SELECT user_id, name FROM former_user_names
    WHERE rough_name(name) = rough.name AND rough.name <> ''
) found
JOIN users u ON u.id = found.id AND NOT u.is_retired
LEFT JOIN departments d ON d.id = u.department_id
ORDER BY u.id;
