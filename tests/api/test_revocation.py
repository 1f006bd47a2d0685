import asyncio
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.api.logins import GRANT, SECRET, fresh_name, issue, lives, put
from tests.conftest import SQL, Auth

CHALLENGE = 'Basic realm="groupsvc", charset="UTF-8"'


@pytest_asyncio.fixture
async def name(client: httpx.AsyncClient) -> str:
    """An account with the secret above."""
    name = fresh_name()
    assert (await put(client, name, grants=["groups:read"], secret=SECRET)).status_code == 201
    return name


async def revoke(client: httpx.AsyncClient, token: str, **sent: Any) -> httpx.Response:
    return await client.post("/v1/token/revoke", data={"token": token}, **sent)


@pytest.mark.parametrize("way", ["basic", "form", "itself", "other"])
async def test_a_revoked_token_is_dead_at_once(
    anonymous: httpx.AsyncClient, name: str, way: str
) -> None:
    token, other = await issue(anonymous, name), await issue(anonymous, name)
    form = {"token": token, "token_type_hint": "access_token"}
    sent: dict[str, Any] = {
        "basic": {"auth": (name, SECRET)},
        "form": {},
        "itself": {"headers": {"authorization": f"Bearer {token}"}},
        "other": {"headers": {"authorization": f"Bearer {other}"}},
    }[way]
    if way == "form":
        form |= {"client_id": name, "client_secret": SECRET}
    assert await lives(anonymous, token)
    answer = await anonymous.post("/v1/token/revoke", data=form, **sent)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert not await lives(anonymous, token)
    assert await lives(anonymous, other)


async def test_to_revoke_what_is_not_ones_own_changes_nothing(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, name: str
) -> None:
    stranger = f"{name}-stranger"
    body = {"grants": ["admin"], "secret": SECRET}
    assert (await client.put(f"/v1/accounts/{stranger}", json=body)).status_code == 201
    token = await issue(anonymous, name)
    for each in (token, "gsv_unknown", "rubbish", "\0"):
        answer = await revoke(anonymous, each, auth=(stranger, SECRET))
        assert (answer.status_code, answer.content) == (200, b"")
    assert await lives(anonymous, token)


async def test_what_cannot_be_revoked(anonymous: httpx.AsyncClient, auth: Auth, name: str) -> None:
    token = await issue(anonymous, name)
    signed = auth("admin", subject=name)
    dead = {"authorization": "Bearer gsv_dead"}
    cases: list[tuple[httpx.Response, int, str]] = [
        (await revoke(anonymous, token), 401, "invalid_client"),
        (await revoke(anonymous, token, auth=(name, "wrong")), 401, "invalid_client"),
        (await revoke(anonymous, token, headers=signed), 401, "invalid_client"),
        (await revoke(anonymous, token, headers=dead), 401, "invalid_client"),
        (await revoke(anonymous, "", auth=(name, SECRET)), 400, "invalid_request"),
        (await revoke(anonymous, "a.b.c", auth=(name, SECRET)), 400, "unsupported_token_type"),
        (
            await anonymous.post("/v1/token/revoke", json={"token": token}, auth=(name, SECRET)),
            400,
            "invalid_request",
        ),
    ]
    for answer, status, error in cases:
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert answer.headers.get("www-authenticate") == (CHALLENGE if status == 401 else None)
    assert await lives(anonymous, token)


async def test_no_token_outlives_an_account_that_is_disabled_meanwhile(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, name: str, sql: SQL
) -> None:
    for _ in range(5):
        asked = [anonymous.post("/v1/token", data=GRANT, auth=(name, SECRET)) for _ in range(8)]
        off = {"grants": [], "is_active": False}
        await asyncio.gather(*asked, client.put(f"/v1/accounts/{name}", json=off))
        left = await sql(
            "SELECT 1 FROM tokens t JOIN accounts a ON a.id = t.account_id"
            " WHERE a.name = :name AND t.expires_at > now()",
            name=name,
        )
        assert left == []
        await client.put(f"/v1/accounts/{name}", json={"grants": []})
