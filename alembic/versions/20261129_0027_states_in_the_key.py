"""The state of an enrollment is in the index of its key: pages of members read the index alone."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

KEY = """
ALTER TABLE enrollments DROP CONSTRAINT pk_enrollments,
    ADD CONSTRAINT pk_enrollments PRIMARY KEY (course_id, user_id) {}
"""


def upgrade() -> None:
    op.execute(KEY.format("INCLUDE (state)"))


def downgrade() -> None:
    op.execute(KEY.format(""))
