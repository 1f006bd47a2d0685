-- write: claim
-- Meeting the key again writes too: under synchronous replication the answer then waits until the
-- first outcome is as safe as it claims to be. An expired key starts over.
INSERT INTO idempotency_keys AS k (subject, key, fingerprint)
VALUES (:subject::text, :key::text, :fingerprint::bytea)
ON CONFLICT (subject, key) DO UPDATE SET
    replays = CASE WHEN k.created_at < now() - make_interval(hours => :hours::integer)
                   THEN 0 ELSE k.replays + 1 END,
    status = CASE WHEN k.created_at < now() - make_interval(hours => :hours::integer)
                  THEN NULL ELSE k.status END,
    fingerprint = CASE WHEN k.created_at < now() - make_interval(hours => :hours::integer)
                       THEN excluded.fingerprint ELSE k.fingerprint END,
    created_at = CASE WHEN k.created_at < now() - make_interval(hours => :hours::integer)
                      THEN now() ELSE k.created_at END
RETURNING fingerprint, status, headers, body, decisions;

-- write: store
UPDATE idempotency_keys
SET status = :status::integer, headers = :headers::jsonb, body = :body::bytea, decisions = :decisions::jsonb
WHERE subject = :subject::text AND key = :key::text;

-- write: forget
DELETE FROM idempotency_keys WHERE (subject, key) IN (
    SELECT subject, key FROM idempotency_keys
    WHERE created_at < now() - make_interval(hours => :hours::integer)
    ORDER BY created_at LIMIT 100 FOR UPDATE SKIP LOCKED)
RETURNING 1;
