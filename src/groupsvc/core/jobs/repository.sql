-- primary read: read
-- The speed is that up to the last sign of progress: between two signs the answer stays the same.
SELECT d.acronym AS department, c.key AS course, j.created_by, row_to_json(shape)::text AS body
FROM jobs j
LEFT JOIN courses c ON c.id = j.course_id
LEFT JOIN departments d ON d.id = c.department_id
CROSS JOIN LATERAL (SELECT nullif(round(j.attempted / nullif(extract(
    epoch FROM coalesce(j.finished_at, j.heartbeat_at) - j.started_at), 0), 1), 0) AS rows_per_second) speed
CROSS JOIN LATERAL (SELECT j.id, j.course_id, j.kind, j.request ->> 'asked' AS request, j.state,
CASE WHEN j.state IN ('queued', 'running') THEN j.is_cancelled ELSE false END AS is_being_cancelled,
j.total, j.attempted, j.succeeded, j.skipped, j.preassigned, j.failed, speed.rows_per_second,
CASE WHEN j.state = 'running' THEN ceil((j.total - j.attempted) / speed.rows_per_second)::integer END AS seconds_left,
CASE WHEN j.course_id IS NOT NULL THEN j.result END AS result, j.output, j.error, j.created_by, j.created_at,
j.started_at, j.finished_at) shape
WHERE j.id = :id::bigint;

-- read: page
SELECT j.id, row_to_json(shape)::text AS body FROM jobs j
CROSS JOIN LATERAL (SELECT nullif(round(j.attempted / nullif(extract(
    epoch FROM coalesce(j.finished_at, j.heartbeat_at) - j.started_at), 0), 1), 0) AS rows_per_second) speed
CROSS JOIN LATERAL (SELECT j.id, j.course_id, j.kind, j.request ->> 'asked' AS request, j.state,
CASE WHEN j.state IN ('queued', 'running') THEN j.is_cancelled ELSE false END AS is_being_cancelled,
j.total, j.attempted, j.succeeded, j.skipped, j.preassigned, j.failed, speed.rows_per_second,
CASE WHEN j.state = 'running' THEN ceil((j.total - j.attempted) / speed.rows_per_second)::integer END AS seconds_left,
CASE WHEN j.course_id IS NOT NULL THEN j.result END AS result, j.output, j.error, j.created_by, j.created_at,
j.started_at, j.finished_at) shape
WHERE j.course_id = :course_id::bigint AND j.id < :before::bigint
ORDER BY j.id DESC LIMIT :limit::integer;

-- read: own_page
SELECT j.id, row_to_json(shape)::text AS body FROM jobs j
CROSS JOIN LATERAL (SELECT nullif(round(j.attempted / nullif(extract(
    epoch FROM coalesce(j.finished_at, j.heartbeat_at) - j.started_at), 0), 1), 0) AS rows_per_second) speed
CROSS JOIN LATERAL (SELECT j.id, j.course_id, j.kind, j.request ->> 'asked' AS request, j.state,
CASE WHEN j.state IN ('queued', 'running') THEN j.is_cancelled ELSE false END AS is_being_cancelled,
j.total, j.attempted, j.succeeded, j.skipped, j.preassigned, j.failed, speed.rows_per_second,
CASE WHEN j.state = 'running' THEN ceil((j.total - j.attempted) / speed.rows_per_second)::integer END AS seconds_left,
CASE WHEN j.course_id IS NOT NULL THEN j.result END AS result, j.output, j.error, j.created_by, j.created_at,
j.started_at, j.finished_at) shape
WHERE j.created_by = :created_by::text AND j.id < :before::bigint
ORDER BY j.id DESC LIMIT :limit::integer;

-- primary read: outcome
-- What the answer is, and which permissions it needed.
SELECT d.acronym AS department, c.key AS course, j.created_by, j.state, j.course_id IS NULL AS is_request,
       j.output::text AS output, j.decisions::text AS decisions, j.result::text AS result
FROM jobs j
LEFT JOIN courses c ON c.id = j.course_id
LEFT JOIN departments d ON d.id = c.department_id
WHERE j.id = :id::bigint;

-- write: open_of
-- How many of a caller are still to be done. Those who leave another at the same time wait.
SELECT (SELECT count(*) FROM jobs WHERE created_by = :created_by::text AND state IN ('queued', 'running')) AS jobs
FROM (SELECT pg_advisory_xact_lock(hashtextextended('groupsvc jobs ' || :created_by::text, 0))) locked;

-- write: enqueue
INSERT INTO jobs (course_id, kind, total, result, created_by, request_id, request, asker)
VALUES (:course_id::bigint, :kind::text, :total::integer, :result::jsonb, :created_by::text, :request_id::text,
        :request::jsonb, :asker::jsonb)
RETURNING id;

-- write: add_part
INSERT INTO job_parts (job_id, side, part, content)
VALUES (:id::bigint, :side::text, :part::integer, :content::bytea);

-- primary read: part
SELECT content FROM job_parts WHERE job_id = :id::bigint AND side = :side::text AND part = :part::integer;

-- write: forget_parts
DELETE FROM job_parts WHERE job_id = :id::bigint AND side = :side::text;

-- write: claim
-- The oldest of each course, one at a time there; also one whose worker has fallen silent. A row
-- that another worker is claiming is skipped, and with it the later ones of its course.
UPDATE jobs SET state = 'running', worker = :worker::text, tries = tries + 1,
       started_at = coalesce(started_at, now()), heartbeat_at = now()
WHERE id IN (
    SELECT j.id FROM jobs j
    WHERE j.kind = ANY (:kinds::text[]) AND (
       j.state = 'running' AND j.heartbeat_at < now() - make_interval(secs => :seconds::double precision)
       OR j.state = 'queued' AND NOT EXISTS (
           SELECT FROM jobs x WHERE x.course_id = j.course_id
           AND (x.state = 'running' OR x.state = 'queued' AND x.id < j.id)))
    ORDER BY j.id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING course_id, id, kind, created_by, request_id, tries, request::text AS request, asker::text AS asker,
          is_cancelled;

-- write: lock
SELECT attempted, succeeded, skipped, preassigned, failed, result, is_cancelled FROM jobs
WHERE id = :id::bigint AND worker = :worker::text AND state = 'running'
FOR UPDATE;

-- write: advance
UPDATE jobs SET attempted = :attempted::integer, succeeded = :succeeded::integer, skipped = :skipped::integer,
       preassigned = :preassigned::integer, failed = :failed::integer, result = :result::jsonb, heartbeat_at = now(),
       tries = 0
WHERE id = :id::bigint;

-- write: beat
-- That the worker is still there, and how far what it has not committed yet is.
UPDATE jobs SET heartbeat_at = now(), total = coalesce(:total::integer, total),
       attempted = coalesce(:attempted::integer, attempted), succeeded = coalesce(:succeeded::integer, succeeded),
       skipped = coalesce(:skipped::integer, skipped), failed = coalesce(:failed::integer, failed)
WHERE id = :id::bigint AND worker = :worker::text AND state = 'running'
RETURNING is_cancelled;

-- write: finish
-- Who asked is known no longer than it is needed.
UPDATE jobs SET state = :state::text, finished_at = now(), error = :error::jsonb, output = :output::jsonb,
       decisions = :decisions::jsonb, asker = NULL, total = coalesce(:total::integer, total),
       attempted = coalesce(:attempted::integer, attempted), succeeded = coalesce(:succeeded::integer, succeeded),
       skipped = coalesce(:skipped::integer, skipped), failed = coalesce(:failed::integer, failed)
WHERE id = :id::bigint AND worker = :worker::text AND state = 'running'
RETURNING 1;

-- write: release
-- A worker that has to go has not tried in vain.
UPDATE jobs SET state = 'queued', tries = tries - :given_back::integer
WHERE id = :id::bigint AND worker = :worker::text AND state = 'running';

-- write: cancel
-- What is waiting ends now; a worker that is at it notices.
UPDATE jobs SET is_cancelled = true, state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,
       finished_at = CASE state WHEN 'queued' THEN now() END,
       asker = CASE state WHEN 'queued' THEN NULL ELSE asker END
WHERE id = :id::bigint AND state IN ('queued', 'running')
RETURNING state;

-- write: forget
DELETE FROM jobs WHERE id IN (
    SELECT id FROM jobs
    WHERE finished_at < now() - make_interval(days => :days::integer)
    ORDER BY finished_at LIMIT 100 FOR UPDATE SKIP LOCKED)
RETURNING 1;

-- write: forget_outputs
-- The answer goes before the job does: it names more people, and can be asked for again.
WITH expired AS (
    UPDATE jobs SET output = NULL WHERE id IN (
        SELECT id FROM jobs
        WHERE output IS NOT NULL AND finished_at < now() - make_interval(hours => :hours::integer)
        ORDER BY finished_at LIMIT 100 FOR UPDATE SKIP LOCKED)
    RETURNING id
),
parts AS (DELETE FROM job_parts USING expired WHERE job_id = id)
SELECT id FROM expired;

-- write: mentioning
SELECT id, result FROM jobs
WHERE state NOT IN ('queued', 'running')
  AND position(lower(:email::text COLLATE "C") IN lower(result::text COLLATE "C")) > 0
FOR UPDATE;

-- write: redact
UPDATE jobs SET result = :result::jsonb WHERE id = :id::bigint;
