"""The gateway of the compose file, before two replicas of which one stops."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest_asyncio
from sqlalchemy import URL
from starlette.types import ASGIApp, Receive, Scope, Send

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.conftest import EVERYTHING, Auth
from tests.deployment.sbom import ROOT
from tests.live.browser import free_port, until
from tests.live.caddy import CADDY, needs_caddy
from tests.live.gateways import running
from tests.live.serving import listening

pytestmark = needs_caddy


@dataclass
class Gateway:
    """``asked`` counts what each replica was asked for on behalf of clients."""

    client: httpx.AsyncClient
    first: AsyncExitStack
    asked: Counter[int]


def counted(app: ASGIApp, number: int, asked: Counter[int]) -> ASGIApp:
    async def count(scope: Scope, receive: Receive, send: Send) -> None:
        asked[number] += scope.get("path") == "/v1/me"
        await app(scope, receive, send)

    return count


@pytest_asyncio.fixture
async def gateway(
    url: URL, home: Path, settings: Settings, tmp_path: Path, auth: Auth
) -> AsyncIterator[Gateway]:
    port, first, rest = free_port(), AsyncExitStack(), AsyncExitStack()
    text = (ROOT / "deploy/compose/Caddyfile").read_text(encoding="utf-8")
    asked = Counter[int]()
    async with rest, first:
        for number, stack in ((1, first), (2, rest)):
            app = counted(create_app(settings, url, home), number, asked)
            address = await stack.enter_async_context(listening(app))
            replica = f"groupsvc-{number}:8000"
            assert replica in text
            text = text.replace(replica, address.removeprefix("http://"))
        text = text.replace(":2019", f":{free_port()}")
        text = text.replace("{$GROUPSVC_SITE::80}", f"http://127.0.0.1:{port}")
        (tmp_path / "Caddyfile").write_text(text)
        # Its own folders are temporary, too.
        env = ("env", f"XDG_DATA_HOME={tmp_path}", f"XDG_CONFIG_HOME={tmp_path}")
        command = (*env, str(CADDY), "run", "--config", str(tmp_path / "Caddyfile"))
        await rest.enter_async_context(running(port, tmp_path / "log", *command))
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=auth(*EVERYTHING), trust_env=False
        ) as client:
            yield Gateway(client, first, asked)


async def test_a_replica_that_stops_costs_no_request(gateway: Gateway) -> None:
    stop = asyncio.Event()
    answers: list[int] = []

    async def ask() -> None:
        while not stop.is_set():
            answer = await gateway.client.get("/v1/me")
            answers.append(answer.status_code)

    async def answered(number: int) -> bool:
        return len(answers) >= number

    async def answered_by_both() -> bool:
        return min(gateway.asked[1], gateway.asked[2]) >= 5

    tasks = [asyncio.create_task(ask()) for _ in range(4)]
    await until(answered_by_both, "answers of both")
    await gateway.first.aclose()
    asked = len(answers)
    await until(lambda: answered(asked + 20), "answers of the other")
    stop.set()
    await asyncio.gather(*tasks)
    assert set(answers) == {200}
