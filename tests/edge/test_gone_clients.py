"""Clients that go away before the service has read what they send."""

import logging
from typing import Any

import httpx
import pytest
from tests.conftest import Auth, World

PATHS = [
    ("POST", "/v1/partitions/{partition}/groups"),
    ("POST", "/v1/partitions/{partition}/assignments"),
    ("POST", "/v1/import/roster"),
    ("PATCH", "/v1/partitions/{partition}"),
    ("POST", "/ScoDoc/api/partition/{partition}/group/create"),
    ("POST", "/api/cohorts/v1/courses/{key}/cohorts/"),
    ("PATCH", "/courses/{key}/cohorts/settings"),
]


@pytest.mark.parametrize("more", [{}, {"idempotency-key": "gone"}], ids=["", "key"])
@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_a_client_that_goes_away_is_no_fault_of_the_service(
    client: httpx.AsyncClient,
    auth: Auth,
    world: World,
    method: str,
    path: str,
    more: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    partition = await world.add_partition()
    headers = {
        "host": "test",
        "content-type": "application/json",
        "content-length": "20",
        **auth("groups:read", "groups:write", "roster:write"),
        **more,
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    address = path.format(partition=partition, key=world.course)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": address,
        "raw_path": address.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
        "state": {},
    }
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    with caplog.at_level(logging.INFO):
        await transport.app(scope, receive, send)
    assert sent == []
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []
