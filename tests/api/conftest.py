"""What tests of imports share: another database, and an application on it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.db import migrate
from groupsvc.db.engine import make_engine
from groupsvc.settings import Settings
from tests.conftest import EVERYTHING, SQL, Auth, MakeDatabase, serving, statements


@pytest_asyncio.fixture
async def other_url(
    make_database: MakeDatabase, settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch
) -> URL:
    """A migrated database, on which commands work."""
    url: URL = await make_database()
    engine = make_engine(url, settings)
    await migrate.upgrade(engine)
    await engine.dispose()
    monkeypatch.setenv("GROUPSVC_DATABASE_URL", url.render_as_string(hide_password=False))
    monkeypatch.setenv("GROUPSVC_HOME", str(home))
    return url


@pytest_asyncio.fixture
async def elsewhere(other_url: URL, settings: Settings) -> AsyncIterator[SQL]:
    """Another database, into which is imported."""
    engine = make_engine(other_url, settings)
    yield statements(engine)
    await engine.dispose()


@pytest_asyncio.fixture
async def other_client(
    other_url: URL, settings: Settings, home: Path, auth: Auth
) -> AsyncIterator[httpx.AsyncClient]:
    """A client who may do everything there."""
    async with serving(create_app(settings, other_url, home)) as client:
        client.headers.update(auth(*EVERYTHING, subject="root"))
        yield client
