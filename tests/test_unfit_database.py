"""A database that cannot be used as it is: 503 in the shape of the face, a word in the log."""

import logging
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
from tests.conftest import EVERYTHING, Auth, MakeDatabase, serving, statements
from tests.waiting import examined

PATHS = {
    "/v1/courses": lambda body: body["code"] == "unavailable",
    "/ScoDoc/api/partition/1": lambda body: body["status"] == 503,
    "/api/cohorts/v1/settings/course-v1:A+B+C": lambda body: "developer_message" in body,
}


@pytest_asyncio.fixture
async def unmigrated(
    make_database: MakeDatabase, settings: Settings, home: Path, auth: Auth
) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(create_app(settings, await make_database(), home)) as client:
        client.headers.update(auth(*EVERYTHING))
        yield client


@pytest.mark.parametrize("path", PATHS)
async def test_a_database_that_is_not_migrated_is_unavailable(
    unmigrated: httpx.AsyncClient, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await unmigrated.get(path)
    assert answer.status_code == 503, answer.text
    assert answer.headers["retry-after"] == "1"
    assert PATHS[path](answer.json()), answer.text
    assert "run `groupsvc migrate`" in caplog.text
    ready = await examined(unmigrated)
    assert (ready.status_code, ready.json()["checks"]["migrations"][:8]) == (503, "at none,")


@pytest.mark.parametrize(
    ("change", "told"),
    [({"username": "nobody_at_all"}, "refuses the role"), ({"database": "none_such"}, "create it")],
)
async def test_a_database_that_cannot_be_used_is_not_ready_and_the_log_says_why(
    url: URL,
    settings: Settings,
    home: Path,
    caplog: pytest.LogCaptureFixture,
    change: dict[str, str],
    told: str,
) -> None:
    async with serving(create_app(settings, url.set(**change), home)) as client:  # type: ignore[arg-type]
        ready = await examined(client)
    assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "cannot be used")
    assert told in caplog.text


@pytest_asyncio.fixture
async def migrated(make_database: MakeDatabase, settings: Settings) -> URL:
    url: URL = await make_database()
    engine = make_engine(url, settings)
    await migrate.upgrade(engine)
    await engine.dispose()
    return url


async def test_a_database_that_may_only_be_read_is_not_ready(
    migrated: URL, settings: Settings, home: Path, auth: Auth
) -> None:
    """As a standby, or a server that its disk has made read-only."""
    engine = make_engine(migrated, settings)
    sql = statements(engine)
    name = migrated.database
    await sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await engine.dispose()
    async with serving(create_app(settings, migrated, home)) as client:
        client.headers.update(auth(*EVERYTHING))
        ready = await examined(client)
        assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "read-only")
        assert (await client.get("/v1/courses")).status_code == 200
        refused = await client.put("/v1/departments/X", json={})
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")


@pytest.mark.parametrize(
    ("mode", "env", "status", "says"),
    [
        ("on", "production", 200, "durable"),
        ("local", "production", 200, "durable"),
        ("off", "production", 503, "not durable"),
        ("off", "development", 200, "not durable"),
    ],
)
async def test_a_database_that_loses_what_it_has_acknowledged_is_not_ready_in_production(
    migrated: URL,
    settings: Settings,
    home: Path,
    caplog: pytest.LogCaptureFixture,
    mode: str,
    env: str,
    status: int,
    says: str,
) -> None:
    engine = make_engine(migrated, settings)
    await statements(engine)(f"ALTER DATABASE {migrated.database} SET synchronous_commit = {mode}")
    await engine.dispose()
    serves = settings.model_copy(update={"env": env})
    async with serving(create_app(serves, migrated, home)) as client:
        ready = await examined(client)
    assert (ready.status_code, ready.json()["checks"]["commits"]) == (status, says)
    told = "ALTER ROLE ... SET synchronous_commit = on" in caplog.text
    assert told is (mode == "off")
