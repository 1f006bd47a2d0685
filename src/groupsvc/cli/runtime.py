"""How commands open the database, and the operator as whom they act."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from sqlalchemy import URL, make_url

from groupsvc.core.transactions import TransactionRunner
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.db import migrate
from groupsvc.db.engine import database_url, make_engine, make_sessions
from groupsvc.domain.principal import Grant, Permission, Principal
from groupsvc.faces.scodoc.vocabulary import VOCABULARY
from groupsvc.local.embedded import EmbeddedPostgres, default_home
from groupsvc.settings import Settings

T = TypeVar("T")

# Whoever can run commands on the server may do everything.
EVERYTHING = frozenset(Grant(permission) for permission in Permission)
OPERATOR = Principal("cli", grants=EVERYTHING)
TIMEOUTS = {"command_timeout": 600.0, "statement_timeout": 600.0, "lock_timeout": 30.0}

console = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Database:
    url: URL
    home: Path
    embedded: bool


@contextmanager
def open_database(settings: Settings) -> Generator[Database]:
    """The configured database, or the embedded one, which runs until the end of the context.

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
    """Upgrade the schema to the newest revision; return the revisions before and after."""
    engine = make_engine(database.url, settings)
    try:
        before = await migrate.current(engine)
        if before != migrate.head():
            await migrate.upgrade(engine)
        return before, await migrate.current(engine)
    finally:
        await engine.dispose()


class OperatorRunner:
    """Runs units of work as the operator."""

    def __init__(self, runner: TransactionRunner) -> None:
        self._runner = runner

    async def run(self, work: Callable[[UnitOfWork], Awaitable[T]], *, reading: bool = False) -> T:
        async def work_as_operator(uow: UnitOfWork) -> T:
            uow.context.actor = OPERATOR.subject
            return await work(uow)

        return await self._runner.run("cli", work_as_operator, reading=reading)


@asynccontextmanager
async def make_runner(database: Database, settings: Settings) -> AsyncGenerator[OperatorRunner]:
    engine = make_engine(database.url, settings)
    try:
        yield OperatorRunner(TransactionRunner(make_sessions(engine), vocabulary=VOCABULARY))
    finally:
        await engine.dispose()


@asynccontextmanager
async def open_runner() -> AsyncGenerator[OperatorRunner]:
    """Units of work on the database of the settings, migrated, with generous timeouts."""
    settings = Settings().model_copy(update=TIMEOUTS)
    with open_database(settings) as database:
        await migrate_database(database, settings)
        async with make_runner(database, settings) as runner:
            yield runner


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def run_unit(work: Callable[[UnitOfWork], Awaitable[T]], *, reading: bool = False) -> T:
    """Run one unit of work as the operator."""

    async def open_and_run() -> T:
        async with open_runner() as runner:
            return await runner.run(work, reading=reading)

    return run(open_and_run())
