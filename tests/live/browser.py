"""A real browser, driven through WebDriver."""

import asyncio
import secrets
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

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

needs_browser = pytest.mark.skipif(
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

    async def wait_for(self, expression: str) -> Any:
        """The value of a promise."""
        script = f"const done = arguments[0]; ({expression}).then(done, e => done(String(e)))"
        return await self.ask("POST", "/execute/async", script=script, args=[])

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
    """One that the system gives to nobody who asks for any, before it is used."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as sock, suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


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
