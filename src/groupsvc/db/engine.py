"""Connections to PostgreSQL.

The engine is in AUTOCOMMIT: a statement that stands alone, a read or a write that does everything
in one, costs one round trip. A unit of work that needs several asks for a transaction by itself.
"""

import asyncio
from contextlib import suppress
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from groupsvc.db.count_cache import CountCache
from groupsvc.db.executor import READ_ONLY, ConnectionLimiter, StatementExecutor
from groupsvc.settings import Settings

BULK_CONNECTIONS = 2
STATEMENTS_KEPT = 400  # prepared, of each connection
SECONDS_TO_CLOSE = 2.0


class Sessions:
    """Both ways to a database: sessions, and the executor for a statement that stands alone."""

    def __init__(self, engine: AsyncEngine) -> None:
        pool: Any = engine.sync_engine.pool
        self.limiter = ConnectionLimiter(pool.size(), pool.timeout())
        self.executor = StatementExecutor(engine, self.limiter)
        self.count_cache = CountCache()
        self._make = async_sessionmaker(engine, expire_on_commit=False, autoflush=False)

    def open(self) -> AsyncSession:
        """A session; whoever opens one has been admitted."""
        self.executor.give_back()
        return self._make()


def database_url(settings: Settings) -> URL:
    """The configured database, through asyncpg whatever driver the URL names.

    Raises ValueError when none is configured.
    """
    if settings.database_url is None:
        raise ValueError("no database is configured: set GROUPSVC_DATABASE_URL")
    return make_url(settings.database_url.get_secret_value()).set(drivername="postgresql+asyncpg")


def make_engine(url: URL, settings: Settings) -> AsyncEngine:
    engine = create_async_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=settings.pool_timeout,
        pool_use_lifo=True,
        pool_reset_on_return=None,
        hide_parameters=True,
        connect_args=_connect_args(settings),
    )
    event.listen(engine.sync_engine, "handle_error", _leave_standby)
    return engine


def _leave_standby(context: ExceptionContext) -> None:
    """After a failover, open connections may lead to what is a standby now: drop all of them."""
    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
        context.is_disconnect = True


async def close_engine(engine: AsyncEngine) -> None:
    """Close all connections, without waiting for a server that does not answer any more."""
    with suppress(TimeoutError):
        async with asyncio.timeout(SECONDS_TO_CLOSE):
            await engine.dispose()


def for_bulk(settings: Settings) -> Settings:
    """The same database with few connections, whose statements may take long."""
    slow = settings.bulk_timeout
    return settings.model_copy(
        update={
            "pool_size": BULK_CONNECTIONS,
            "pool_timeout": slow,
            "command_timeout": slow,
            "statement_timeout": slow,
        }
    )


def make_sessions(engine: AsyncEngine) -> Sessions:
    return Sessions(engine)


def _connect_args(settings: Settings) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "timeout": settings.connect_timeout,
        "command_timeout": settings.command_timeout,
        "server_settings": {"application_name": "groupsvc", "timezone": "UTC"},
    }
    if settings.pooler:
        # Replicas behind a pooler number their statements alike: caching would mix up answers.
        # It also refuses start-up parameters, so the role must carry the timeouts.
        arguments["statement_cache_size"] = 0
        arguments["prepared_statement_cache_size"] = 0
        return arguments
    arguments["statement_cache_size"] = STATEMENTS_KEPT
    arguments["max_cached_statement_lifetime"] = 0
    arguments["server_settings"] |= {
        "statement_timeout": f"{settings.statement_timeout * 1000:.0f}",
        "lock_timeout": f"{settings.lock_timeout * 1000:.0f}",
        "idle_in_transaction_session_timeout": "10000",
        "jit": "off",
    }
    return arguments
