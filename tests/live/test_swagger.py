"""The documentation page in a real browser."""

import json
from pathlib import Path

from fastapi import FastAPI

from tests.conftest import Auth
from tests.live.browser import browsing, needs_browser
from tests.live.serving import listening

pytestmark = needs_browser


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
