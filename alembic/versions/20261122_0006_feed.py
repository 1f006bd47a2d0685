"""The change log in the order in which it is complete: for readers that come back for more.

Sequence numbers do not commit in order, transactions below the oldest one still running are over.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ix_changes_transaction_id ON changes (transaction_id, seq)")


def downgrade() -> None:
    op.execute("DROP INDEX ix_changes_transaction_id")
