"""A database in which a wrong plan shows.

A hundred courses of 200 users, a giant of 20,000, and many that nobody is in yet.
"""

from sqlalchemy.ext.asyncio import AsyncEngine

COURSES, STUDENTS, GIANT, EVERYBODY = 100, 200, 2_000, 20_000

# Numbers tell what a row belongs to. Every twentieth user is in no group and in no cohort.
ENROLLED = f"""(
    SELECT 1 + (u - 1) / {STUDENTS} AS c, u FROM generate_series(1, {COURSES * STUDENTS}) u
    UNION ALL SELECT {GIANT}, u FROM generate_series(1, {EVERYBODY}) u) e"""
LOAD = f"""
    INSERT INTO departments (id, acronym) SELECT n, 'D' || n FROM generate_series(1, 10) n;
    INSERT INTO users (id, department_id, username, email, sort_key, student_number)
        SELECT n, 1 + n % 10, 'u' || n, 'u' || n || '@example.org', 'n' || n, 's' || n
        FROM generate_series(1, {EVERYBODY}) n;
    INSERT INTO former_user_names (user_id, name) SELECT id, 'was-' || username FROM users;
    INSERT INTO courses (id, department_id, key)
        SELECT c, 1 + c % 10, 'c' || c FROM generate_series(1, {GIANT}) c;
    INSERT INTO partitions (course_id, id, kind, name, position)
        SELECT c, 3 * c + k, (ARRAY['default', 'ordinary', 'cohorts'])[k + 1],
               (ARRAY[NULL, 'TD', 'Cohorts'])[k + 1], k
        FROM generate_series(1, {GIANT}) c, generate_series(0, 2) k;
    INSERT INTO groups (course_id, partition_id, id, name, position, assignment_type)
        SELECT c, 3 * c, c, NULL, 0, 'manual' FROM generate_series(1, {GIANT}) c
        UNION ALL SELECT c, 3 * c + k, k * 1000000 + c * 20 + n, 'G' || n, n, 'random'
        FROM generate_series(1, {GIANT}) c, generate_series(0, 19) n, generate_series(1, 2) k
        WHERE n < 10 OR c = {GIANT};
    INSERT INTO enrollments (course_id, user_id) SELECT c, u FROM {ENROLLED};
    INSERT INTO memberships (course_id, partition_id, user_id, group_id)
        SELECT c, 3 * c + k, u, k * 1000000 + c * 20 + (u / 20) % CASE c WHEN {GIANT} THEN 20
                                                               ELSE 10 END
        FROM {ENROLLED}, generate_series(1, 2) k WHERE u % 20 > 0;
    INSERT INTO changes (course_id, actor, changeset_id, kind, partition_id, group_id, user_id)
        SELECT course_id, 'load', '00000000-0000-0000-0000-000000000000', 'membership.assigned',
               partition_id, group_id, user_id FROM memberships;
    INSERT INTO cohort_settings (course_id, is_cohorted, random_assignment)
        SELECT c, true, CASE WHEN c < {GIANT} THEN 'balanced' ELSE 'uniform' END
        FROM generate_series(1, {GIANT}) c;
    INSERT INTO preassignments (course_id, partition_id, group_id, email)
        SELECT {GIANT}, {3 * GIANT + 2}, {2_000_000 + 20 * GIANT}, 'w' || n || '@example.org'
        FROM generate_series(1, 5000) n;
    INSERT INTO accounts (id, name, secret_hash)
        SELECT n, 'a' || n, '' FROM generate_series(1, 500) n;
    INSERT INTO grants (account_id, permission, course_id)
        SELECT n, 'groups:write', 1 + n % {GIANT} FROM generate_series(1, 500) n;
    INSERT INTO roles (user_id, role, course_id)
        SELECT n, 'staff', 1 + n % {GIANT} FROM generate_series(1, 2000) n;
    INSERT INTO external_ids (user_id, system, external_id)
        SELECT n, 'other', n FROM generate_series(1, {EVERYBODY}) n;
    INSERT INTO tokens (digest, account_id, expires_at)
        SELECT sha256(CAST(n::text AS bytea)), 1 + n % 500, 'infinity'
        FROM generate_series(1, 5000) n;
"""


async def load(engine: AsyncEngine) -> None:
    """Fill a migrated database, past its triggers."""
    async with engine.connect() as one:
        await one.exec_driver_sql("SET session_replication_role = replica")
        for statement in LOAD.split(";\n")[:-1]:
            await one.exec_driver_sql(statement)
        await one.exec_driver_sql("SET session_replication_role = DEFAULT")
        await one.exec_driver_sql("VACUUM ANALYZE")
