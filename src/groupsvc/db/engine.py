"""Connections to PostgreSQL.

The engine is in AUTOCOMMIT: a statement that stands alone, a read or a write that does everything
in one, costs one round trip. A unit of work that needs several asks for a transaction by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from sqlalchemy import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from groupsvc.db.connect import Connection, Connector, hosts_of, parse_url
from groupsvc.settings import Settings

BULK_CONNECTIONS = 3  # more than there are large bodies at a time: other bulk work goes on
STATEMENTS_KEPT = 400  # prepared, of each connection
SECONDS_TO_CLOSE = 2.0


def database_url(settings: Settings) -> URL:
    """The configured database, through asyncpg whatever driver the URL names.

    Raises ValueError when none is configured, or what is configured is no URL.
    """
    if settings.database_url is None:
        raise ValueError("no database is configured: set GROUPSVC_DATABASE_URL")
    return read_url(settings.database_url.get_secret_value(), "GROUPSVC_DATABASE_URL")


def read_url(text: str, name: str) -> URL:
    """Raises ValueError, which says what the URL is called."""
    try:
        url = parse_url(text)
        hosts_of(url)
    except (ArgumentError, ValueError):
        # It may hold a password, and so may the message.
        raise ValueError(f"{name} is no URL of a database") from None
    return url.set(drivername="postgresql+asyncpg")


Open = Callable[..., Awaitable[Connection]]


def make_engine(
    url: URL, settings: Settings, *, wrap: Callable[[Open], Open] | None = None
) -> AsyncEngine:
    """``wrap`` makes what opens connections of what would open them."""
    opening = connector(url, settings)
    return create_async_engine(
        "postgresql+asyncpg://",
        isolation_level="AUTOCOMMIT",
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=settings.pool_timeout,
        pool_use_lifo=True,
        pool_reset_on_return=None,
        hide_parameters=True,
        connect_args={
            "async_creator_fn": opening if wrap is None else wrap(opening),
            # The adapter's own, which would name statements behind a pooler, too.
            "prepared_statement_cache_size": 0 if settings.pooler else 100,
        },
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


def connector(url: URL, settings: Settings) -> Connector:
    server_settings = {"application_name": "groupsvc", "timezone": "UTC"}
    if not settings.pooler:
        server_settings |= {
            "statement_timeout": f"{settings.statement_timeout * 1000:.0f}",
            "lock_timeout": f"{settings.lock_timeout * 1000:.0f}",
            "idle_in_transaction_session_timeout": "10000",
            "jit": "off",
        }
    return Connector(
        url,
        timeout=settings.connect_timeout,
        patience=settings.command_timeout,
        pooler=settings.pooler,
        command_timeout=settings.command_timeout,
        # Replicas behind a pooler number their statements alike: caching would mix up answers.
        # It also refuses start-up parameters, so the role must carry the timeouts.
        statement_cache_size=0 if settings.pooler else STATEMENTS_KEPT,
        max_cached_statement_lifetime=0,
        server_settings=server_settings,
    )
