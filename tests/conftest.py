"""A real PostgreSQL, a database of this run, and an application on it.

``GROUPSVC_TEST_DATABASE_URL`` names a server on which databases may be created; without it an
embedded one is started. Tests commit for real and keep apart by the department each makes.
"""

import itertools
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

# Its plugin imports it at the end of a run: too late for CPython 3.11, which miscounts the depth of
# calls once a greenlet was given up, and then cannot parse.
import hypothesis  # noqa: F401
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.app import create_app
from groupsvc.auth.development import DevelopmentKey, open_development_key
from groupsvc.db import migrate
from groupsvc.db.engine import make_engine
from groupsvc.db.pool import ConnectionPool
from groupsvc.domain.grants import parse_grant
from groupsvc.local import embedded
from groupsvc.local.embedded import EmbeddedPostgres
from groupsvc.settings import Settings

# A slow machine is no failure: what ends by a timeout says so itself.
UNHURRIED = {
    "connect_timeout": 60.0,
    "command_timeout": 200.0,
    "statement_timeout": 200.0,
    "lock_timeout": 200.0,
    "request_timeout": 300.0,
}
EVERYTHING = ("admin", "groups:read", "groups:write", "roster:write")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Names of tests travel between processes, where half a surrogate pair cannot."""
    if isinstance(val, str) and any("\ud800" <= char <= "\udfff" for char in val):
        return ascii(val)
    return None


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """Short, since the path of a socket must be; open to the user that runs PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="gs-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture(scope="session")
def server_url(home: Path) -> Iterator[URL]:
    # Taken out, since it is no setting of the service: the doctor would say that nothing reads it.
    given = os.environ.pop("GROUPSVC_TEST_DATABASE_URL", None)
    if given:
        yield make_url(given).set(drivername="postgresql+asyncpg")
        return
    # Nothing here has to outlive a power cut, and each DROP DATABASE would wait for the disk.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "SERVER", embedded.SERVER.replace("fsync=on", "fsync=off"))
        server = EmbeddedPostgres(home / "db")
        url = server.start()
    yield make_url(url)
    server.stop()


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings(
        pool_size=16,
        pool_timeout=200,
        # Statements are counted: nobody looks for jobs but when there is one.
        job_poll=3600,
        audit_seal_seconds=86_400,
        **UNHURRIED,
    )


MakeDatabase = Callable[[], Awaitable[URL]]


@pytest_asyncio.fixture(scope="session")
async def make_database(
    server_url: URL, settings: Settings, home: Path
) -> AsyncIterator[MakeDatabase]:
    """Make empty databases, which go when the run ends; with the server, if it is of this run."""
    admin = make_engine(server_url, settings)
    names: list[str] = []

    async def execute(statement: str) -> None:
        async with admin.connect() as connection:
            await connection.execute(text(statement))

    async def make() -> URL:
        name = f"groupsvc_test_{uuid.uuid4().hex[:12]}"
        await execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        names.append(name)
        return server_url.set(database=name)

    yield make
    if not str(server_url.query.get("host")).startswith(str(home)):
        for name in names:
            await execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.dispose()


@pytest_asyncio.fixture(scope="session")
async def url(make_database: MakeDatabase, settings: Settings) -> URL:
    """The migrated database of this run."""
    url = await make_database()
    engine = make_engine(url, settings)
    await migrate.upgrade(engine)
    await engine.dispose()
    return url


@pytest_asyncio.fixture(scope="session")
async def engine(url: URL, settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(url, settings)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
def pool(engine: AsyncEngine) -> ConnectionPool:
    return ConnectionPool(engine)


SQL = Callable[..., Awaitable[list[Any]]]


def statements(engine: AsyncEngine) -> SQL:
    """Run one statement behind the back of the application; each is its own transaction."""

    async def run(statement: str, **parameters: Any) -> list[Any]:
        async with engine.connect() as connection:
            result = await connection.execute(text(statement), parameters)
            return [tuple(row) for row in result] if result.returns_rows else []

    return run


@pytest.fixture(scope="session")
def sql(engine: AsyncEngine) -> SQL:
    return statements(engine)


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that has started; it sees errors as clients do."""
    async with app.router.lifespan_context(app) as state:

        async def started(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "state": dict(state or {})}, receive, send)

        transport = httpx.ASGITransport(app=started, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


@pytest_asyncio.fixture(scope="session")
async def app(url: URL, settings: Settings, home: Path) -> FastAPI:
    return create_app(settings, url, home)


@pytest_asyncio.fixture(scope="session")
async def anonymous(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(app) as client:
        yield client


@pytest.fixture(scope="session")
def key(settings: Settings, home: Path) -> DevelopmentKey:
    return open_development_key(settings, home)


Auth = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def auth(key: DevelopmentKey) -> Auth:
    """Headers of a caller with grants: ``headers=auth("groups:read@department:RT")``."""

    def headers(*grants: str, subject: str = "tester", username: str | None = None) -> Any:
        token = key.issue(subject, [parse_grant(grant) for grant in grants], username=username)
        return {"authorization": f"Bearer {token}"}

    return headers


@pytest_asyncio.fixture(scope="session")
async def client(app: FastAPI, auth: Auth) -> AsyncIterator[httpx.AsyncClient]:
    """A client who may do everything everywhere."""
    async with serving(app) as client:
        client.headers.update(auth(*EVERYTHING, subject="root"))
        yield client


numbers = itertools.count(1)


@dataclass
class World:
    """A department of one's own with a course and enrolled students, made by raw SQL."""

    sql: SQL
    department: str = field(default_factory=lambda: f"D{uuid.uuid4().hex[:8]}")
    department_id: int = 0
    course_id: int = 0
    course: str = ""
    users: list[int] = field(default_factory=list)

    async def make(self, students: int) -> "World":
        ((self.department_id,),) = await self.sql(
            "INSERT INTO departments (acronym) VALUES (:acronym) RETURNING id",
            acronym=self.department,
        )
        self.course_id, self.course = await self.add_course()
        self.users = await self.add_users(students)
        await self.enroll(*self.users)
        return self

    async def add_course(self) -> tuple[int, str]:
        key = f"course-v1:{self.department}+C{next(numbers)}+2026"
        ((course_id,),) = await self.sql(
            "INSERT INTO courses (department_id, key, title)"
            " VALUES (:department_id, :key, 'Course') RETURNING id",
            department_id=self.department_id,
            key=key,
        )
        return course_id, key

    async def add_users(self, count: int) -> list[int]:
        rows = await self.sql(
            "INSERT INTO users (department_id, username, email, family_name, given_name, sort_key)"
            " SELECT :department_id, lower(:prefix) || '-' || n, lower(:prefix) || '-' || n || "
            "'@example.org', 'Family' || n, 'Given', 'family' || to_char(n, 'FM000000')"
            " FROM generate_series(1, CAST(:count AS integer)) n RETURNING id",
            department_id=self.department_id,
            prefix=f"u{uuid.uuid4().hex[:8]}",
            count=count,
        )
        return [row[0] for row in rows]

    async def enroll(self, *users: int, state: str = "active") -> None:
        await self.sql(
            "INSERT INTO enrollments (course_id, user_id, state)"
            " SELECT :course_id, user_id, :state FROM unnest(CAST(:users AS bigint[])) user_id",
            course_id=self.course_id,
            users=list(users),
            state=state,
        )

    async def add_partition(self, name: str = "TD", kind: str = "ordinary", **columns: Any) -> int:
        values = {"course_id": self.course_id, "kind": kind, "name": name, "position": 1, **columns}
        names = ", ".join(values)
        places = ", ".join(f":{name}" for name in values)
        ((partition_id,),) = await self.sql(
            f"INSERT INTO partitions ({names}) VALUES ({places}) RETURNING id", **values
        )
        return partition_id

    async def add_group(self, partition_id: int, name: str = "A", **columns: Any) -> int:
        values = {
            "course_id": self.course_id,
            "partition_id": partition_id,
            "name": name,
            "position": 1,
            **columns,
        }
        names = ", ".join(values)
        places = ", ".join(f":{name}" for name in values)
        ((group_id,),) = await self.sql(
            f"INSERT INTO groups ({names}) VALUES ({places}) RETURNING id", **values
        )
        return group_id

    async def members(self, group_id: int) -> list[int]:
        rows = await self.sql(
            "SELECT user_id FROM memberships WHERE group_id = :group_id ORDER BY user_id",
            group_id=group_id,
        )
        return [row[0] for row in rows]

    async def log(self, kind: str = "%") -> list[Any]:
        """(kind, user, group, before, after) of every line of the course, oldest first."""
        return await self.sql(
            "SELECT kind, user_id, group_id, told(before), told(after) FROM changes"
            " WHERE course_id = :course_id AND kind LIKE :kind ORDER BY seq",
            course_id=self.course_id,
            kind=kind,
        )


MakeWorld = Callable[..., Awaitable[World]]


@pytest_asyncio.fixture
async def world(sql: SQL) -> World:
    """A department with one course and five students."""
    return await World(sql).make(5)


@pytest_asyncio.fixture(scope="session")
async def make_world(sql: SQL) -> MakeWorld:
    async def make(students: int = 5) -> World:
        return await World(sql).make(students)

    return make


@pytest_asyncio.fixture
async def broken_app(make_database: MakeDatabase, settings: Settings, home: Path) -> FastAPI:
    """An application with a bug: whatever reads courses or partitions fails."""
    url = await make_database()
    engine = make_engine(url, settings)
    await migrate.upgrade(engine)
    run = statements(engine)
    await run("INSERT INTO departments (acronym) VALUES ('X')")
    for table in ("courses", "partitions"):
        await run(f"ALTER TABLE {table} RENAME TO real_{table}")
        await run(
            f"CREATE FUNCTION fail_{table}() RETURNS SETOF real_{table} LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE 'a bug'; END $$"
        )
        await run(f"CREATE VIEW {table} AS SELECT * FROM fail_{table}()")
    await engine.dispose()
    return create_app(settings, url, home)
