"""Signing in: with the demonstration, with an account, with a token; and what goes wrong."""

from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.api.logins import SECRET, fresh_name
from tests.conftest import Auth, World
from tests.editor.conftest import MakePage
from tests.live.serving import listening


async def storages(page: Page) -> str:
    return str(
        await page.evaluate(
            "JSON.stringify([{...localStorage}, document.cookie, location.href,"
            " performance.getEntriesByType('resource').map(entry => entry.name)])"
        )
    )


async def test_with_the_demonstration(
    make_page: MakePage, address: str, client: httpx.AsyncClient, world: World
) -> None:
    account = {"secret": "demonstration", "grants": [f"groups:read@course:{world.course}"]}
    page = await make_page()
    await page.goto(f"{address}/ui")
    demo = page.get_by_role("button", name="Open the demonstration")
    await demo.click()
    await expect(page.get_by_role("alert")).to_contain_text("The demonstration is not loaded here")
    assert (await client.put("/v1/accounts/editor", json=account)).status_code == 201
    await demo.click()
    await expect(page.get_by_role("listitem")).to_contain_text([world.course])
    await page.get_by_role("link", name=world.course).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Course")


async def test_with_an_account(
    make_page: MakePage, address: str, client: httpx.AsyncClient, world: World
) -> None:
    name = fresh_name()
    account = {"secret": SECRET, "grants": [f"groups:read@department:{world.department}"]}
    assert (await client.put(f"/v1/accounts/{name}", json=account)).status_code == 201
    page = await make_page()
    await page.goto(f"{address}/ui/#/courses/{world.course_id}")
    form = page.get_by_role("form", name="With an account")
    await form.get_by_role("textbox", name="Account").fill(name)
    await form.get_by_role("textbox", name="Secret").fill("not " + SECRET)
    await form.get_by_role("button").click()
    await expect(page.get_by_role("alert")).to_have_text("The account or its secret is not right.")
    await form.get_by_role("textbox", name="Secret").fill(SECRET)
    await form.get_by_role("button").click()
    # Where the address has led to.
    await expect(page.get_by_role("heading", level=1)).to_have_text("Course")
    await expect(page.get_by_text("This course is not divided yet.")).to_be_visible()


@pytest.mark.parametrize("after", ["reload", "sign out"])
async def test_with_a_token(
    make_page: MakePage, address: str, auth: Auth, world: World, after: str
) -> None:
    token = auth(f"groups:read@course:{world.course}")["authorization"].removeprefix("Bearer ")
    page = await make_page()
    await page.goto(f"{address}/ui/")
    form = page.get_by_role("form", name="With a token")
    await form.get_by_role("textbox", name="Token").fill("gsv_nobody")
    await form.get_by_role("button").click()
    await expect(page.get_by_role("alert")).to_have_text("This token is not valid here.")
    await form.get_by_role("textbox", name="Token").fill(token)
    await form.get_by_role("textbox", name="Token").press("Enter")
    await expect(page.get_by_role("link", name=world.course)).to_be_visible()
    assert token not in await storages(page)
    if after == "reload":
        await page.reload()
        await expect(page.get_by_role("link", name=world.course)).to_be_visible()
    else:
        await page.get_by_role("button", name="Sign out").click()
        await expect(form).to_be_visible()
        assert await page.evaluate("sessionStorage.length") == 0


async def test_whoever_is_signed_in_no_more_comes_back_to_where_they_were(
    make_page: MakePage, address: str, client: httpx.AsyncClient, world: World
) -> None:
    name = fresh_name()
    account = {"secret": SECRET, "grants": [f"groups:read@course:{world.course}"]}
    await client.put(f"/v1/accounts/{name}", json=account)
    page = await make_page()
    await page.goto(f"{address}/ui/")
    form = page.get_by_role("form", name="With an account")

    async def sign_in() -> None:
        await form.get_by_role("textbox", name="Account").fill(name)
        await form.get_by_role("textbox", name="Secret").fill(SECRET)
        await form.get_by_role("textbox", name="Secret").press("Enter")

    await sign_in()
    await page.get_by_role("link", name=world.course).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Course")
    await client.delete(f"/v1/accounts/{name}")
    await page.evaluate("dispatchEvent(new Event('focus'))")
    await expect(page.get_by_role("alert")).to_contain_text("Your session has ended.")
    await client.put(f"/v1/accounts/{name}", json=account)
    await sign_in()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Course")


async def test_courses_are_searched_without_case_and_accents(
    make_page: MakePage, address: str, auth: Auth, world: World
) -> None:
    await world.sql("UPDATE courses SET title = 'Éléments' WHERE id = :id", id=world.course_id)
    other, _ = await world.add_course()
    await world.sql("UPDATE courses SET is_locked = true WHERE id = :id", id=other)
    token = auth(f"groups:read@department:{world.department}")["authorization"]
    page = await make_page()
    await page.goto(f"{address}/ui/")
    field = page.get_by_role("textbox", name="Token")
    await field.fill(token.removeprefix("Bearer "))
    await field.press("Enter")
    await expect(page.get_by_role("listitem")).to_have_count(2)
    await expect(page.get_by_role("status")).to_have_text("2 courses")
    await expect(page.get_by_role("listitem").nth(1)).to_contain_text("Locked")
    await page.get_by_label("Find a course").fill("elements")
    await expect(page.get_by_role("listitem")).to_have_count(1)
    await page.get_by_label("Find a course").fill("nothing")
    await expect(page.get_by_role("status")).to_have_text(
        "No course has that in its title, key or department."
    )


async def test_behind_a_prefix(
    make_page: MakePage, url: URL, home: Path, settings: Settings, auth: Auth, world: World
) -> None:
    app = create_app(settings.model_copy(update={"root_path": "/groups"}), url, home)
    token = auth(f"groups:read@course:{world.course}")["authorization"].removeprefix("Bearer ")
    async with listening(app) as address:
        page = await make_page()
        await page.goto(f"{address}/groups/ui")
        field = page.get_by_role("textbox", name="Token")
        await field.fill(token)
        await field.press("Enter")
        await page.get_by_role("link", name=world.course).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Course")
        asked = await page.evaluate(
            "performance.getEntriesByType('resource').map(entry => entry.name)"
        )
    assert [each for each in asked if not each.startswith(f"{address}/groups/")] == []
