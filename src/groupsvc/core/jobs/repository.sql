-- read: read
-- The speed is that up to the last sign of progress: between two signs the answer stays the same.
SELECT d.acronym AS department, c.key AS course, row_to_json(shape)::text AS body
FROM jobs j
JOIN courses c ON c.id = j.course_id
JOIN departments d ON d.id = c.department_id
CROSS JOIN LATERAL (SELECT nullif(round(j.attempted / nullif(extract(
    epoch FROM coalesce(j.finished_at, j.heartbeat_at) - j.started_at), 0), 1), 0) AS rows_per_second) speed
CROSS JOIN LATERAL (SELECT j.id, j.course_id, j.kind, j.state, j.total, j.attempted, j.succeeded, j.skipped,
j.preassigned, j.failed, speed.rows_per_second,
CASE WHEN j.state = 'running' THEN ceil((j.total - j.attempted) / speed.rows_per_second)::integer END AS seconds_left,
j.result, j.created_by, j.created_at, j.started_at, j.finished_at) shape WHERE j.id = :id::bigint;

-- read: page
SELECT j.id, row_to_json(shape)::text AS body FROM jobs j
CROSS JOIN LATERAL (SELECT nullif(round(j.attempted / nullif(extract(
    epoch FROM coalesce(j.finished_at, j.heartbeat_at) - j.started_at), 0), 1), 0) AS rows_per_second) speed
CROSS JOIN LATERAL (SELECT j.id, j.course_id, j.kind, j.state, j.total, j.attempted, j.succeeded, j.skipped,
j.preassigned, j.failed, speed.rows_per_second,
CASE WHEN j.state = 'running' THEN ceil((j.total - j.attempted) / speed.rows_per_second)::integer END AS seconds_left,
j.result, j.created_by, j.created_at, j.started_at, j.finished_at) shape
WHERE j.course_id = :course_id::bigint AND j.id < :before::bigint
ORDER BY j.id DESC LIMIT :limit::integer;

-- write: enqueue
INSERT INTO jobs (course_id, kind, total, payload, result, created_by, request_id)
VALUES (:course_id::bigint, :kind::text, :total::integer, :payload::bytea, :result::jsonb, :created_by::text, :request_id::text)
RETURNING id;

-- write: claim
-- The oldest of each course, one at a time there; also one whose worker has fallen silent. A row
-- that another worker is claiming is skipped, and with it the later ones of its course.
UPDATE jobs SET state = 'running', worker = :worker::text, tries = tries + 1,
       started_at = coalesce(started_at, now()), heartbeat_at = now()
WHERE (course_id, id) IN (
    SELECT j.course_id, j.id FROM jobs j
    WHERE j.state = 'running' AND j.heartbeat_at < now() - make_interval(secs => :seconds::double precision)
       OR j.state = 'queued' AND NOT EXISTS (
           SELECT FROM jobs x WHERE x.course_id = j.course_id
           AND (x.state = 'running' OR x.state = 'queued' AND x.id < j.id))
    ORDER BY j.id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING course_id, id, kind, payload, created_by, request_id, tries;

-- write: lock
SELECT attempted, succeeded, skipped, preassigned, failed, result FROM jobs
WHERE course_id = :course_id::bigint AND id = :id::bigint AND worker = :worker::text AND state = 'running'
FOR UPDATE;

-- write: advance
UPDATE jobs SET attempted = :attempted::integer, succeeded = :succeeded::integer, skipped = :skipped::integer,
       preassigned = :preassigned::integer, failed = :failed::integer, result = :result::jsonb, heartbeat_at = now(),
       tries = 0
WHERE course_id = :course_id::bigint AND id = :id::bigint;

-- write: finish
UPDATE jobs SET state = :state::text, payload = NULL, finished_at = now(),
       result = result || :result::jsonb
WHERE course_id = :course_id::bigint AND id = :id::bigint AND worker = :worker::text AND state = 'running';

-- write: release
UPDATE jobs SET state = 'queued' WHERE worker = :worker::text AND state = 'running';

-- write: forget
DELETE FROM jobs WHERE (course_id, id) IN (
    SELECT course_id, id FROM jobs
    WHERE finished_at < now() - make_interval(days => :days::integer)
    ORDER BY finished_at LIMIT 100 FOR UPDATE SKIP LOCKED)
RETURNING 1;

-- write: mentioning
SELECT course_id, id, result FROM jobs
WHERE state IN ('done', 'failed')
  AND position(lower(:email::text COLLATE "C") IN lower(result::text COLLATE "C")) > 0
FOR UPDATE;

-- write: redact
UPDATE jobs SET result = :result::jsonb WHERE course_id = :course_id::bigint AND id = :id::bigint;
