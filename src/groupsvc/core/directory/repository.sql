-- read: departments
-- Departments and users are told by the ids that callers know: those of the server that they moved
-- over from, where there was one.
SELECT '' AS department, NULL AS course, coalesce((
    SELECT json_agg(row_to_json(shape) ORDER BY d.acronym)
    FROM departments d
    CROSS JOIN LATERAL (
        SELECT coalesce(d.foreign_id, d.id) AS id, d.acronym, d.name, d.created_at) shape
    WHERE :everywhere::boolean OR d.acronym = ANY (:departments::text[])), '[]')::text AS body;

-- read: department
SELECT d.acronym AS department, NULL AS course, row_to_json(shape)::text AS body
FROM departments d
CROSS JOIN LATERAL (
    SELECT coalesce(d.foreign_id, d.id) AS id, d.acronym, d.name, d.created_at) shape
WHERE d.acronym = :acronym::text OR coalesce(d.foreign_id, d.id) = :id::bigint;

-- read: course
SELECT d.acronym AS department, c.key AS course, row_to_json(shape)::text AS body
FROM courses c JOIN departments d ON d.id = c.department_id
CROSS JOIN LATERAL (
    SELECT c.id, c.key, c.title, c.is_locked, c.starts_on, c.ends_on, c.programme, c.term,
        c.modality, json_build_object('id', coalesce(d.foreign_id, d.id), 'acronym', d.acronym,
            'name', d.name, 'created_at', d.created_at) AS department) shape
WHERE c.id = :id::bigint;

-- read: courses
-- The latest first. Of a course that tells one of its dates alone, the other is open; one that tells
-- neither is at no time. No row comes back when a department or user is asked for who is unknown.
SELECT coalesce(named.acronym, '') AS department, NULL AS course, coalesce((
    SELECT json_agg(row_to_json(shape) ORDER BY c.starts_on DESC NULLS LAST, c.id)
    FROM (
        SELECT c.* FROM courses c JOIN departments d ON d.id = c.department_id
        WHERE (:everywhere::boolean OR d.acronym = ANY (:departments::text[]))
          AND (named.id IS NULL OR c.department_id = named.id)
          AND (:until::date IS NULL
               OR coalesce(c.starts_on, c.ends_on) IS NOT NULL
                  AND daterange(c.starts_on, c.ends_on, '[]')
                      && daterange(:since::date, :until::date, '[]'))
          AND (:is_locked::boolean IS NULL OR c.is_locked = :is_locked::boolean)
          AND (person.ids IS NULL OR c.id IN (
              SELECT e.course_id FROM enrollments e WHERE e.user_id = ANY (person.ids)))
        LIMIT :limit::integer
    ) c
    JOIN departments d ON d.id = c.department_id
    CROSS JOIN LATERAL (
        SELECT c.id, c.key, c.title, c.is_locked, c.starts_on, c.ends_on, c.programme, c.term,
            c.modality, json_build_object('id', coalesce(d.foreign_id, d.id), 'acronym', d.acronym,
                'name', d.name, 'created_at', d.created_at) AS department) shape
    ), '[]')::text AS body
FROM (
    SELECT CASE WHEN coalesce(:user_id::bigint::text, :student_number::text, :national_number::text)
                     IS NOT NULL THEN ARRAY(
        SELECT u.id FROM users u
        WHERE (coalesce(u.foreign_id, u.id) = :user_id::bigint
               OR u.student_number = :student_number::text
               OR u.national_number = :national_number::text)
          AND (:everywhere::boolean
               OR EXISTS (
                   SELECT FROM departments d
                   WHERE d.id = u.department_id AND d.acronym = ANY (:departments::text[]))
               OR EXISTS (
                   SELECT FROM enrollments e
                   JOIN courses c ON c.id = e.course_id
                   JOIN departments d ON d.id = c.department_id
                   WHERE e.user_id = u.id AND d.acronym = ANY (:departments::text[])))) END AS ids
) person
LEFT JOIN departments named
    ON named.acronym = :acronym::text OR coalesce(named.foreign_id, named.id) = :department_id::bigint
WHERE (named.id IS NOT NULL OR :acronym::text IS NULL AND :department_id::bigint IS NULL)
  AND (person.ids IS NULL OR cardinality(person.ids) > 0);

-- read: people_of_department
SELECT d.acronym AS department, NULL AS course, coalesce((
    SELECT json_agg(row_to_json(shape) ORDER BY u.sort_key, u.id)
    FROM (SELECT * FROM users WHERE department_id = d.id LIMIT :limit::integer) u
    CROSS JOIN LATERAL (
        SELECT coalesce(u.foreign_id, u.id) AS id, u.username, u.email, u.family_name, u.given_name,
            u.usual_name, u.civility, u.student_number, u.national_number,
            coalesce(d.foreign_id, d.id) AS department_id, d.acronym AS department, u.sort_key) shape
    ), '[]')::text AS body
FROM departments d
WHERE d.acronym = :acronym::text OR coalesce(d.foreign_id, d.id) = :id::bigint;

-- read: people_at
-- Whoever is enrolled, in any state, in a course that takes place on that day.
SELECT '' AS department, NULL AS course, coalesce((
    SELECT json_agg(row_to_json(shape) ORDER BY u.sort_key, u.id)
    FROM (
        SELECT DISTINCT e.user_id
        FROM courses c
        JOIN departments d ON d.id = c.department_id
        JOIN enrollments e ON e.course_id = c.id
        WHERE (:everywhere::boolean OR d.acronym = ANY (:departments::text[]))
          AND coalesce(c.starts_on, c.ends_on) IS NOT NULL
          AND daterange(c.starts_on, c.ends_on, '[]') @> :day::date
        LIMIT :limit::integer
    ) present
    JOIN users u ON u.id = present.user_id
    LEFT JOIN departments d ON d.id = u.department_id
    CROSS JOIN LATERAL (
        SELECT coalesce(u.foreign_id, u.id) AS id, u.username, u.email, u.family_name, u.given_name,
            u.usual_name, u.civility, u.student_number, u.national_number,
            coalesce(d.foreign_id, d.id) AS department_id, d.acronym AS department, u.sort_key) shape
    ), '[]')::text AS body;

-- read: people
-- Whoever has one of these, the one who was enrolled last first.
SELECT '' AS department, NULL AS course, coalesce((
    SELECT json_agg(row_to_json(shape) ORDER BY latest.at DESC NULLS LAST, u.id DESC)
    FROM users u
    LEFT JOIN departments d ON d.id = u.department_id
    CROSS JOIN LATERAL (
        SELECT max(created_at) AS at FROM enrollments WHERE user_id = u.id) latest
    CROSS JOIN LATERAL (
        SELECT coalesce(u.foreign_id, u.id) AS id, u.username, u.email, u.family_name, u.given_name,
            u.usual_name, u.civility, u.student_number, u.national_number,
            coalesce(d.foreign_id, d.id) AS department_id, d.acronym AS department, u.sort_key) shape
    WHERE (coalesce(u.foreign_id, u.id) = :user_id::bigint
           OR u.student_number = :student_number::text
           OR u.national_number = :national_number::text)
      AND (:everywhere::boolean
           OR d.acronym = ANY (:departments::text[])
           OR EXISTS (
               SELECT FROM enrollments e
               JOIN courses c ON c.id = e.course_id
               JOIN departments cd ON cd.id = c.department_id
               WHERE e.user_id = u.id AND cd.acronym = ANY (:departments::text[])))
    ), '[]')::text AS body;

-- read: people_named
-- By the beginning of the family name, as sort keys are folded.
SELECT '' AS department, NULL AS course, coalesce((
    SELECT json_agg(row_to_json(shape) ORDER BY u.sort_key, u.id)
    FROM (
        SELECT u.* FROM users u LEFT JOIN departments d ON d.id = u.department_id
        WHERE u.sort_key >= :start::text AND u.sort_key < :start::text || chr(1114111)
          AND (:everywhere::boolean
               OR d.acronym = ANY (:departments::text[])
               OR EXISTS (
                   SELECT FROM enrollments e
                   JOIN courses c ON c.id = e.course_id
                   JOIN departments cd ON cd.id = c.department_id
                   WHERE e.user_id = u.id AND cd.acronym = ANY (:departments::text[])))
        ORDER BY u.sort_key, u.id LIMIT :limit::integer
    ) u
    LEFT JOIN departments d ON d.id = u.department_id
    CROSS JOIN LATERAL (
        SELECT coalesce(u.foreign_id, u.id) AS id, u.username, u.email, u.family_name, u.given_name,
            u.usual_name, u.civility, u.student_number, u.national_number,
            coalesce(d.foreign_id, d.id) AS department_id, d.acronym AS department, u.sort_key) shape
    ), '[]')::text AS body;
