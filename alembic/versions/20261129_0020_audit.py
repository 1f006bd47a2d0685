"""Seals over the change log, archives of its old lines, and actors who can be forgotten."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ACTORS = """
CREATE TABLE audit_actors (
    actor text COLLATE "C" NOT NULL,
    salt bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()),
    CONSTRAINT pk_audit_actors PRIMARY KEY (actor)
)
"""
SEALS = """
CREATE TABLE audit_seals (
    id bigint NOT NULL,
    last_seq bigint NOT NULL,
    lines bigint NOT NULL,
    changesets bytea NOT NULL,
    previous bytea NOT NULL,
    digest bytea NOT NULL,
    key_id text,
    signature bytea,
    sealed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_audit_seals PRIMARY KEY (id),
    CONSTRAINT uq_audit_seals_previous UNIQUE (previous),
    CONSTRAINT uq_audit_seals_last_seq UNIQUE (last_seq)
)
"""
ARCHIVES = """
CREATE TABLE audit_archives (
    last_seq bigint NOT NULL,
    lines bigint NOT NULL,
    file text NOT NULL,
    sha256 bytea NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_audit_archives PRIMARY KEY (last_seq)
)
"""
REFUSE_UNARCHIVED = """
CREATE FUNCTION refuse_unarchived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM old_rows o
               WHERE o.seq > coalesce((SELECT max(last_seq) FROM audit_archives), 0)
                  OR EXISTS (SELECT FROM courses c WHERE c.id = o.course_id)) THEN
        RAISE EXCEPTION 'the change log is append-only'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'changes_append_only';
    END IF;
    RETURN NULL;
END $$
"""
REFUSE_ALTERING = """
CREATE FUNCTION refuse_altering() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - 'actor') IS DISTINCT FROM (to_jsonb(OLD) - 'actor')
       OR NEW.actor IS DISTINCT FROM 'erased:' || (
           SELECT sealed_actor(a.actor, a.salt) FROM audit_actors a WHERE a.actor = OLD.actor)
    THEN
        RAISE EXCEPTION 'the change log is append-only'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'changes_append_only';
    END IF;
    RETURN NEW;
END $$
"""
SEALED_ACTOR = """
CREATE FUNCTION sealed_actor(actor text, salt bytea) RETURNS text LANGUAGE sql STABLE AS $$
SELECT encode(sha256(salt || convert_to(actor, 'UTF8')), 'hex')
$$
"""
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE {when} ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()
"""
REWRITING = "UPDATE OR DELETE OR TRUNCATE"
ARCHIVED_ONLY = """
CREATE TRIGGER archived_only AFTER DELETE ON changes REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unarchived()
"""
FORGOTTEN_ONLY = """
CREATE TRIGGER forgotten_only BEFORE UPDATE ON changes
    FOR EACH ROW EXECUTE FUNCTION refuse_altering()
"""


def upgrade() -> None:
    for statement in (ACTORS, SEALS, ARCHIVES, REFUSE_UNARCHIVED, REFUSE_ALTERING, SEALED_ACTOR):
        op.execute(statement)
    op.execute("DROP TRIGGER append_only ON changes")
    op.execute(APPEND_ONLY.format(when="TRUNCATE", table="changes"))
    for table in ("audit_seals", "audit_archives"):
        op.execute(APPEND_ONLY.format(when=REWRITING, table=table))
    op.execute(ARCHIVED_ONLY)
    op.execute(FORGOTTEN_ONLY)


def downgrade() -> None:
    op.execute("DROP TRIGGER archived_only ON changes")
    op.execute("DROP TRIGGER forgotten_only ON changes")
    op.execute("DROP TRIGGER append_only ON changes")
    op.execute(APPEND_ONLY.format(when=REWRITING, table="changes"))
    op.execute("DROP TABLE audit_archives, audit_seals, audit_actors")
    op.execute("DROP FUNCTION refuse_unarchived, refuse_altering, sealed_actor")
