-- read: may_rewrite
-- Whoever owns the change log can do anything to it, whatever its triggers say.
SELECT pg_has_role(c.relowner, 'MEMBER')
       OR has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER') AS is_so
FROM pg_class c WHERE c.oid = to_regclass('changes');

-- write: forget_former_names
DELETE FROM former_user_names WHERE (user_id, name) IN (
    SELECT user_id, name FROM former_user_names
    WHERE until < now() - make_interval(days => :days::integer)
    ORDER BY until LIMIT :limit::integer FOR UPDATE SKIP LOCKED)
RETURNING 1;

-- write: forget_preassignments
DELETE FROM preassignments WHERE (course_id, id) IN (
    SELECT course_id, id FROM preassignments
    WHERE created_at < now() - make_interval(days => :days::integer)
    ORDER BY created_at LIMIT :limit::integer FOR UPDATE SKIP LOCKED)
RETURNING 1;

-- write: forget_removed_preassignments
DELETE FROM removed_preassignments WHERE (course_id, id) IN (
    SELECT course_id, id FROM removed_preassignments WHERE removed_at < now() - interval '30 days'
    ORDER BY removed_at LIMIT :limit::integer FOR UPDATE SKIP LOCKED)
RETURNING 1;

-- write: forget_failed_logins
DELETE FROM failed_logins WHERE login IN (
    SELECT login FROM failed_logins WHERE last_at < now() - interval '1 day'
    ORDER BY last_at LIMIT :limit::integer FOR UPDATE SKIP LOCKED)
RETURNING 1;
