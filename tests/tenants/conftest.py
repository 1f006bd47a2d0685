"""Institutions with a database each, and one application that serves them all."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.auth.development import open_development_key
from groupsvc.db.engine import make_engine
from groupsvc.domain.grants import parse_grant
from groupsvc.settings import Settings
from groupsvc.tenants.databases import Databases
from groupsvc.tenants.registry import Registry, Tenant
from tests.auth.forge import KID, RSA, claims, forge, header, jwk
from tests.conftest import EVERYTHING, SQL, MakeDatabase, serving, statements
from tests.waiting import until

SHARED = "shared.example"
KEYS = json.dumps({"keys": [jwk(RSA, KID["RS256"])]})


def text_of(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@dataclass
class House:
    """One institution, seen from behind: its database, its host, whoever may do everything."""

    tenant: Tenant
    url: URL
    settings: Settings
    home: Path

    @property
    def at(self) -> str:
        return f"http://{self.tenant.hosts[0]}"

    @property
    def headers(self) -> dict[str, str]:
        key = open_development_key(self.settings, self.tenant.home(self.home))
        token = key.issue("root", [parse_grant(each) for each in EVERYTHING])
        return {"authorization": f"Bearer {token}"}

    @property
    def issued(self) -> dict[str, str]:
        """A caller of its identity provider."""
        now = int(time.time())
        times = {"iat": now, "exp": now + 600}
        grants = list(EVERYTHING)
        token = forge(header(), claims(iss=self.tenant.issuer, groupsvc_grants=grants, **times))
        return {"authorization": f"Bearer {token}"}

    @asynccontextmanager
    async def sql(self) -> AsyncIterator[SQL]:
        engine = make_engine(self.url, self.settings)
        yield statements(engine)
        await engine.dispose()


@pytest.fixture(scope="package")
def shared(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "pool_size": 4,
            "max_connections": 8,
            "shared_hosts": (SHARED,),
            "login_tries": 3,
            "tenant_poll": 0.05,
            # Nobody makes a round unless a test has it made.
            "tenant_visits": 0.001,
        }
    )


@pytest_asyncio.fixture(scope="package")
async def make_migrated(
    make_database: MakeDatabase, server_url: URL, settings: Settings, home: Path
) -> AsyncIterator[MakeDatabase]:
    """Make migrated databases, which are copies of one and go in the end."""
    template = await make_database()
    await Databases(settings).migrate(template)
    admin = make_engine(server_url, settings)
    names: list[str] = []

    async def make() -> URL:
        name = f"{template.database}_{len(names)}"
        async with admin.connect() as connection:
            await connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template.database}")
        names.append(name)
        return server_url.set(database=name)

    yield make
    async with admin.connect() as connection:
        # Each waits for a checkpoint; those of the embedded server go with it.
        for name in names if str(home) not in str(server_url) else ():
            await connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.dispose()


MakeControl = Callable[[], Awaitable[Settings]]


@pytest_asyncio.fixture(scope="package")
async def make_control(make_database: MakeDatabase, shared: Settings) -> MakeControl:
    """Settings with a list of their own."""

    async def make() -> Settings:
        url = await make_database()
        settings = shared.model_copy(update={"control_url": SecretStr(text_of(url))})
        async with registry_of(settings) as registry:
            await registry.prepare()
        return settings

    return make


@asynccontextmanager
async def registry_of(settings: Settings) -> AsyncIterator[Registry]:
    assert settings.control_url is not None
    engine = make_engine(
        Tenant("control", (), settings.control_url.get_secret_value()).url(), settings
    )
    yield Registry(engine)
    await engine.dispose()


async def found(
    settings: Settings, home: Path, make_migrated: MakeDatabase, name: str, **own: Any
) -> House:
    """Make an institution and list it."""
    url = await make_migrated()
    issued = {"jwt_issuer": f"https://id.{name}.example", "jwks": KEYS}
    tenant = Tenant(name, (f"{name}.example",), text_of(url), json.dumps(issued | own))
    await Databases(settings).claim(url, name)
    await save(settings, tenant)
    return House(tenant, url, settings, home)


async def save(settings: Settings, *tenants: Tenant) -> None:
    async with registry_of(settings) as registry:
        for tenant in tenants:
            await registry.run(lambda list_, tenant=tenant: list_.save(tenant))


@dataclass
class Town:
    """Two institutions, ``a`` and ``b``, and who talks to them."""

    client: httpx.AsyncClient
    settings: Settings
    home: Path
    a: House
    b: House
    make_migrated: MakeDatabase

    async def add(self, name: str, **own: Any) -> House:
        """One more institution, which is served when this returns."""
        house = await found(self.settings, self.home, self.make_migrated, name, **own)

        async def is_served() -> bool:
            return (await self.get(house)).status_code != 421

        await until(is_served)
        return house

    async def get(self, house: House, path: str = "/v1/departments") -> httpx.Response:
        return await self.client.get(house.at + path, headers=house.headers)

    async def put(self, house: House, name: str) -> httpx.Response:
        """Make a department."""
        path = f"{house.at}/v1/departments/{name}"
        return await self.client.put(path, json={"name": name}, headers=house.headers)


MakeTown = Callable[..., AbstractAsyncContextManager[Town]]


@pytest.fixture(scope="package")
def make_town(make_control: MakeControl, make_migrated: MakeDatabase, home: Path) -> MakeTown:
    @asynccontextmanager
    async def make(**own: Any) -> AsyncIterator[Town]:
        control = await make_control()
        settings = control.model_copy(update=own)
        a = await found(settings, home, make_migrated, "a")
        more = {"max_requests_per_caller": 100_000_000}
        b = await found(settings, home, make_migrated, "b", **more)
        async with serving(create_app(settings, a.url, home)) as client:
            yield Town(client, settings, home, a, b, make_migrated)

    return make


@pytest_asyncio.fixture(scope="package")
async def town(make_town: MakeTown) -> AsyncIterator[Town]:
    async with make_town() as town:
        yield town
