-- write: lock
-- No index spans the partitions and groups of all courses: whoever brings ids waits for others who do.
SELECT pg_advisory_xact_lock(hashtextextended('groupsvc: ids of another server', 0));

-- write: number_from
SELECT setval(pg_get_serial_sequence(name, 'id'), :first::bigint, false)
FROM unnest(ARRAY['departments', 'users', 'courses', 'partitions', 'groups']) AS name;

-- read: hold
-- Whoever changes partitions, groups or memberships of the course waits.
SELECT id, is_locked FROM courses WHERE key = :key::text FOR NO KEY UPDATE;

-- write: unlock
UPDATE courses SET is_locked = false WHERE id = :course_id::bigint;

-- read: recognise
-- Whoever moved over with the id; else whoever has the number in the department; else whoever has the
-- username, unless another department brought them along. Nobody is recognised as two.
WITH wanted AS MATERIALIZED (
    SELECT w.* FROM unnest(:user_ids::bigint[], :student_numbers::text[], :national_numbers::text[],
                           :usernames::text[])
        AS w (id, student_number, national_number, username)
), same AS MATERIALIZED (
    SELECT w.id, u.id AS own_id FROM wanted w
    JOIN users u ON coalesce(u.foreign_id, u.id) = w.id AND u.foreign_id IS NOT NULL
    LEFT JOIN departments d ON d.id = u.department_id
    WHERE d.acronym = :acronym::text OR u.student_number = w.student_number
       OR u.national_number = w.national_number
), found AS (
    SELECT w.id, coalesce(
        (SELECT u.id FROM users u
         WHERE u.department_id = d.id AND u.student_number = w.student_number),
        (SELECT u.id FROM users u
         WHERE u.department_id = d.id AND u.national_number = w.national_number),
        (SELECT u.id FROM users u
         WHERE u.username = w.username
           AND (u.foreign_id IS NULL OR coalesce(u.department_id, d.id) = d.id))) AS own_id
    FROM wanted w JOIN departments d ON d.acronym = :acronym::text
    WHERE w.id NOT IN (SELECT id FROM same)
)
SELECT id, own_id, true AS moved_before FROM same
UNION ALL
SELECT id, own_id, false FROM found
WHERE own_id IS NOT NULL AND own_id NOT IN (SELECT own_id FROM same);

-- read: taken
-- Ids that something else here has, or is known by. What is meant by the name has another id itself.
SELECT 'department' AS kind, :department_id::bigint AS id FROM departments d
WHERE (d.id = :department_id::bigint OR coalesce(d.foreign_id, d.id) = :department_id::bigint)
  AND d.acronym <> :acronym::text
UNION
SELECT 'department', d.foreign_id FROM departments d
WHERE d.acronym = :acronym::text AND d.foreign_id <> :department_id::bigint
UNION
SELECT 'course', c.id FROM courses c
WHERE (c.id = :course_id::bigint) <> (c.key = :key::text)
UNION
SELECT 'partition', p.id FROM partitions p
WHERE p.id = ANY (:partition_ids::bigint[]) AND p.course_id <> :course_id::bigint
   OR p.id <> ALL (:partition_ids::bigint[]) AND p.course_id = :course_id::bigint
      AND p.name = ANY (:partition_names::text[])
UNION
SELECT 'partition', p.id FROM partitions p
WHERE p.id = :default_partition_id::bigint
  AND (p.course_id <> :course_id::bigint OR p.kind <> 'default')
UNION
SELECT 'group', g.id FROM groups g
WHERE g.id = :default_group_id::bigint
  AND (g.course_id <> :course_id::bigint OR g.name IS NOT NULL)
UNION
SELECT 'group', g.id FROM groups g
JOIN unnest(:group_ids::bigint[], :group_partition_ids::bigint[]) AS w (id, partition_id)
    ON w.id = g.id
WHERE g.course_id <> :course_id::bigint OR g.partition_id <> w.partition_id
UNION
SELECT 'group', g.id FROM groups g
JOIN unnest(:group_partition_ids::bigint[], :group_names::text[]) AS w (partition_id, name)
    ON g.partition_id = w.partition_id AND w.name = g.name
WHERE g.course_id = :course_id::bigint AND g.id <> ALL (:group_ids::bigint[])
UNION
SELECT 'user', w.id FROM unnest(:user_ids::bigint[], :own_ids::bigint[]) AS w (id, own_id)
JOIN users u ON u.id = w.id OR coalesce(u.foreign_id, u.id) = w.id
WHERE u.id IS DISTINCT FROM w.own_id
ORDER BY 1, 2;

-- write: department
-- Whatever is known by an id of elsewhere is known by no other, also where that is its own.
INSERT INTO departments AS d (id, foreign_id, acronym, name)
VALUES (:department_id::bigint, :department_id::bigint, :acronym::text, :name::text)
ON CONFLICT (acronym) DO UPDATE SET foreign_id = excluded.id
WHERE d.foreign_id IS NULL;

-- write: default_ids
-- What the course that is made next in this transaction is divided by from the start.
SELECT set_config('groupsvc.default_partition_id', coalesce(:partition_id::bigint::text, ''), true),
       set_config('groupsvc.default_group_id', coalesce(:group_id::bigint::text, ''), true);

-- write: course
INSERT INTO courses (id, department_id, key, title, starts_on, ends_on, term, programme, modality)
SELECT :course_id::bigint, d.id, :key::text, :title::text, :starts_on::date, :ends_on::date,
       :term::integer, :programme::text, :modality::text
FROM departments d WHERE d.acronym = :acronym::text
ON CONFLICT (key) DO NOTHING;

-- write: free_partition_names
-- Of those whose name another one is about to get, so that names may be swapped.
UPDATE partitions p SET name = gen_random_uuid()::text
FROM unnest(:partition_ids::bigint[], :partition_names::text[]) AS w (id, name)
WHERE p.course_id = :course_id::bigint AND p.id = w.id AND p.name <> w.name
  AND p.name = ANY (:partition_names::text[]);

-- write: name_partitions
UPDATE partitions p SET name = w.name
FROM unnest(:partition_ids::bigint[], :partition_names::text[]) AS w (id, name)
WHERE p.course_id = :course_id::bigint AND p.id = w.id AND p.name <> w.name;

-- write: partitions
INSERT INTO partitions (course_id, id, kind, name, position, groups_editable,
                        show_rank_on_report, show_in_lists)
SELECT :course_id::bigint, w.id, CASE WHEN w.is_tracks THEN 'tracks' ELSE 'ordinary' END, w.name,
       w.position, NOT w.is_tracks, w.show_rank_on_report, w.show_in_lists
FROM unnest(:partition_ids::bigint[], :partition_names::text[], :positions::bigint[],
            :are_tracks::boolean[], :show_rank_on_report::boolean[], :show_in_lists::boolean[])
    AS w (id, name, position, is_tracks, show_rank_on_report, show_in_lists)
ON CONFLICT ON CONSTRAINT pk_partitions DO NOTHING;

-- write: open_partitions
-- Those in which groups are made or renamed.
UPDATE partitions p SET groups_editable = true
WHERE p.course_id = :course_id::bigint AND p.kind = 'ordinary' AND NOT p.groups_editable
  AND EXISTS (
      SELECT FROM unnest(:group_ids::bigint[], :group_partition_ids::bigint[], :group_names::text[])
          AS w (id, partition_id, name)
      WHERE w.partition_id = p.id AND NOT EXISTS (
          SELECT FROM groups g
          WHERE g.course_id = p.course_id AND g.id = w.id AND g.name = w.name))
RETURNING p.id;

-- write: close_partitions
UPDATE partitions SET groups_editable = false
WHERE course_id = :course_id::bigint AND id = ANY (:partition_ids::bigint[]);

-- write: free_group_names
UPDATE groups g SET name = gen_random_uuid()::text
FROM unnest(:group_ids::bigint[], :group_names::text[]) AS w (id, name)
WHERE g.course_id = :course_id::bigint AND g.id = w.id AND g.name <> w.name
  AND (g.partition_id, g.name) IN (
      SELECT n.* FROM unnest(:group_partition_ids::bigint[], :group_names::text[]) n);

-- write: name_groups
UPDATE groups g SET name = w.name
FROM unnest(:group_ids::bigint[], :group_names::text[]) AS w (id, name)
WHERE g.course_id = :course_id::bigint AND g.id = w.id AND g.name <> w.name;

-- write: name_tracks
-- A track is called like the group.
UPDATE enrollments e SET track = g.name
FROM memberships m
JOIN partitions p ON p.course_id = m.course_id AND p.id = m.partition_id AND p.kind = 'tracks'
JOIN groups g ON g.course_id = m.course_id AND g.id = m.group_id
WHERE m.course_id = :course_id::bigint AND e.course_id = m.course_id AND e.user_id = m.user_id
  AND e.track IS DISTINCT FROM g.name;

-- write: groups
INSERT INTO groups (course_id, partition_id, id, name, position, timetable_id)
SELECT :course_id::bigint, w.partition_id, w.id, w.name, w.position, w.timetable_id
FROM unnest(:group_ids::bigint[], :group_partition_ids::bigint[], :group_names::text[],
            :positions::bigint[], :timetable_ids::text[])
    AS w (id, partition_id, name, position, timetable_id)
WHERE NOT EXISTS (SELECT FROM groups g WHERE g.course_id = :course_id::bigint AND g.id = w.id);

-- read: names_in_use
SELECT username, lower(email COLLATE "C") AS email FROM users
WHERE username = ANY (:usernames::text[]) OR lower(email COLLATE "C") = ANY (:emails::text[]);

-- write: know_users
-- Those who have no id of elsewhere yet.
UPDATE users u SET foreign_id = w.id
FROM unnest(:user_ids::bigint[], :own_ids::bigint[]) AS w (id, own_id)
WHERE u.id = w.own_id AND u.foreign_id IS NULL
RETURNING w.id;

-- write: free_numbers
-- Of those whose number was corrected there, so that numbers may be swapped.
UPDATE users u SET student_number = NULL
FROM unnest(:own_ids::bigint[], :student_numbers::text[]) AS w (own_id, student_number)
WHERE u.id = w.own_id AND u.student_number <> w.student_number;

-- write: correct_numbers
UPDATE users u SET student_number = coalesce(w.student_number, u.student_number),
                   national_number = coalesce(w.national_number, u.national_number)
FROM unnest(:own_ids::bigint[], :student_numbers::text[], :national_numbers::text[])
    AS w (own_id, student_number, national_number)
WHERE u.id = w.own_id AND (u.student_number IS DISTINCT FROM coalesce(w.student_number, u.student_number)
    OR u.national_number IS DISTINCT FROM coalesce(w.national_number, u.national_number))
RETURNING u.id;

-- read: known_otherwise
SELECT w.id FROM unnest(:user_ids::bigint[], :own_ids::bigint[]) AS w (id, own_id)
JOIN users u ON u.id = w.own_id
WHERE coalesce(u.foreign_id, u.id) <> w.id;

-- write: users
INSERT INTO users (id, foreign_id, department_id, username, email, family_name, given_name, usual_name,
                   civility, student_number, national_number, sort_key)
SELECT w.id, w.id, d.id, w.username, w.email, w.family_name, w.given_name, w.usual_name, w.civility,
       w.student_number, w.national_number, w.sort_key
FROM unnest(:user_ids::bigint[], :usernames::text[], :emails::text[], :family_names::text[],
            :given_names::text[], :usual_names::text[], :civilities::text[],
            :student_numbers::text[], :national_numbers::text[], :sort_keys::text[])
    AS w (id, username, email, family_name, given_name, usual_name, civility, student_number,
          national_number, sort_key)
JOIN departments d ON d.acronym = :acronym::text;

-- write: enrollments
INSERT INTO enrollments AS e (course_id, user_id, state)
SELECT :course_id::bigint, w.id, w.state
FROM unnest(:user_ids::bigint[], :states::text[]) AS w (id, state)
ON CONFLICT ON CONSTRAINT pk_enrollments DO UPDATE SET state = excluded.state
WHERE e.state <> excluded.state;
