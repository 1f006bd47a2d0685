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

-- read: similar_departments
-- Rough forms bring some too many, between which Python decides.
SELECT DISTINCT d.id, d.acronym FROM unnest(:acronyms::text[]) AS given (acronym)
JOIN departments d ON rough_name(d.acronym) = rough_name(given.acronym);

-- read: similar_courses
-- A key that a course had before comes with it.
SELECT DISTINCT c.id, c.key, d.acronym AS department, c.title, c.is_locked, found.former
FROM unnest(:course_keys::text[]) AS given (key)
CROSS JOIN LATERAL (SELECT rough_name(given.key) AS name OFFSET 0) rough
CROSS JOIN LATERAL (
    SELECT id, NULL AS former FROM courses WHERE rough_name(key) = rough.name
    UNION ALL
    SELECT course_id, key FROM former_course_keys WHERE rough_name(key) = rough.name
) found
JOIN courses c ON c.id = found.id AND rough.name <> ''
JOIN departments d ON d.id = c.department_id;

-- read: courses
-- With what another one is called now that had the key before, the last of them first.
SELECT c.id, c.key, d.acronym AS department, c.title, c.is_locked, (
    SELECT bearer.key FROM former_course_keys f JOIN courses bearer ON bearer.id = f.course_id
    WHERE rough_name(f.key) = rough_name(c.key) AND f.key = c.key
    ORDER BY f.until DESC, bearer.id LIMIT 1) AS former_bearer
FROM courses c JOIN departments d ON d.id = c.department_id
WHERE c.key = ANY (:course_keys::text[]);

-- write: lock_for_lists
SELECT id, is_locked FROM courses WHERE id = ANY (:course_ids::bigint[]) ORDER BY id FOR NO KEY UPDATE;

-- read: lock_for_members
SELECT id, is_locked FROM courses WHERE id = ANY (:course_ids::bigint[]) ORDER BY id FOR SHARE;

-- read: course_states
SELECT c.id, c.key, d.acronym AS department, c.title, c.is_locked, c.starts_on, c.ends_on,
       c.programme, c.term, c.modality, s.is_cohorted, s.random_assignment,
       ARRAY(SELECT f.key FROM former_course_keys f WHERE f.course_id = c.id) AS former_keys, (
    SELECT bearer.key FROM former_course_keys f JOIN courses bearer ON bearer.id = f.course_id
    WHERE rough_name(f.key) = rough_name(c.key) AND f.key = c.key
    ORDER BY f.until DESC, bearer.id LIMIT 1) AS former_bearer
FROM courses c JOIN departments d ON d.id = c.department_id
LEFT JOIN cohort_settings s ON s.course_id = c.id
WHERE c.key = ANY (:course_keys::text[]);

-- write: create_courses
INSERT INTO courses
    (department_id, key, title, starts_on, ends_on, programme, term, modality, imported_key)
SELECT d.id, given.key, given.title, given.starts_on, given.ends_on, given.programme, given.term,
       given.modality, given.imported_key
FROM unnest(:department::text[], :key::text[], :title::text[], :starts_on::date[], :ends_on::date[],
            :programme::text[], :term::integer[], :modality::text[], :imported_key::uuid[])
    WITH ORDINALITY AS given (department, key, title, starts_on, ends_on, programme, term,
                              modality, imported_key, place)
JOIN departments d ON d.acronym = given.department
ORDER BY place
RETURNING id, key;

-- write: release_course_keys
UPDATE courses SET key = gen_random_uuid()::text WHERE id = ANY (:course_ids::bigint[])
RETURNING id, key;

-- write: forget_course_keys
DELETE FROM former_course_keys f
USING unnest(:course_id::bigint[], :key::text[]) AS given (course_id, key)
WHERE f.course_id = given.course_id AND f.key = given.key;

-- write: remember_course_keys
INSERT INTO former_course_keys (course_id, key)
SELECT g.course_id, g.key FROM unnest(:course_id::bigint[], :key::text[]) AS g (course_id, key)
ON CONFLICT (course_id, key) DO NOTHING;

-- write: update_courses
UPDATE courses c
SET department_id = d.id, key = given.key, title = given.title, starts_on = given.starts_on,
    ends_on = given.ends_on, programme = given.programme, term = given.term,
    modality = given.modality
FROM unnest(:id::bigint[], :department::text[], :key::text[], :title::text[], :starts_on::date[],
            :ends_on::date[], :programme::text[], :term::integer[], :modality::text[])
    AS given (id, department, key, title, starts_on, ends_on, programme, term, modality)
JOIN departments d ON d.acronym = given.department
WHERE c.id = given.id;

-- write: set_cohorts
INSERT INTO cohort_settings AS s (course_id, is_cohorted, random_assignment)
SELECT course_id, is_cohorted, random_assignment
FROM unnest(:course_id::bigint[], :is_cohorted::boolean[], :random_assignment::text[])
    AS given (course_id, is_cohorted, random_assignment)
ON CONFLICT (course_id) DO UPDATE
    SET is_cohorted = excluded.is_cohorted, random_assignment = excluded.random_assignment
    WHERE (s.is_cohorted, s.random_assignment)
        IS DISTINCT FROM (excluded.is_cohorted, excluded.random_assignment);

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
       u.usual_name, u.civility, u.student_number, u.national_number, u.is_active, u.is_retired,
       ARRAY(SELECT ARRAY[x.system, x.external_id] FROM external_ids x WHERE x.user_id = u.id)
           AS external_ids,
       ARRAY(SELECT f.name FROM former_user_names f WHERE f.user_id = u.id) AS former_names
FROM users u LEFT JOIN departments d ON d.id = u.department_id
WHERE u.id IN (
    SELECT id FROM users WHERE username = ANY (:usernames::text[])
    UNION SELECT id FROM users WHERE lower(email COLLATE "C") = ANY (:emails::text[])
    UNION SELECT id FROM users WHERE student_number = ANY (:student_numbers::text[])
    UNION SELECT id FROM users WHERE national_number = ANY (:national_numbers::text[])
    UNION SELECT x.user_id FROM external_ids x WHERE (x.system, x.external_id) IN (
        SELECT * FROM unnest(:systems::text[], :external_ids::text[]))
);

-- write: create_users
INSERT INTO users (department_id, username, email, family_name, given_name, usual_name, civility, student_number,
national_number, is_active, is_retired, imported_key, sort_key)
SELECT d.id, username, email, family_name, given_name, usual_name, civility, student_number,
national_number, is_active, is_retired, imported_key, sort_key
FROM unnest(:department::text[], :username::text[], :email::text[], :family_name::text[], :given_name::text[], :usual_name::text[],
:civility::text[], :student_number::text[], :national_number::text[], :is_active::boolean[], :is_retired::boolean[], :imported_key::uuid[], :sort_key::text[]) WITH ORDINALITY AS given (department, username, email, family_name, given_name, usual_name, civility, student_number,
national_number, is_active, is_retired, imported_key, sort_key, place)
LEFT JOIN departments d ON d.acronym = given.department
ORDER BY place
RETURNING id, username;

-- write: update_users
UPDATE users u
SET department_id = d.id, username = given.username, email = given.email,
    family_name = given.family_name, given_name = given.given_name, usual_name = given.usual_name,
    civility = given.civility, student_number = given.student_number,
    national_number = given.national_number, is_active = given.is_active,
    is_retired = given.is_retired, sort_key = given.sort_key
FROM unnest(:id::bigint[], :department::text[], :username::text[], :email::text[], :family_name::text[], :given_name::text[], :usual_name::text[],
:civility::text[], :student_number::text[], :national_number::text[], :is_active::boolean[], :is_retired::boolean[], :sort_key::text[]) AS given (id, department, username, email, family_name, given_name, usual_name, civility, student_number,
national_number, is_active, is_retired, sort_key)
LEFT JOIN departments d ON d.acronym = given.department
WHERE u.id = given.id;

-- write: set_external_ids
-- The id of a user who has been deleted, or who is given another one, is free again. The insert waits
-- for that, which is why it counts.
WITH given AS MATERIALIZED (
    SELECT * FROM unnest(:user_id::bigint[], :system::text[], :external_id::text[])
        AS g (user_id, system, external_id)
),
freed AS (
    DELETE FROM external_ids x USING given g
    WHERE x.system = g.system AND x.external_id = g.external_id AND x.user_id <> g.user_id
      AND (NOT EXISTS (SELECT FROM users u WHERE u.id = x.user_id)
           OR EXISTS (SELECT FROM given h WHERE h.user_id = x.user_id AND h.system = x.system))
    RETURNING x.user_id
)
INSERT INTO external_ids AS x (user_id, system, external_id)
SELECT g.user_id, g.system, g.external_id FROM given g
WHERE (SELECT count(*) FROM freed) >= 0
ON CONFLICT ON CONSTRAINT pk_external_ids DO UPDATE SET external_id = excluded.external_id;

-- write: remember_users
INSERT INTO former_user_names (user_id, name)
SELECT g.user_id, g.name FROM unnest(:user_id::bigint[], :name::text[]) AS g (user_id, name)
JOIN users u ON u.id = g.user_id
WHERE g.name <> u.username AND g.name IS DISTINCT FROM u.email AND NOT u.is_retired
ON CONFLICT (user_id, name) DO NOTHING;

-- write: release
-- A name, address or number that passes from one user to another must be free in between.
UPDATE users u
SET username = CASE WHEN given.renames THEN gen_random_uuid()::text ELSE u.username END,
    email = NULL, student_number = NULL, national_number = NULL
FROM unnest(:user_id::bigint[], :renames::boolean[]) AS given (user_id, renames)
WHERE u.id = given.user_id
RETURNING u.id, u.username;

-- write: forget_user_names
DELETE FROM former_user_names f
USING unnest(:user_id::bigint[], :name::text[]) AS given (user_id, name)
WHERE f.user_id = given.user_id AND f.name = given.name;

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
INSERT INTO partitions (course_id, name, kind, position, groups_editable, show_in_lists,
                        show_rank_on_report, imported_key)
SELECT course_id, name, kind, position, groups_editable, show_in_lists, show_rank_on_report,
       imported_key
FROM unnest(:course_id::bigint[], :name::text[], :kind::text[], :position::bigint[], :groups_editable::boolean[], :show_in_lists::boolean[], :show_rank_on_report::boolean[], :imported_key::uuid[])
    WITH ORDINALITY AS given (course_id, name, kind, position, groups_editable, show_in_lists,
                              show_rank_on_report, imported_key, place)
ORDER BY place
RETURNING course_id, name, id;

-- write: update_partitions
UPDATE partitions p
SET name = given.name, groups_editable = given.groups_editable,
    show_in_lists = given.show_in_lists, show_rank_on_report = given.show_rank_on_report
FROM unnest(:course_id::bigint[], :id::bigint[], :name::text[], :groups_editable::boolean[], :show_in_lists::boolean[], :show_rank_on_report::boolean[])
    AS given (course_id, id, name, groups_editable, show_in_lists, show_rank_on_report)
WHERE p.course_id = given.course_id AND p.id = given.id;

-- read: partitions_in_order
SELECT course_id, id, name FROM partitions
WHERE course_id = ANY (:course_ids::bigint[]) AND kind <> 'default'
ORDER BY course_id, position, id;

-- read: groups_in_order
SELECT g.course_id, g.partition_id, g.id, g.name FROM groups g
WHERE (g.course_id, g.partition_id) IN (
    SELECT * FROM unnest(:course_id::bigint[], :partition_id::bigint[]))
ORDER BY g.course_id, g.partition_id, g.position, g.name;

-- write: order_partitions
UPDATE partitions p SET position = given.position
FROM unnest(:course_id::bigint[], :id::bigint[], :position::bigint[])
    AS given (course_id, id, position)
WHERE p.course_id = given.course_id AND p.id = given.id AND p.position <> given.position;

-- write: order_groups
UPDATE groups g SET position = given.position
FROM unnest(:course_id::bigint[], :id::bigint[], :position::bigint[])
    AS given (course_id, id, position)
WHERE g.course_id = given.course_id AND g.id = given.id AND g.position <> given.position;

-- write: remember
INSERT INTO former_names (course_id, partition_id, group_id, name)
SELECT course_id, partition_id, group_id, name
FROM unnest(:course_id::bigint[], :partition_id::bigint[], :group_id::bigint[], :name::text[])
    AS given (course_id, partition_id, group_id, name)
ON CONFLICT ON CONSTRAINT uq_former_names DO NOTHING;

-- write: close_partitions
UPDATE partitions p SET groups_editable = false
FROM unnest(:course_id::bigint[], :id::bigint[]) AS given (course_id, id)
WHERE p.course_id = given.course_id AND p.id = given.id AND p.groups_editable;

-- write: create_groups
INSERT INTO groups (course_id, partition_id, name, position, capacity, timetable_id,
                    assignment_type, content_partition_id, content_group_id, imported_key)
SELECT course_id, partition_id, name, position, capacity, timetable_id, assignment_type,
       content_partition_id, content_group_id, imported_key
FROM unnest(:course_id::bigint[], :partition_id::bigint[], :name::text[], :position::bigint[], :capacity::integer[], :timetable_id::text[],
            :assignment_type::text[], :content_partition_id::bigint[], :content_group_id::bigint[], :imported_key::uuid[])
    WITH ORDINALITY AS given (course_id, partition_id, name, position, capacity, timetable_id,
        assignment_type, content_partition_id, content_group_id, imported_key, place)
ORDER BY place
RETURNING partition_id, name, id;

-- write: update_groups
UPDATE groups g
SET name = given.name, capacity = given.capacity, timetable_id = given.timetable_id,
    assignment_type = given.assignment_type,
    content_partition_id = given.content_partition_id,
    content_group_id = given.content_group_id
FROM unnest(:course_id::bigint[], :id::bigint[], :name::text[], :capacity::integer[], :timetable_id::text[], :assignment_type::text[],
            :content_partition_id::bigint[], :content_group_id::bigint[])
    AS given (course_id, id, name, capacity, timetable_id, assignment_type,
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
-- In the order of those named. One row of long columns takes a fraction of a row each.
SELECT array_agg(m.group_id ORDER BY named.place) AS group_ids,
       array_agg(EXISTS (SELECT FROM enrollments e
                         WHERE e.course_id = named.course_id AND e.user_id = named.user_id)
                 ORDER BY named.place) AS enrolled
FROM unnest(:course_id::bigint[], :partition_id::bigint[], :user_id::bigint[])
    WITH ORDINALITY AS named (course_id, partition_id, user_id, place)
LEFT JOIN LATERAL (
    SELECT group_id FROM memberships
    WHERE course_id = named.course_id AND partition_id = named.partition_id
      AND user_id = named.user_id
    OFFSET 0
) m ON true;
