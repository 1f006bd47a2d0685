-- What the role that serves may do: all with the roster and its groups, and nothing to the past.
--
-- Run by the owner of the tables, after each migration; ``service`` stands for the role. What it
-- could do before is taken first. Triggers write the change log as whoever changes something, so
-- the role may add lines, but not choose their number, their time or their transaction.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM service;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM service;
GRANT USAGE ON SCHEMA public TO service;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO service;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO service;
REVOKE ALL ON alembic_version, institution, changes, audit_actors, audit_seals, audit_archives FROM service;
REVOKE ALL ON SEQUENCE changes_seq_seq FROM service;
GRANT SELECT ON alembic_version, institution, changes, audit_actors, audit_seals, audit_archives TO service;
GRANT INSERT (course_id, actor, request_id, changeset_id, cause, kind, partition_id, group_id,
              user_id, before, after) ON changes TO service;
GRANT INSERT (actor) ON audit_actors TO service;
GRANT INSERT ON audit_seals TO service;
