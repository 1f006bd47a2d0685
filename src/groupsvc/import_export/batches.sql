-- read: departments
-- KEY SHARE keeps departments there for the rows that are about to refer to them.
SELECT acronym, name FROM departments WHERE acronym = ANY (:acronyms::text[]) FOR KEY SHARE;

-- write: create_departments
INSERT INTO departments (acronym, name)
SELECT acronym, name FROM unnest(:acronym::text[], :name::text[]) AS given (acronym, name)
ORDER BY acronym;

-- write: rename_departments
UPDATE departments d SET name = given.name
FROM unnest(:acronym::text[], :name::text[]) AS given (acronym, name)
WHERE d.acronym = given.acronym AND d.name IS DISTINCT FROM given.name;

-- read: courses
SELECT c.id, c.key, d.acronym AS department, c.title, c.is_locked
FROM courses c JOIN departments d ON d.id = c.department_id
WHERE c.key = ANY (:course_keys::text[]);

-- write: lock_for_lists
SELECT id, is_locked FROM courses WHERE id = ANY (:course_ids::bigint[]) ORDER BY id FOR NO KEY UPDATE;

-- read: lock_for_members
SELECT id, is_locked FROM courses WHERE id = ANY (:course_ids::bigint[]) ORDER BY id FOR SHARE;

-- write: create_courses
INSERT INTO courses (department_id, key, title)
SELECT d.id, given.key, given.title
FROM unnest(:department::text[], :key::text[], :title::text[]) WITH ORDINALITY
    AS given (department, key, title, place)
JOIN departments d ON d.acronym = given.department
ORDER BY place
RETURNING id, key;

-- write: update_courses
UPDATE courses c SET department_id = d.id, title = given.title
FROM unnest(:department::text[], :key::text[], :title::text[]) AS given (department, key, title)
JOIN departments d ON d.acronym = given.department
WHERE c.key = given.key;

-- write: set_lock
UPDATE courses SET is_locked = :is_locked::boolean
WHERE id = ANY (:course_ids::bigint[]) AND is_locked <> :is_locked::boolean;

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

-- write: create_users
INSERT INTO users (department_id, username, email, family_name, given_name, usual_name, civility, student_number,
national_number, is_active, sort_key)
SELECT d.id, username, email, family_name, given_name, usual_name, civility, student_number,
national_number, is_active, sort_key
FROM unnest(:department::text[], :username::text[], :email::text[], :family_name::text[], :given_name::text[], :usual_name::text[],
:civility::text[], :student_number::text[], :national_number::text[], :is_active::boolean[], :sort_key::text[]) WITH ORDINALITY AS given (department, username, email, family_name, given_name, usual_name, civility, student_number,
national_number, is_active, sort_key, place)
LEFT JOIN departments d ON d.acronym = given.department
ORDER BY place
RETURNING id, username;

-- write: update_users
UPDATE users u
SET department_id = d.id, email = given.email, family_name = given.family_name,
    given_name = given.given_name, usual_name = given.usual_name, civility = given.civility,
    student_number = given.student_number, national_number = given.national_number,
    is_active = given.is_active, sort_key = given.sort_key
FROM unnest(:department::text[], :username::text[], :email::text[], :family_name::text[], :given_name::text[], :usual_name::text[],
:civility::text[], :student_number::text[], :national_number::text[], :is_active::boolean[], :sort_key::text[]) AS given (department, username, email, family_name, given_name, usual_name, civility, student_number,
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
FROM unnest(:course_id::bigint[], :user_id::bigint[]) AS named (course_id, user_id)
CROSS JOIN LATERAL (
    SELECT state FROM enrollments
    WHERE course_id = named.course_id AND user_id = named.user_id
    OFFSET 0
) e;

-- write: enroll
INSERT INTO enrollments AS e (course_id, user_id, state)
SELECT course_id, user_id, state
FROM unnest(:course_id::bigint[], :user_id::bigint[], :state::text[]) AS given (course_id, user_id, state)
ORDER BY course_id, user_id
ON CONFLICT (course_id, user_id) DO UPDATE SET state = excluded.state
    WHERE e.state <> excluded.state;

-- read: partitions
-- All of the courses: which kinds there are and where the list ends matters as well.
SELECT course_id, name, id, kind, position, groups_editable, show_in_lists, show_rank_on_report
FROM partitions WHERE course_id = ANY (:course_ids::bigint[]) AND kind <> 'default';

-- read: groups
SELECT named.partition_id, g.name, g.id, g.position, g.capacity, g.timetable_id,
       g.assignment_type, g.content_partition_id, g.content_group_id
FROM unnest(:course_id::bigint[], :partition_id::bigint[], :name::text[])
    AS named (course_id, partition_id, name)
CROSS JOIN LATERAL (
    SELECT * FROM groups
    WHERE course_id = named.course_id AND partition_id = named.partition_id
      AND name = named.name
    OFFSET 0
) g;

-- read: last_positions
SELECT named.partition_id, (
    SELECT max(position) FROM groups
    WHERE course_id = named.course_id AND partition_id = named.partition_id
      AND id <> ALL (:but::bigint[])) AS position
FROM unnest(:course_id::bigint[], :partition_id::bigint[]) AS named (course_id, partition_id);

-- read: counts
SELECT named.group_id, (
    SELECT count(*) FROM memberships
    WHERE course_id = named.course_id AND group_id = named.group_id) AS count
FROM unnest(:course_id::bigint[], :group_id::bigint[]) AS named (course_id, group_id);

-- write: create_partitions
INSERT INTO partitions
    (course_id, name, kind, position, groups_editable, show_in_lists, show_rank_on_report)
SELECT course_id, name, kind, position, groups_editable, show_in_lists, show_rank_on_report
FROM unnest(:course_id::bigint[], :name::text[], :kind::text[], :position::bigint[], :groups_editable::boolean[], :show_in_lists::boolean[], :show_rank_on_report::boolean[])
    WITH ORDINALITY AS given (course_id, name, kind, position, groups_editable, show_in_lists,
                              show_rank_on_report, place)
ORDER BY place
RETURNING course_id, name, id;

-- write: update_partitions
UPDATE partitions p
SET position = given.position, groups_editable = given.groups_editable,
    show_in_lists = given.show_in_lists, show_rank_on_report = given.show_rank_on_report
FROM unnest(:course_id::bigint[], :id::bigint[], :position::bigint[], :groups_editable::boolean[], :show_in_lists::boolean[], :show_rank_on_report::boolean[])
    AS given (course_id, id, position, groups_editable, show_in_lists, show_rank_on_report)
WHERE p.course_id = given.course_id AND p.id = given.id;

-- write: close_partitions
UPDATE partitions p SET groups_editable = false
FROM unnest(:course_id::bigint[], :id::bigint[]) AS given (course_id, id)
WHERE p.course_id = given.course_id AND p.id = given.id AND p.groups_editable;

-- write: create_groups
INSERT INTO groups (course_id, partition_id, name, position, capacity, timetable_id,
                    assignment_type, content_partition_id, content_group_id)
SELECT course_id, partition_id, name, position, capacity, timetable_id, assignment_type,
       content_partition_id, content_group_id
FROM unnest(:course_id::bigint[], :partition_id::bigint[], :name::text[], :position::bigint[], :capacity::integer[], :timetable_id::text[],
            :assignment_type::text[], :content_partition_id::bigint[], :content_group_id::bigint[])
    WITH ORDINALITY AS given (course_id, partition_id, name, position, capacity, timetable_id,
        assignment_type, content_partition_id, content_group_id, place)
ORDER BY place
RETURNING partition_id, name, id;

-- write: update_groups
UPDATE groups g
SET position = given.position, capacity = given.capacity, timetable_id = given.timetable_id,
    assignment_type = given.assignment_type,
    content_partition_id = given.content_partition_id,
    content_group_id = given.content_group_id
FROM unnest(:course_id::bigint[], :id::bigint[], :position::bigint[], :capacity::integer[], :timetable_id::text[], :assignment_type::text[],
            :content_partition_id::bigint[], :content_group_id::bigint[])
    AS given (course_id, id, position, capacity, timetable_id, assignment_type,
              content_partition_id, content_group_id)
WHERE g.course_id = given.course_id AND g.id = given.id;

-- write: lock_partitions
SELECT p.course_id, p.name, p.id, p.kind, p.groups_editable
FROM partitions p
WHERE (p.course_id, p.name) IN (
    SELECT * FROM unnest(:course_id::bigint[], :name::text[]))
ORDER BY p.id FOR NO KEY UPDATE;

-- read: occupancy
-- Nothing is held: whoever fills a group meanwhile makes the batch be decided anew.
SELECT g.partition_id, g.id, g.name, g.capacity, CASE WHEN g.capacity IS NOT NULL THEN (
    SELECT count(*) FROM memberships m
    WHERE m.course_id = g.course_id AND m.group_id = g.id) END AS taken
FROM unnest(:course_id::bigint[], :partition_id::bigint[], :name::text[])
    AS named (course_id, partition_id, name)
CROSS JOIN LATERAL (
    SELECT * FROM groups
    WHERE course_id = named.course_id AND partition_id = named.partition_id
      AND name = named.name
    OFFSET 0
) g;

-- read: placements
SELECT named.course_id, named.partition_id, named.user_id, m.group_id,
       EXISTS (SELECT FROM enrollments e
               WHERE e.course_id = named.course_id AND e.user_id = named.user_id)
           AS is_enrolled
FROM unnest(:course_id::bigint[], :partition_id::bigint[], :user_id::bigint[])
    AS named (course_id, partition_id, user_id)
LEFT JOIN LATERAL (
    SELECT group_id FROM memberships
    WHERE course_id = named.course_id AND partition_id = named.partition_id
      AND user_id = named.user_id
    OFFSET 0
) m ON true;
