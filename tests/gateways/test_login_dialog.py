"""A tester logs in on the documentation page behind a prefix, in a real browser."""

import json
from pathlib import Path

import httpx
import pytest

from tests.api.logins import SECRET, fresh_name
from tests.gateways.conftest import GATEWAYS, PREFIX
from tests.live.browser import browsing, needs_browser

DIALOG = "div.auth-container:has(input[data-name=clientId])"
ME = "#operations-me-get_me"


@needs_browser
@pytest.mark.parametrize("origin", GATEWAYS[:1], indirect=True)
async def test_a_tester_logs_in_and_executes_a_request(
    outside: httpx.AsyncClient, origin: str, tmp_path: Path
) -> None:
    name = fresh_name()
    account = {"secret": SECRET, "grants": ["groups:read"]}
    assert (await outside.put(f"{PREFIX}/v1/accounts/{name}", json=account)).status_code == 201
    async with browsing(tmp_path / "profile") as browser:
        await browser.ask("POST", "/url", url=f"{origin}{PREFIX}/docs")
        await browser.click("button.authorize")
        await browser.type(f"{DIALOG} input[data-name=clientId]", name)
        await browser.type(f"{DIALOG} input[data-name=clientSecret]", SECRET)
        await browser.click(f"{DIALOG} button.authorize")
        # The form is replaced when there is a token.
        await browser.find("div.modal-ux button[aria-label='Remove authorization']")
        await browser.click("div.modal-ux button.btn-done")
        await browser.click(f"{ME} button.opblock-summary-control")
        if await browser.run(f"return !document.querySelector('{ME} .execute')"):
            await browser.click(f"{ME} button.try-out__btn")
        await browser.click(f"{ME} button.execute")
        answers = f"{ME} .live-responses-table tbody"
        assert (await browser.read(f"{answers} .response-col_status")).startswith("200")
        found = await browser.run(
            f"return document.querySelector('{answers} .response-col_description code').textContent"
        )
    assert json.loads(found)["subject"].endswith(name)
