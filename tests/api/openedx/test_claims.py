"""Tokens as an Open edX signs them: claims become grants by settings."""

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.api.openedx.conftest import FORBIDDEN, HIDDEN, Course, told
from tests.auth.forge import ISSUER, PUBLISHED, claims, forge
from tests.auth.keyserver import KeyServer
from tests.conftest import UNHURRIED, serving

OK: tuple[int, Any] = (200, [])


@pytest_asyncio.fixture
async def platform(url: Any, home: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A server that trusts an Open edX and reads its claims."""
    async with KeyServer.running() as keys:
        keys.publish(*PUBLISHED)
        settings = Settings(
            jwt_issuer=ISSUER,
            jwks_url=keys.url,
            jwt_administrator_claims=("administrator", "superuser"),
            jwt_roles_claim="roles",
            jwt_roles=("staff=groups:read", "staff=groups:write", "moderator=groups:read"),
            jwt_scopes_claim="scopes",
            jwt_scopes=("cohorts:read=groups:read",),
            **UNHURRIED,
        )
        async with serving(create_app(settings, url, home)) as client:
            yield client


def token(key: str, **more: Any) -> str:
    """``{key}`` in roles is the key of the course."""
    roles = [role.format(key=key) for role in more.pop("roles", ())]
    now = int(time.time())
    return forge(body=claims(iat=now, exp=now + 60, roles=roles, **more))


@pytest.mark.parametrize("scheme", ["JWT", "Bearer"])
@pytest.mark.parametrize(
    ("more", "listing", "reading"),
    [
        ({}, FORBIDDEN, FORBIDDEN),
        ({"administrator": True}, OK, "found"),
        ({"superuser": True}, OK, "found"),
        ({"administrator": False}, FORBIDDEN, FORBIDDEN),
        ({"roles": ["staff:{key}"]}, OK, "found"),
        ({"roles": ["staff:*"]}, OK, "found"),
        ({"roles": ["staff:course-v1:Other+C+2026"]}, FORBIDDEN, FORBIDDEN),
        ({"roles": ["moderator:{key}"]}, OK, HIDDEN),
        ({"scopes": ["cohorts:read"]}, OK, HIDDEN),
        ({"scopes": ["email"]}, FORBIDDEN, FORBIDDEN),
    ],
)
async def test_claims_decide(
    platform: httpx.AsyncClient,
    course: Course,
    scheme: str,
    more: Any,
    listing: Any,
    reading: Any,
) -> None:
    headers = {"authorization": f"{scheme} {token(course.key, **more)}"}
    assert told(await platform.get(course.cohorts, headers=headers)) == listing
    answer = await platform.get(course.settings, headers=headers)
    if reading == "found":
        assert (answer.status_code, answer.json()["is_cohorted"]) == (200, False)
    else:
        assert told(answer) == reading
