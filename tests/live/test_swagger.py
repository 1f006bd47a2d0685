"""The documentation page in a real browser."""

import json
from pathlib import Path

from fastapi import FastAPI

from tests.conftest import Auth
from tests.live.browser import Browser, browsing, needs_browser
from tests.live.serving import listening

pytestmark = needs_browser


async def sign_in(browser: Browser, page: str, headers: dict[str, str]) -> None:
    await browser.ask("POST", "/url", url=page)
    await browser.click("button.authorize")
    await browser.type(
        "div.modal-ux input[type=text]", headers["authorization"].removeprefix("Bearer ")
    )
    await browser.click("div.modal-ux button.modal-btn.authorize")
    await browser.click("div.modal-ux button.btn-done")


async def execute(browser: Browser, operation: str) -> str:
    """The status of the answer to what the page has filled in."""
    block = f"#operations-{operation}"
    await browser.click(f"{block} button.opblock-summary-control")
    if await browser.run(f"return !document.querySelector('{block} .execute')"):
        await browser.click(f"{block} button.try-out__btn")
    await browser.click(f"{block} button.execute")
    cell = f"{block} .live-responses-table tbody .response-col_status"
    return (await browser.read(cell)).partition("\n")[0]


async def test_a_tester_signs_in_and_executes_a_request(
    app: FastAPI, auth: Auth, tmp_path: Path
) -> None:
    async with listening(app) as address, browsing(tmp_path / "profile") as browser:
        await sign_in(browser, f"{address}/docs", auth("groups:read", subject="a tester"))
        assert await execute(browser, "me-get_me") == "200"
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
