"""Run migrations on the connection that the caller hands over, or on the configured database."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text

from groupsvc.db.engine import database_url, make_engine
from groupsvc.db.revision import OLDEST
from groupsvc.settings import Settings

# Several processes may start migrating at once; all but one wait here and then find nothing to do.
ONE_MIGRATOR = text("SELECT pg_advisory_xact_lock(hashtextextended('groupsvc migrations', 0))")


def run(connection: Connection) -> None:
    context.configure(connection=connection)
    with context.begin_transaction():
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = '120s'"))
        connection.execute(ONE_MIGRATOR)
        # Whoever waits for a table has all others wait behind it: rather give up, and try again.
        connection.execute(text("SET LOCAL lock_timeout = '200ms'"))
        context.run_migrations()
        declare_oldest_program(connection)


def declare_oldest_program(connection: Connection) -> None:
    """Store what the migration says: which programs, older than itself, may go on serving."""
    revision = context.get_context().get_current_revision()
    scripts = context.script
    module = scripts.get_revision(revision).module if revision else None
    oldest = getattr(module, "oldest_program", None)
    told = f"{OLDEST}{oldest}" if oldest else None
    asked = text("SELECT obj_description(to_regclass('alembic_version'))")
    if connection.scalar(asked) != told:
        literal = f"'{told}'" if told else "NULL"
        connection.execute(text(f"COMMENT ON TABLE alembic_version IS {literal}"))


async def connect_and_run() -> None:
    settings = Settings().model_copy(update={"command_timeout": 600.0})
    engine = make_engine(database_url(settings), settings)
    # The lock and all that is done under it hold for one transaction.
    transactional = engine.execution_options(isolation_level="READ COMMITTED")
    async with transactional.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(connect_and_run())
