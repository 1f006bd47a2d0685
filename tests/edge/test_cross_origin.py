"""Pages of other origins: what a browser is told before and with their calls."""

from pathlib import Path

import httpx
import pytest
from sqlalchemy import URL
from tests.conftest import serving

from groupsvc.app import create_app
from groupsvc.settings import Settings

PAGE = "https://apps.lms.example"
HEADERS = "content-type,if-match,if-none-match,idempotency-key,use-jwt-cookie,x-csrftoken"
PATHS = ["/v1/me", "/api/cohorts/v1/settings/course-v1:A+B+C", "/courses/course-v1:A+B+C/cohorts/"]


async def preflight(app: object, origin: str, path: str) -> httpx.Response:
    async with serving(app) as client:  # type: ignore[arg-type]
        return await client.options(
            path,
            headers={
                "origin": origin,
                "access-control-request-method": "PUT",
                "access-control-request-headers": HEADERS,
            },
        )


@pytest.mark.parametrize("path", PATHS)
async def test_a_named_origin_may_send_cookies_and_the_headers_of_its_clients(
    url: URL, settings: Settings, home: Path, path: str
) -> None:
    app = create_app(settings.model_copy(update={"cors_origins": (PAGE,)}), url, home)
    answer = await preflight(app, PAGE, path)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-credentials"] == "true"
    allowed = answer.headers["access-control-allow-headers"].lower().replace(" ", "").split(",")
    assert set(HEADERS.split(",")) <= set(allowed)
    async with serving(app) as client:
        answer = await client.get(path, headers={"origin": PAGE})
    exposed = set(answer.headers["access-control-expose-headers"].replace(" ", "").split(","))
    assert {"etag", "link", "location", "idempotent-replayed", "retry-after"} <= exposed
    assert answer.headers["access-control-allow-credentials"] == "true"


async def test_another_origin_is_refused(url: URL, settings: Settings, home: Path) -> None:
    app = create_app(settings.model_copy(update={"cors_origins": (PAGE,)}), url, home)
    answer = await preflight(app, "https://elsewhere.example", PATHS[0])
    assert answer.status_code == 400
    assert "access-control-allow-origin" not in answer.headers


async def test_where_all_origins_may_call_none_may_send_cookies(
    url: URL, settings: Settings, home: Path
) -> None:
    app = create_app(settings.model_copy(update={"cors_origins": ("*",)}), url, home)
    answer = await preflight(app, PAGE, PATHS[0])
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_an_origin_is_named_with_or_without_a_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUPSVC_CORS_ORIGINS", f"{PAGE}/,http://other.example:8080")
    assert Settings().cors_origins == (PAGE, "http://other.example:8080")
