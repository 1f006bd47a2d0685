"""Deleted groups are found in the change log."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_changes_deleted_group ON changes (group_id) WHERE kind = 'group.deleted'"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_changes_deleted_group")
