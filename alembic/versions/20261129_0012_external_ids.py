"""Ids by which other systems know a user."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE external_ids (
    user_id bigint NOT NULL,
    system text COLLATE "C" NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    CONSTRAINT pk_external_ids PRIMARY KEY (user_id, system),
    CONSTRAINT uq_external_ids UNIQUE (system, external_id),
    CONSTRAINT ck_external_ids_system CHECK (system ~ '^[a-z][a-z0-9_]{0,31}$'),
    CONSTRAINT ck_external_ids_id CHECK (external_id = btrim(external_id)
        AND external_id <> '' AND length(external_id) <= 255)
)
"""

LOG = """
CREATE FUNCTION log_external_ids() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE context record;
BEGIN
    IF NEW = OLD THEN RETURN NULL; END IF;
    context := change_context();
    INSERT INTO changes (course_id, actor, request_id, changeset_id, cause, kind,
        partition_id, group_id, user_id, before, after)
    SELECT 0, context.actor, context.request_id, context.changeset_id, context.cause,
        'user.updated', NULL, NULL, u.id, NULL, '{"fields": ["external_ids"]}'
    FROM users u WHERE u.id = coalesce(NEW.user_id, OLD.user_id);
    RETURN NULL;
END $$
"""

TRIGGER = """
CREATE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON external_ids
    FOR EACH ROW EXECUTE FUNCTION log_external_ids()
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(LOG)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.execute("DROP TABLE external_ids")
    op.execute("DROP FUNCTION log_external_ids")
