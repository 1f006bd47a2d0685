"""Row locks held by somebody else, and requests that wait for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from tests.conftest import SQL
from tests.waiting import until

WAITING = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@asynccontextmanager
async def row_locked(engine: AsyncEngine, table: str, row_id: int) -> AsyncIterator[None]:
    async with engine.connect() as holder:
        await holder.execution_options(isolation_level="READ COMMITTED")
        await holder.exec_driver_sql(f"SELECT 1 FROM {table} WHERE id = {row_id} FOR UPDATE")
        yield


async def until_it_waits(sql: SQL, request: asyncio.Task[Any]) -> None:
    """Return once a request waits for a lock, which nobody else may do meanwhile."""

    async def waits() -> bool:
        assert not request.done(), request.result().text
        return bool(await sql(WAITING))

    await until(waits)
