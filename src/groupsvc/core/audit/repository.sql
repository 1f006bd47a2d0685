-- write: mark
-- Whoever has drawn a number up to this one had begun before this transaction gets its own id: lines
-- below it are still to be committed by transactions below ``xid`` alone. The end of the snapshot
-- would not do: transactions beyond the last one that is over may have drawn lower numbers.
SELECT max(seq) AS seq, CAST(pg_current_xact_id()::text AS bigint) AS xid FROM changes;

-- read: state
SELECT CAST(pg_snapshot_xmin(pg_current_snapshot())::text AS bigint) AS oldest,
       CAST(pg_snapshot_xmax(pg_current_snapshot())::text AS bigint) AS next;

-- read: turn
-- One seals or archives at a time; the others need not.
SELECT pg_try_advisory_xact_lock(hashtextextended('groupsvc audit', 0)) AS mine;

-- read: seals
SELECT id, last_seq, lines, changesets, previous, sealed_at, digest, key_id, signature
FROM audit_seals WHERE id > :after::bigint ORDER BY id LIMIT :limit::integer;

-- read: last_seal
SELECT id, last_seq, lines, changesets, previous, sealed_at, digest, key_id, signature
FROM audit_seals ORDER BY id DESC LIMIT 1;

-- read: last_of
-- The last line of the next seal.
SELECT max(seq) AS seq FROM (
    SELECT seq FROM changes WHERE seq > :after::bigint AND seq <= :last_seq::bigint
    ORDER BY seq LIMIT :limit::bigint) next;

-- write: remember_actors
INSERT INTO audit_actors (actor)
SELECT DISTINCT x.actor FROM changes x
WHERE x.seq > :after::bigint AND x.seq <= :last_seq::bigint
  AND x.actor !~ '^erased:[0-9a-f]{64}$'
  AND NOT EXISTS (SELECT FROM audit_actors a WHERE a.actor = x.actor)
ON CONFLICT (actor) DO NOTHING;

-- read: lines
-- The same text on every server, whatever its time zone: seals are over it.
SELECT x.seq, x.changeset_id, row_to_json(shape)::text AS text
FROM changes x
LEFT JOIN audit_actors a ON a.actor = x.actor
CROSS JOIN LATERAL (
    SELECT x.seq, x.course_id,
           to_char(x.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
           coalesce(sealed_actor(a.actor, a.salt),
                    CASE WHEN x.actor ~ '^erased:[0-9a-f]{64}$' THEN substr(x.actor, 8) END) AS actor,
           x.request_id, x.changeset_id, x.cause, x.kind, x.partition_id, x.group_id, x.user_id,
           told(x.before) AS before, told(x.after) AS after, x.transaction_id) shape
WHERE x.seq > :after::bigint AND x.seq <= :last_seq::bigint
ORDER BY x.seq;

-- write: add_seal
INSERT INTO audit_seals (id, last_seq, lines, changesets, previous, digest, key_id, signature,
                         sealed_at)
VALUES (:id::bigint, :last_seq::bigint, :lines::bigint, :changesets::bytea, :previous::bytea,
        :digest::bytea, :key_id::text, :signature::bytea, :sealed_at::timestamptz);

-- read: unsealed
SELECT count(*) AS lines FROM changes
WHERE seq > coalesce((SELECT max(last_seq) FROM audit_seals), 0);

-- read: silenced
-- Actors who were made anonymous, and no line of the log tells of it.
SELECT x.actor FROM changes x
WHERE x.actor ~ '^erased:[0-9a-f]{64}$' AND NOT EXISTS (
    SELECT FROM changes told
    WHERE told.course_id = 0 AND told.kind = 'actor.erased' AND told.after ->> 'actor' = x.actor)
LIMIT 1;

-- read: archives
SELECT last_seq, lines, file, sha256 FROM audit_archives ORDER BY last_seq;

-- read: due
-- Seals whose lines are in no archive yet and older than some days.
SELECT id, last_seq, lines, changesets, previous, sealed_at, digest, key_id, signature
FROM audit_seals
WHERE last_seq > coalesce((SELECT max(last_seq) FROM audit_archives), -9223372036854775808)
  AND sealed_at <= now() - make_interval(days => :days::integer)
ORDER BY id LIMIT :limit::integer;

-- write: add_archive
-- The change log tells where its lines have gone.
WITH archive AS (
    INSERT INTO audit_archives (last_seq, lines, file, sha256)
    VALUES (:last_seq::bigint, :lines::bigint, :file::text, :sha256::bytea)
    RETURNING last_seq, lines, file, encode(sha256, 'hex') AS sha256
)
INSERT INTO changes (actor, request_id, changeset_id, cause, kind, after)
SELECT c.actor, c.request_id, c.changeset_id, c.cause, 'log.archived', to_jsonb(archive)
FROM archive, change_context() c;

-- read: first_line
SELECT min(seq) AS seq FROM changes;

-- write: remove_archived
-- Lines of a course stay while it is there: answers about its past are made of them. What was done
-- to the log itself stays for ever.
DELETE FROM changes x
WHERE x.seq > :after::bigint AND x.seq <= :last_seq::bigint
  AND x.kind NOT IN ('actor.erased', 'log.archived')
  AND NOT EXISTS (SELECT FROM courses c WHERE c.id = x.course_id)
RETURNING x.seq;
