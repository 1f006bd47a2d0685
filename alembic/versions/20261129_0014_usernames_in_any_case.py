"""Usernames are found in any case, where a learning platform finds them so."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute('CREATE INDEX ix_users_username ON users (lower(username COLLATE "C"))')


def downgrade() -> None:
    op.execute("DROP INDEX ix_users_username")
