-- read: departments
-- KEY SHARE keeps departments there for the rows that are about to refer to them.
SELECT acronym, name FROM departments WHERE acronym = ANY (:acronyms::text[]) FOR KEY SHARE;

-- write: create_departments
INSERT INTO departments (acronym, name)
SELECT acronym, name FROM unnest(:acronyms::text[], :names::text[]) AS given (acronym, name)
ORDER BY acronym;

-- write: rename_departments
UPDATE departments d SET name = given.name
FROM unnest(:acronyms::text[], :names::text[]) AS given (acronym, name)
WHERE d.acronym = given.acronym AND d.name IS DISTINCT FROM given.name;

-- read: courses
SELECT c.id, c.key, d.acronym AS department, c.title, c.is_locked
FROM courses c JOIN departments d ON d.id = c.department_id
WHERE c.key = ANY (:course_keys::text[]);

-- write: lock_for_lists
SELECT id, is_locked FROM courses WHERE id = ANY (:course_ids::bigint[]) ORDER BY id FOR NO KEY UPDATE;

-- read: lock_for_members
SELECT id, is_locked FROM courses WHERE id = ANY (:course_ids::bigint[]) ORDER BY id FOR SHARE;

-- write: create
INSERT INTO courses (department_id, key, title)
SELECT d.id, given.key, given.title
FROM unnest(:departments::text[], :course_keys::text[], :titles::text[]) WITH ORDINALITY
    AS given (department, key, title, place)
JOIN departments d ON d.acronym = given.department
ORDER BY place
RETURNING id, key;

-- write: update
UPDATE courses c SET department_id = d.id, title = given.title
FROM unnest(:departments::text[], :course_keys::text[], :titles::text[]) AS given (department, key, title)
JOIN departments d ON d.acronym = given.department
WHERE c.key = given.key;

-- write: set_lock
UPDATE courses SET is_locked = :is_locked::boolean
WHERE id = ANY (:course_ids::bigint[]) AND is_locked <> :is_locked::boolean;
