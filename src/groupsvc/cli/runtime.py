"""How commands open the database, and the operator as whom they act."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import typer
from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork
from groupsvc.db import revision
from groupsvc.db.engine import database_url, make_engine
from groupsvc.db.pool import ConnectionPool
from groupsvc.domain.errors import InvalidError
from groupsvc.domain.principal import EVERYTHING, Principal
from groupsvc.faces.scodoc.vocabulary import VOCABULARY
from groupsvc.local.embedded import EmbeddedPostgres
from groupsvc.local.home import default_home
from groupsvc.settings import Settings

T = TypeVar("T")

OPERATOR = Principal("cli", grants=EVERYTHING)
TIMEOUTS = {"command_timeout": 600.0, "statement_timeout": 600.0, "lock_timeout": 30.0}


@dataclass(frozen=True, slots=True)
class Database:
    url: URL
    home: Path
    embedded: bool


@contextmanager
def open_database(settings: Settings) -> Generator[Database]:
    """The configured database, or the embedded one, which runs until the end of the context.

    Raises ValueError in production without a configured database, and where there are several.
    """
    home = default_home(settings)
    if settings.control_url is not None:
        raise ValueError(
            "there are several institutions: `groupsvc tenant run NAME` runs a command on one"
        )
    if settings.database_url is not None:
        yield Database(database_url(settings), home, embedded=False)
        return
    if settings.env == "production":
        raise ValueError(
            "production refuses the embedded database: set GROUPSVC_DATABASE_URL to a PostgreSQL"
        )
    notice = f"groupsvc: using the embedded PostgreSQL in {home}"
    typer.secho(notice, fg=typer.colors.YELLOW, err=True)
    with EmbeddedPostgres(home) as url:
        yield Database(make_url(url), home, embedded=True)


@asynccontextmanager
async def open_engine(database: Database, settings: Settings) -> AsyncGenerator[AsyncEngine]:
    engine = make_engine(database.url, settings)
    try:
        yield engine
    finally:
        await engine.dispose()


def migrate_database(
    database: Database, settings: Settings, *, service: str | None = None
) -> tuple[str | None, str | None]:
    """Upgrade the schema to the newest revision; return the revisions before and after.

    ``service`` is the role that is to serve, apart from the one that migrates.
    """

    async def upgrade() -> tuple[str | None, str | None]:
        async with open_engine(database, settings) as engine:
            before = await revision.find(engine)
            if not before.fits or service is not None:
                from groupsvc.db import migrate  # with alembic, which is seldom needed

                await migrate.upgrade(engine, service=service)
            return before.revision, await revision.current(engine)

    return asyncio.run(upgrade())


class OperatorRunner:
    """Runs units of work as the operator."""

    def __init__(self, runner: TransactionRunner) -> None:
        self.units = runner

    async def run(
        self,
        work: Callable[[UnitOfWork], Awaitable[T]],
        *,
        reading: bool = False,
        rollback: bool = False,
    ) -> T:
        """Run one unit of work; with ``rollback`` nothing of it is kept."""

        async def work_as_operator(uow: UnitOfWork) -> T:
            uow.context.actor = OPERATOR.subject
            if not rollback:
                return await work(uow)
            async with uow.savepoint(rollback=True):
                return await work(uow)

        return await self.units.run("cli", work_as_operator, reading=reading)


def use_database(
    database: Database, settings: Settings, work: Callable[[OperatorRunner], Awaitable[T]]
) -> T:
    async def connect_and_work() -> T:
        async with open_engine(database, settings) as engine:
            any_case = settings.openedx_usernames == "any_case"
            words = replace(VOCABULARY, usernames_in_any_case=any_case)
            runner = TransactionRunner(ConnectionPool(engine), vocabulary=words)
            return await work(OperatorRunner(runner))

    return asyncio.run(connect_and_work())


async def _revision(database: Database, settings: Settings) -> revision.Found:
    async with open_engine(database, settings) as engine:
        return await revision.find(engine)


def open_and_run(work: Callable[[OperatorRunner], Awaitable[T]]) -> T:
    """Open the database of the settings and work on it with generous timeouts.

    The embedded one is migrated first, and so is an empty one. Raises InvalidError for one of
    another version: its operator decides when it is migrated, and for which role.
    """
    settings = Settings().model_copy(update=TIMEOUTS)
    with open_database(settings) as database:
        found = None if database.embedded else asyncio.run(_revision(database, settings))
        if found is None or found.revision is None:
            migrate_database(database, settings)
        elif not found.fits:
            raise InvalidError(
                f"the database is at {found.revision}, needs {revision.head()}: "
                f"{revision.cure(found.revision)}"
            )
        return use_database(database, settings, work)


def run_unit(work: Callable[[UnitOfWork], Awaitable[T]], *, reading: bool = False) -> T:
    """Open the database of the settings and run one unit of work on it."""
    return open_and_run(lambda runner: runner.run(work, reading=reading))
