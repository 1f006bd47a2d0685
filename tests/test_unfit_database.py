"""A database that cannot be used as it is: 503 in the shape of the face, a word in the log."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.db import migrate, revision
from groupsvc.db.engine import make_engine
from groupsvc.settings import Settings
from tests.conftest import EVERYTHING, SQL, Auth, MakeDatabase, serving, statements
from tests.waiting import examined, until

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


@pytest_asyncio.fixture
async def migrated(make_database: MakeDatabase, settings: Settings) -> URL:
    url: URL = await make_database()
    engine = make_engine(url, settings)
    await migrate.upgrade(engine)
    await engine.dispose()
    return url


@asynccontextmanager
async def changing(url: URL, settings: Settings) -> AsyncIterator[SQL]:
    """Whoever migrates it meanwhile."""
    engine = make_engine(url, settings)
    try:
        yield statements(engine)
    finally:
        await engine.dispose()


NEWER = "UPDATE alembic_version SET version_num = '9999'"
MAY_STAY = f"COMMENT ON TABLE alembic_version IS '{revision.OLDEST}{revision.head()}'"
BACK = f"UPDATE alembic_version SET version_num = '{revision.head()}'"


@pytest.mark.parametrize("path", PATHS)
async def test_a_database_that_is_newer_is_unavailable_until_it_fits_again(
    migrated: URL,
    settings: Settings,
    home: Path,
    auth: Auth,
    caplog: pytest.LogCaptureFixture,
    path: str,
) -> None:
    async with changing(migrated, settings) as sql:
        await sql(NEWER)
        async with serving(create_app(settings, migrated, home)) as client:
            client.headers.update(auth(*EVERYTHING))
            answer = await client.get(path)
            assert answer.status_code == 503, answer.text
            assert answer.headers["retry-after"] == "1"
            assert PATHS[path](answer.json()), answer.text
            assert "this program is older" in caplog.text
            ready = await examined(client)
            needs = f"at 9999, needs {revision.head()}"
            assert (ready.status_code, ready.json()["checks"]["migrations"]) == (503, needs)
            await sql(BACK)

            async def is_served() -> bool:
                return (await client.get(path)).status_code in (200, 404)

            await until(is_served)


async def test_a_migration_that_ends_this_program_is_seen_when_health_is_asked(
    migrated: URL, settings: Settings, home: Path, auth: Auth
) -> None:
    async with (
        changing(migrated, settings) as sql,
        serving(create_app(settings, migrated, home)) as client,
    ):
        client.headers.update(auth(*EVERYTHING))
        assert (await client.get("/v1/courses")).status_code == 200
        await sql(NEWER)

        async def is_unready() -> bool:
            return (await client.get("/health/ready")).status_code == 503

        await until(is_unready)
        refused = await client.put("/v1/departments/X", json={})
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert refused.json()["detail"] == "the database is not at the revision of this program"
        assert await sql("SELECT 1 FROM departments") == []


async def test_a_newer_database_that_this_program_may_stay_on_is_served(
    migrated: URL, settings: Settings, home: Path, auth: Auth
) -> None:
    async with changing(migrated, settings) as sql:
        await sql(NEWER)
        await sql(MAY_STAY)
        async with serving(create_app(settings, migrated, home)) as client:
            client.headers.update(auth(*EVERYTHING))
            assert (await client.put("/v1/departments/X", json={})).status_code == 201
            assert (await examined(client)).status_code == 200


# What a migration may do to a table, and what undoes it.
STRANGE = {
    "ALTER TABLE departments ADD COLUMN colour text NOT NULL": (
        "ALTER TABLE departments DROP COLUMN colour"
    ),
    "ALTER TABLE departments ADD CONSTRAINT ck_new CHECK (acronym <> 'X')": (
        "ALTER TABLE departments DROP CONSTRAINT ck_new"
    ),
    "ALTER TABLE departments RENAME COLUMN acronym TO sign": (
        "ALTER TABLE departments RENAME COLUMN sign TO acronym"
    ),
    "ALTER TABLE departments RENAME TO faculties": "ALTER TABLE faculties RENAME TO departments",
    "ALTER FUNCTION told RENAME TO says": "ALTER FUNCTION says RENAME TO told",
    "ALTER TABLE departments DROP CONSTRAINT uq_departments_acronym CASCADE": "SELECT",
}


@pytest.mark.parametrize("is_promised", [False, True], ids=["unsaid", "promised"])
async def test_what_fails_because_a_migration_came_is_no_bug_of_this_program(
    migrated: URL, settings: Settings, home: Path, auth: Auth, is_promised: bool
) -> None:
    async with changing(migrated, settings) as sql:
        if is_promised:
            await sql(MAY_STAY)
        for change, undone in STRANGE.items():
            async with serving(create_app(settings, migrated, home)) as client:
                client.headers.update(auth(*EVERYTHING))
                assert (await client.get("/v1/departments")).status_code == 200
                await sql(NEWER)
                await sql(change)
                asked = [
                    await client.put("/v1/departments/X", json={}),
                    await client.get("/v1/departments"),
                    await client.get("/v1/changes"),
                ]
            seen = [each.status_code for each in asked]
            assert set(seen) <= {200, 201, 503}, (change, seen)
            assert 503 in seen, change
            assert all("retry-after" in each.headers for each in asked if each.status_code == 503)
            await sql(undone)
            await sql(BACK)


async def test_what_fails_at_our_own_revision_is_a_bug(
    migrated: URL, settings: Settings, home: Path, auth: Auth
) -> None:
    async with (
        changing(migrated, settings) as sql,
        serving(create_app(settings, migrated, home)) as client,
    ):
        client.headers.update(auth(*EVERYTHING))
        await sql("ALTER TABLE departments ADD COLUMN colour text NOT NULL")
        assert (await client.put("/v1/departments/X", json={})).status_code == 500


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
