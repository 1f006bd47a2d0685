"""Liveness and readiness."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from groupsvc import __version__
from groupsvc.http import health
from groupsvc.http.health import Readiness


@dataclass
class Fixed:
    readiness: Readiness

    async def check(self) -> Readiness:
        return self.readiness


async def get(path: str, *, checks: dict[str, str], stopping: bool = False) -> httpx.Response:
    app = FastAPI()
    app.include_router(health.router)
    ready = all(check == "ok" for check in checks.values())
    event = asyncio.Event()
    if stopping:
        event.set()
    state = {"readiness": Fixed(Readiness(ready=ready, checks=checks)), "stopping": event}

    async def with_state(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "state": dict(state)}, receive, send)

    transport = httpx.ASGITransport(with_state)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get(path)


async def test_a_process_that_answers_is_alive() -> None:
    answer = await get("/health/live", checks={"database": "away"}, stopping=True)
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "alive", "version": __version__},
    )


@pytest.mark.parametrize(
    ("checks", "stopping", "status", "says", "told"),
    [
        ({"database": "ok"}, False, 200, "ready", {"database": "ok"}),
        ({"database": "away"}, False, 503, "not_ready", {"database": "away"}),
        ({"database": "ok"}, True, 503, "not_ready", {"process": "stopping"}),
    ],
)
async def test_readiness(
    checks: dict[str, str], stopping: bool, status: int, says: str, told: dict[str, str]
) -> None:
    body = {"status": says, "version": __version__, "checks": told}
    answer = await get("/health/ready", checks=checks, stopping=stopping)
    assert (answer.status_code, answer.json()) == (status, body)
    assert answer.headers.get("retry-after") == (None if status == 200 else "1")
