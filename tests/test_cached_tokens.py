"""Whom a token stood for is remembered, and confirmed by the very next statement.

What changes in one process is true in the next request of another: the answer is that of a process
which remembers nothing, nothing is written before it is known, and it costs no round trip.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.api.logins import SECRET, fresh_name, issue, put
from tests.conftest import SQL, serving
from tests.test_statements import recorded
from tests.tour import Stage, set_stage

# Method, path, body, and how many statements it takes when the caller is remembered.
REQUESTS: dict[str, tuple[str, str, Any, int]] = {
    "read": ("GET", "/v1/partitions/{partition}", None, 1),
    "page": ("GET", "/v1/groups/{group}/members?limit=1", None, 1),
    "board": ("GET", "/v1/courses/{course}/board", None, 1),
    "nothing": ("GET", "/v1/me", None, 1),
    "file": ("GET", "/v1/partitions/{partition}/export?as=canvas-groups", None, 2),
    "write": ("PUT", "/v1/groups/{group}/members/{loose}", None, 1),
    "removal": ("DELETE", "/v1/groups/{group}/members/{member}", None, 1),
    "writes": ("POST", "/v1/partitions/{partition}/groups", {"name": "new"}, 5),
    "keyed writes": ("POST", "/v1/partitions/{spare}/groups", {"name": "new"}, 8),
    "batch": ("POST", "/v1/partitions/{partition}/assignments", {"rows": []}, 5),
    "scodoc read": ("GET", "/ScoDoc/api/partition/{partition}", None, 1),
    # The department of the prefix is looked up.
    "scodoc roll": ("GET", "/ScoDoc/{department}/api/group/{group}/etudiants", None, 2),
    "scodoc write": ("POST", "/ScoDoc/api/group/{group}/set_etudiant/{loose}", None, 1),
    "openedx read": ("GET", "/api/cohorts/v1/settings/{key}", None, 1),
    "openedx list": ("GET", "/api/cohorts/v1/courses/{key}/cohorts/?page_size=1", None, 1),
    "openedx write": (
        "POST",
        "/api/cohorts/v1/courses/{key}/cohorts/",
        {"name": "new", "assignment_type": "manual"},
        11,  # with the first there comes their partition
    ),
}


@dataclass
class Scene:
    """An account of one process, which ``here`` remembers and ``elsewhere`` does not."""

    stage: Stage
    sql: SQL
    admin: httpx.AsyncClient
    here: httpx.AsyncClient
    elsewhere: httpx.AsyncClient
    name: str
    token: str

    async def send(self, client: httpx.AsyncClient, request: str) -> httpx.Response:
        method, path, json, _ = REQUESTS[request]
        headers = {"authorization": f"Bearer {self.token}"}
        if request.startswith("keyed"):
            headers["idempotency-key"] = "a-key-that-is-remembered"
        url = path.format(**vars(self.stage))
        return await client.request(method, url, json=json, headers=headers)

    async def warm(self) -> None:
        headers = {"authorization": f"Bearer {self.token}"}
        assert (await self.here.get("/v1/me", headers=headers)).status_code == 200
        with recorded() as sent:
            await self.here.get("/v1/me", headers=headers)
        assert len(sent) == 1

    async def put(self, **body: Any) -> None:
        assert (await put(self.admin, self.name, **body)).status_code == 200

    async def written(self) -> list[Any]:
        return await self.sql(
            "SELECT (SELECT count(*) FROM changes WHERE course_id = :course),"
            " (SELECT count(*) FROM idempotency_keys WHERE subject = :subject)",
            course=self.stage.course,
            subject=f"account:{self.name}",
        )


MakeScene = Callable[..., Awaitable[Scene]]


@pytest_asyncio.fixture(scope="module")
async def elsewhere(url: URL, settings: Settings, home: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(create_app(settings, url, home)) as client:
        yield client


@pytest_asyncio.fixture
async def make(
    sql: SQL,
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    elsewhere: httpx.AsyncClient,
) -> MakeScene:
    async def make(*grants: str, **account: Any) -> Scene:
        stage, name = await set_stage(sql), fresh_name()
        places = [grant.format(**vars(stage)) for grant in grants]
        made = await put(client, name, grants=places, secret=SECRET, **account)
        assert made.status_code == 201, made.text
        # Both have connections by now, and know the token or not.
        await elsewhere.get("/v1/departments")
        scene = Scene(stage, sql, client, anonymous, elsewhere, name, await issue(anonymous, name))
        await scene.warm()
        return scene

    return make


def comparable(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """Everything but what no two answers share."""
    own = {"x-request-id", "date"}
    headers = {key: value for key, value in answer.headers.items() if key not in own}
    return answer.status_code, re.sub(rb'"request_id":"[^"]*"', b"", answer.content), headers


async def revoke(scene: Scene) -> None:
    answer = await scene.elsewhere.post(
        "/v1/token/revoke", data={"token": scene.token}, auth=(scene.name, SECRET)
    )
    assert answer.status_code == 200


async def disable(scene: Scene) -> None:
    await scene.put(grants=["groups:read", "groups:write"], is_active=False)


async def delete(scene: Scene) -> None:
    assert (await scene.admin.delete(f"/v1/accounts/{scene.name}")).status_code == 204


async def expire(scene: Scene) -> None:
    await scene.sql(
        "UPDATE tokens SET expires_at = now() WHERE account_id ="
        " (SELECT id FROM accounts WHERE name = :name)",
        name=scene.name,
    )


async def withdraw(scene: Scene) -> None:
    await scene.put(grants=[])


@pytest.mark.parametrize("request_name", REQUESTS)
@pytest.mark.parametrize("event", [revoke, disable, delete, expire, withdraw])
async def test_what_is_taken_is_gone_at_once(
    make: MakeScene, event: Callable[[Scene], Awaitable[None]], request_name: str
) -> None:
    scene = await make("groups:read", "groups:write")
    await event(scene)
    before = await scene.written()
    answer = await scene.send(scene.here, request_name)
    assert await scene.written() == before
    assert comparable(answer) == comparable(await scene.send(scene.elsewhere, request_name))
    if event is withdraw:
        assert answer.status_code == (200 if request_name == "nothing" else 403), answer.text
    else:
        assert answer.status_code in (401, 403), answer.text
    # And so it stays.
    assert comparable(await scene.send(scene.here, request_name)) == comparable(answer)


@pytest.mark.parametrize("request_name", REQUESTS)
async def test_what_is_given_is_there_at_once(make: MakeScene, request_name: str) -> None:
    scene = await make()
    refused = await scene.send(scene.here, request_name)
    assert refused.status_code == (200 if request_name == "nothing" else 403), refused.text
    await scene.put(grants=["groups:read", "groups:write"])
    assert (await scene.send(scene.here, request_name)).is_success


@pytest.mark.parametrize("request_name", REQUESTS)
async def test_a_caller_who_is_remembered_costs_no_round_trip(
    make: MakeScene, request_name: str
) -> None:
    scene = await make("groups:read", "groups:write")
    with recorded() as sent:
        answer = await scene.send(scene.here, request_name)
    assert answer.is_success, answer.text
    assert len(sent) == REQUESTS[request_name][3], "\n".join(sent)


PLACES = {
    "department": "UPDATE departments SET acronym = acronym || 'x' WHERE acronym = :department",
    "course": "UPDATE courses SET key = key || 'x' WHERE id = :course",
}


@pytest.mark.parametrize("request_name", ["read", "write", "writes", "page", "removal"])
@pytest.mark.parametrize("place", PLACES)
async def test_a_place_with_another_name_is_the_same_place(
    make: MakeScene, place: str, request_name: str
) -> None:
    name = {"department": "department:{department}", "course": "course:{key}"}[place]
    scene = await make(f"groups:read@{name}", f"groups:write@{name}")
    given = {"department": scene.stage.department, "course": scene.stage.course}
    await scene.sql(PLACES[place], **{place: given[place]})
    answer = await scene.send(scene.here, request_name)
    assert answer.is_success, answer.text


async def test_a_place_that_is_gone_is_no_place(make: MakeScene) -> None:
    scene = await make("groups:read@course:{key}")
    course = f"/v1/courses/{scene.stage.course}"
    assert (await scene.admin.delete(course)).status_code == 204
    again = {"department": scene.stage.department, "title": "Another"}
    await scene.admin.put(f"/v1/courses/by-key/{scene.stage.key}", json=again)
    headers = {"authorization": f"Bearer {scene.token}"}
    by_key = f"/v1/courses/by-key/{scene.stage.key}"
    here = await scene.here.get(by_key, headers=headers)
    assert comparable(here) == comparable(await scene.elsewhere.get(by_key, headers=headers))
    assert here.status_code == 403


async def test_whoever_is_meant_changes_at_once(make: MakeScene) -> None:
    scene = await make("groups:read", username="nobody-at-all")
    headers = {"authorization": f"Bearer {scene.token}"}
    for path in ("/v1/me", "/v1/me/groups"):
        await scene.put(grants=["groups:read"], username="nobody-at-all")
        before = await scene.here.get(path, headers=headers)
        await scene.put(grants=["groups:read"], username=scene.stage.username)
        after = await scene.here.get(path, headers=headers)
        assert comparable(after) == comparable(await scene.elsewhere.get(path, headers=headers))
        assert after.content != before.content
