-- write: lock_users
-- Apart from the reading of them: a statement that waited for a lock would read what was before.
SELECT count(*) FROM (
    SELECT FROM users u
    WHERE u.username = ANY (:usernames::text[]) AND (:everywhere::boolean OR u.department_id IN (
        SELECT d.id FROM departments d WHERE d.acronym = ANY (:departments::text[])))
    ORDER BY u.id FOR NO KEY UPDATE
) held;

-- read: users
-- The users named, and whoever else has an address or a number that the batch wants to give.
SELECT u.id, u.username, d.acronym AS department, u.email, u.family_name, u.given_name,
       u.usual_name, u.civility, u.student_number, u.national_number, u.is_active
FROM users u LEFT JOIN departments d ON d.id = u.department_id
WHERE u.id IN (
    SELECT id FROM users WHERE username = ANY (:usernames::text[])
    UNION SELECT id FROM users WHERE lower(email COLLATE "C") = ANY (:emails::text[])
    UNION SELECT id FROM users WHERE student_number = ANY (:student_numbers::text[])
    UNION SELECT id FROM users WHERE national_number = ANY (:national_numbers::text[])
);

-- write: create
INSERT INTO users (department_id, username, email, family_name, given_name, usual_name, civility, student_number,
national_number, is_active, sort_key)
SELECT d.id, username, email, family_name, given_name, usual_name, civility, student_number,
national_number, is_active, sort_key
FROM unnest(:departments::text[], :usernames::text[], :emails::text[], :family_names::text[], :given_names::text[], :usual_names::text[],
:civilities::text[], :student_numbers::text[], :national_numbers::text[], :actives::boolean[], :sort_keys::text[]) WITH ORDINALITY AS given (department, username, email, family_name, given_name, usual_name, civility, student_number,
national_number, is_active, sort_key, place)
LEFT JOIN departments d ON d.acronym = given.department
ORDER BY place
RETURNING id, username;

-- write: update
UPDATE users u
SET department_id = d.id, email = given.email, family_name = given.family_name,
    given_name = given.given_name, usual_name = given.usual_name, civility = given.civility,
    student_number = given.student_number, national_number = given.national_number,
    is_active = given.is_active, sort_key = given.sort_key
FROM unnest(:departments::text[], :usernames::text[], :emails::text[], :family_names::text[], :given_names::text[], :usual_names::text[],
:civilities::text[], :student_numbers::text[], :national_numbers::text[], :actives::boolean[], :sort_keys::text[]) AS given (department, username, email, family_name, given_name, usual_name, civility, student_number,
national_number, is_active, sort_key)
LEFT JOIN departments d ON d.acronym = given.department
WHERE u.username = given.username;

-- write: release
-- An address or number that passes from one user to another must be free in between.
UPDATE users SET email = NULL, student_number = NULL, national_number = NULL
WHERE id = ANY (:user_ids::bigint[]);

-- read: states
-- OFFSET 0 keeps the planner from hashing a whole course for a few rows.
SELECT named.course_id, named.user_id, e.state
FROM unnest(:course_ids::bigint[], :user_ids::bigint[]) AS named (course_id, user_id)
CROSS JOIN LATERAL (
    SELECT state FROM enrollments
    WHERE course_id = named.course_id AND user_id = named.user_id
    OFFSET 0
) e;

-- write: enroll
INSERT INTO enrollments AS e (course_id, user_id, state)
SELECT course_id, user_id, state
FROM unnest(:course_ids::bigint[], :user_ids::bigint[], :states::text[]) AS given (course_id, user_id, state)
ORDER BY course_id, user_id
ON CONFLICT (course_id, user_id) DO UPDATE SET state = excluded.state
    WHERE e.state <> excluded.state;
