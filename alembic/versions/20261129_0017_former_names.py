"""Names in rough form, by which those that look alike are found, and names that were changed."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ROUGH_NAME = r"""
CREATE FUNCTION rough_name(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT CASE WHEN octet_length(name) = char_length(name)
    THEN lower(regexp_replace(name COLLATE "C", '[^0-9A-Za-z]+', '', 'g') COLLATE "C")
    ELSE regexp_replace(translate(
        lower(regexp_replace(normalize(
            regexp_replace(name COLLATE "C", '[\u061C\u115F\u1160\u3164\uFFA0]+', '', 'g'), NFKD),
            '[ßẞ]', 'ss', 'g') COLLATE "C"),
        'ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩς' || E'\u0345'
            || 'АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯᲀᲁᲂᲃᲄᲅᲆ',
        'αβγδεζηθικλμνξοπρστυφχψωσιабвгдежзиклмнопрстуфхцчшщъыьэюявдосттъ'),
        '[^0-9a-zα-ωа-я\u0590-\u109F\u1100-\u11FF\u3040-\u9FFF]+', '', 'g')
END $$
"""  # noqa: RUF001 - letters of other scripts, as such
FORMER_USER_NAMES = """
CREATE TABLE former_user_names (
    user_id bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    until timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_former_user_names PRIMARY KEY (user_id, name),
    CONSTRAINT fk_former_user_names_user FOREIGN KEY (user_id) REFERENCES users (id)
        ON DELETE CASCADE
)
"""
FORMER_NAMES = """
CREATE TABLE former_names (
    course_id bigint NOT NULL,
    partition_id bigint NOT NULL,
    group_id bigint,
    name text COLLATE "C" NOT NULL,
    until timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uq_former_names UNIQUE NULLS NOT DISTINCT (course_id, partition_id, group_id, name),
    CONSTRAINT fk_former_names_partition FOREIGN KEY (course_id, partition_id)
        REFERENCES partitions (course_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_former_names_group FOREIGN KEY (course_id, partition_id, group_id)
        REFERENCES groups (course_id, partition_id, id) ON DELETE CASCADE
)
"""
INDEXES = (
    "CREATE INDEX ix_users_rough_username ON users (rough_name(username))",
    "CREATE INDEX ix_users_rough_email ON users (rough_name(email))",
    "CREATE INDEX ix_users_bare_student_number ON users (ltrim(student_number, '0'))",
    "CREATE INDEX ix_users_bare_national_number ON users (ltrim(national_number, '0'))",
    "CREATE INDEX ix_former_user_names_rough ON former_user_names (rough_name(name))",
)
REMEMBER_USER_NAMES = """
CREATE FUNCTION remember_user_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM former_user_names
    WHERE user_id = NEW.id AND (NEW.is_retired OR name IN (NEW.username, NEW.email));
    IF NOT NEW.is_retired THEN
        INSERT INTO former_user_names (user_id, name)
        SELECT NEW.id, name FROM unnest(ARRAY[OLD.username, OLD.email]) AS name
        WHERE name NOT IN (NEW.username, coalesce(NEW.email, ''))
        ON CONFLICT (user_id, name) DO UPDATE SET until = now();
    END IF;
    RETURN NULL;
END $$
"""
ON_USERS = """
CREATE TRIGGER b_remember AFTER UPDATE ON users FOR EACH ROW
    WHEN (OLD.username <> NEW.username OR OLD.email IS DISTINCT FROM NEW.email
          OR NEW.is_retired AND NOT OLD.is_retired)
    EXECUTE FUNCTION remember_user_names()
"""
REMEMBER_NAME = """
CREATE FUNCTION remember_name() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    partition bigint := CASE TG_TABLE_NAME WHEN 'groups'
        THEN (to_jsonb(NEW) ->> 'partition_id')::bigint ELSE NEW.id END;
    group_of_it bigint := CASE TG_TABLE_NAME WHEN 'groups' THEN NEW.id END;
BEGIN
    DELETE FROM former_names
    WHERE course_id = NEW.course_id AND partition_id = partition
      AND group_id IS NOT DISTINCT FROM group_of_it AND name = NEW.name;
    INSERT INTO former_names (course_id, partition_id, group_id, name)
    VALUES (NEW.course_id, partition, group_of_it, OLD.name)
    ON CONFLICT ON CONSTRAINT uq_former_names DO UPDATE SET until = now();
    RETURN NULL;
END $$
"""
ON_NAMED = """
CREATE TRIGGER b_remember AFTER UPDATE ON {table} FOR EACH ROW
    WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION remember_name()
"""


def upgrade() -> None:
    for statement in (ROUGH_NAME, FORMER_USER_NAMES, FORMER_NAMES, *INDEXES):
        op.execute(statement)
    op.execute(REMEMBER_USER_NAMES)
    op.execute(ON_USERS)
    op.execute(REMEMBER_NAME)
    for table in ("partitions", "groups"):
        op.execute(ON_NAMED.format(table=table))


def downgrade() -> None:
    for table in ("users", "partitions", "groups"):
        op.execute(f"DROP TRIGGER b_remember ON {table}")
    op.execute("DROP FUNCTION remember_user_names, remember_name")
    op.execute("DROP TABLE former_names, former_user_names")
    for column in ("rough_username", "rough_email", "bare_student_number", "bare_national_number"):
        op.execute(f"DROP INDEX ix_users_{column}")
    op.execute("DROP FUNCTION rough_name")
