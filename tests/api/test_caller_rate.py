"""A caller who calls too often is told so in the shape of the face that they call."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.conftest import EVERYTHING, Auth, World, serving
from tests.test_statements import recorded

SHAPES = {
    "/v1/me": (
        "application/problem+json",
        {
            "code": "too_many_requests",
            "detail": "there were too many requests in a minute",
            "status": 429,
        },
    ),
    "/ScoDoc/api/departements": (
        "application/json",
        {"error": "Too Many Requests", "message": "trop de requêtes", "status": 429},
    ),
    "/api/cohorts/v1/settings/{course}": (
        "application/json",
        {"developer_message": "Request was throttled, try again later."},
    ),
}


@pytest_asyncio.fixture
async def once(url: URL, settings: Settings, home: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A server that takes one request of a caller in a minute."""
    limits = {"max_requests_per_caller": 1}
    async with serving(create_app(settings.model_copy(update=limits), url, home)) as client:
        yield client


@pytest.mark.parametrize("path", SHAPES)
async def test_whoever_calls_too_often_is_told_when_to_come_again(
    once: httpx.AsyncClient, auth: Auth, world: World, path: str
) -> None:
    media_type, expected = SHAPES[path]
    address, headers = path.format(course=world.course), auth(*EVERYTHING, subject="often")
    first = await once.get(address, headers=headers)
    assert (first.status_code, first.headers["ratelimit-policy"]) == (200, '"caller";q=1;w=60')
    with recorded() as statements:
        refused = await once.get(address, headers=headers)
    body: dict[str, Any] = refused.json()
    assert (refused.status_code, statements) == (429, [])
    assert refused.headers["content-type"].startswith(media_type)
    assert {name: body.get(name) for name in expected} == expected
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    other = await once.get(address, headers=auth(*EVERYTHING, subject="another"))
    assert other.status_code == 200
