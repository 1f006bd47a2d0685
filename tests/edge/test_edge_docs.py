"""The documentation page: everything it loads is here, and nothing else may load."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from groupsvc.http.documents import published
from groupsvc.http.swagger import Shown, install_docs

NATIVE = Shown("groupsvc <native>", "/openapi.json", "/docs")
DIALECT = Shown("dialect", "/dialect/api/openapi.json", "/docs/dialect")


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None)
    sub = FastAPI(docs_url=None, redoc_url=None)
    install_docs(app, [NATIVE, DIALECT])
    install_docs(sub, [Shown("inside", "/openapi.json", "/docs")])
    app.mount("/dialect/api", sub)
    return app


@pytest.mark.parametrize("page", ["/docs", "/docs/dialect", "/dialect/api/docs"])
@pytest.mark.parametrize("prefix", ["", "/gateway"])
async def test_everything_on_the_page_is_found(app: FastAPI, prefix: str, page: str) -> None:
    transport = httpx.ASGITransport(app, root_path=prefix)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get(prefix + page)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        addresses = re.findall(r'(?:link.*href|src|"url")(?:=|: )"([^"]+)"', answer.text)
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


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, root_path="/gateway")
    async with httpx.AsyncClient(transport=transport, base_url="http://test/gateway") as client:
        yield client


@pytest.mark.parametrize("page", ["/docs", "/docs/dialect"])
async def test_pages_lead_to_one_another(browser: httpx.AsyncClient, page: str) -> None:
    answer = await browser.get(page)
    links = dict(re.findall(r'<a href="([^"]+)">([^<]+)</a>', answer.text))
    assert list(links.values()) == ["groupsvc &lt;native&gt;", "dialect"]
    found = [await browser.get(answer.url.join(link)) for link in links]
    assert [(each.status_code, each.url.path) for each in found] == [
        (200, "/gateway/docs"),
        (200, "/gateway/docs/dialect"),
    ]


@pytest.mark.parametrize(
    ("path", "page"), [("/", "/docs"), ("/docs/", "/docs"), ("/docs/dialect/", "/docs/dialect")]
)
async def test_a_browser_is_led_to_a_page(browser: httpx.AsyncClient, path: str, page: str) -> None:
    answer = await browser.get(path, headers={"accept": "text/html,*/*;q=0.8"})
    assert (answer.status_code, answer.headers["location"]) == (307, f"/gateway{page}")


async def test_a_script_is_told_what_there_is(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/")
    assert (answer.status_code, answer.headers["vary"]) == (200, "accept")
    assert answer.json() == {
        "documents": [
            {
                "title": each.title,
                "document": f"/gateway{each.document}",
                "page": f"/gateway{each.page}",
            }
            for each in (NATIVE, DIALECT)
        ]
    }


@pytest.mark.parametrize("path", ["/docs", "/docs/assets/swagger-ui-bundle.js"])
@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br", "gzip"),
        ("br;q=1.0, gzip;q=0.8", "gzip"),
        ("*", "gzip"),
        ("identity", None),
        ("br, gzip;q=0", None),
        ("gzip;q=0.0, br", None),
        ("x-gzip-not", None),
    ],
)
async def test_what_stays_is_compressed_for_whoever_takes_it(
    browser: httpx.AsyncClient, path: str, accepted: str, encoding: str | None
) -> None:
    plain = await browser.get(path, headers={"accept-encoding": "identity"})
    answer = await browser.get(path, headers={"accept-encoding": accepted})
    assert (answer.headers.get("content-encoding"), answer.content) == (encoding, plain.content)
    assert answer.headers["vary"] == "Accept-Encoding"
    if encoding is not None:
        assert int(answer.headers["content-length"]) < len(plain.content) * 0.7
        assert answer.headers["etag"] != plain.headers["etag"]
    known = {"accept-encoding": accepted, "if-none-match": answer.headers["etag"]}
    again = await browser.get(path, headers=known)
    assert (again.status_code, again.content) == (304, b"")


async def test_addresses_in_the_document_have_the_prefix_of_the_gateway(app: FastAPI) -> None:
    described = {
        "paths": {},
        "components": {
            "securitySchemes": {
                "token": {"type": "http"},
                "account": {"flows": {"clientCredentials": {"tokenUrl": "/token"}}},
            }
        },
    }
    app.router.routes.append(published("/described.json", lambda: described, "/dialect"))
    for prefix in ("", "/gateway"):
        transport = httpx.ASGITransport(app, root_path=prefix)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            answer = (await client.get(f"{prefix}/described.json")).json()
        flows = answer["components"]["securitySchemes"]["account"]["flows"]
        assert answer["servers"] == [{"url": f"{prefix}/dialect"}]
        assert flows == {"clientCredentials": {"tokenUrl": f"{prefix}/token"}}
