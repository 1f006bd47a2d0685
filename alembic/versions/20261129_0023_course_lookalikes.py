"""Courses are found by keys that look like theirs."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ix_courses_rough_key ON courses (rough_name(key))")


def downgrade() -> None:
    op.execute("DROP INDEX ix_courses_rough_key")
