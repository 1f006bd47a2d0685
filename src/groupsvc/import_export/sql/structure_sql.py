"""The statements behind partitions and groups of a batch."""

from groupsvc.db.statements import sql

# All of the courses: which kinds there are and where the list ends matters as well.
PARTITIONS = sql("""
    SELECT course_id, name, id, kind, position, groups_editable, show_in_lists, bul_show_rank
    FROM partitions WHERE course_id = ANY (:course_ids) AND kind <> 'default'
""")

GROUPS = sql("""
    SELECT named.partition_id, g.name, g.id, g.position, g.capacity, g.edt_id,
           g.assignment_type, g.content_partition_id, g.content_group_id
    FROM unnest(:course_ids, :partition_ids, :group_names)
        AS named (course_id, partition_id, name)
    CROSS JOIN LATERAL (
        SELECT * FROM groups
        WHERE course_id = named.course_id AND partition_id = named.partition_id
          AND name = named.name
        OFFSET 0
    ) g
""")

LAST_POSITIONS = sql("""
    SELECT named.partition_id, (
        SELECT max(position) FROM groups
        WHERE course_id = named.course_id AND partition_id = named.partition_id
          AND id <> ALL (:group_ids)) AS position
    FROM unnest(:course_ids, :partition_ids) AS named (course_id, partition_id)
""")

COUNTS = sql("""
    SELECT named.group_id, (
        SELECT count(*) FROM memberships
        WHERE course_id = named.course_id AND group_id = named.group_id) AS count
    FROM unnest(:course_ids, :group_ids) AS named (course_id, group_id)
""")

CREATE_PARTITIONS = sql("""
    INSERT INTO partitions
        (course_id, name, kind, position, groups_editable, show_in_lists, bul_show_rank)
    SELECT course_id, name, kind, position, groups_editable, show_in_lists, bul_show_rank
    FROM unnest(:course_ids, :partition_names, :kinds, :positions, :editables, :listed, :ranked)
        WITH ORDINALITY AS given (course_id, name, kind, position, groups_editable, show_in_lists,
                                  bul_show_rank, place)
    ORDER BY place
    RETURNING course_id, name, id
""")

UPDATE_PARTITIONS = sql("""
    UPDATE partitions p
    SET position = given.position, groups_editable = given.groups_editable,
        show_in_lists = given.show_in_lists, bul_show_rank = given.bul_show_rank
    FROM unnest(:course_ids, :ids, :positions, :editables, :listed, :ranked)
        AS given (course_id, id, position, groups_editable, show_in_lists, bul_show_rank)
    WHERE p.course_id = given.course_id AND p.id = given.id
""")

CLOSE_PARTITIONS = sql("""
    UPDATE partitions p SET groups_editable = false
    FROM unnest(:course_ids, :ids) AS given (course_id, id)
    WHERE p.course_id = given.course_id AND p.id = given.id AND p.groups_editable
""")

CREATE_GROUPS = sql("""
    INSERT INTO groups (course_id, partition_id, name, position, capacity, edt_id,
                        assignment_type, content_partition_id, content_group_id)
    SELECT course_id, partition_id, name, position, capacity, edt_id, assignment_type,
           content_partition_id, content_group_id
    FROM unnest(:course_ids, :partition_ids, :group_names, :positions, :capacities, :edt_ids,
                :assignment_types, :content_partition_ids, :content_group_ids)
        WITH ORDINALITY AS given (course_id, partition_id, name, position, capacity, edt_id,
            assignment_type, content_partition_id, content_group_id, place)
    ORDER BY place
    RETURNING partition_id, name, id
""")

UPDATE_GROUPS = sql("""
    UPDATE groups g
    SET position = given.position, capacity = given.capacity, edt_id = given.edt_id,
        assignment_type = given.assignment_type,
        content_partition_id = given.content_partition_id,
        content_group_id = given.content_group_id
    FROM unnest(:course_ids, :ids, :positions, :capacities, :edt_ids, :assignment_types,
                :content_partition_ids, :content_group_ids)
        AS given (course_id, id, position, capacity, edt_id, assignment_type,
                  content_partition_id, content_group_id)
    WHERE g.course_id = given.course_id AND g.id = given.id
""")
