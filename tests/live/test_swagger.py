"""The documentation page in a real browser, driven through WebDriver."""

import asyncio
import json
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import Auth
from tests.live.serving import listening

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,2000",
)
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed"
)


class Browser:
    def __init__(self, client: httpx.AsyncClient, session: str) -> None:
        self._client = client
        self._session = session

    async def ask(self, method: str, path: str, **body: Any) -> Any:
        answer = await self._client.request(
            method, f"/session/{self._session}{path}", json=body if method == "POST" else None
        )
        value = answer.json()["value"]
        assert answer.status_code == 200, value
        return value

    async def run(self, script: str) -> Any:
        return await self.ask("POST", "/execute/sync", script=script, args=[])

    async def find(self, selector: str) -> str:
        """Wait for an element that matches."""

        async def look() -> str | None:
            found = await self.ask("POST", "/elements", using="css selector", value=selector)
            return found[0][ELEMENT] if found else None

        return str(await until(look, selector))

    async def click(self, selector: str) -> None:
        await self.ask("POST", f"/element/{await self.find(selector)}/click")

    async def type(self, selector: str, text: str) -> None:
        await self.ask("POST", f"/element/{await self.find(selector)}/value", text=text)

    async def read(self, selector: str) -> str:
        return str(await self.ask("GET", f"/element/{await self.find(selector)}/text"))


async def until(look: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Ask until there is an answer; only a failing test waits so long."""
    async with asyncio.timeout(200):
        while True:
            try:
                found = await look()
            except httpx.TransportError:
                found = None
            if found:
                return found
            await asyncio.sleep(0.05)
    raise AssertionError(what)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@asynccontextmanager
async def browsing(profile: Path) -> AsyncIterator[Browser]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        str(DRIVER), f"--port={port}", stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False
        ) as client:

            async def ready() -> bool:
                return bool((await client.get("/status")).json()["value"]["ready"])

            await until(ready, "chromedriver")
            options = {
                "binary": CHROMIUM,
                "args": [*QUIET, f"--user-data-dir={profile}"],
            }
            answer = await client.post(
                "/session",
                json={"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}},
            )
            assert answer.status_code == 200, answer.text
            session = answer.json()["value"]["sessionId"]
            try:
                yield Browser(client, session)
            finally:
                await client.delete(f"/session/{session}")
    finally:
        process.terminate()
        await process.wait()


async def test_a_tester_signs_in_and_executes_a_request(
    app: FastAPI, auth: Auth, tmp_path: Path
) -> None:
    token = auth("groups:read", subject="a tester")["authorization"].removeprefix("Bearer ")
    async with listening(app) as address, browsing(tmp_path / "profile") as browser:
        await browser.ask("POST", "/url", url=f"{address}/docs")
        await browser.click("button.authorize")
        await browser.type("div.modal-ux input[type=text]", token)
        await browser.click("div.modal-ux button.modal-btn.authorize")
        await browser.click("div.modal-ux button.btn-done")
        await browser.click("#operations-me-get_me button.opblock-summary-control")
        if await browser.run("return !document.querySelector('#operations-me-get_me .execute')"):
            await browser.click("#operations-me-get_me button.try-out__btn")
        await browser.click("#operations-me-get_me button.execute")
        status = await browser.read(
            "#operations-me-get_me .live-responses-table tbody .response-col_status"
        )
        assert status.startswith("200")
        body = json.loads(
            await browser.run(
                "return document.querySelector('#operations-me-get_me .live-responses-table tbody"
                " .response-col_description code').textContent"
            )
        )
        loaded = await browser.run(
            "return performance.getEntriesByType('resource').map(entry => entry.name)"
        )
    assert body == {
        "subject": "a tester",
        "username": None,
        "grants": ["groups:read"],
        "user": None,
    }
    assert [name for name in loaded if not name.startswith((address, "data:"))] == []
