"""The statements of the bare contender: each answers a request, as JSON ready to send."""

from benchmarks.contenders.columns import (
    COURSE,
    COURSE_OF,
    GROUP,
    MEMBER,
    PARTITION,
    PARTITION_ONLY,
    USER_OF,
    as_json,
)

PARTITION_READ = f"""
    SELECT row_to_json(shape)::text FROM partitions p {as_json(PARTITION)} WHERE p.id = $1
"""
IN_COURSE = f"""
    SELECT coalesce(json_agg(row_to_json(shape) ORDER BY p.position, p.id), '[]')::text
    FROM partitions p {as_json(PARTITION)} WHERE p.course_id = $1 AND p.kind <> 'default'
"""
BOARD = f"""
    SELECT json_build_object(
        'course', (SELECT row_to_json(shape) FROM (SELECT {COURSE}) shape),
        'enrolled', (SELECT count(*) FROM enrollments e WHERE e.course_id = c.id),
        'partitions', (SELECT json_agg(row_to_json(each)) FROM (
            SELECT {PARTITION_ONLY}, coalesce((SELECT json_agg(row_to_json(each_group)) FROM (
                SELECT {GROUP}, own.* FROM groups g CROSS JOIN LATERAL (
                    SELECT count(*) AS member_count,
                        coalesce(json_agg(m.user_id ORDER BY u.sort_key, u.id), '[]') AS members
                    FROM memberships m JOIN users u ON u.id = m.user_id
                    WHERE m.course_id = g.course_id AND m.group_id = g.id) own
                WHERE g.course_id = p.course_id AND g.partition_id = p.id
                ORDER BY g.position, g.name) each_group), '[]') AS groups, none.*
            FROM partitions p CROSS JOIN LATERAL (
                SELECT count(*) AS unassigned_count,
                    coalesce(json_agg(e.user_id ORDER BY u.sort_key, u.id), '[]') AS unassigned
                FROM enrollments e JOIN users u ON u.id = e.user_id
                WHERE e.course_id = c.id AND NOT EXISTS (SELECT FROM memberships m
                    WHERE m.course_id = c.id AND m.partition_id = p.id AND m.user_id = e.user_id)
            ) none
            WHERE p.course_id = c.id AND p.kind <> 'default' ORDER BY p.position, p.id) each),
        'users', (SELECT json_agg(row_to_json(shape) ORDER BY u.sort_key, u.id)
            FROM (SELECT user_id FROM enrollments WHERE course_id = c.id
                  UNION SELECT user_id FROM memberships WHERE course_id = c.id) shown
            JOIN users u ON u.id = shown.user_id
            LEFT JOIN enrollments e ON e.course_id = c.id AND e.user_id = u.id
            {as_json(MEMBER)}))::text
    FROM courses c JOIN departments d ON d.id = c.department_id WHERE c.id = $1
"""
MEMBERS = f"""
    SELECT array_to_string((array_agg(shown.body ORDER BY shown.id))[:$3], ',') AS items,
           (array_agg(shown.id ORDER BY shown.id))[$3] AS last_id, count(*) > $3 AS has_more
    FROM groups g
    JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id
    CROSS JOIN LATERAL (
        SELECT u.id, row_to_json(shape)::text AS body FROM (
            (SELECT m.user_id, e.state FROM memberships m
             LEFT JOIN LATERAL (
                 SELECT state FROM enrollments
                 WHERE course_id = m.course_id AND user_id = m.user_id OFFSET 0) e ON true
             WHERE m.course_id = g.course_id AND m.group_id = g.id AND m.user_id > $2
             ORDER BY m.user_id LIMIT $3 + 1)
            UNION ALL
            (SELECT e.user_id, e.state FROM enrollments e
             WHERE p.kind = 'default' AND e.course_id = g.course_id AND e.user_id > $2
             ORDER BY e.user_id LIMIT $3 + 1)
        ) e {USER_OF.format("e")} {as_json(MEMBER)}
    ) shown WHERE g.id = $1
"""
IN_GROUP_OF = """
    SELECT coalesce(json_agg(row_to_json(shape) ORDER BY {order}), '[]')::text
    FROM memberships m
    JOIN courses c ON c.id = m.course_id
    JOIN partitions p ON p.course_id = m.course_id AND p.id = m.partition_id
    JOIN groups g ON g.course_id = m.course_id AND g.id = m.group_id
    CROSS JOIN LATERAL (SELECT {columns}p.name AS partition_name, {group}) shape
    WHERE m.user_id = $1 {where}
"""
OF_USER_IN_COURSE = IN_GROUP_OF.format(
    order="p.position, p.id", columns="", group=GROUP, where="AND m.course_id = $2"
)
OF_USER = IN_GROUP_OF.format(
    order="c.key, p.position, p.id",
    columns="c.key AS course_key, c.title AS course_title, ",
    group=GROUP,
    where="",
)
UPSERT = """
        ON CONFLICT (course_id, partition_id, user_id) DO UPDATE
            SET group_id = excluded.group_id, previous_group_id = m.group_id, since = now()
            WHERE m.group_id <> excluded.group_id
"""
ASSIGN = f"""
    WITH target AS MATERIALIZED (
        SELECT g.course_id, g.partition_id, g.id, c.is_locked FROM groups g {COURSE_OF.format("g")}
        WHERE g.id = $1 FOR SHARE OF c
    ), moved AS (
        INSERT INTO memberships AS m (course_id, partition_id, user_id, group_id)
        SELECT course_id, partition_id, $2::bigint, id FROM target
        WHERE NOT is_locked AND EXISTS (SELECT FROM enrollments e
            WHERE e.course_id = target.course_id AND e.user_id = $2)
        {UPSERT} RETURNING m.previous_group_id
    )
    SELECT {{answer}}::text FROM target
"""
ASSIGN_MEMBER = ASSIGN.format(
    answer="""json_build_object('course_id', course_id, 'partition_id', partition_id,
        'group_id', id, 'user_id', $2::bigint, 'changed', EXISTS (SELECT FROM moved),
        'previous_group_id', (SELECT previous_group_id FROM moved))"""
)
SET_ETUDIANT = ASSIGN.format(answer="json_build_object('group_id', id, 'etudid', $2::bigint)")
ASSIGN_MANY = f"""
    WITH target AS MATERIALIZED (
        SELECT c.id AS course_id, p.id AS partition_id FROM partitions p {COURSE_OF.format("p")}
        WHERE p.id = $1 AND NOT c.is_locked FOR SHARE OF c
    ), named AS MATERIALIZED (
        SELECT n.line, n.user_id, n.group_id, m.group_id AS old, target.*
        FROM target, unnest($2::bigint[], $3::bigint[])
            WITH ORDINALITY AS n (user_id, group_id, line)
        CROSS JOIN LATERAL (SELECT FROM enrollments e
            WHERE e.course_id = target.course_id AND e.user_id = n.user_id OFFSET 0) enrolled
        LEFT JOIN LATERAL (SELECT group_id FROM memberships
            WHERE course_id = target.course_id AND partition_id = target.partition_id
              AND user_id = n.user_id OFFSET 0) m ON true
    ), moved AS (
        INSERT INTO memberships AS m (course_id, partition_id, user_id, group_id)
        SELECT course_id, partition_id, user_id, group_id FROM named ORDER BY user_id {UPSERT}
    )
    SELECT json_build_object('written', true, 'rows', json_agg(json_build_object(
        'line', line, 'result', CASE WHEN old IS NULL THEN 'assigned'
            WHEN old = group_id THEN 'unchanged' ELSE 'moved' END, 'user_id', user_id,
        'group_id', group_id, 'previous_group_id', old, 'code', NULL) ORDER BY line))::text
    FROM named
"""
SCODOC_PARTITIONS = """
    SELECT coalesce(json_object_agg(p.id, json_build_object(
        'id', p.id, 'partition_id', p.id, 'formsemestre_id', p.course_id,
        'partition_name', p.name, 'numero', p.position - 1, 'bul_show_rank', p.show_rank_on_report,
        'show_in_lists', p.show_in_lists, 'groups_editable', p.groups_editable,
        'groups', coalesce((SELECT json_object_agg(g.id, json_build_object(
                'id', g.id, 'partition_id', p.id, 'group_name', g.name, 'name', g.name,
                'numero', g.position - 1, 'edt_id', g.timetable_id) ORDER BY g.position, g.name)
            FROM groups g WHERE g.course_id = p.course_id AND g.partition_id = p.id), '{}')
        ) ORDER BY p.position, p.id), '{}')::text
    FROM partitions p WHERE p.course_id = $1 AND p.kind <> 'default'
"""
COHORTS = """
    SELECT coalesce(json_agg(json_build_object('name', g.name, 'id', g.id, 'user_count', user_count,
        'assignment_type', assignment_type, 'user_partition_id', content_partition_id,
        'group_id', content_group_id) ORDER BY g.name), '[]')::text
    FROM courses c CROSS JOIN LATERAL (
        SELECT g.*, (SELECT count(*) FROM memberships m
            JOIN enrollments e ON e.course_id = m.course_id AND e.user_id = m.user_id
            WHERE m.course_id = g.course_id AND m.group_id = g.id AND e.state = 'active'
        ) AS user_count
        FROM partitions p JOIN groups g ON g.course_id = p.course_id AND g.partition_id = p.id
        WHERE p.course_id = c.id AND p.kind = 'cohorts' ORDER BY g.name LIMIT 10
    ) g WHERE c.key = $1
"""
ADD_USERS = f"""
    WITH target AS MATERIALIZED (
        SELECT g.course_id, g.partition_id, g.id FROM courses c
        JOIN groups g ON g.course_id = c.id AND g.id = $2
        WHERE c.key = $1 AND NOT c.is_locked FOR SHARE OF c
    ), named AS MATERIALIZED (
        SELECT n.line, n.name, u.id AS user_id, u.email, before.group_id AS old, before.old_name,
            target.*
        FROM target, unnest($3::text[]) WITH ORDINALITY AS n (name, line)
        LEFT JOIN users u ON u.username = n.name
        LEFT JOIN LATERAL (SELECT m.group_id, g.name AS old_name FROM memberships m
            JOIN groups g ON g.course_id = m.course_id AND g.id = m.group_id
            WHERE m.course_id = target.course_id AND m.partition_id = target.partition_id
              AND m.user_id = u.id OFFSET 0) before ON true
    ), moved AS (
        INSERT INTO memberships AS m (course_id, partition_id, user_id, group_id)
        SELECT course_id, partition_id, user_id, id FROM named WHERE user_id IS NOT NULL
        ORDER BY user_id {UPSERT}
    )
    SELECT json_build_object('success', true,
        'added', coalesce(json_agg(json_build_object('username', name, 'email', email)
            ORDER BY line) FILTER (WHERE user_id IS NOT NULL AND old IS NULL), '[]'),
        'changed', coalesce(json_agg(json_build_object('email', email, 'previous_cohort', old_name,
            'username', name) ORDER BY line) FILTER (WHERE old <> id), '[]'),
        'present', coalesce(json_agg(name ORDER BY line) FILTER (WHERE old = id), '[]'),
        'unknown', coalesce(json_agg(name ORDER BY line) FILTER (WHERE user_id IS NULL), '[]'),
        'preassigned', json_build_array(), 'invalid', json_build_array())::text
    FROM named
"""
ARRIVE = """
    WITH place AS MATERIALIZED (
        SELECT p.course_id, p.id AS partition_id, m.group_id FROM courses c
        JOIN cohort_settings s ON s.course_id = c.id AND s.is_cohorted
        JOIN partitions p ON p.course_id = c.id AND p.kind = 'cohorts'
        LEFT JOIN memberships m ON m.course_id = c.id AND m.partition_id = p.id AND m.user_id = $2
        WHERE c.id = $1 AND NOT c.is_locked FOR SHARE OF c
    ), chosen AS MATERIALIZED (
        SELECT g.id FROM groups g JOIN place USING (course_id, partition_id)
        WHERE g.assignment_type = 'random' AND place.group_id IS NULL ORDER BY random() LIMIT 1
    ), entered AS (
        INSERT INTO memberships (course_id, partition_id, user_id, group_id)
        SELECT course_id, partition_id, $2::bigint, chosen.id FROM place, chosen
        ON CONFLICT DO NOTHING RETURNING group_id
    )
    SELECT json_build_object('group_id', coalesce(place.group_id, entered.group_id),
        'assigned', entered.group_id IS NOT NULL)::text
    FROM place LEFT JOIN entered ON true
"""
