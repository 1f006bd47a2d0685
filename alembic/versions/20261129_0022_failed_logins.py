"""Wrong secrets are remembered, so that further tries can be made to wait."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

FAILED_LOGINS = """
CREATE TABLE failed_logins (
    login bytea NOT NULL,
    failures integer NOT NULL,
    last_at timestamptz NOT NULL DEFAULT now(),
    waits_until timestamptz,
    CONSTRAINT pk_failed_logins PRIMARY KEY (login)
)
"""


def upgrade() -> None:
    op.execute(FAILED_LOGINS)
    op.execute("CREATE INDEX ix_failed_logins_last_at ON failed_logins (last_at)")


def downgrade() -> None:
    op.execute("DROP TABLE failed_logins")
