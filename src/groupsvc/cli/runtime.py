"""What commands need to get at the data: settings, a database, and who is acting."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from sqlalchemy import URL, make_url

from groupsvc.core.transactions import TransactionRunner
from groupsvc.db import migrate
from groupsvc.db.engine import database_url, make_engine, make_sessions
from groupsvc.domain.principal import Grant, Permission, Principal
from groupsvc.faces.scodoc.vocabulary import VOCABULARY
from groupsvc.local.embedded import EmbeddedPostgres, default_home
from groupsvc.settings import Settings

T = TypeVar("T")

# Whoever can run commands on the server can do everything anyway.
OPERATOR = Principal("cli", grants=frozenset(Grant(permission) for permission in Permission))
UNHURRIED = {"command_timeout": 600.0, "statement_timeout": 600.0, "lock_timeout": 30.0}

console = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Database:
    url: URL
    home: Path
    embedded: bool


@contextmanager
def open_database(settings: Settings) -> Generator[Database]:
    """The configured database, or the embedded one for as long as it is needed.

    Raises ValueError in production without a configured database.
    """
    home = default_home(settings)
    if settings.database_url is not None:
        yield Database(database_url(settings), home, embedded=False)
        return
    if settings.env == "production":
        raise ValueError(
            "production refuses the embedded database: set GROUPSVC_DATABASE_URL to a PostgreSQL"
        )
    console.print(f"groupsvc: using the embedded PostgreSQL in {home}", style="yellow")
    with EmbeddedPostgres(home) as url:
        yield Database(make_url(url), home, embedded=True)


async def migrate_database(database: Database, settings: Settings) -> tuple[str | None, str | None]:
    """Bring the database to the head; answers the revisions before and after."""
    engine = make_engine(database.url, settings)
    try:
        before = await migrate.current(engine)
        if before != migrate.head():
            await migrate.upgrade(engine)
        return before, await migrate.current(engine)
    finally:
        await engine.dispose()


@asynccontextmanager
async def units(database: Database, settings: Settings) -> AsyncGenerator[TransactionRunner]:
    engine = make_engine(database.url, settings)
    try:
        yield TransactionRunner(make_sessions(engine), vocabulary=VOCABULARY)
    finally:
        await engine.dispose()


@asynccontextmanager
async def open_units() -> AsyncGenerator[TransactionRunner]:
    """Units of work on the database that the settings name, migrated, with generous limits."""
    settings = Settings()
    with open_database(settings) as database:
        unhurried = settings.model_copy(update=UNHURRIED)
        await migrate_database(database, unhurried)
        async with units(database, unhurried) as opened:
            yield opened


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
