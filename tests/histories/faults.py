"""What is done to the services while clients write."""

import asyncio
import random
from contextlib import suppress

import asyncpg
import psutil

from tests.histories.stage import Database, Stage
from tests.torture.service import Service

# Longer than one of the services waits for a lock, and the other for an answer.
LONGEST_LOCK = 0.6
LIMITS = (
    {"lock_timeout": 0.2, "statement_timeout": 0.5, "command_timeout": 1.0},
    {"lock_timeout": 2.0, "statement_timeout": 2.0, "command_timeout": 0.3},
)
TABLES = {"courses": "id", "partitions": "course_id", "groups": "course_id"}


class Disturber:
    def __init__(self, database: Database, services: tuple[Service, Service]) -> None:
        self._database, self._services = database, services

    async def disturb(self, fault: str, stage: Stage, chance: random.Random) -> None:
        if fault == "kill":
            workers = [worker for service in self._services for worker in service.workers()]
            with suppress(psutil.NoSuchProcess):
                chance.choice(workers).kill()
        elif fault == "disconnect":
            await self._disconnect(chance)
        elif fault == "lock":
            await self._lock(stage, chance)

    async def _disconnect(self, chance: random.Random) -> None:
        """Some of the connections of the services are ended, busy or not."""
        await self._database.pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'groupsvc' AND datname = current_database()"
            " AND random() < $1",
            chance.choice((0.2, 1.0)),
        )

    async def _lock(self, stage: Stage, chance: random.Random) -> None:
        table = chance.choice(list(TABLES))
        with suppress(asyncpg.PostgresError):
            async with self._database.pool.acquire() as connection, connection.transaction():
                await connection.execute(
                    f"SELECT FROM {table} WHERE {TABLES[table]} = $1 FOR UPDATE", stage.course
                )
                await asyncio.sleep(chance.uniform(0.05, LONGEST_LOCK))
