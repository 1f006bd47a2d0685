"""A statement for several callers says which of them each line of the change log is of."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

NAME_CALLER = """
CREATE FUNCTION name_caller() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    caller jsonb := current_setting('groupsvc.callers')::jsonb -> NEW.user_id::text;
BEGIN
    IF caller IS NULL THEN
        RAISE EXCEPTION 'the change is of none of the callers'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'changes_caller';
    END IF;
    NEW.actor := caller ->> 0;
    NEW.request_id := nullif(caller ->> 1, '');
    NEW.cause := nullif(caller ->> 2, '');
    NEW.changeset_id := (caller ->> 3)::uuid;
    RETURN NEW;
END $$
"""
TRIGGER = """
CREATE TRIGGER name_caller BEFORE INSERT ON changes FOR EACH ROW
    WHEN (current_setting('groupsvc.callers', true) <> '') EXECUTE FUNCTION name_caller()
"""


def upgrade() -> None:
    op.execute(NAME_CALLER)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER name_caller ON changes")
    op.execute("DROP FUNCTION name_caller()")
