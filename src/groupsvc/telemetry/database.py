"""What the database tells about all replicas: jobs, and who waits for a lock."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import URL

from groupsvc.core.repository import Repository
from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork
from groupsvc.db.engine import close_engine, make_engine
from groupsvc.db.pool import ConnectionPool
from groupsvc.db.statements import SqlFile
from groupsvc.settings import Settings

SQL: Final = SqlFile(__file__)
SECONDS_ALLOWED: Final = 3.0
STATES: Final = ("queued", "running", "failed")

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Sight:
    """``jobs`` has their number and the age of the oldest in seconds, by state."""

    up: bool = False
    jobs: dict[str, tuple[int, float]] = field(default_factory=dict[str, tuple[int, float]])
    lock_waiters: int = 0
    longest_lock_wait: float = 0.0


class SightRepository(Repository):
    async def look(self) -> Sight:
        jobs: dict[str, tuple[int, float]] = dict.fromkeys(STATES, (0, 0.0))
        jobs |= {row.state: (row.jobs, row.oldest) for row in await self._rows(SQL.jobs)}
        (locks,) = await self._rows(SQL.locks)
        return Sight(True, jobs, locks.waiting, max(0.0, locks.longest))


async def look(url: URL, settings: Settings) -> Sight:
    """Over a connection of its own, so that a pool that is exhausted does not hide why."""
    engine = make_engine(url, settings.model_copy(update={"pool_size": 1}))
    try:
        async with asyncio.timeout(SECONDS_ALLOWED):
            units = TransactionRunner(ConnectionPool(engine))
            return await units.run("metrics", _look, reading=True)
    except Exception as error:
        # Metrics are needed most when something is wrong.
        _log.warning("metrics are without those of the database", exc_info=error)
        return Sight()
    finally:
        await close_engine(engine)


async def _look(uow: UnitOfWork) -> Sight:
    return await uow.repository(SightRepository).look()
