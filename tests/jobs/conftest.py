"""Requests that are left as jobs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.core.jobs.runner import JobRunner
from groupsvc.settings import Settings
from tests.conftest import EVERYTHING, Auth, serving
from tests.waiting import until

ASYNC = {"prefer": "respond-async"}
Ended = Callable[[str], Awaitable[dict[str, Any]]]
AppOf = Callable[..., FastAPI]
LookAgain = Callable[[], Awaitable[None]]


@pytest.fixture
def ended(client: httpx.AsyncClient) -> Ended:
    """The job at an address, when it has ended."""

    async def wait(location: str) -> dict[str, Any]:
        async def look() -> dict[str, Any]:
            job: dict[str, Any] = (await client.get(location)).json()
            return job if job["finished_at"] else {}

        return await until(look)

    return wait


@pytest.fixture
def app_of(url: URL, settings: Settings, home: Path) -> AppOf:
    """A service with some settings of its own."""

    def make(**own: Any) -> FastAPI:
        return create_app(settings.model_copy(update=own), url, home)

    return make


@pytest_asyncio.fixture
async def small(app_of: AppOf, auth: Auth) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service for which little is much."""
    async with serving(app_of(job_bytes=200, job_rows=3)) as client:
        client.headers.update(auth(*EVERYTHING, subject="root"))
        yield client


@pytest_asyncio.fixture
async def idle(
    app_of: AppOf, auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service that takes jobs and does none."""
    with monkeypatch.context() as patch:
        patch.setattr(JobRunner, "start", lambda _: None)
        idle = serving(app_of())
        client = await idle.__aenter__()
    client.headers.update(auth(*EVERYTHING, subject="root"))
    yield client
    await idle.__aexit__(None, None, None)


@pytest.fixture
def look_again(app_of: AppOf, ended: Ended) -> LookAgain:
    """A service starts, does what is waiting, and stops."""

    async def look() -> None:
        app = app_of()
        async with app.router.lifespan_context(app) as state:
            assert state is not None
            runner = state["app_state"].jobs

            async def has_looked() -> bool:
                return not runner.is_busy

            await until(has_looked)

    return look
