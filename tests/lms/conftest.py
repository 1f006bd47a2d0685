"""``groupsvc`` behind the nginx of an LMS, set up with the very lines of ``docs/openedx.md``."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.api.openedx.conftest import Course
from tests.conftest import SQL, UNHURRIED, MakeWorld
from tests.live.browser import free_port
from tests.live.gateways import lines_of_guide
from tests.live.nginx import running_nginx
from tests.live.serving import listening
from tests.lms.settings import ROOT

GUIDE = "openedx.md"

SERVERS = """
server {{ listen PORT; server_name lms.campus.localhost; {guide}
    location / {{ proxy_pass http://127.0.0.1:{lms}; }} }}
server {{ listen PORT; server_name apps.campus.localhost elsewhere.campus.localhost;
    location / {{ default_type text/html; return 200 "<title>page</title>"; }} }}
"""


@dataclass
class Campus:
    """Addresses of the LMS and of the pages of others, which share a port, and of the service."""

    port: int
    groupsvc: str = ""

    def address(self, name: str) -> str:
        return f"http://{name}.campus.localhost:{self.port}"

    @asynccontextmanager
    async def calling(self, name: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client that asks for a name and is led to this machine."""
        headers = {"host": f"{name}.campus.localhost:{self.port}"}
        base = f"http://127.0.0.1:{self.port}"
        async with httpx.AsyncClient(base_url=base, headers=headers, trust_env=False) as client:
            yield client

    async def token(self, username: str, **form: str) -> str:
        """A token of the LMS for a user."""
        body = {"client_id": username, "grant_type": "client_credentials", **form}
        async with self.calling("lms") as lms:
            answer = await lms.post("/oauth2/access_token", data=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


@pytest_asyncio.fixture
async def lms(tmp_path: Path) -> AsyncIterator[int]:
    """The port of the stand-in; its public keys are in the folder."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.lms", str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield int(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()


@pytest.fixture
def guided(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lms: int) -> Settings:
    """The settings of the guide. Its file and its host are elsewhere."""
    lines = lines_of_guide(GUIDE, "GROUPSVC_JWKS_FILE=").splitlines()
    for line in lines:
        name, _, value = line.split(" #")[0].strip().partition("=")
        value = value.replace("https://lms.example", ROOT).replace("/etc/groupsvc", str(tmp_path))
        monkeypatch.setenv(name, value)
    return Settings(**UNHURRIED)


@pytest_asyncio.fixture
async def campus(
    guided: Settings, lms: int, url: URL, home: Path, tmp_path: Path
) -> AsyncIterator[Campus]:
    campus = Campus(free_port())
    update: dict[str, Any] = {"cors_origins": (campus.address("apps"),)}
    app = create_app(guided.model_copy(update=update), url, home)
    async with listening(app) as address:
        campus.groupsvc = address
        guide = lines_of_guide(GUIDE, "location /api/cohorts/").replace(
            "http://groupsvc:8000", address
        )
        servers = SERVERS.format(guide=guide, lms=lms)
        async with running_nginx(tmp_path / "nginx", campus.port, servers):
            yield campus


@pytest_asyncio.fixture
async def course(make_world: MakeWorld, sql: SQL) -> Course:
    return Course(await make_world(3))
