"""How many functions in Python a hot request calls: unlike time it is the same on every machine.

Counted is what runs between the HTTP server and the socket of the database, the drivers of both and
the frameworks included, the event loop left out: in production it is not written in Python. A
coroutine counts each time that it goes on.
"""

import asyncio
import selectors
import sys
from collections.abc import MutableMapping
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.api.logins import SECRET, fresh_name, issue, put
from tests.conftest import EVERYTHING, World

LOOP = (str(Path(asyncio.__file__).parent), selectors.__file__)
TRIES = 5
# Method, path, and the most calls. Lower a number whenever that is possible; never raise one for
# something that could be done once and not for every request. With two statements a few calls
# depend on when the event loop wakes.
MOST = {
    "a partition": ("GET", "/v1/partitions/{partition}", 182),
    "partitions of a course": ("GET", "/v1/courses/{course}/partitions", 182),
    "members of a group": ("GET", "/v1/groups/{group}/members", 190),
    "groups of a user": ("GET", "/v1/courses/{course}/users/{user}/groups", 189),
    "assignment": ("PUT", "/v1/groups/{group}/members/{user}", 197),
    "ScoDoc: partitions": ("GET", "/ScoDoc/api/formsemestre/{course}/partitions", 198),
    "ScoDoc: assignment": ("POST", "/ScoDoc/api/group/{group}/set_etudiant/{user}", 217),
    "Open edX: cohorts": ("GET", "/api/cohorts/v1/courses/{key}/cohorts/", 262),
}


@pytest_asyncio.fixture(scope="module")
async def caller(client: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> dict[str, str]:
    name = fresh_name()
    await put(client, name, grants=list(EVERYTHING), secret=SECRET)
    return {"authorization": f"Bearer {await issue(anonymous, name)}"}


async def scope_of(client: httpx.AsyncClient, method: str, path: str, **request: Any) -> Any:
    """What an HTTP server says of the request, and the application that it says it to."""
    transport: Any = client._transport
    application, seen = transport.app, dict[str, Any]()

    async def note(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        seen.update(scope)
        await application(scope, receive, send)

    transport.app = note
    try:
        answer = await client.request(method, path, **request)
    finally:
        transport.app = application
    assert answer.is_success, answer.text
    return application, seen


async def calls_of(application: Any, scope: dict[str, Any]) -> int:
    statuses, calls = list[int](), 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal calls
        calls += event == "call" and not frame.f_code.co_filename.startswith(LOOP)

    sys.setprofile(count)
    try:
        await application({**scope, "headers": list(scope["headers"])}, receive, send)
    finally:
        sys.setprofile(None)
    (status,) = statuses
    assert status < 300
    return calls


@pytest.mark.parametrize("item", MOST)
async def test_a_hot_request_calls_no_more_functions(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    caller: dict[str, str],
    world: World,
    item: str,
) -> None:
    method, path, most = MOST[item]
    partition = await world.add_partition("TD")
    cohorts = await world.add_partition("Cohorts", kind="cohorts")
    await world.add_group(cohorts, "C1")
    group, user = await world.add_group(partition), world.users[0]
    assert (await client.put(f"/v1/groups/{group}/members/{user}")).is_success
    path = path.format(
        partition=partition, course=world.course_id, key=world.course, group=group, user=user
    )
    application, scope = await scope_of(anonymous, method, path, headers=caller)
    # What is prepared or remembered at first is not of the request.
    calls = min([await calls_of(application, scope) for _ in range(TRIES)])
    assert calls <= most, f"{item}: {calls} calls"
