"""The list of institutions, in the control database."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from asyncpg import UniqueViolationError
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.core.repository import Repository
from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork
from groupsvc.db.engine import close_engine, make_engine, read_url
from groupsvc.db.pool import ConnectionPool
from groupsvc.db.statements import SqlFile
from groupsvc.domain.errors import ConflictError, InvalidError
from groupsvc.settings import Settings
from groupsvc.tenants.own_settings import settings_of

SQL: Final = SqlFile(__file__)
SCHEMA: Final = Path(__file__).with_name("control.sql")
NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
HOST: Final = re.compile(r"[a-z0-9._-]{0,254}[a-z0-9_-]")
ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended('groupsvc tenants', 0))"

T = TypeVar("T")


@dataclass(frozen=True)
class Tenant:
    """One institution as it is listed. ``target_url`` is set while it moves there."""

    name: str
    hosts: tuple[str, ...]
    database_url: str
    settings: str = "{}"
    target_url: str | None = None
    is_copied: bool = False

    @property
    def own_settings(self) -> Mapping[str, Any]:
        return cast("dict[str, Any]", json.loads(self.settings))

    @property
    def issuer(self) -> str | None:
        return self.own_settings.get("jwt_issuer")

    def url(self) -> URL:
        """Raises ValueError."""
        return read_url(self.database_url, f"the database of {self.name}")

    def home(self, home: Path) -> Path:
        """Its development key is there, which is good nowhere else."""
        return home / "tenants" / self.name


class TenantRepository(Repository):
    async def digest(self) -> str:
        (row,) = await self._rows(SQL.digest)
        return cast("str", row.digest)

    async def every(self) -> list[Tenant]:
        return [
            Tenant(
                row.name,
                tuple(row.hosts),
                row.database_url,
                row.settings,
                row.target_url,
                row.is_copied,
            )
            for row in await self._rows(SQL.every)
        ]

    async def save(self, tenant: Tenant) -> bool:
        """Whether anything was not so before. Where its database is stays as it was."""
        own = tenant.name, tenant.database_url, tenant.settings
        saved = await self._rows(SQL.save, name=own[0], database_url=own[1], settings=own[2])
        added = await self._rows(SQL.save_hosts, tenant=tenant.name, hosts=list(tenant.hosts))
        return bool(saved or added)

    async def move(self, name: str, target_url: str | None, *, is_copied: bool = False) -> None:
        await self._rows(SQL.move, name=name, target_url=target_url, is_copied=is_copied)

    async def switch(self, name: str) -> bool:
        return bool(await self._rows(SQL.switch, name=name))


def check(tenant: Tenant, shared: Settings) -> None:
    """Raises InvalidError for what could not be served."""
    if not NAME.fullmatch(tenant.name):
        raise InvalidError(
            "the name of an institution has 1 to 40 of a-z, 0-9, _ and -, and begins with a letter"
        )
    if wrong := [host for host in tenant.hosts if not HOST.fullmatch(host)]:
        raise InvalidError(f"no host name, in lower case and without port: {', '.join(wrong)}")
    try:
        settings_of(tenant.own_settings, shared)
        tenant.url()
    except ValueError as error:
        raise InvalidError(str(error)) from None


class Registry:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._units = TransactionRunner(ConnectionPool(engine, "control"))

    async def prepare(self) -> None:
        """Make the tables, unless they are there."""
        source = re.sub("^--.*\n", "", SCHEMA.read_text(encoding="utf-8"), flags=re.MULTILINE)
        transactional = self._engine.execution_options(isolation_level="READ COMMITTED")
        async with transactional.begin() as connection:
            await connection.exec_driver_sql(ONE_AT_A_TIME)
            for statement in source.split(";"):
                if statement.strip():
                    await connection.exec_driver_sql(statement)

    async def run(
        self, work: Callable[[TenantRepository], Awaitable[T]], *, reading: bool = False
    ) -> T:
        """One transaction on the list, or one read."""

        async def on_list(uow: UnitOfWork) -> T:
            if not reading:
                await uow.begin()
            return await work(uow.repository(TenantRepository))

        try:
            return await self._units.run("tenants", on_list, reading=reading)
        except UniqueViolationError as error:
            issuer = error.constraint_name == "uq_tenants_issuer"
            what = "issuer" if issuer else "host name"
            raise ConflictError(f"another institution has this {what}") from None

    async def every(self) -> Sequence[Tenant]:
        return await self.run(TenantRepository.every, reading=True)

    async def get(self, name: str) -> Tenant:
        """Raises InvalidError when there is none of that name."""
        found = [each for each in await self.every() if each.name == name]
        if not found:
            raise InvalidError(f"there is no institution {name}: see `groupsvc tenant list`")
        return found[0]


@asynccontextmanager
async def open_registry(settings: Settings) -> AsyncGenerator[Registry]:
    """Raises ValueError without a control database."""
    engine = make_engine(control_url(settings), settings.model_copy(update={"pool_size": 2}))
    try:
        yield Registry(engine)
    finally:
        await asyncio.shield(close_engine(engine))


def control_url(settings: Settings) -> URL:
    if settings.control_url is None:
        raise ValueError("there is no list of institutions: set GROUPSVC_CONTROL_URL")
    return read_url(settings.control_url.get_secret_value(), "GROUPSVC_CONTROL_URL")
