-- read: read
SELECT d.acronym AS department, c.key AS course, row_to_json(shape)::text AS body
FROM groups g
JOIN courses c ON c.id = g.course_id
JOIN departments d ON d.id = c.department_id
CROSS JOIN LATERAL (SELECT g.id, g.course_id, g.partition_id, g.name, g.position, g.capacity, g.timetable_id,
g.assignment_type,
CASE WHEN g.content_partition_id IS NOT NULL
     THEN json_build_object('content_partition_id', g.content_partition_id,
                            'content_group_id', g.content_group_id) END AS content_link) shape
WHERE g.id = :id::bigint;

-- read: find_past
-- A group that is there, or else one that was: the change log keeps where. Of the default group,
-- which goes with its course, nothing is asked then.
SELECT d.acronym AS department, c.key AS course, found.course_id, found.partition_id, found.is_default
FROM (
    SELECT g.course_id, g.partition_id, p.kind = 'default' AS is_default, NULL::bigint AS seq
    FROM groups g JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id
    WHERE g.id = :id::bigint
    UNION ALL
    SELECT course_id, partition_id, false, seq FROM changes
    WHERE group_id = :id::bigint AND kind = 'group.deleted'
) found
JOIN courses c ON c.id = found.course_id
JOIN departments d ON d.id = c.department_id
ORDER BY found.seq DESC NULLS FIRST LIMIT 1;

-- read: read_as_of
-- What its last line of the change log before that time says it was; nothing where it was not there.
SELECT d.acronym AS department, c.key AS course, row_to_json(shape)::text AS body
FROM (
    SELECT course_id, after FROM changes
    WHERE user_id IS NULL AND partition_id = :partition_id::bigint AND group_id = :id::bigint
      AND kind LIKE 'group.%' AND at <= :as_of::timestamptz
    ORDER BY seq DESC LIMIT 1
) last
JOIN courses c ON c.id = last.course_id
JOIN departments d ON d.id = c.department_id
CROSS JOIN jsonb_populate_record(NULL::groups, last.after) g
CROSS JOIN LATERAL (SELECT g.id, g.course_id, g.partition_id, g.name, g.position, g.capacity, g.timetable_id,
g.assignment_type,
CASE WHEN g.content_partition_id IS NOT NULL
     THEN json_build_object('content_partition_id', g.content_partition_id,
                            'content_group_id', g.content_group_id) END AS content_link) shape
WHERE last.after IS NOT NULL;

-- placed read: lock
SELECT d.acronym AS department, c.key AS course, g.course_id, g.partition_id, g.id, g.name, p.kind, p.groups_editable,
          c.is_locked
   FROM groups g JOIN courses c ON c.id = g.course_id JOIN departments d ON d.id = c.department_id
   JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id
   WHERE g.id = :id::bigint
FOR SHARE OF c FOR NO KEY UPDATE OF p, g;

-- write: create
INSERT INTO groups (course_id, partition_id, name, position, capacity, timetable_id,
                    assignment_type, content_partition_id, content_group_id)
SELECT :course_id::bigint, :partition_id::bigint, :name::text,
       coalesce(:position::bigint,
                (SELECT coalesce(max(position), 0) + 1 FROM groups
                 WHERE course_id = :course_id::bigint AND partition_id = :partition_id::bigint)),
       :capacity::integer, :timetable_id::text, :assignment_type::text, :content_partition_id::bigint, :content_group_id::bigint
RETURNING id;

-- write: create_many
INSERT INTO groups (course_id, partition_id, name, position, capacity)
SELECT :course_id::bigint, :partition_id::bigint, named.name, named.place + (
    SELECT coalesce(max(position), 0) FROM groups
    WHERE course_id = :course_id::bigint AND partition_id = :partition_id::bigint), :capacity::integer
FROM unnest(:names::text[]) WITH ORDINALITY AS named (name, place)
RETURNING id, name;

-- write: order
UPDATE groups g SET position = ranked.position
FROM (
    SELECT g.id, row_number() OVER (ORDER BY named.place, g.position, g.name) AS position
    FROM groups g
    LEFT JOIN unnest(:ids::bigint[]) WITH ORDINALITY AS named (id, place)
        ON named.id = g.id
    WHERE g.course_id = :course_id::bigint AND g.partition_id = :partition_id::bigint
) ranked
WHERE g.course_id = :course_id::bigint AND g.id = ranked.id AND g.position <> ranked.position;

-- read: names
SELECT id, name FROM groups WHERE course_id = :course_id::bigint AND partition_id = :partition_id::bigint
ORDER BY position, name;

-- write: delete
DELETE FROM groups WHERE course_id = :course_id::bigint AND id = ANY (:ids::bigint[]);

-- write: update
-- A merge: columns that the changes do not name keep their values, null is a value.
UPDATE groups g SET (name, position, capacity, timetable_id, assignment_type, content_partition_id, content_group_id) = (
    SELECT r.name, r.position, r.capacity, r.timetable_id, r.assignment_type, r.content_partition_id, r.content_group_id
    FROM jsonb_populate_record(g, :changes::jsonb) r)
WHERE g.course_id = :course_id::bigint AND g.id = :id::bigint;
