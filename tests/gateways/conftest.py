"""The service under a prefix behind gateways, set up with the lines of ``docs/operations.md``."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.conftest import EVERYTHING, Auth
from tests.live.browser import free_port
from tests.live.caddy import needs_caddy, running_caddy
from tests.live.gateways import lines_of_guide
from tests.live.nginx import needs_nginx, running_nginx
from tests.live.serving import listening

GUIDE, PREFIX, SERVICE = "operations.md", "/groups", "groupsvc:8000"
GZIP = "gzip on; gzip_types application/json; gzip_min_length 1;"
GATEWAYS = [
    pytest.param(("nginx", True), id="nginx, prefix passed on", marks=needs_nginx),
    pytest.param(("nginx", False), id="nginx, prefix taken off", marks=needs_nginx),
    pytest.param(("caddy", True), id="caddy, prefix passed on", marks=needs_caddy),
    pytest.param(("caddy", False), id="caddy, prefix taken off", marks=needs_caddy),
]


def changed(lines: str, what: str, into: str) -> str:
    assert what in lines
    return lines.replace(what, into)


@pytest_asyncio.fixture(scope="module")
async def prefixed(url: URL, home: Path, settings: Settings) -> AsyncIterator[str]:
    """Host and port of a service that is told of its prefix."""
    app: FastAPI = create_app(settings.model_copy(update={"root_path": PREFIX}), url, home)
    async with listening(app) as address:
        yield address.removeprefix("http://")


@pytest_asyncio.fixture(scope="module", params=GATEWAYS)
async def origin(
    request: pytest.FixtureRequest, prefixed: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """Scheme, host and port of each gateway, in each of both ways."""
    name, passes_on = request.param
    folder, port = tmp_path_factory.mktemp("gateway") / "run", free_port()
    if name == "nginx":
        lines = lines_of_guide(GUIDE, "location /groups/")
        if not passes_on:
            lines = changed(lines, f"http://{SERVICE};", f"http://{SERVICE}/;")
        lines = changed(lines, SERVICE, prefixed)
        running = running_nginx(folder, port, f"server {{ listen PORT; {GZIP} {lines} }}")
    else:
        lines = changed(lines_of_guide(GUIDE, "handle /groups/"), SERVICE, prefixed)
        if not passes_on:
            lines = changed(lines, "handle ", "handle_path ")
        running = running_caddy(folder, port, "encode {\ngzip\nminimum_length 1\n}\n" + lines)
    async with running:
        yield f"http://127.0.0.1:{port}"


@pytest_asyncio.fixture
async def browser(origin: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody outside who knows addresses from answers only, and sends nothing of their own."""
    async with httpx.AsyncClient(base_url=origin, trust_env=False) as client:
        yield client


@pytest_asyncio.fixture
async def outside(browser: httpx.AsyncClient, auth: Auth) -> httpx.AsyncClient:
    """A caller outside who may do everything."""
    browser.headers.update(auth(*EVERYTHING, subject="root"))
    return browser
