"""The prefix of a gateway as a setting. ``tests/gateways`` has it behind real ones."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from pydantic import ValidationError
from sqlalchemy import URL
from tests.conftest import EVERYTHING, Auth, World, serving

from groupsvc.app import create_app
from groupsvc.setting_types import OWN_PATHS
from groupsvc.settings import Settings


@pytest_asyncio.fixture(scope="module", params=["/groups", "/api/groups"])
async def prefixed(
    request: pytest.FixtureRequest, url: URL, home: Path, settings: Settings, auth: Auth
) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    update = {"root_path": request.param}
    async with serving(create_app(settings.model_copy(update=update), url, home)) as client:
        client.headers.update(auth(*EVERYTHING, subject="root"))
        yield client, request.param


async def test_a_request_is_answered_with_the_prefix_and_without(
    prefixed: tuple[httpx.AsyncClient, str], world: World
) -> None:
    client, prefix = prefixed
    for start in (prefix, ""):
        path = f"{start}/v1/courses/{world.course_id}/partitions"
        made = await client.post(path, json={"name": f"TD{start}".replace("/", " ")})
        assert made.status_code == 201, made.text
        assert made.headers["location"] == f"{prefix}/v1/partitions/{made.json()['id']}"
        read = await client.get(f"{start}/ScoDoc/api/formsemestre/{world.course_id}/partitions")
        assert str(made.json()["id"]) in read.json()
        settings = await client.get(f"{start}/api/cohorts/v1/settings/{world.course}")
        assert settings.headers["link"].startswith(f"<{prefix}/api/cohorts/v2/courses/")


async def test_what_only_begins_like_the_prefix_is_not_there(
    prefixed: tuple[httpx.AsyncClient, str],
) -> None:
    client, prefix = prefixed
    for path in (f"{prefix}x/v1/me", f"{prefix}{prefix}/v1/me", f"{prefix}//v1/me"):
        assert (await client.get(path)).status_code == 404


def test_all_paths_of_the_service_are_known(app: FastAPI) -> None:
    paths = {f"{getattr(route, 'path', '')}/" for route in app.routes}
    starts = tuple(f"{own}/" for own in OWN_PATHS)
    assert {path for path in paths if not path.startswith(starts)} <= {"//"}
    assert [start for start in starts if not any(path.startswith(start) for path in paths)] == []


@pytest.mark.parametrize("prefix", ["/v1", "/api", "/ScoDoc/api", "/courses/x", "groups", "/a/"])
def test_a_prefix_that_cannot_be_told_from_a_path_is_no_setting(prefix: str) -> None:
    with pytest.raises(ValidationError, match="root_path"):
        Settings(root_path=prefix)
