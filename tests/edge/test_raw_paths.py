"""Paths in odd spellings lead where they say, through both parsers, or nowhere."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI
from tests.conftest import Auth
from tests.edge.test_edge_protocol import PATIENCE, connect, leave
from tests.live.serving import listening

from groupsvc.http.receive_deadline import DeadlineProtocol, H11DeadlineProtocol

# What whoever may do everything is answered, and a stranger. Nothing is resolved or repaired.
PATHS = {
    "/v1/me": (200, 401),
    "/v1/%6de": (200, 401),
    "/v1/me?": (200, 401),
    # Octets mean what they stand for, and a route does without a line break at the end.
    "/v1%2fme": (200, 401),
    "/v1/me%0a": (200, 401),
    "/v1/me?x=/../../health/live": (200, 401),
    "/v1/me/": (404, 404),
    "//v1/me": (404, 404),
    "/v1//me": (404, 404),
    "/v1/./me": (404, 404),
    "/v1/../v1/me": (404, 404),
    "/v1/%2e%2e/v1/me": (404, 404),
    "/v1/me%2f": (404, 404),
    "/v1\\me": (404, 404),
    "/V1/me": (404, 404),
    "/v1/ME": (404, 404),
    "/v1/me;x=y": (404, 404),
    "/v1/me%00": (404, 404),
    "/v1/me%20": (404, 404),
    "/v1/me%3f": (404, 404),
    "/v1/me%23": (404, 404),
    "/v1/m%C0%65": (404, 404),
    "/v1/%256de": (404, 404),
    "/health/../v1/me": (404, 404),
    "/health/%2e%2e/v1/me": (404, 404),
    "/health/live/../../v1/me": (404, 404),
    "/docs/../v1/me": (404, 404),
    "/ScoDoc/../v1/me": (404, 404),
    "/courses/../v1/me": (404, 404),
    "/api/cohorts/../../v1/me": (404, 404),
    "/v1/accounts": (200, 401),
    "/v1/accounts/..%2f..%2fhealth%2flive": (404, 404),
    "/v1/accounts/%2e%2e": (404, 401),
    "/v1/accounts/%00": (404, 401),
    "/v1/courses/by-key/../../accounts": (404, 401),
    "/v1/courses/by-key/%2e%2e/%2e%2e/accounts": (404, 401),
    "/v1/courses/by-key//": (404, 401),
    "/v1/users/by-name/%00": (404, 401),
    "/v1/users/by-name/%ff": (404, 401),
    "/v1/departments/%F0%9F%92%A9": (404, 401),
    "/v1/groups/0": (404, 401),
    "/v1/groups/-1": (404, 404),
    "/v1/groups/%31": (404, 401),
    "/v1/groups/1%2e0": (404, 404),
    "/v1/groups/1e3": (404, 404),
    "/v1/groups/0x1": (404, 404),
    "/v1/groups/%D9%A1": (404, 404),
    "/v1/groups/" + "9" * 400: (404, 401),
}


@pytest_asyncio.fixture(
    scope="module", params=[DeadlineProtocol, H11DeadlineProtocol], ids=["httptools", "h11"]
)
async def port(request: pytest.FixtureRequest, app: FastAPI) -> AsyncIterator[int]:
    async with listening(app, http=request.param) as address:
        yield int(address.rpartition(":")[2])


@pytest.mark.parametrize("path", PATHS)
async def test_an_odd_path_leads_nowhere_else(port: int, auth: Auth, path: str) -> None:
    found: list[int] = []
    root = auth("admin", "groups:read")["authorization"]
    for caller in (f"Authorization: {root}\r\n", ""):
        head = f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{caller}\r\n"
        reader, writer = await connect(port, head.encode())
        async with asyncio.timeout(PATIENCE):
            answer: Any = await reader.read()
        await leave(writer)
        found.append(int(answer.split()[1]))
    assert tuple(found) == PATHS[path]
