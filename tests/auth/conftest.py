from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from .forge import Clock
from .keyserver import KeyServer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def server() -> AsyncGenerator[KeyServer]:
    async with KeyServer.running() as made:
        yield made
