"""Users who have been deleted are still told by the ids that another server knows them by."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

LEAVE_EVERYTHING = """
CREATE OR REPLACE FUNCTION leave_everything() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM memberships WHERE user_id = OLD.id;
    DELETE FROM enrollments WHERE user_id = OLD.id;
{remember}    RETURN OLD;
END $$
"""
REMEMBER = """\
    IF OLD.foreign_id IS NOT NULL THEN
        INSERT INTO former_users (id, foreign_id) VALUES (OLD.id, OLD.foreign_id);
    END IF;
"""


def upgrade() -> None:
    op.execute(
        "CREATE TABLE former_users (id bigint NOT NULL, foreign_id bigint NOT NULL,"
        " CONSTRAINT pk_former_users PRIMARY KEY (id))"
    )
    op.execute(LEAVE_EVERYTHING.format(remember=REMEMBER))


def downgrade() -> None:
    op.execute(LEAVE_EVERYTHING.format(remember=""))
    op.execute("DROP TABLE former_users")
