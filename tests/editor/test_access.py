"""Everybody can use it: WCAG 2.2 AA as far as axe-core finds out, and what it cannot."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.editor.conftest import Divided, Edit, MakePage

AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")

needs_axe = pytest.mark.skipif(not AXE.is_file(), reason="run: make ui")


async def violations(page: Page) -> list[Any]:
    """With the elements that break them. The policy of the page does not bind a debugger."""
    # Colours that are on their way to others have the contrast of neither.
    await page.evaluate(
        "Promise.all(document.getAnimations().map(each => each.finished.catch(() => null)))"
    )
    await page.evaluate(AXE.read_text())
    run = {"runOnly": list(RULES), "rules": {"target-size": {"enabled": True}}}
    found = await page.evaluate(f"axe.run(document, {json.dumps(run)})")
    return [
        (each["id"], node["html"], node["failureSummary"])
        for each in found["violations"]
        for node in each["nodes"]
    ]


@needs_axe
@pytest.mark.parametrize(("width", "theme"), [(1600, "light"), (1600, "dark"), (390, "light")])
async def test_axe_finds_nothing(edit: Edit, divided: Divided, theme: str, width: int) -> None:
    editor = await edit(divided.world, color_scheme=theme, viewport={"width": width, "height": 900})
    page = editor.page
    await editor.holds("TD 1", 1, 2, 3)
    await editor.person(1).click()
    assert await violations(page) == []
    await page.get_by_role("button", name="Move to…").click()
    assert await violations(page) == []
    await page.get_by_role("dialog").get_by_role("button", name="TD 2").click()
    await editor.says("Family1 Given moved to TD 2.")
    await page.get_by_role("button", name="New groups…").click()
    await expect(page.get_by_text("2 groups will be made")).to_be_visible()
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Edit group TD 2").click()
    await expect(page.get_by_role("slider")).to_be_visible()
    await page.get_by_role("button", name="Delete").click()
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    await page.route("**/v1/groups/*/members/*", lambda route: route.abort())
    await editor.list("TD 1").focus()
    await page.keyboard.press("Control+ArrowRight")
    await editor.complains("There is no connection")
    assert await violations(page) == []


@needs_axe
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_before_the_board(
    make_page: MakePage, address: str, theme: str
) -> None:
    page = await make_page(color_scheme=theme)
    await page.goto(f"{address}/ui/")
    await expect(page.get_by_role("button", name="Open the demonstration")).to_be_visible()
    assert await violations(page) == []


async def test_the_language_is_that_of_the_browser_and_can_be_changed(
    edit: Edit, divided: Divided
) -> None:
    editor = await edit(divided.world, locale="fr-FR")
    page = editor.page
    await expect(page.locator("html")).to_have_attribute("lang", "fr")
    await editor.holds("Sans groupe", 5)
    await editor.person(5).drag_to(editor.list("TD 2"))
    await editor.says("Family5 Given → TD 2.")
    await page.get_by_label("Langue").select_option("en")
    await editor.holds("No group")
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("lang", "en")


async def test_the_theme_is_that_of_the_system_and_can_be_changed(
    edit: Edit, divided: Divided
) -> None:
    editor = await edit(divided.world, color_scheme="dark")
    page = editor.page

    async def ground() -> int:
        color = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", color)[:3]))

    assert await ground() < 150
    await page.get_by_label("Theme").select_option("light")
    assert await ground() > 600
    await page.reload()
    await editor.holds("TD 1", 1, 2, 3)
    assert await ground() > 600


@pytest.mark.parametrize("width", [390, 900, 1600])
async def test_the_page_fits_into_its_window(edit: Edit, divided: Divided, width: int) -> None:
    editor = await edit(divided.world, viewport={"width": width, "height": 844})
    await editor.holds("TD 1", 1, 2, 3)
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert await editor.page.evaluate(fits)
    await editor.page.get_by_role("button", name="Edit group TD 1").click()
    await expect(editor.page.get_by_role("dialog")).to_be_visible()
    assert await editor.page.evaluate(fits)
