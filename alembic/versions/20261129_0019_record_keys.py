"""Keys of users, courses, partitions and groups that hold on every server."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

RECORD_KEY = """
CREATE FUNCTION record_key(imported uuid, id bigint, created_at timestamptz) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT CASE WHEN imported IS NULL
    THEN encode(int8send(id) || timestamptz_send(created_at), 'hex')::uuid
    ELSE imported
END $$
"""
KEYED = {
    "users": "imported_key",
    "courses": "imported_key",
    "partitions": "imported_key, course_id",
    "groups": "imported_key, course_id",
}
NAMED = {
    "partitions": "UNIQUE (course_id, name)",
    "groups": "UNIQUE NULLS NOT DISTINCT (course_id, partition_id, name)",
}
LOGGED = ("course", "partition", "group")


def upgrade() -> None:
    op.execute(RECORD_KEY)
    for table, columns in KEYED.items():
        op.execute(f"ALTER TABLE {table} ADD COLUMN imported_key uuid")
        op.execute(
            f"CREATE UNIQUE INDEX uq_{table}_imported_key ON {table} ({columns})"
            " WHERE imported_key IS NOT NULL"
        )
    _tell_names_apart("DEFERRABLE")
    _log_without("created_at imported_key")


def downgrade() -> None:
    _log_without("created_at")
    _tell_names_apart("")
    for table in KEYED:
        op.execute(f"ALTER TABLE {table} DROP COLUMN imported_key")
    op.execute("DROP FUNCTION record_key")


def _tell_names_apart(when: str) -> None:
    for table, rule in NAMED.items():
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT uq_{table}_name")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT uq_{table}_name {rule} {when}")


def _log_without(columns: str) -> None:
    for noun in LOGGED:
        op.execute(
            f"CREATE OR REPLACE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON {noun}s"
            f" FOR EACH ROW EXECUTE FUNCTION log_row('{noun}', '{columns}')"
        )
