"""Whom a token stands for, in one place: statements that check a cached token join this view."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BEARERS = """
CREATE VIEW bearers AS
SELECT t.digest,
    json_build_array(a.name, a.username, coalesce((
        SELECT json_agg(json_build_array(g.permission, d.acronym, c.key)
                        ORDER BY g.permission, d.acronym, c.key)
        FROM grants g
        LEFT JOIN departments d ON d.id = g.department_id
        LEFT JOIN courses c ON c.id = g.course_id
        WHERE g.account_id = a.id), '[]'))::text AS bearer,
    t.expires_at <= now() AS is_expired
FROM tokens t JOIN accounts a ON a.id = t.account_id AND a.is_active
WHERE t.expires_at > '-infinity'
"""


def upgrade() -> None:
    op.execute(BEARERS)


def downgrade() -> None:
    op.execute("DROP VIEW bearers")
