"""Statements about memberships."""

from groupsvc.core.json_columns import COURSE_OF, GROUP, MEMBER, PERSON, PLACE, USER_OF, as_json
from groupsvc.core.repository import IN_SCOPE
from groupsvc.core.users.repository import VISIBLE
from groupsvc.db.statements import AUDIT_CONTEXT, sql

# Checks, writes and answers in one statement. The upsert keeps the group it moves from, so that
# the answer is right when two of these race. The rules are enforced by triggers all the same.
ASSIGN = sql(f"""
    WITH {AUDIT_CONTEXT},
    target AS MATERIALIZED (
        SELECT {PLACE}, g.course_id, g.partition_id, g.id, p.kind, c.is_locked,
               {IN_SCOPE} AS allowed
        FROM acting CROSS JOIN groups g {COURSE_OF.format("g")}
        JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id
        WHERE g.id = :group_id
        FOR SHARE OF c
    ),
    person AS (
        SELECT u.id, EXISTS (
            SELECT FROM enrollments e
            WHERE e.course_id = target.course_id AND e.user_id = u.id
        ) OR target.kind = 'cohorts' AS is_enrolled
        FROM users u, target WHERE u.id = :user_id AND (NOT :visible_users_only OR {VISIBLE})
    ),
    moved AS (
        INSERT INTO memberships AS m (course_id, partition_id, user_id, group_id)
        SELECT target.course_id, target.partition_id, person.id, target.id
        FROM target, person
        WHERE target.allowed AND NOT target.is_locked AND person.is_enrolled
          AND target.kind <> 'default'
        ON CONFLICT (course_id, partition_id, user_id) DO UPDATE
            SET group_id = excluded.group_id, previous_group_id = m.group_id, since = now()
            WHERE m.group_id <> excluded.group_id
        RETURNING m.previous_group_id
    )
    SELECT target.department, target.course, target.course_id, target.partition_id,
           target.kind, target.is_locked,
           EXISTS (SELECT FROM person) AS is_known,
           coalesce((SELECT is_enrolled FROM person), false) AS is_enrolled,
           EXISTS (SELECT FROM moved) AS changed,
           (SELECT previous_group_id FROM moved) AS previous_group_id
    FROM target
""")

REMOVE = sql(f"""
    WITH {AUDIT_CONTEXT},
    target AS MATERIALIZED (
        SELECT {PLACE}, p.course_id, p.id AS partition_id, p.kind, c.is_locked,
               {IN_SCOPE} AS allowed
        FROM acting CROSS JOIN partitions p {COURSE_OF.format("p")}
        WHERE p.id = coalesce(:partition_id,
                              (SELECT g.partition_id FROM groups g WHERE g.id = :group_id))
        FOR SHARE OF c
    ),
    gone AS (
        DELETE FROM memberships m USING target
        WHERE target.allowed AND NOT target.is_locked AND target.kind <> 'default'
          AND m.course_id = target.course_id AND m.partition_id = target.partition_id
          AND m.user_id = :user_id
          AND (m.group_id = :group_id OR :group_id IS NULL)
        RETURNING m.group_id
    )
    SELECT target.department, target.course, target.course_id, target.partition_id,
           target.kind, target.is_locked,
           NOT :visible_users_only OR EXISTS (
               SELECT FROM users u WHERE u.id = :user_id AND {VISIBLE}
           ) AS is_known,
           true AS is_enrolled,
           EXISTS (SELECT FROM gone) AS changed,
           (SELECT group_id FROM gone) AS previous_group_id
    FROM target
""")

# The default group has no rows: its members are the enrolled users. One more than the limit is
# looked for, to learn whether there is a next page; the items come as one text.
IN_GROUP = sql(f"""
    SELECT {PLACE}, page.members, page.last_id, page.found > :limit AS has_more
    FROM groups g {COURSE_OF.format("g")}
    JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id
    CROSS JOIN LATERAL (
        SELECT array_to_string((array_agg(shown.body ORDER BY shown.id))[1 : :limit], ',')
                   AS members,
               (array_agg(shown.id ORDER BY shown.id))[:limit] AS last_id, count(*) AS found
        FROM (
            SELECT u.id, row_to_json(shape)::text AS body
            FROM (
                (SELECT m.user_id, e.state FROM memberships m
                 LEFT JOIN LATERAL (
                     SELECT state FROM enrollments
                     WHERE course_id = m.course_id AND user_id = m.user_id OFFSET 0) e ON true
                 WHERE m.course_id = g.course_id AND m.group_id = g.id AND m.user_id > :after
                   AND (:state IS NULL OR e.state = :state)
                 ORDER BY m.user_id LIMIT :limit + 1)
                UNION ALL
                (SELECT e.user_id, e.state FROM enrollments e
                 WHERE p.kind = 'default' AND e.course_id = g.course_id AND e.user_id > :after
                   AND (:state IS NULL OR e.state = :state)
                 ORDER BY e.user_id LIMIT :limit + 1)
            ) e {USER_OF.format("e")} {as_json(MEMBER)}
        ) shown
    ) page
    WHERE g.id = :group_id
""")

# One look-up for each, in the order of the page: never the whole partition for every user.
IN_NO_GROUP = sql(f"""
    SELECT u.id, row_to_json(shape)::text AS body
    FROM enrollments e {USER_OF.format("e")} {as_json(MEMBER)}
    WHERE e.course_id = :course_id AND e.user_id > :after
      AND (:state IS NULL OR e.state = :state)
      AND NOT EXISTS (
          SELECT FROM memberships m
          WHERE m.course_id = e.course_id AND m.partition_id = :partition_id
            AND m.user_id = e.user_id OFFSET 0)
    ORDER BY e.user_id LIMIT :limit
""")

# What the last line of the log before that time says of each user of the partition.
IN_GROUP_AS_OF = sql(f"""
    SELECT m.user_id AS id, row_to_json(shape)::text AS body
    FROM (
        SELECT DISTINCT ON (user_id) user_id, after
        FROM changes
        WHERE partition_id = :partition_id AND kind LIKE 'membership.%' AND at <= :as_of
          AND user_id > :after
        ORDER BY user_id, seq DESC
    ) m
    {USER_OF.format("m")} {as_json(PERSON)}
    WHERE CAST(m.after ->> 'group_id' AS bigint) = :group_id
    ORDER BY m.user_id LIMIT :limit
""")

IN_COURSE_AS_OF = sql(f"""
    SELECT m.user_id AS id, row_to_json(shape)::text AS body
    FROM (
        SELECT DISTINCT ON (user_id) user_id, after
        FROM changes
        WHERE course_id = :course_id AND kind LIKE 'enrollment.%' AND at <= :as_of
          AND user_id > :after
        ORDER BY user_id, seq DESC
    ) m
    {USER_OF.format("m")} {as_json(PERSON)}
    WHERE m.after IS NOT NULL
    ORDER BY m.user_id LIMIT :limit
""")

OF_USER_IN_COURSE = sql(f"""
    SELECT {PLACE}, coalesce((
        SELECT json_agg(row_to_json(shape) ORDER BY p.position, p.id)
        FROM memberships m
        JOIN partitions p ON p.course_id = m.course_id AND p.id = m.partition_id
        JOIN groups g ON g.course_id = m.course_id AND g.id = m.group_id
        CROSS JOIN LATERAL (SELECT p.name AS partition_name, {GROUP}) shape
        WHERE m.user_id = :user_id AND m.course_id = c.id), '[]')::text AS body
    FROM courses c JOIN departments d ON d.id = c.department_id
    WHERE c.id = :course_id
      AND EXISTS (SELECT FROM users WHERE id = :user_id)
""")

OF_USER_IN_COURSE_AS_OF = sql(f"""
    SELECT {PLACE}, coalesce((
        SELECT json_agg(json_build_object(
            'partition_id', m.partition_id, 'partition_name', m.after ->> 'partition_name',
            'group_id', m.after -> 'group_id', 'group_name', m.after ->> 'group_name'
        ) ORDER BY m.partition_id)
        FROM (
            SELECT DISTINCT ON (partition_id) partition_id, after
            FROM changes
            WHERE course_id = c.id AND user_id = :user_id AND kind LIKE 'membership.%'
              AND at <= :as_of
            ORDER BY partition_id, seq DESC
        ) m WHERE m.after IS NOT NULL), '[]')::text AS body
    FROM courses c JOIN departments d ON d.id = c.department_id
    WHERE c.id = :course_id
""")

GROUPS_OF_USER = f"""
    SELECT '' AS department, NULL AS course, coalesce((
        SELECT json_agg(row_to_json(shape) ORDER BY c.key, p.position, p.id)
        FROM memberships m
        JOIN courses c ON c.id = m.course_id
        JOIN departments d ON d.id = c.department_id
        JOIN partitions p ON p.course_id = m.course_id AND p.id = m.partition_id
        JOIN groups g ON g.course_id = m.course_id AND g.id = m.group_id
        CROSS JOIN LATERAL (
            SELECT c.key AS course_key, c.title AS course_title, p.name AS partition_name, {GROUP}
        ) shape
        WHERE m.user_id = u.id AND {{0}}), '[]')::text AS body
    FROM users u
"""

MINE = sql(f"{GROUPS_OF_USER.format('true')} WHERE u.username = :username")

# Whoever is in sight, or in a group that is: the member of a cohort need not be enrolled.
OF_USER = sql(f"""
    {GROUPS_OF_USER.format(IN_SCOPE)}
    WHERE u.id = :user_id AND ({VISIBLE} OR EXISTS (
        SELECT FROM memberships m
        JOIN courses c ON c.id = m.course_id
        JOIN departments d ON d.id = c.department_id
        WHERE m.user_id = u.id AND {IN_SCOPE}))
""")

# What planning a batch needs to know, of the users named and the groups of the partition. Each
# index is read once from end to end, and one row of long columns comes back: for a hundred thousand
# users that takes a fraction of what looking each of them up takes.
STANDING = sql("""
    SELECT (SELECT array_agg(id) FROM users WHERE id = ANY (:user_ids)) AS known,
           (SELECT array_agg(user_id) FROM enrollments
            WHERE course_id = :course_id AND user_id = ANY (:user_ids)) AS enrolled,
           array_agg(user_id) AS members, array_agg(group_id) AS group_ids
    FROM memberships
    WHERE course_id = :course_id AND partition_id = :partition_id AND user_id = ANY (:user_ids)
""")

ROOM = sql("""
    SELECT g.id, g.name, g.capacity, CASE WHEN g.capacity IS NOT NULL THEN (
        SELECT count(*) FROM memberships m
        WHERE m.course_id = g.course_id AND m.group_id = g.id) END AS taken
    FROM groups g
    WHERE g.course_id = :course_id AND g.partition_id = :partition_id
    ORDER BY g.id FOR NO KEY UPDATE
""")

# Sorted by user, so that two of these cannot wait for one another.
ASSIGN_MANY = sql("""
    INSERT INTO memberships AS m (course_id, partition_id, user_id, group_id)
    SELECT :course_id, :partition_id, named.user_id, named.group_id
    FROM unnest(:user_ids, :group_ids)
        AS named (user_id, group_id)
    ORDER BY named.user_id
    ON CONFLICT (course_id, partition_id, user_id) DO UPDATE
        SET group_id = excluded.group_id, previous_group_id = m.group_id, since = now()
        WHERE m.group_id <> excluded.group_id
""")

REMOVE_MANY = sql("""
    DELETE FROM memberships
    WHERE course_id = :course_id AND partition_id = :partition_id
      AND user_id = ANY (:user_ids)
""")
