"""Fewer indexes on the change log: every one of them is paid for by every change."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP INDEX ix_changes_user_id, ix_changes_partition_id, ix_changes_actor")
    op.execute("CREATE INDEX ix_changes_user_id ON changes (user_id, partition_id, seq)")
    op.execute(
        "CREATE INDEX ix_changes_removed ON changes (partition_id, user_id) "
        "WHERE kind = 'membership.removed'"
    )
    op.execute(
        "CREATE INDEX ix_changes_clustered ON changes USING brin ("
        "actor text_bloom_ops, partition_id int8_bloom_ops) WITH (autosummarize = on)"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_changes_user_id, ix_changes_removed, ix_changes_clustered")
    op.execute("CREATE INDEX ix_changes_user_id ON changes (user_id, seq)")
    op.execute("CREATE INDEX ix_changes_partition_id ON changes (partition_id, user_id, seq)")
    op.execute("CREATE INDEX ix_changes_actor ON changes (actor, seq)")
