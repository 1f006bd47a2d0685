"""Local accounts for tests, and logging in to them."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.conftest import SQL

SECRET = "correct horse battery"
GRANT = {"grant_type": "client_credentials"}


def fresh_name() -> str:
    return f"sync-{uuid.uuid4().hex[:8]}"


async def put(client: httpx.AsyncClient, name: str, **body: Any) -> httpx.Response:
    return await client.put(f"/v1/accounts/{name}", json={"grants": [], **body})


async def issue(client: httpx.AsyncClient, name: str, secret: str = SECRET) -> str:
    """A token of that account."""
    answer = await client.post("/v1/token", data=GRANT, auth=(name, secret))
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


async def log_in(client: httpx.AsyncClient, name: str, secret: str = SECRET) -> dict[str, str]:
    """Headers of a caller who is that account."""
    return {"authorization": f"Bearer {await issue(client, name, secret)}"}


async def lives(client: httpx.AsyncClient, token: str) -> bool:
    answer = await client.get("/v1/me", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code in (200, 401)
    return answer.status_code == 200


@asynccontextmanager
async def waits_are_long(sql: SQL) -> AsyncIterator[None]:
    """An hour more, so that none is over before a slow machine looks."""
    await sql(
        "CREATE FUNCTION wait_an_hour_more() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.waits_until := NEW.waits_until + interval '1 hour'; RETURN NEW; END $$"
    )
    await sql(
        "CREATE TRIGGER wait_an_hour_more BEFORE INSERT OR UPDATE ON failed_logins"
        " FOR EACH ROW EXECUTE FUNCTION wait_an_hour_more()"
    )
    try:
        yield
    finally:
        await sql("DROP FUNCTION wait_an_hour_more() CASCADE")
