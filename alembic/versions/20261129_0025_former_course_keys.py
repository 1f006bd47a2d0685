"""Keys that courses had before, by which older files still name them."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

FORMER_COURSE_KEYS = """
CREATE TABLE former_course_keys (
    course_id bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    until timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_former_course_keys PRIMARY KEY (course_id, key),
    CONSTRAINT fk_former_course_keys_course FOREIGN KEY (course_id) REFERENCES courses (id)
        ON DELETE CASCADE
)
"""
INDEX = "CREATE INDEX ix_former_course_keys_rough ON former_course_keys (rough_name(key))"
REMEMBER = """
CREATE FUNCTION remember_course_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM former_course_keys WHERE course_id = NEW.id AND key = NEW.key;
    INSERT INTO former_course_keys (course_id, key) VALUES (NEW.id, OLD.key)
    ON CONFLICT (course_id, key) DO UPDATE SET until = now();
    RETURN NULL;
END $$
"""
ON_COURSES = """
CREATE TRIGGER b_remember AFTER UPDATE ON courses FOR EACH ROW
    WHEN (OLD.key <> NEW.key) EXECUTE FUNCTION remember_course_key()
"""


def upgrade() -> None:
    for statement in (FORMER_COURSE_KEYS, INDEX, REMEMBER, ON_COURSES):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER b_remember ON courses")
    op.execute("DROP FUNCTION remember_course_key")
    op.execute("DROP TABLE former_course_keys")
