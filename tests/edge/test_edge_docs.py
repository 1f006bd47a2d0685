"""The documentation page: everything it loads is here, and nothing else may load."""

import base64
import hashlib
import re

import httpx
import pytest
from fastapi import FastAPI

from groupsvc.http.swagger import install_docs

DOCS = {"title": "groupsvc <native>", "openapi_url": "/openapi.json", "docs_url": "/docs"}


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None)
    sub = FastAPI(docs_url=None, redoc_url=None)
    install_docs(app, **DOCS)
    install_docs(
        app,
        title="dialect",
        openapi_url="/dialect/api/openapi.json",
        docs_url="/docs/dialect",
    )
    install_docs(sub, title="inside", openapi_url="/openapi.json", docs_url="/docs")
    app.mount("/dialect/api", sub)
    return app


@pytest.mark.parametrize("page", ["/docs", "/docs/dialect", "/dialect/api/docs"])
@pytest.mark.parametrize("prefix", ["", "/gateway"])
async def test_everything_on_the_page_is_found(app: FastAPI, prefix: str, page: str) -> None:
    transport = httpx.ASGITransport(app, root_path=prefix)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get(prefix + page)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        addresses = re.findall(r'(?:href|src|"url")(?:=|: )"([^"]+)"', answer.text)
        found = [await client.get(answer.url.join(address)) for address in addresses]
    assert len(addresses) == 4
    assert [each.status_code for each in found] == [200] * 4
    assert [each.headers["content-type"].partition(";")[0] for each in found] == [
        "image/png",
        "text/css",
        "text/javascript",
        "application/json",
    ]
    assert found[0].headers["cache-control"] == "public, max-age=3600"
    assert "//" not in answer.text.replace("<!DOCTYPE", "")


async def test_only_the_script_of_the_page_may_run(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/docs")
    script = re.search(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert f"script-src 'self' 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "<title>groupsvc &lt;native&gt;</title>" in answer.text
    for option in ('"persistAuthorization": true', '"tryItOutEnabled": true'):
        assert option in script[1]


@pytest.mark.parametrize("file", ["__init__.py", "../main.py", "%2e%2e/main.py", "x.js", ""])
async def test_only_the_files_of_the_page_are_served(app: FastAPI, file: str) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get(f"/docs/assets/{file}")).status_code == 404


def test_the_page_is_not_in_the_document(app: FastAPI) -> None:
    assert app.openapi()["paths"] == {}
