"""Whole requests are left as jobs: what was asked, by whom, and the answer, in parts."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

PARTS = """
CREATE TABLE job_parts (
    job_id bigint NOT NULL,
    side text NOT NULL,
    part integer NOT NULL,
    content bytea NOT NULL,
    CONSTRAINT pk_job_parts PRIMARY KEY (job_id, side, part),
    CONSTRAINT fk_job_parts_job FOREIGN KEY (job_id) REFERENCES jobs (id) ON DELETE CASCADE,
    CONSTRAINT ck_job_parts_side CHECK (side IN ('input', 'output'))
)
"""

UP = [
    "ALTER TABLE jobs DROP CONSTRAINT ck_jobs_state",
    "ALTER TABLE jobs DROP CONSTRAINT pk_jobs",
    "DROP INDEX ix_jobs_id",
    "ALTER TABLE jobs ADD CONSTRAINT pk_jobs PRIMARY KEY (id)",
    "ALTER TABLE jobs ALTER COLUMN course_id DROP NOT NULL",
    "ALTER TABLE jobs ALTER COLUMN total DROP NOT NULL",
    "ALTER TABLE jobs ADD COLUMN request jsonb",
    "ALTER TABLE jobs ADD COLUMN asker jsonb",
    "ALTER TABLE jobs ADD COLUMN decisions jsonb",
    "ALTER TABLE jobs ADD COLUMN output jsonb",
    "ALTER TABLE jobs ADD COLUMN error jsonb",
    "ALTER TABLE jobs ADD COLUMN is_cancelled boolean NOT NULL DEFAULT false",
    "UPDATE jobs SET state = 'succeeded' WHERE state = 'done'",
    "UPDATE jobs SET error = nullif(result -> 'error', 'null'), result = result - 'error'",
    "ALTER TABLE jobs ADD CONSTRAINT ck_jobs_state"
    " CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled'))",
    "CREATE INDEX ix_jobs_course_id ON jobs (course_id, id)",
    "CREATE INDEX ix_jobs_created_by ON jobs (created_by, id)",
    PARTS,
    "INSERT INTO job_parts (job_id, side, part, content)"
    " SELECT id, 'input', 0, payload FROM jobs WHERE payload IS NOT NULL",
    "ALTER TABLE jobs DROP COLUMN payload",
]

DOWN = [
    "DELETE FROM jobs WHERE course_id IS NULL",
    "ALTER TABLE jobs ADD COLUMN payload bytea",
    "UPDATE jobs SET payload = (SELECT content FROM job_parts"
    " WHERE job_id = jobs.id AND side = 'input' AND part = 0)",
    "DROP TABLE job_parts",
    "DROP INDEX ix_jobs_created_by",
    "DROP INDEX ix_jobs_course_id",
    "ALTER TABLE jobs DROP CONSTRAINT ck_jobs_state",
    "UPDATE jobs SET result = result || jsonb_build_object('error', error)",
    "UPDATE jobs SET state = 'done' WHERE state = 'succeeded'",
    "UPDATE jobs SET state = 'failed' WHERE state = 'cancelled'",
    "ALTER TABLE jobs ADD CONSTRAINT ck_jobs_state"
    " CHECK (state IN ('queued', 'running', 'done', 'failed'))",
    "ALTER TABLE jobs DROP COLUMN is_cancelled",
    "ALTER TABLE jobs DROP COLUMN error",
    "ALTER TABLE jobs DROP COLUMN output",
    "ALTER TABLE jobs DROP COLUMN decisions",
    "ALTER TABLE jobs DROP COLUMN asker",
    "ALTER TABLE jobs DROP COLUMN request",
    "ALTER TABLE jobs ALTER COLUMN total SET NOT NULL",
    "ALTER TABLE jobs ALTER COLUMN course_id SET NOT NULL",
    "ALTER TABLE jobs DROP CONSTRAINT pk_jobs",
    "ALTER TABLE jobs ADD CONSTRAINT pk_jobs PRIMARY KEY (course_id, id)",
    "CREATE INDEX ix_jobs_id ON jobs (id)",
]


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
