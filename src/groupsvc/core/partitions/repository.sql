-- placed read, gathered: read
SELECT d.acronym AS department, c.key AS course, row_to_json(shape)::text AS body
FROM partitions p
JOIN courses c ON c.id = p.course_id
JOIN departments d ON d.id = c.department_id
CROSS JOIN LATERAL (SELECT p.id, p.course_id, p.kind, p.name, p.position, p.groups_editable,
p.show_in_lists, p.show_rank_on_report, coalesce((
    SELECT json_agg(row_to_json(each_group)) FROM (
        SELECT g.id, g.course_id, g.partition_id, g.name, g.position, g.capacity, g.timetable_id,
g.assignment_type,
CASE WHEN g.content_partition_id IS NOT NULL
     THEN json_build_object('content_partition_id', g.content_partition_id,
                            'content_group_id', g.content_group_id) END AS content_link FROM groups g
        WHERE g.course_id = p.course_id AND g.partition_id = p.id
        ORDER BY g.position, g.name
    ) each_group), '[]') AS groups) shape
WHERE p.id = :id::bigint;

-- read: read_as_of
-- With its groups, by the change log: of each the last line before that time says what it was.
WITH last AS MATERIALIZED (
    SELECT DISTINCT ON (group_id) course_id, group_id, after
    FROM changes
    WHERE user_id IS NULL AND partition_id = :id::bigint AND kind ~ '^(partition|group)\.'
      AND at <= :as_of::timestamptz
    ORDER BY group_id, seq DESC
)
SELECT d.acronym AS department, c.key AS course, row_to_json(shape)::text AS body
FROM last
JOIN courses c ON c.id = last.course_id
JOIN departments d ON d.id = c.department_id
CROSS JOIN jsonb_populate_record(NULL::partitions, last.after) p
CROSS JOIN LATERAL (SELECT p.id, p.course_id, p.kind, p.name, p.position, p.groups_editable,
p.show_in_lists, p.show_rank_on_report, coalesce((
    SELECT json_agg(row_to_json(each_group)) FROM (
        SELECT g.id, g.course_id, g.partition_id, g.name, g.position, g.capacity, g.timetable_id,
g.assignment_type,
CASE WHEN g.content_partition_id IS NOT NULL
     THEN json_build_object('content_partition_id', g.content_partition_id,
                            'content_group_id', g.content_group_id) END AS content_link
        FROM last other CROSS JOIN jsonb_populate_record(NULL::groups, other.after) g
        WHERE other.group_id IS NOT NULL AND other.after IS NOT NULL
        ORDER BY g.position, g.name
    ) each_group), '[]') AS groups) shape
WHERE last.group_id IS NULL AND last.after IS NOT NULL;

-- placed read, gathered: in_course
SELECT d.acronym AS department, c.key AS course, coalesce((
    SELECT json_agg(row_to_json(shape) ORDER BY p.position, p.id)
    FROM partitions p
    CROSS JOIN LATERAL (SELECT p.id, p.course_id, p.kind, p.name, p.position, p.groups_editable,
p.show_in_lists, p.show_rank_on_report, coalesce((
    SELECT json_agg(row_to_json(each_group)) FROM (
        SELECT g.id, g.course_id, g.partition_id, g.name, g.position, g.capacity, g.timetable_id,
g.assignment_type,
CASE WHEN g.content_partition_id IS NOT NULL
     THEN json_build_object('content_partition_id', g.content_partition_id,
                            'content_group_id', g.content_group_id) END AS content_link FROM groups g
        WHERE g.course_id = p.course_id AND g.partition_id = p.id
        ORDER BY g.position, g.name
    ) each_group), '[]') AS groups) shape
    WHERE p.course_id = c.id AND p.kind <> 'default'), '[]')::text AS body
FROM courses c JOIN departments d ON d.id = c.department_id
WHERE c.id = :course_id::bigint;

-- placed read: lock
-- The course before the partition, shared: changes of one course do not wait for one another here.
SELECT d.acronym AS department, c.key AS course, p.course_id, p.id, p.kind, p.name, p.groups_editable, c.is_locked
FROM partitions p JOIN courses c ON c.id = p.course_id JOIN departments d ON d.id = c.department_id
WHERE p.id = :id::bigint
FOR SHARE OF c FOR NO KEY UPDATE OF p;

-- write: create
INSERT INTO partitions
    (course_id, kind, name, position, groups_editable, show_in_lists, show_rank_on_report)
SELECT :course_id::bigint, :kind::text, :name::text,
       coalesce(:position::bigint,
                (SELECT coalesce(max(position), 0) + 1 FROM partitions
                 WHERE course_id = :course_id::bigint AND kind <> 'default')),
       :groups_editable::boolean, :show_in_lists::boolean, :show_rank_on_report::boolean
RETURNING id;

-- write: order
-- Those named come first, in the order given; the others keep theirs behind them.
UPDATE partitions p SET position = ranked.position
FROM (
    SELECT p.id, row_number() OVER (ORDER BY named.place, p.position, p.id) AS position
    FROM partitions p
    LEFT JOIN unnest(:ids::bigint[]) WITH ORDINALITY AS named (id, place)
        ON named.id = p.id
    WHERE p.course_id = :course_id::bigint AND p.kind <> 'default'
) ranked
WHERE p.course_id = :course_id::bigint AND p.id = ranked.id AND p.position <> ranked.position;

-- read: names
SELECT id, name FROM partitions WHERE course_id = :course_id::bigint AND kind <> 'default'
ORDER BY position, id;

-- read: of_kind
SELECT id FROM partitions WHERE course_id = :course_id::bigint AND kind = :kind::text;

-- read: named
SELECT id FROM partitions WHERE course_id = :course_id::bigint AND name = :name::text;

-- write: delete
DELETE FROM partitions WHERE course_id = :course_id::bigint AND id = :id::bigint;

-- write: update
-- A merge: columns that the changes do not name keep their values, null is a value.
UPDATE partitions p SET (name, position, groups_editable, show_in_lists, show_rank_on_report) = (
    SELECT r.name, r.position, r.groups_editable, r.show_in_lists, r.show_rank_on_report
    FROM jsonb_populate_record(p, :changes::jsonb) r)
WHERE p.course_id = :course_id::bigint AND p.id = :id::bigint;
