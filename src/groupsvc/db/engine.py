"""Connections to PostgreSQL.

The engine is in AUTOCOMMIT: a statement that stands alone, a read or a write that does everything
in one, costs one round trip. A unit of work that needs several asks for a transaction by itself.
"""

import asyncio
from contextlib import suppress
from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from groupsvc.settings import Settings

BULK_CONNECTIONS = 2
STATEMENTS_KEPT = 400  # prepared, of each connection
SECONDS_TO_CLOSE = 2.0


def database_url(settings: Settings) -> URL:
    """The configured database, through asyncpg whatever driver the URL names.

    Raises ValueError when none is configured, or what is configured is no URL.
    """
    if settings.database_url is None:
        raise ValueError("no database is configured: set GROUPSVC_DATABASE_URL")
    try:
        url = make_url(settings.database_url.get_secret_value())
    except (ArgumentError, ValueError):
        # It may hold a password, and so may the message.
        raise ValueError("GROUPSVC_DATABASE_URL is no URL of a database") from None
    return url.set(drivername="postgresql+asyncpg")


def make_engine(url: URL, settings: Settings) -> AsyncEngine:
    return create_async_engine(
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
