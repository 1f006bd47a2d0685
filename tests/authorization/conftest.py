"""A matrix on a database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from groupsvc.db import migrate
from groupsvc.db.engine import make_engine
from groupsvc.settings import Settings
from tests.conftest import Auth, MakeDatabase, statements

from .matrix import Matrix, opened


@pytest_asyncio.fixture(scope="session")
async def matrix(
    make_database: MakeDatabase, settings: Settings, home: Path, auth: Auth
) -> AsyncIterator[Matrix]:
    url = await make_database()
    engine = make_engine(url, settings)
    await migrate.upgrade(engine)
    async with opened(settings, url, home, auth, statements(engine)) as made:
        yield made
    await engine.dispose()
