"""The group editor in a real browser, over the real server. One browser for all of it."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright, expect

from tests.conftest import Auth, MakeWorld, World
from tests.live.serving import listening

CHROMIUM = shutil.which("chromium")
# A slow machine is no failure.
PATIENCE = 60_000
STAFF = ("groups:read", "groups:write")


@pytest.fixture(scope="session", autouse=True)
def patient() -> Iterator[None]:
    expect.set_options(timeout=PATIENCE)
    yield
    expect.set_options(timeout=5_000)


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session")
async def address(app: FastAPI) -> AsyncIterator[str]:
    async with listening(app) as address:
        yield address


MakePage = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture
async def make_page(chromium: Browser) -> AsyncIterator[MakePage]:
    """Pages of people who know nothing of one another; what their console complains of fails."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    async def make(**options: Any) -> Page:
        wanted = {"locale": "en-GB", "viewport": {"width": 1600, "height": 1000}, **options}
        context = await chromium.new_context(**wanted)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            # What the service refuses is told by the browser too, and meant.
            lambda message: (
                complaints.append(message.text)
                if message.type == "error" and "Failed to load resource" not in message.text
                else None
            ),
        )
        return page

    yield make
    for context in contexts:
        await context.close()
    assert complaints == []


@dataclass
class Editor:
    """A page that shows a course, and what people find on it."""

    page: Page
    world: World

    def column(self, name: str) -> Locator:
        return self.page.locator("section.column").filter(
            has=self.page.get_by_role("heading", name=name, exact=True)
        )

    def list(self, name: str) -> Locator:
        return self.column(name).get_by_role("listbox")

    def person(self, number: int) -> Locator:
        """By their place in the course, from 1."""
        return self.page.locator(f"#person-{self.world.users[number - 1]}")

    async def holds(self, name: str, *numbers: int) -> None:
        """Wait until the column has these people, in order."""
        texts = [f"Family{number} Given" for number in numbers]
        await expect(self.column(name).get_by_role("option")).to_have_text(texts)

    async def says(self, text: str) -> None:
        await expect(self.page.locator(".news [role=status]")).to_have_text(text)

    async def complains(self, text: str) -> None:
        await expect(self.page.locator(".banner")).to_contain_text(text)


Edit = Callable[..., Awaitable[Editor]]


@pytest_asyncio.fixture
async def edit(make_page: MakePage, address: str, auth: Auth) -> Edit:
    """Open the editor on a course, signed in with these grants."""

    async def open_course(world: World, *grants: str, **options: Any) -> Editor:
        page = await make_page(**options)
        token = auth(*(grants or STAFF), subject="teacher")["authorization"].removeprefix("Bearer ")
        await page.goto(f"{address}/ui/settings.json")
        await page.evaluate("token => sessionStorage.setItem('groupsvc-token', token)", token)
        await page.goto(f"{address}/ui/#/courses/{world.course_id}")
        await expect(page.get_by_role("tablist")).to_be_visible()
        return Editor(page, world)

    return open_course


@dataclass
class Divided:
    """A course of students in two groups, and one in none."""

    world: World
    partition: int
    first: int
    second: int


@pytest_asyncio.fixture
async def divided(make_world: MakeWorld) -> Divided:
    """TD 1 has 1, 2 and 3; TD 2 has 4 and three places; 5 has no group."""
    world = await make_world(5)
    partition = await world.add_partition("TD")
    first = await world.add_group(partition, "TD 1", position=1)
    second = await world.add_group(partition, "TD 2", position=2, capacity=3)
    for group, numbers in ((first, (1, 2, 3)), (second, (4,))):
        await world.sql(
            "INSERT INTO memberships (course_id, partition_id, group_id, user_id)"
            " SELECT :course_id, :partition_id, :group_id, unnest(CAST(:users AS bigint[]))",
            course_id=world.course_id,
            partition_id=partition,
            group_id=group,
            users=[world.users[number - 1] for number in numbers],
        )
    return Divided(world, partition, first, second)
