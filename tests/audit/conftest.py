"""A database of its own for each test: seals are about the whole change log."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.core.audit.repository import AuditRepository
from groupsvc.core.audit.verification import Verification, Verifier
from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork
from groupsvc.db import migrate
from groupsvc.db.engine import make_engine
from groupsvc.db.pool import ConnectionPool
from groupsvc.settings import Settings
from tests.cli.conftest import Run, command
from tests.conftest import SQL, MakeDatabase, World, statements


@dataclass(frozen=True)
class Log:
    """A change log with some lines in it, and what can be done to it."""

    url: URL
    engine: AsyncEngine
    sql: SQL
    groupsvc: Run
    units: TransactionRunner
    world: World

    async def seal(self) -> None:
        code, text = await self.groupsvc("audit", "seal")
        assert code == 0, text

    async def verify(self, **given: Any) -> Verification:
        async def work(uow: UnitOfWork) -> Verification:
            audit = uow.repository(AuditRepository)
            return await Verifier(audit, **{"keys": {}, "known": {}, **given}).verify()

        return await self.units.run("test", work)

    async def behind_the_triggers(self, statement: str, **parameters: Any) -> None:
        """As a superuser who wants to leave no trace."""
        for table in ("changes", "audit_seals"):
            await self.sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        await self.sql(statement, **parameters)
        for table in ("changes", "audit_seals"):
            await self.sql(f"ALTER TABLE {table} ENABLE TRIGGER ALL")


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("GROUPSVC_HOME", str(tmp_path / "home"))


@pytest_asyncio.fixture(scope="session")
async def template(make_database: MakeDatabase, settings: Settings) -> str:
    url = await make_database()
    engine = make_engine(url, settings)
    await migrate.upgrade(engine)
    await engine.dispose()
    return str(url.database)


@pytest_asyncio.fixture
async def log(server_url: URL, sql: SQL, template: str, settings: Settings) -> AsyncIterator[Log]:
    name = f"groupsvc_audit_{uuid.uuid4().hex[:12]}"
    await sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    url = server_url.set(database=name)
    engine = make_engine(url, settings)
    sql_there = statements(engine)
    world = await World(sql_there).make(4)
    group = await world.add_group(await world.add_partition())
    for user in world.users:
        await sql_there(
            "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
            " SELECT course_id, partition_id, :user, id FROM groups WHERE id = :group",
            user=user,
            group=group,
        )
    yield Log(
        url, engine, sql_there, command(url), TransactionRunner(ConnectionPool(engine)), world
    )
    await engine.dispose()
    await sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture
async def role(sql: SQL) -> AsyncIterator[str]:
    """A role that may do nothing yet, with a name that has to be quoted."""
    name = f"serves {uuid.uuid4().hex[:8]}"
    await sql(f"CREATE ROLE \"{name}\" LOGIN PASSWORD 'secret'")
    yield name
    await sql(f'DROP ROLE "{name}"')


@pytest_asyncio.fixture
async def service(log: Log, role: str) -> AsyncIterator[URL]:
    """The database as the role sees it that `groupsvc migrate` has let in."""
    code, text = await log.groupsvc("migrate", "--grant-to", role)
    assert (code, text.splitlines()[-1]) == (0, f"the role {role} may serve")
    yield log.url.set(username=role, password="secret")
    await log.sql(f'DROP OWNED BY "{role}"')
