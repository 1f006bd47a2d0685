"""A database says whose it is, where one fleet of workers serves several institutions."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

INSTITUTION = """
CREATE TABLE institution (
    name text NOT NULL,
    is_only boolean NOT NULL DEFAULT true,
    CONSTRAINT pk_institution PRIMARY KEY (is_only),
    CONSTRAINT ck_institution_only CHECK (is_only)
)
"""


def upgrade() -> None:
    op.execute(INSTITUTION)


def downgrade() -> None:
    op.execute("DROP TABLE institution")
