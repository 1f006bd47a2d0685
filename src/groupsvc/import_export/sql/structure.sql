-- read: partitions
-- All of the courses: which kinds there are and where the list ends matters as well.
SELECT course_id, name, id, kind, position, groups_editable, show_in_lists, show_rank_on_report
FROM partitions WHERE course_id = ANY (:course_ids::bigint[]) AND kind <> 'default';

-- read: groups
SELECT named.partition_id, g.name, g.id, g.position, g.capacity, g.timetable_id,
       g.assignment_type, g.content_partition_id, g.content_group_id
FROM unnest(:course_ids::bigint[], :partition_ids::bigint[], :group_names::text[])
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
      AND id <> ALL (:group_ids::bigint[])) AS position
FROM unnest(:course_ids::bigint[], :partition_ids::bigint[]) AS named (course_id, partition_id);

-- read: counts
SELECT named.group_id, (
    SELECT count(*) FROM memberships
    WHERE course_id = named.course_id AND group_id = named.group_id) AS count
FROM unnest(:course_ids::bigint[], :group_ids::bigint[]) AS named (course_id, group_id);

-- write: create_partitions
INSERT INTO partitions
    (course_id, name, kind, position, groups_editable, show_in_lists, show_rank_on_report)
SELECT course_id, name, kind, position, groups_editable, show_in_lists, show_rank_on_report
FROM unnest(:course_ids::bigint[], :partition_names::text[], :kinds::text[], :positions::bigint[], :editables::boolean[], :listed::boolean[], :ranked::boolean[])
    WITH ORDINALITY AS given (course_id, name, kind, position, groups_editable, show_in_lists,
                              show_rank_on_report, place)
ORDER BY place
RETURNING course_id, name, id;

-- write: update_partitions
UPDATE partitions p
SET position = given.position, groups_editable = given.groups_editable,
    show_in_lists = given.show_in_lists, show_rank_on_report = given.show_rank_on_report
FROM unnest(:course_ids::bigint[], :ids::bigint[], :positions::bigint[], :editables::boolean[], :listed::boolean[], :ranked::boolean[])
    AS given (course_id, id, position, groups_editable, show_in_lists, show_rank_on_report)
WHERE p.course_id = given.course_id AND p.id = given.id;

-- write: close_partitions
UPDATE partitions p SET groups_editable = false
FROM unnest(:course_ids::bigint[], :ids::bigint[]) AS given (course_id, id)
WHERE p.course_id = given.course_id AND p.id = given.id AND p.groups_editable;

-- write: create_groups
INSERT INTO groups (course_id, partition_id, name, position, capacity, timetable_id,
                    assignment_type, content_partition_id, content_group_id)
SELECT course_id, partition_id, name, position, capacity, timetable_id, assignment_type,
       content_partition_id, content_group_id
FROM unnest(:course_ids::bigint[], :partition_ids::bigint[], :group_names::text[], :positions::bigint[], :capacities::integer[], :timetable_ids::text[],
            :assignment_types::text[], :content_partition_ids::bigint[], :content_group_ids::bigint[])
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
FROM unnest(:course_ids::bigint[], :ids::bigint[], :positions::bigint[], :capacities::integer[], :timetable_ids::text[], :assignment_types::text[],
            :content_partition_ids::bigint[], :content_group_ids::bigint[])
    AS given (course_id, id, position, capacity, timetable_id, assignment_type,
              content_partition_id, content_group_id)
WHERE g.course_id = given.course_id AND g.id = given.id;
