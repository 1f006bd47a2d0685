"""Bring the database to the revision that this program needs."""

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.db.failures import LOCKED, sqlstate
from groupsvc.db.revision import cure, scripts
from groupsvc.db.revision import current as current
from groupsvc.db.revision import head as head
from groupsvc.db.service_role import grant_service

# Alembic keeps what it is doing in globals: in one process, one migrates at a time.
_turn = threading.Lock()
# Of a migration that finds a table in use. Meanwhile those who use it go on.
_PATIENCE = 30.0  # seconds
_LONGEST_PAUSE = 1.0

_log = logging.getLogger(__name__)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
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
        await _until_unlocked(engine, run)
    finally:
        _turn.release()


async def _until_unlocked(engine: AsyncEngine, run: Callable[[Connection], None]) -> None:
    transactional = engine.execution_options(isolation_level="READ COMMITTED")
    ends = time.monotonic() + _PATIENCE
    while True:
        try:
            async with transactional.begin() as connection:
                await connection.run_sync(run)
        except DBAPIError as error:
            # Whoever waited for another migrator has waited long enough.
            if sqlstate(error) != LOCKED or time.monotonic() > ends:
                raise
            _log.info("a table is in use: the migration is tried again")
            await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE))  # noqa: S311 - no secret
        else:
            return


async def upgrade(
    engine: AsyncEngine, revision: str = "head", *, service: str | None = None
) -> None:
    """In one transaction; in it the role that serves gets what it needs of the new tables.

    Raises ValueError for a database of a newer program.
    """

    def work(config: Config) -> None:
        command.upgrade(config, revision)
        if service is not None:
            grant_service(config.attributes["connection"], service)

    try:
        await _run(engine, work)
    except CommandError as error:  # a revision that is not among those of this program
        found = await current(engine)
        raise ValueError(f"the database is at {found}, needs {head()}: {cure(found)}") from error


async def downgrade(engine: AsyncEngine, revision: str = "base") -> None:
    await _run(engine, lambda config: command.downgrade(config, revision))
