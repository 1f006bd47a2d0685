"""Bring the database to the revision that this program needs."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

import groupsvc

# Alembic keeps what it is doing in globals: in one process, one migrates at a time.
_turn = threading.Lock()


def _scripts() -> Path:
    package = Path(groupsvc.__file__).parent
    installed = package / "alembic"
    return installed if installed.is_dir() else package.parents[1] / "alembic"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_scripts()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


async def _run(engine: AsyncEngine, work: Callable[[Config], None]) -> None:
    """Alembic wants a transaction and no limits; requests have it the other way round."""

    def run(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        work(config)

    while not _turn.acquire(blocking=False):  # noqa: ASYNC110 - an event is of one loop only
        await asyncio.sleep(0.02)
    try:
        transactional = engine.execution_options(isolation_level="READ COMMITTED")
        async with transactional.begin() as connection:
            await connection.run_sync(run)
    finally:
        _turn.release()


async def upgrade(engine: AsyncEngine, revision: str = "head") -> None:
    await _run(engine, lambda config: command.upgrade(config, revision))


async def downgrade(engine: AsyncEngine, revision: str = "base") -> None:
    await _run(engine, lambda config: command.downgrade(config, revision))


def head() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


async def current(engine: AsyncEngine) -> str | None:
    """The revision of the database, or None when it was never migrated."""
    async with engine.connect() as connection:
        return await connection.run_sync(
            lambda sync: MigrationContext.configure(sync).get_current_revision()
        )
