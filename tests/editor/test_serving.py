"""What the editor is made of comes from the package, to be kept, and nothing from elsewhere."""

import re
from pathlib import Path

import httpx
import pytest
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.conftest import serving

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


def assets(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="\./(assets/[^"]+)"', page)


async def test_the_page_and_its_files(anonymous: httpx.AsyncClient) -> None:
    page = await anonymous.get("/ui/")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"] == POLICY
    assert page.headers["cache-control"] == "no-cache"
    kinds = set()
    for name in assets(page.text):
        asset = await anonymous.get(f"/ui/{name}")
        assert asset.status_code == 200
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
        kinds.add(asset.headers["content-type"].partition(";")[0])
    assert kinds == {"text/javascript", "text/css", "image/svg+xml"}
    again = {"if-none-match": page.headers["etag"]}
    assert (await anonymous.get("/ui/", headers=again)).status_code == 304


async def test_the_page_has_no_script_and_no_address_of_elsewhere(
    anonymous: httpx.AsyncClient,
) -> None:
    page = (await anonymous.get("/ui/")).text
    assert "://" not in page
    assert "<style" not in page
    assert re.findall(r"<script[^>]*>(.+?)</script>", page) == []


@pytest.mark.parametrize(
    "path", ["/ui/assets/none.js", "/ui/assets/..%2findex.html", "/ui/elsewhere"]
)
async def test_what_is_not_there_is_not_found(anonymous: httpx.AsyncClient, path: str) -> None:
    answer = await anonymous.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("prefix", ["", "/groups"])
async def test_the_address_without_a_slash_leads_to_the_page(
    url: URL, home: Path, settings: Settings, prefix: str
) -> None:
    app = create_app(settings.model_copy(update={"root_path": prefix}), url, home)
    async with serving(app) as client:
        answer = await client.get(f"{prefix}/ui")
        assert (answer.status_code, answer.headers["location"]) == (307, f"{prefix}/ui/")
        page = await client.get(answer.headers["location"])
        assert page.status_code == 200
        for name in assets(page.text):
            assert (await client.get(f"{prefix}/ui/{name}")).status_code == 200


async def test_the_demonstration_is_offered_in_development_alone(
    anonymous: httpx.AsyncClient, url: URL, home: Path
) -> None:
    offered = (await anonymous.get("/ui/settings.json")).json()
    assert offered == {"demo": {"account": "editor", "secret": "demonstration"}}
    production = Settings(env="production", database_url="postgresql://db/groupsvc")
    async with serving(create_app(production, url, home)) as client:
        assert (await client.get("/ui/settings.json")).json() == {"demo": None}


async def test_it_can_be_left_out(url: URL, home: Path, settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"ui": False}), url, home)
    async with serving(app) as client:
        for path in ("/ui", "/ui/", "/ui/settings.json"):
            assert (await client.get(path)).status_code == 404
