"""One version of what tokens stand for, instead of looking up every caller anew."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE access_version (
    only_row boolean NOT NULL DEFAULT true,
    version uuid NOT NULL DEFAULT gen_random_uuid(),
    changed_by xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT pk_access_version PRIMARY KEY (only_row),
    CONSTRAINT ck_access_version_only_row CHECK (only_row)
)
"""
CHANGE = """
CREATE FUNCTION change_access_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Most users have no role, and nothing is cached of them but their name.
    IF TG_TABLE_NAME = 'users' THEN
        IF NOT EXISTS (SELECT FROM roles WHERE user_id = OLD.id) THEN RETURN NULL; END IF;
    END IF;
    UPDATE access_version SET version = gen_random_uuid(), changed_by = pg_current_xact_id()
    WHERE changed_by <> pg_current_xact_id();
    RETURN NULL;
END $$
"""
ALTERATIONS = {
    "accounts": "AFTER UPDATE OR DELETE",
    "tokens": "AFTER UPDATE OR DELETE",
    "grants": "AFTER INSERT OR UPDATE OR DELETE",
    "roles": "AFTER INSERT OR UPDATE OR DELETE",
    "users": "AFTER UPDATE",
    "departments": "AFTER UPDATE",
    "courses": "AFTER UPDATE",
}
ONLY = {
    "tokens": "WHEN (OLD.expires_at > now())",
    "users": "WHEN (OLD.username <> NEW.username OR OLD.is_active <> NEW.is_active)",
    "departments": "WHEN (OLD.acronym <> NEW.acronym)",
    "courses": "WHEN (OLD.key <> NEW.key)",
}
EMPTIED = ("tokens", "grants", "roles")
BEARERS = """
CREATE VIEW bearers AS
SELECT t.digest AS key,
    json_build_array(a.name, a.username, coalesce((
        SELECT json_agg(json_build_array(g.permission, d.acronym, c.key)
                        ORDER BY g.permission, d.acronym, c.key)
        FROM grants g
        LEFT JOIN departments d ON d.id = g.department_id
        LEFT JOIN courses c ON c.id = g.course_id
        WHERE g.account_id = a.id), '[]'))::text AS bearer,
    t.expires_at <= now() AS is_expired
FROM tokens t JOIN accounts a ON a.id = t.account_id AND a.is_active
WHERE t.expires_at > '-infinity'
UNION ALL
SELECT int8send(u.id) AS key,
    json_build_array(u.username, coalesce((
        SELECT json_agg(json_build_array(r.role, d.acronym, c.key)
                        ORDER BY r.role, d.acronym, c.key)
        FROM roles r
        LEFT JOIN departments d ON d.id = r.department_id
        LEFT JOIN courses c ON c.id = r.course_id
        WHERE r.user_id = u.id), '[]'))::text AS bearer,
    false AS is_expired
FROM users u WHERE u.is_active
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute("INSERT INTO access_version DEFAULT VALUES")
    op.execute(CHANGE)
    for table, events in ALTERATIONS.items():
        op.execute(
            f"CREATE CONSTRAINT TRIGGER z_access {events} ON {table}"
            f" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW {ONLY.get(table, '')}"
            " EXECUTE FUNCTION change_access_version()"
        )
    for table in EMPTIED:
        op.execute(
            f"CREATE TRIGGER z_access_all AFTER TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION change_access_version()"
        )
    op.execute("DROP VIEW bearers")
    op.execute("DROP INDEX uq_users_bearer_key")


def downgrade() -> None:
    op.execute("CREATE UNIQUE INDEX uq_users_bearer_key ON users (int8send(id))")
    op.execute(BEARERS)
    for table in EMPTIED:
        op.execute(f"DROP TRIGGER z_access_all ON {table}")
    for table in ALTERATIONS:
        op.execute(f"DROP TRIGGER z_access ON {table}")
    op.execute("DROP FUNCTION change_access_version")
    op.execute("DROP TABLE access_version")
