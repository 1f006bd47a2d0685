"""What a group editor keeps for a course: a document that only the editor understands.

Its line in the change log tells that it was saved and not what is in it.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE auto_assignments (
    course_id bigint NOT NULL,
    document text NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_auto_assignments PRIMARY KEY (course_id),
    CONSTRAINT fk_auto_assignments_course FOREIGN KEY (course_id)
        REFERENCES courses (id) ON DELETE CASCADE
)
"""

LOGGED = """
CREATE TRIGGER z_log AFTER INSERT OR UPDATE OR DELETE ON auto_assignments
FOR EACH ROW EXECUTE FUNCTION log_row('auto_assignment', 'document')
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(LOGGED)


def downgrade() -> None:
    op.execute("DROP TABLE auto_assignments")
