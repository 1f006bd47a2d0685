-- That nobody has touched the change log: seals over what it said, and where old lines went.

-- Whom a line names as actor is sealed as the digest of the name and of a salt of its own. Without
-- the salt nobody can tell who it was, and the seal still holds: an actor can be forgotten.
CREATE TABLE audit_actors (
    actor text COLLATE "C" NOT NULL,
    salt bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()),
    CONSTRAINT pk_audit_actors PRIMARY KEY (actor)
);

-- A seal is about the lines after those of the one before. ``changesets`` has, for each changeset
-- in it, its id and the digest of its lines; ``digest`` is that of the statement which is signed.
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
    -- Rule: seals are one chain.
    CONSTRAINT uq_audit_seals_previous UNIQUE (previous),
    CONSTRAINT uq_audit_seals_last_seq UNIQUE (last_seq)
);

-- Lines up to ``last_seq`` that are in a file.
CREATE TABLE audit_archives (
    last_seq bigint NOT NULL,
    lines bigint NOT NULL,
    file text NOT NULL,
    sha256 bytea NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_audit_archives PRIMARY KEY (last_seq)
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_archives
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

-- Rule: only lines that are in an archive are deleted, and of courses that are gone: answers about
-- the past of a course are made of its lines.
CREATE FUNCTION refuse_unarchived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM old_rows o
               WHERE o.seq > coalesce((SELECT max(last_seq) FROM audit_archives), 0)
                  OR EXISTS (SELECT FROM courses c WHERE c.id = o.course_id)) THEN
        RAISE EXCEPTION 'the change log is append-only'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'changes_append_only';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER archived_only AFTER DELETE ON changes REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unarchived();

-- Rule: a line keeps all that it says, but for an actor who is forgotten.
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
END $$;

CREATE TRIGGER forgotten_only BEFORE UPDATE ON changes
    FOR EACH ROW EXECUTE FUNCTION refuse_altering();

-- What the seals say in place of an actor.
CREATE FUNCTION sealed_actor(actor text, salt bytea) RETURNS text LANGUAGE sql STABLE AS $$
SELECT encode(sha256(salt || convert_to(actor, 'UTF8')), 'hex')
$$;
