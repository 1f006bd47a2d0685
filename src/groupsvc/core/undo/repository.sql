-- read: find
-- The courses that a changeset is about, with the part of the log that it is in. Lines that no
-- course has are in one row without a department, as are those of a course that is gone.
SELECT x.course_id, d.acronym AS department, c.key AS course, min(x.seq) AS first, max(x.seq) AS last,
       array_agg(DISTINCT x.kind) AS kinds,
       max(x.cause) FILTER (WHERE x.cause ~ '^(un|re)do:') AS cause,
       bool_or(
           x.kind LIKE 'content_partition.%'
           OR x.kind = 'enrollment.updated' AND x.before ->> 'state' <> x.after ->> 'state'
           OR x.kind = 'partition.created' AND x.after ->> 'kind' = 'tracks'
           OR x.kind IN ('group.created', 'group.deleted') AND EXISTS (
               SELECT FROM partitions p WHERE p.course_id = x.course_id
                   AND p.id = x.partition_id AND p.kind = 'tracks')) AS is_of_roster
FROM changes x
LEFT JOIN courses c ON c.id = x.course_id
LEFT JOIN departments d ON d.id = c.department_id
WHERE x.changeset_id = :changeset_id::uuid
GROUP BY x.course_id, d.acronym, c.key
ORDER BY x.course_id;

-- write: hold
-- Whoever changes anything in a course share-locks it: nobody else does until the transaction ends.
SELECT id, is_locked FROM courses WHERE id = ANY (:course_ids::bigint[]) ORDER BY id FOR NO KEY UPDATE;

-- write: conflicts
-- What stands in the way: later lines about the same members, and about the same fields of the same
-- things, of others; and lines that tell where groups and partitions went that members and groups
-- are to come back to. What has been undone since stands in nobody's way. A changeset is of one
-- family with those that undid and redid it, which alternate: a family has left things as they were
-- when its first and its last line say the opposite.
-- All lines since are read and sorted once: a join would need to know how many there are.
WITH people AS (
    SELECT seq, cause, changeset_id, is_own, about,
           max(seq) FILTER (WHERE is_own) OVER w AS own_seq,
           kind <> 'enrollment.updated'
               OR has_state AND bool_or(is_own AND has_state) OVER w
               OR has_track AND bool_or(is_own AND has_track) OVER w AS is_same
    FROM (
        SELECT seq, cause, changeset_id, kind, changeset_id = :changeset_id::uuid AS is_own,
               concat_ws(':', course_id, split_part(kind, '.', 1), partition_id, user_id) AS about,
               before -> 'state' IS DISTINCT FROM after -> 'state' AS has_state,
               before -> 'track' IS DISTINCT FROM after -> 'track' AS has_track
        FROM changes
        WHERE course_id = ANY (:course_ids::bigint[]) AND seq >= :first::bigint AND user_id IS NOT NULL
          AND (user_id IN (
              SELECT user_id FROM changes
              WHERE course_id = ANY (:course_ids::bigint[])
                AND seq BETWEEN :first::bigint AND :last::bigint
                AND changeset_id = :changeset_id::uuid AND user_id IS NOT NULL)) IS TRUE
    ) line
    WINDOW w AS (PARTITION BY about)
),
things AS MATERIALIZED (
    SELECT x.seq, x.course_id, x.changeset_id, x.cause, x.kind, x.partition_id,
           x.changeset_id = :changeset_id::uuid AS is_own,
           concat_ws(':', x.course_id, split_part(x.kind, '.', 1), CASE split_part(x.kind, '.', 1)
               WHEN 'group' THEN x.group_id::text
               WHEN 'partition' THEN x.partition_id::text
               WHEN 'former_name' THEN concat_ws(':', x.partition_id, coalesce(x.group_id, 0),
                                                 coalesce(x.after, x.before) ->> 'name')
               ELSE coalesce(x.after, x.before) ->> 'id'
           END) AS about,
           CASE WHEN x.kind IN ('group.updated', 'partition.updated')
               THEN ARRAY(SELECT field.key FROM jsonb_each(x.after) field
                          WHERE field.value IS DISTINCT FROM x.before -> field.key)
               ELSE ARRAY['*']
           END AS fields
    FROM changes x
    WHERE x.course_id = ANY (:course_ids::bigint[]) AND x.seq >= :first::bigint AND x.user_id IS NULL
),
fields AS (
    SELECT x.seq, x.cause, x.changeset_id, x.is_own, concat_ws(':', x.about, field) AS about, field,
           max(x.seq) FILTER (WHERE is_own) OVER (PARTITION BY x.about) AS own_seq,
           max(x.seq) FILTER (WHERE is_own AND field = '*') OVER (PARTITION BY x.about) AS whole_seq,
           max(x.seq) FILTER (WHERE is_own) OVER (PARTITION BY x.about, field) AS field_seq
    FROM things x CROSS JOIN unnest(x.fields) AS field
),
later AS (
    SELECT seq, cause, changeset_id, about FROM people WHERE NOT is_own AND seq > own_seq AND is_same
    UNION ALL
    SELECT seq, cause, changeset_id, about FROM fields
    WHERE NOT is_own AND (seq > whole_seq OR seq > field_seq OR field = '*' AND seq > own_seq)
),
standing AS (
    SELECT max(seq) AS seq
    FROM (SELECT seq, about, coalesce(cause, '') LIKE 'undo:%' AS undoes,
                 CASE WHEN cause ~ '^(un|re)do:' THEN split_part(cause, ':', 2)
                      ELSE changeset_id::text END AS family
          FROM later) each
    GROUP BY about, family
    HAVING (array_agg(undoes ORDER BY seq))[1] = (array_agg(undoes ORDER BY seq DESC))[1]
),
homes AS MATERIALIZED (
    SELECT DISTINCT course_id, CAST(told(before) ->> 'group_id' AS bigint) AS group_id
    FROM changes
    WHERE course_id = ANY (:course_ids::bigint[]) AND seq BETWEEN :first::bigint AND :last::bigint
      AND changeset_id = :changeset_id::uuid AND kind IN ('membership.moved', 'membership.removed')
),
gone AS (
    SELECT max(x.seq) AS seq
    FROM homes h JOIN changes x ON x.group_id = h.group_id AND x.kind = 'group.deleted'
    WHERE NOT EXISTS (SELECT FROM groups g WHERE g.course_id = h.course_id AND g.id = h.group_id)
    GROUP BY h.group_id HAVING NOT bool_or(x.changeset_id = :changeset_id::uuid)
    UNION ALL
    SELECT max(x.seq)
    FROM (SELECT DISTINCT course_id, partition_id FROM things WHERE is_own AND kind = 'group.deleted') own
    JOIN changes x ON x.user_id IS NULL AND x.partition_id = own.partition_id AND x.kind = 'partition.deleted'
    WHERE NOT EXISTS (SELECT FROM partitions p
                      WHERE p.course_id = own.course_id AND p.id = own.partition_id)
    GROUP BY own.partition_id HAVING NOT bool_or(x.changeset_id = :changeset_id::uuid)
),
found AS MATERIALIZED (SELECT seq FROM standing UNION SELECT seq FROM gone)
SELECT row_to_json(shape)::text AS body, (SELECT count(*) FROM found) AS total
FROM (SELECT seq FROM found ORDER BY seq DESC LIMIT :limit::integer) last
JOIN changes x ON x.seq = last.seq
CROSS JOIN LATERAL (SELECT x.seq, x.course_id, x.at, x.actor, x.request_id, x.changeset_id, x.cause,
                           x.kind, x.partition_id, x.group_id, x.user_id, told(x.before) AS before,
                           told(x.after) AS after) shape
ORDER BY x.seq DESC;

-- write: left_over
-- Who and what is in groups and partitions that are to go, once what the changeset did itself has
-- been reversed: the line that put each of them there.
WITH made AS MATERIALIZED (
    SELECT course_id, kind, partition_id, group_id FROM changes
    WHERE course_id = ANY (:course_ids::bigint[]) AND seq BETWEEN :first::bigint AND :last::bigint
      AND changeset_id = :changeset_id::uuid AND kind IN ('group.created', 'partition.created')
),
held AS (
    SELECT x.seq
    FROM made JOIN memberships m ON m.course_id = made.course_id AND m.group_id = made.group_id
    CROSS JOIN LATERAL (
        SELECT seq FROM changes
        WHERE user_id = m.user_id AND partition_id = m.partition_id AND kind LIKE 'membership.%'
        ORDER BY seq DESC LIMIT 1) x
    WHERE made.kind = 'group.created'
    UNION
    SELECT x.seq
    FROM made JOIN preassignments w ON w.course_id = made.course_id
        AND w.partition_id = made.partition_id AND w.group_id = made.group_id
    CROSS JOIN LATERAL (
        SELECT max(seq) AS seq FROM changes
        WHERE course_id = w.course_id AND seq > :first::bigint AND kind LIKE 'preassignment.%'
          AND after -> 'id' = to_jsonb(w.id)) x
    WHERE made.kind = 'group.created'
    UNION
    SELECT x.seq
    FROM made JOIN groups g ON g.course_id = made.course_id AND g.partition_id = made.partition_id
    CROSS JOIN LATERAL (
        SELECT max(seq) AS seq FROM changes
        WHERE user_id IS NULL AND partition_id = g.partition_id AND group_id = g.id
          AND kind = 'group.created') x
    WHERE made.kind = 'partition.created'
      AND NOT EXISTS (SELECT FROM made m WHERE m.kind = 'group.created' AND m.group_id = g.id)
)
SELECT row_to_json(shape)::text AS body, (SELECT count(*) FROM held) AS total
FROM (SELECT seq FROM held ORDER BY seq DESC LIMIT :limit::integer) last
JOIN changes x ON x.seq = last.seq
CROSS JOIN LATERAL (SELECT x.seq, x.course_id, x.at, x.actor, x.request_id, x.changeset_id, x.cause,
                           x.kind, x.partition_id, x.group_id, x.user_id, told(x.before) AS before,
                           told(x.after) AS after) shape
ORDER BY x.seq DESC;

-- write: defer_names
-- Names may be swapped over several statements.
SET CONSTRAINTS uq_partitions_name, uq_groups_name DEFERRED;

-- write: check_names
SET CONSTRAINTS uq_partitions_name, uq_groups_name IMMEDIATE;

-- write: restore_partitions
-- Those that are to be editable are so at once, the others in the end.
WITH lines AS MATERIALIZED (
    SELECT seq, course_id, kind, partition_id AS id, before, after FROM changes
    WHERE course_id = ANY (:course_ids::bigint[]) AND seq BETWEEN :first::bigint AND :last::bigint
      AND changeset_id = :changeset_id::uuid AND kind LIKE 'partition.%'
),
ends AS (
    SELECT course_id, id, (array_agg(kind ORDER BY seq))[1] AS began, (array_agg(kind ORDER BY seq DESC))[1] AS ended,
           (array_agg(before ORDER BY seq DESC))[1] AS row
    FROM lines GROUP BY course_id, id
),
were AS (
    SELECT course_id, id, jsonb_object_agg(key, was) AS fields
    FROM (
        SELECT l.course_id, l.id, field.key, (array_agg(l.before -> field.key ORDER BY l.seq))[1] AS was,
               (array_agg(field.value ORDER BY l.seq DESC))[1] AS became
        FROM lines l CROSS JOIN jsonb_each(l.after) field
        WHERE l.kind = 'partition.updated' GROUP BY l.course_id, l.id, field.key
    ) each
    WHERE was IS DISTINCT FROM became GROUP BY course_id, id
),
returned AS (
    INSERT INTO partitions (course_id, id, kind, name, position, groups_editable, show_in_lists,
                            show_rank_on_report, created_at, imported_key)
    SELECT e.course_id, e.id, r.kind, r.name, r.position, r.groups_editable, r.show_in_lists,
           r.show_rank_on_report, coalesce(r.created_at, now()), r.imported_key
    FROM ends e LEFT JOIN were w USING (course_id, id)
    CROSS JOIN jsonb_populate_record(NULL::partitions, e.row || coalesce(w.fields, '{}')) r
    WHERE e.began <> 'partition.created' AND e.ended = 'partition.deleted'
)
UPDATE partitions p SET (name, position, groups_editable, show_in_lists, show_rank_on_report) = (
    SELECT r.name, r.position, r.groups_editable OR p.groups_editable, r.show_in_lists, r.show_rank_on_report
    FROM jsonb_populate_record(p, w.fields) r)
FROM were w JOIN ends e USING (course_id, id)
WHERE e.began = 'partition.updated' AND e.ended = 'partition.updated'
  AND p.course_id = w.course_id AND p.id = w.id;

-- write: finish_partitions
WITH lines AS MATERIALIZED (
    SELECT seq, course_id, kind, partition_id AS id, before -> 'groups_editable' AS was,
           after -> 'groups_editable' AS became
    FROM changes
    WHERE course_id = ANY (:course_ids::bigint[]) AND seq BETWEEN :first::bigint AND :last::bigint
      AND changeset_id = :changeset_id::uuid AND kind LIKE 'partition.%'
),
ends AS (
    SELECT course_id, id, (array_agg(kind ORDER BY seq))[1] AS began, (array_agg(kind ORDER BY seq DESC))[1] AS ended,
           (array_agg(was ORDER BY seq) FILTER (WHERE was <> became))[1] AS was,
           (array_agg(became ORDER BY seq DESC) FILTER (WHERE was <> became))[1] AS became
    FROM lines GROUP BY course_id, id
),
closed AS (
    UPDATE partitions p SET groups_editable = false FROM ends e
    WHERE e.began = 'partition.updated' AND e.ended = 'partition.updated'
      AND e.was = 'false' AND e.became = 'true'
      AND p.course_id = e.course_id AND p.id = e.id AND p.groups_editable
)
DELETE FROM partitions p USING ends e
WHERE e.began = 'partition.created' AND e.ended <> 'partition.deleted'
  AND p.course_id = e.course_id AND p.id = e.id;

-- write: restore_groups
-- A capacity is not lowered before those have left who are to leave.
WITH lines AS MATERIALIZED (
    SELECT seq, course_id, kind, partition_id, group_id AS id, before, after FROM changes
    WHERE course_id = ANY (:course_ids::bigint[]) AND seq BETWEEN :first::bigint AND :last::bigint
      AND changeset_id = :changeset_id::uuid AND kind LIKE 'group.%'
),
ends AS (
    SELECT course_id, partition_id, id, (array_agg(kind ORDER BY seq))[1] AS began,
           (array_agg(kind ORDER BY seq DESC))[1] AS ended, (array_agg(before ORDER BY seq DESC))[1] AS row
    FROM lines GROUP BY course_id, partition_id, id
),
were AS (
    SELECT course_id, id, jsonb_object_agg(key, was) AS fields
    FROM (
        SELECT l.course_id, l.id, field.key, (array_agg(l.before -> field.key ORDER BY l.seq))[1] AS was,
               (array_agg(field.value ORDER BY l.seq DESC))[1] AS became
        FROM lines l CROSS JOIN jsonb_each(l.after) field
        WHERE l.kind = 'group.updated' GROUP BY l.course_id, l.id, field.key
    ) each
    WHERE was IS DISTINCT FROM became GROUP BY course_id, id
),
returned AS (
    INSERT INTO groups (course_id, partition_id, id, name, position, capacity, timetable_id, assignment_type,
                        content_partition_id, content_group_id, created_at, imported_key)
    SELECT e.course_id, e.partition_id, e.id, r.name, r.position, r.capacity, r.timetable_id, r.assignment_type,
           r.content_partition_id, r.content_group_id, coalesce(r.created_at, now()), r.imported_key
    FROM ends e LEFT JOIN were w USING (course_id, id)
    CROSS JOIN jsonb_populate_record(NULL::groups, e.row || coalesce(w.fields, '{}')) r
    WHERE e.began <> 'group.created' AND e.ended = 'group.deleted'
)
UPDATE groups g
SET (name, position, capacity, timetable_id, assignment_type, content_partition_id, content_group_id) = (
    SELECT r.name, r.position,
           CASE WHEN r.capacity IS NOT NULL AND g.capacity IS NOT NULL THEN greatest(r.capacity, g.capacity) END,
           r.timetable_id, r.assignment_type, r.content_partition_id, r.content_group_id
    FROM jsonb_populate_record(g, w.fields) r)
FROM were w JOIN ends e USING (course_id, id)
WHERE e.began = 'group.updated' AND e.ended = 'group.updated'
  AND g.course_id = w.course_id AND g.id = w.id;

-- write: finish_groups
WITH lines AS MATERIALIZED (
    SELECT seq, course_id, kind, group_id AS id, before -> 'capacity' AS was, after -> 'capacity' AS became
    FROM changes
    WHERE course_id = ANY (:course_ids::bigint[]) AND seq BETWEEN :first::bigint AND :last::bigint
      AND changeset_id = :changeset_id::uuid AND kind LIKE 'group.%'
),
ends AS (
    SELECT course_id, id, (array_agg(kind ORDER BY seq))[1] AS began, (array_agg(kind ORDER BY seq DESC))[1] AS ended,
           (array_agg(was ORDER BY seq) FILTER (WHERE was IS DISTINCT FROM became))[1] AS was,
           (array_agg(became ORDER BY seq DESC) FILTER (WHERE was IS DISTINCT FROM became))[1] AS became
    FROM lines GROUP BY course_id, id
),
limited AS (
    UPDATE groups g SET capacity = CAST(e.was #>> '{}' AS integer) FROM ends e
    WHERE e.began = 'group.updated' AND e.ended = 'group.updated' AND e.was IS DISTINCT FROM e.became
      AND g.course_id = e.course_id AND g.id = e.id
      AND g.capacity IS DISTINCT FROM CAST(e.was #>> '{}' AS integer)
)
DELETE FROM groups g USING ends e
WHERE e.began = 'group.created' AND e.ended <> 'group.deleted'
  AND g.course_id = e.course_id AND g.id = e.id;

-- write: restore_preassignments
-- An address is not in the log: it is kept apart for a while when it goes with its group.
WITH ends AS MATERIALIZED (
    SELECT course_id, CAST(coalesce(after, before) ->> 'id' AS bigint) AS id,
           (array_agg(before ORDER BY seq))[1] AS was, (array_agg(after ORDER BY seq DESC))[1] AS became
    FROM changes
    WHERE course_id = ANY (:course_ids::bigint[]) AND seq BETWEEN :first::bigint AND :last::bigint
      AND changeset_id = :changeset_id::uuid AND kind LIKE 'preassignment.%'
    GROUP BY course_id, id
),
withdrawn AS (
    DELETE FROM preassignments w USING ends e
    WHERE e.was IS NULL AND e.became IS NOT NULL AND w.course_id = e.course_id AND w.id = e.id
    RETURNING w.course_id, w.id, w.email
),
kept AS (
    INSERT INTO removed_preassignments (course_id, id, email) SELECT course_id, id, email FROM withdrawn
),
given AS (
    UPDATE preassignments w SET partition_id = r.partition_id, group_id = r.group_id, created_at = r.created_at
    FROM ends e CROSS JOIN jsonb_populate_record(NULL::preassignments, e.was) r
    WHERE e.was <> e.became AND w.course_id = e.course_id AND w.id = e.id
),
found AS (
    DELETE FROM removed_preassignments k USING ends e
    WHERE e.was IS NOT NULL AND e.became IS NULL AND k.course_id = e.course_id AND k.id = e.id
    RETURNING k.course_id, k.id, k.email, e.was
),
returned AS (
    INSERT INTO preassignments (course_id, id, partition_id, group_id, email, created_at)
    SELECT f.course_id, f.id, r.partition_id, r.group_id, f.email, r.created_at
    FROM found f CROSS JOIN jsonb_populate_record(NULL::preassignments, f.was) r
)
SELECT count(*) FILTER (WHERE was IS NOT NULL AND became IS NULL) - (SELECT count(*) FROM found) AS forgotten
FROM ends;

-- write: restore_memberships
-- Rules are checked when all have left, moved and come back: what is swapped has its place.
WITH ends AS MATERIALIZED (
    SELECT course_id, partition_id, user_id,
           CAST((array_agg(told(before) ->> 'group_id' ORDER BY seq))[1] AS bigint) AS was,
           CAST((array_agg(told(after) ->> 'group_id' ORDER BY seq DESC))[1] AS bigint) AS became
    FROM changes
    WHERE course_id = ANY (:course_ids::bigint[]) AND seq BETWEEN :first::bigint AND :last::bigint
      AND changeset_id = :changeset_id::uuid AND kind LIKE 'membership.%'
    GROUP BY course_id, partition_id, user_id
),
gone AS (
    DELETE FROM memberships m USING ends e
    WHERE e.was IS NULL AND m.course_id = e.course_id AND m.partition_id = e.partition_id
      AND m.user_id = e.user_id AND m.group_id = e.became
),
moved AS (
    UPDATE memberships m SET group_id = e.was, previous_group_id = m.group_id, since = now() FROM ends e
    WHERE e.was <> e.became AND m.course_id = e.course_id AND m.partition_id = e.partition_id
      AND m.user_id = e.user_id AND m.group_id = e.became
)
INSERT INTO memberships (course_id, partition_id, user_id, group_id)
SELECT course_id, partition_id, user_id, was FROM ends WHERE was IS NOT NULL AND became IS NULL
ORDER BY course_id, partition_id, user_id;

-- write: restore_enrollments
-- Tracks have come back with the members of their groups; this is for what was set otherwise.
WITH ends AS MATERIALIZED (
    SELECT course_id, user_id, (array_agg(before ORDER BY seq))[1] AS was, (array_agg(after ORDER BY seq DESC))[1] AS became
    FROM changes
    WHERE course_id = ANY (:course_ids::bigint[]) AND seq BETWEEN :first::bigint AND :last::bigint
      AND changeset_id = :changeset_id::uuid AND kind = 'enrollment.updated'
    GROUP BY course_id, user_id
)
UPDATE enrollments e
SET state = CASE WHEN x.was -> 'state' <> x.became -> 'state' THEN x.was ->> 'state' ELSE e.state END,
    track = CASE WHEN x.was -> 'track' <> x.became -> 'track' THEN x.was ->> 'track' ELSE e.track END
FROM ends x
WHERE e.course_id = x.course_id AND e.user_id = x.user_id AND x.was <> x.became;

-- write: restore_former_names
WITH ends AS MATERIALIZED (
    SELECT course_id, partition_id, group_id, coalesce(after, before) ->> 'name' AS name,
           (array_agg(before ORDER BY seq))[1] AS was, (array_agg(after ORDER BY seq DESC))[1] AS became
    FROM changes
    WHERE course_id = ANY (:course_ids::bigint[]) AND seq BETWEEN :first::bigint AND :last::bigint
      AND changeset_id = :changeset_id::uuid AND kind LIKE 'former_name.%'
    GROUP BY course_id, partition_id, group_id, name
),
gone AS (
    DELETE FROM former_names f USING ends e
    WHERE e.was IS NULL AND f.course_id = e.course_id AND f.partition_id = e.partition_id
      AND f.group_id IS NOT DISTINCT FROM e.group_id AND f.name = e.name
)
INSERT INTO former_names AS f (course_id, partition_id, group_id, name, until)
SELECT course_id, partition_id, group_id, name, CAST(was ->> 'until' AS timestamptz)
FROM ends WHERE was IS NOT NULL AND was IS DISTINCT FROM became
ON CONFLICT ON CONSTRAINT uq_former_names DO UPDATE SET until = excluded.until;

-- write: restore_content_partitions
WITH ends AS MATERIALIZED (
    SELECT course_id, CAST(coalesce(after, before) ->> 'id' AS bigint) AS id,
           (array_agg(before ORDER BY seq))[1] AS was, (array_agg(after ORDER BY seq DESC))[1] AS became
    FROM changes
    WHERE course_id = ANY (:course_ids::bigint[]) AND seq BETWEEN :first::bigint AND :last::bigint
      AND changeset_id = :changeset_id::uuid AND kind LIKE 'content_partition.%'
    GROUP BY course_id, id
),
gone AS (
    DELETE FROM content_partitions c USING ends e
    WHERE e.was IS NULL AND c.course_id = e.course_id AND c.id = e.id
)
INSERT INTO content_partitions (course_id, id, scheme, name, description, is_active, position, groups)
SELECT e.course_id, e.id, r.scheme, r.name, r.description, r.is_active, r.position, r.groups
FROM ends e CROSS JOIN jsonb_populate_record(NULL::content_partitions, e.was) r
WHERE e.was IS NOT NULL AND e.was IS DISTINCT FROM e.became
ON CONFLICT (course_id, id) DO UPDATE
    SET scheme = excluded.scheme, name = excluded.name, description = excluded.description,
        is_active = excluded.is_active, position = excluded.position, groups = excluded.groups;

-- write: restore_cohort_settings
WITH ends AS MATERIALIZED (
    SELECT course_id, (array_agg(before ORDER BY seq))[1] AS was, (array_agg(after ORDER BY seq DESC))[1] AS became
    FROM changes
    WHERE course_id = ANY (:course_ids::bigint[]) AND seq BETWEEN :first::bigint AND :last::bigint
      AND changeset_id = :changeset_id::uuid AND kind LIKE 'cohort_settings.%'
    GROUP BY course_id
),
gone AS (
    DELETE FROM cohort_settings c USING ends e WHERE e.was IS NULL AND c.course_id = e.course_id
)
INSERT INTO cohort_settings (course_id, id, is_cohorted, random_assignment)
SELECT e.course_id, r.id, r.is_cohorted, r.random_assignment
FROM ends e CROSS JOIN jsonb_populate_record(NULL::cohort_settings, e.was) r
WHERE e.was IS NOT NULL AND e.was IS DISTINCT FROM e.became
ON CONFLICT (course_id) DO UPDATE
    SET is_cohorted = excluded.is_cohorted, random_assignment = excluded.random_assignment;

-- write: lost_random
-- Whether a course whose cohorts took users at random has none left that does.
SELECT EXISTS (
    SELECT FROM changes x
    JOIN partitions p ON p.course_id = x.course_id AND p.id = x.partition_id AND p.kind = 'cohorts'
    WHERE x.transaction_id = pg_current_xact_id() AND x.kind = 'group.updated'
      AND x.before ->> 'assignment_type' = 'random' AND x.after ->> 'assignment_type' = 'manual'
      AND NOT EXISTS (SELECT FROM groups g WHERE g.course_id = p.course_id AND g.partition_id = p.id
                          AND g.assignment_type = 'random')) AS is_so;

-- write: done
-- What this transaction has written so far.
WITH own AS MATERIALIZED (
    SELECT seq, changeset_id, kind, course_id, partition_id, group_id, user_id, before, after
    FROM changes WHERE transaction_id = pg_current_xact_id()
)
SELECT (SELECT changeset_id::text FROM own LIMIT 1) AS changeset_id,
       (SELECT json_object_agg(kind, lines ORDER BY kind)
        FROM (SELECT kind, count(*) AS lines FROM own GROUP BY kind) counted)::text AS counts,
       ARRAY(SELECT row_to_json(shape)::text
             FROM (SELECT * FROM own ORDER BY seq LIMIT :limit::integer) x
             CROSS JOIN LATERAL (SELECT x.kind, x.course_id, x.partition_id, x.group_id, x.user_id,
                                        told(x.before) AS before, told(x.after) AS after) shape
             ORDER BY x.seq) AS changes;
