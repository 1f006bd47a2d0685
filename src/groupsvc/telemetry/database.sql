-- read: jobs
-- Those that failed a day ago or before have been seen, or nobody cares.
SELECT state, count(*) AS jobs, extract(epoch FROM now() - min(created_at))::double precision AS oldest
FROM jobs WHERE state IN ('queued', 'running') OR state = 'failed' AND finished_at > now() - interval '1 day'
GROUP BY state;

-- read: locks
-- Of this database, whoever waits; what they wait for may be no object of it.
SELECT count(*) AS waiting,
       coalesce(extract(epoch FROM clock_timestamp() - min(l.waitstart)), 0)::double precision AS longest
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE NOT l.granted AND a.datname = current_database();
