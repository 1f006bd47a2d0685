"""The editor on another origin: its files lie on a server of their own and call this service."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Route, expect
from sqlalchemy import URL
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.routing import Route as Path_
from starlette.staticfiles import StaticFiles

import groupsvc
from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.conftest import Auth
from tests.editor.conftest import STAFF, Divided, Editor, MakePage
from tests.live.serving import listening

FILES = Path(groupsvc.__file__).parent / "ui"


@dataclass
class Host:
    """Says with the page where the service is."""

    service: str = ""

    async def page(self, _: Request) -> Response:
        text = (FILES / "index.html").read_text()
        return HTMLResponse(text.replace('content="../"', f'content="{self.service}"'))


@pytest_asyncio.fixture
async def elsewhere(
    make_page: MakePage, divided: Divided, url: URL, home: Path, settings: Settings, auth: Auth
) -> AsyncIterator[Editor]:
    host = Host()
    assets = Mount("/assets", StaticFiles(directory=FILES / "assets"))
    site = Starlette(routes=[Path_("/", host.page), assets])
    async with listening(site) as origin:
        app = create_app(settings.model_copy(update={"cors_origins": (origin,)}), url, home)
        async with listening(app) as host.service:
            page = await make_page()
            token = auth(*STAFF, subject="teacher")["authorization"].removeprefix("Bearer ")
            await page.goto(f"{origin}/#/courses/{divided.world.course_id}")
            form = page.get_by_role("form", name="With a token")
            await form.get_by_role("textbox", name="Token").fill(token)
            await form.get_by_role("textbox", name="Token").press("Enter")
            await expect(page.get_by_role("tablist")).to_be_visible()
            yield Editor(page, divided.world)


async def test_it_moves_people_undoes_and_follows_others(
    elsewhere: Editor, divided: Divided
) -> None:
    editor, sql = elsewhere, divided.world.sql
    await editor.follows()
    await editor.person(5).drag_to(editor.list("TD 2"))
    await editor.says("Family5 Given moved to TD 2.")
    # By the id of the request, which the answer has told.
    await editor.undo()
    await editor.says("Undone.")
    await editor.holds("No group", 5)
    await sql(
        "UPDATE memberships SET group_id = :group WHERE user_id = :user",
        group=divided.second,
        user=divided.world.users[0],
    )
    await editor.holds("TD 2", 1, 4)


async def test_it_reads_entity_tags_and_counts(elsewhere: Editor, divided: Divided) -> None:
    editor, page = elsewhere, elsewhere.page
    await page.get_by_role("button", name="Edit group TD 1").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("slider")).to_be_visible()
    await divided.world.sql("UPDATE groups SET name = 'Theirs' WHERE id = :id", id=divided.first)
    await dialog.get_by_label("Name").fill("Mine")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_text("There is now: Theirs")).to_be_visible()
    await page.keyboard.press("Escape")
    await divided.world.sql(
        "UPDATE enrollments SET state = 'withdrawn' WHERE user_id = :id", id=divided.world.users[0]
    )
    await page.get_by_role("button", name="Export…").click()
    dialog = page.get_by_role("dialog", name="Export")
    await dialog.get_by_label("For").select_option("canvas-groups")
    async with page.expect_download():
        await dialog.get_by_role("button", name="Download").click()
    await expect(page.locator(".news")).to_contain_text("1 person left out")
    assert editor.page.url.startswith("http://127.0.0.1:")


async def test_it_is_told_when_to_come_again(elsewhere: Editor) -> None:
    """A browser shows pages no header of another origin that is not named for it."""
    page = elsewhere.page
    names = await page.evaluate(
        """async service => {
          const headers = { authorization: `Bearer ${sessionStorage.getItem("groupsvc-token")}` };
          const one = await fetch(`${service}/v1/me`, { headers });
          const made = await fetch(`${service}/v1/import/assignments.csv?dry_run=true`, {
            method: "POST", body: "user,group", headers: { ...headers, "content-type": "text/csv",
              "x-request-id": "from-elsewhere", "idempotency-key": "k", "if-match": "*" } });
          return [[...one.headers.keys()], made.headers.get("x-request-id")];
        }""",
        await page.locator("meta[name=groupsvc-service]").get_attribute("content"),
    )
    assert {"etag", "x-request-id"} <= set(names[0])
    assert names[1] == "from-elsewhere"

    async def busy(route: Route) -> None:
        """As the service answers, but for the status."""
        answer = await route.fetch()
        headers = {**answer.headers, "retry-after": "7"}
        await route.fulfill(
            status=503, headers=headers, json={"code": "unavailable", "detail": "busy"}
        )

    await page.route("**/members/*", busy)
    await elsewhere.person(5).drag_to(elsewhere.list("TD 2"))
    await elsewhere.complains("The service is busy. Nothing was changed; try again in 7 s.")
