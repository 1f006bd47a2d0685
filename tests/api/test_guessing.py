"""Whoever guesses the secret of an account waits ever longer; its owner does not, elsewhere."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote_plus

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import URL
from starlette.requests import Request

from groupsvc.app import create_app
from groupsvc.http.client_address import client_address
from groupsvc.settings import Settings
from tests.api.logins import GRANT, SECRET, fresh_name, put, waits_are_long
from tests.conftest import SQL, serving

TRIES = 3
TOKENS = ("/v1/token", "/oauth2/access_token", "/ScoDoc/api/tokens")


@pytest_asyncio.fixture(scope="module")
async def strict(url: URL, settings: Settings, home: Path) -> AsyncIterator[httpx.AsyncClient]:
    limits = {"login_tries": TRIES, "client_address_header": "X-Forwarded-For"}
    async with serving(create_app(settings.model_copy(update=limits), url, home)) as client:
        yield client


@pytest_asyncio.fixture
async def long_waits(sql: SQL) -> AsyncIterator[None]:
    async with waits_are_long(sql):
        yield


async def log_in(
    client: httpx.AsyncClient, path: str, name: str, secret: str, address: str = "192.0.2.1"
) -> httpx.Response:
    body = None if path.startswith("/ScoDoc") else GRANT
    headers = {"x-forwarded-for": f"198.51.100.7, {address}"}
    return await client.post(path, data=body, auth=(name, secret), headers=headers)


@pytest.mark.usefixtures("long_waits")
@pytest.mark.parametrize("path", TOKENS)
@pytest.mark.parametrize("known", [True, False])
async def test_after_some_wrong_secrets_the_next_try_has_to_wait(
    client: httpx.AsyncClient, strict: httpx.AsyncClient, path: str, known: bool
) -> None:
    name = fresh_name()
    if known:
        await put(client, name, secret=SECRET)
    for _ in range(TRIES):
        assert (await log_in(strict, path, name, "wrong")).status_code == 401
    refused = await log_in(strict, path, name, SECRET)
    assert refused.status_code == 429
    assert 3_000 <= int(refused.headers["retry-after"]) <= 3_602
    assert SECRET not in refused.text
    assert name not in refused.text


@pytest.mark.usefixtures("long_waits")
async def test_the_owner_gets_in_from_another_address_and_guessing_does_not(
    client: httpx.AsyncClient, strict: httpx.AsyncClient, sql: SQL
) -> None:
    name, path = fresh_name(), TOKENS[0]
    await put(client, name, secret=SECRET)
    for _ in range(TRIES):
        await log_in(strict, path, name, "wrong")
    assert (await log_in(strict, path, name, SECRET, "192.0.2.2")).status_code == 200
    assert (await log_in(strict, path, name, SECRET)).status_code == 429
    # Another spelling of the name is the same account.
    assert (await log_in(strict, path, f" {name} ", SECRET)).status_code == 429


async def test_each_wrong_secret_doubles_the_wait_and_the_right_one_ends_it(
    client: httpx.AsyncClient, strict: httpx.AsyncClient, sql: SQL
) -> None:
    name, path = fresh_name(), TOKENS[0]
    await put(client, name, secret=SECRET)
    over = "UPDATE failed_logins SET waits_until = NULL, last_at = now()"
    waits = "SELECT ceil(extract(epoch FROM waits_until - last_at))::int FROM failed_logins"
    newest = " ORDER BY last_at DESC LIMIT 1"
    told = []
    for _ in range(TRIES + 12):
        assert (await log_in(strict, path, name, "wrong")).status_code == 401
        told.append((await sql(waits + newest))[0][0])
        await sql(over)
    assert told == [None, None, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert (await log_in(strict, path, name, SECRET)).status_code == 200
    for _ in range(TRIES - 1):
        assert (await log_in(strict, path, name, "wrong")).status_code == 401
    assert (await log_in(strict, path, name, SECRET)).status_code == 200


async def test_neither_names_nor_addresses_are_stored(strict: httpx.AsyncClient, sql: SQL) -> None:
    name = fresh_name()
    await log_in(strict, TOKENS[0], name, "wrong", "192.0.2.77")
    rows = str(await sql("SELECT * FROM failed_logins"))
    assert name not in rows
    assert "192.0.2.77" not in rows


@pytest.mark.usefixtures("long_waits")
async def test_whoever_leaves_an_account_alone_for_a_day_begins_anew(
    strict: httpx.AsyncClient, sql: SQL
) -> None:
    name, path = fresh_name(), TOKENS[0]
    for _ in range(TRIES):
        await log_in(strict, path, name, "wrong")
    await sql(
        "UPDATE failed_logins SET last_at = now() - interval '25 hours',"
        " waits_until = now() - interval '24 hours' WHERE waits_until > now()"
    )
    for _ in range(TRIES):
        assert (await log_in(strict, path, name, "wrong")).status_code == 401
    assert (await log_in(strict, path, name, "wrong")).status_code == 429


@pytest.mark.usefixtures("long_waits")
@pytest.mark.parametrize("path", TOKENS[:2])
async def test_what_is_encoded_as_a_form_counts_once(
    client: httpx.AsyncClient, strict: httpx.AsyncClient, path: str
) -> None:
    """OAuth has names and secrets encoded in the header; they are read as they stand, too."""
    name, secret = f"{fresh_name()}@x", f"{SECRET}+%2B"
    await put(client, name, secret=secret)
    encoded = quote_plus(name), quote_plus(secret)
    for _ in range(2 * TRIES):
        assert (await log_in(strict, path, *encoded)).status_code == 200
    for _ in range(TRIES):
        assert (await log_in(strict, path, encoded[0], "wrong")).status_code == 401
    assert (await log_in(strict, path, *encoded)).status_code == 429


@pytest.mark.usefixtures("long_waits")
async def test_a_burst_of_guesses_is_no_way_round(strict: httpx.AsyncClient) -> None:
    name = fresh_name()
    answers = await asyncio.gather(
        *(log_in(strict, TOKENS[0], name, f"wrong {number}") for number in range(5 * TRIES))
    )
    assert Counter(answer.status_code for answer in answers) == {401: TRIES, 429: 4 * TRIES}


@pytest.mark.parametrize(
    ("addresses", "counted"),
    [
        (["192.0.2.1", "198.51.100.7"], "198.51.100.7"),
        (["192.0.2.1, 198.51.100.7"], "198.51.100.7"),
        (["198.51.100.7:4711"], "198.51.100.7"),
        (["[2001:db8:1:2:3::4]:4711"], "2001:db8:1:2::/64"),
        (["2001:db8:1:2::9"], "2001:db8:1:2::/64"),
        (["::ffff:198.51.100.7"], "198.51.100.7"),
        (["unknown"], "unknown"),
        ([], "203.0.113.9"),
    ],
)
def test_what_the_gateway_tells_last_counts(addresses: list[str], counted: str) -> None:
    headers = [(b"x-forwarded-for", each.encode()) for each in addresses]
    request = Request({"type": "http", "headers": headers, "client": ("203.0.113.9", 1)})
    settings = Settings().model_copy(update={"client_address_header": "X-Forwarded-For"})
    assert client_address(request, settings) == counted
