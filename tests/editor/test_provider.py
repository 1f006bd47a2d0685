"""Signing in by an identity provider: a real one, with pages of its own."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, Request, expect
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.conftest import World
from tests.editor.conftest import MakePage
from tests.live.browser import free_port
from tests.live.serving import listening

NODE = shutil.which("node")
LIBRARY = Path(__file__).parents[2] / "ui" / "node_modules" / "oidc-provider" / "lib" / "index.js"
RESOURCE = "urn:example:groupsvc"

pytestmark = pytest.mark.skipif(
    NODE is None or not LIBRARY.is_file(), reason="node is not installed, or run: make ui"
)


@asynccontextmanager
async def providing(**settings: Any) -> AsyncIterator[None]:
    assert NODE is not None
    process = await asyncio.create_subprocess_exec(
        NODE,
        Path(__file__).with_name("provider.mjs"),
        LIBRARY,
        json.dumps(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"listening\n"
        yield
    finally:
        process.terminate()
        await process.wait()


@dataclass
class Campus:
    """The service with its provider, and a page of the editor that shows a course."""

    page: Page
    service: str
    issuer: str

    async def sign_in(self, *, consents: bool = True) -> None:
        page = self.page
        await page.get_by_role("button", name="Sign in with your institution").click()
        await page.locator("input[name=login]").fill("marie")
        await page.locator("input[name=password]").fill("any")
        await page.get_by_role("button", name="Sign-in").click()
        if consents:
            await page.get_by_role("button", name="Continue").click()

    async def is_in(self) -> None:
        await expect(self.page.get_by_role("heading", level=1)).to_have_text("Course")

    async def token(self) -> str:
        return str(await self.page.evaluate("sessionStorage.getItem('groupsvc-token')"))


Open = Callable[..., Awaitable[Campus]]


@pytest_asyncio.fixture
async def open_campus(
    make_page: MakePage, url: URL, home: Path, settings: Settings, world: World
) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        async def make(
            *, prefix: str = "", lifetime: int = 3_600, scope: str = "openid profile"
        ) -> Campus:
            port = free_port()
            issuer = f"http://127.0.0.1:{port}"
            own = {
                "root_path": prefix,
                "jwt_issuer": issuer,
                "jwks_url": f"{issuer}/jwks",
                "oidc_client_id": "editor",
                "oidc_scope": scope,
                "oidc_resource": RESOURCE,
            }
            app = create_app(settings.model_copy(update=own), url, home)
            service = await stack.enter_async_context(listening(app)) + prefix
            grants = [f"groups:read@course:{world.course}", f"groups:write@course:{world.course}"]
            await stack.enter_async_context(
                providing(
                    port=port,
                    page=f"{service}/ui/",
                    lifetime=lifetime,
                    resource=RESOURCE,
                    claims={"preferred_username": "marie", "groupsvc_grants": grants},
                )
            )
            page = await make_page()
            await page.goto(f"{service}/ui/#/courses/{world.course_id}")
            return Campus(page, service, issuer)

        yield make


@pytest.mark.parametrize("prefix", ["", "/groups"])
async def test_somebody_signs_in_and_out(open_campus: Open, world: World, prefix: str) -> None:
    campus = await open_campus(prefix=prefix)
    page = campus.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await campus.sign_in()
    await campus.is_in()
    # The address is the one from before, with nothing of the provider's in it.
    assert page.url == f"{campus.service}/ui/#/courses/{world.course_id}"
    authorization = next(each for each in asked if each.startswith(f"{campus.issuer}/auth?"))
    assert "code_challenge_method=S256" in authorization
    token = await campus.token()
    assert token.count(".") == 2
    kept = await page.evaluate("JSON.stringify([{...localStorage}, document.cookie])")
    assert token not in kept
    assert not any(token in each for each in asked)
    await page.reload()
    await campus.is_in()
    await expect(page.get_by_role("button", name="New partition")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("button", name="Yes, sign me out").click()
    await expect(page.get_by_role("button", name="Sign in with your institution")).to_be_visible()
    assert page.url.startswith(f"{campus.service}/ui/")
    assert await page.evaluate("sessionStorage.length") == 0


async def test_a_token_is_renewed_before_it_ends(open_campus: Open) -> None:
    """It lives so short that every request comes too late for it."""
    campus = await open_campus(lifetime=30, scope="openid profile offline_access")
    await campus.sign_in()
    await campus.is_in()
    first = await campus.token()
    renewals: list[Request] = []
    campus.page.on(
        "request",
        lambda request: (
            renewals.append(request)
            if "grant_type=refresh_token" in (request.post_data or "")
            else None
        ),
    )
    await campus.page.reload()
    await campus.is_in()
    assert renewals
    assert await campus.token() != first
    await expect(campus.page.get_by_text("Your session is about to end.")).to_have_count(0)


async def test_where_it_cannot_be_renewed_its_owner_is_told(
    open_campus: Open, world: World
) -> None:
    campus = await open_campus(lifetime=110)
    await campus.sign_in()
    await campus.is_in()
    await expect(campus.page.get_by_text("Your session is about to end.")).to_be_visible()
    first = await campus.token()
    # The provider knows who it is, and asks nothing.
    await campus.page.get_by_role("button", name="Stay signed in").click()
    await campus.page.wait_for_function(
        "token => ![null, token].includes(sessionStorage.getItem('groupsvc-token'))", arg=first
    )
    await campus.is_in()
    assert campus.page.url == f"{campus.service}/ui/#/courses/{world.course_id}"


async def test_whoever_changes_their_mind_is_told_so(open_campus: Open) -> None:
    campus = await open_campus()
    await campus.page.get_by_role("button", name="Sign in with your institution").click()
    await campus.page.get_by_role("link", name="Cancel").click()
    await expect(campus.page.get_by_role("alert")).to_contain_text(
        "The identity provider does not let you in here"
    )
    await campus.sign_in()
    await campus.is_in()


@pytest.mark.parametrize("forged", ["state", "code"])
async def test_what_nobody_asked_for_lets_nobody_in(open_campus: Open, forged: str) -> None:
    campus = await open_campus()
    if forged == "code":
        pending = {"state": "s", "nonce": "n", "verifier": "v" * 43, "place": "#/"}
        await campus.page.evaluate(
            "given => sessionStorage.setItem('groupsvc-signing-in', given)", json.dumps(pending)
        )
    await campus.page.goto(f"{campus.service}/ui/?code=c&state=s&iss={campus.issuer}")
    await expect(campus.page.get_by_role("alert")).to_contain_text(
        "The identity provider does not let you in here"
    )
    assert await campus.page.evaluate("sessionStorage.length") == 0


async def test_a_provider_that_is_away(open_campus: Open) -> None:
    campus = await open_campus()
    await campus.page.route(f"{campus.issuer}/**", lambda route: route.abort())
    await campus.page.get_by_role("button", name="Sign in with your institution").click()
    await expect(campus.page.get_by_role("alert")).to_contain_text(
        "The identity provider does not answer."
    )


async def test_the_page_may_call_the_provider_and_nobody_else(open_campus: Open) -> None:
    campus = await open_campus()
    answer = await campus.page.request.get(f"{campus.service}/ui/")
    policy = answer.headers["content-security-policy"]
    assert f"connect-src 'self' {campus.issuer}; " in policy
    assert policy.count("http") == 1
