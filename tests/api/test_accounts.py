import uuid
from typing import Any

import httpx
import pytest

from tests.api.logins import SECRET, fresh_name, log_in, put
from tests.conftest import SQL, Auth, World


@pytest.fixture
def name() -> str:
    return fresh_name()


async def test_a_new_account_is_told_its_secret_once(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, world: World, name: str
) -> None:
    grants = [f"groups:write@course:{world.course}", f"groups:read@department:{world.department}"]
    created = await put(client, name, grants=grants)
    body = created.json()
    account = {
        "id": body["id"],
        "name": name,
        "username": None,
        "is_active": True,
        "grants": sorted(grants),
    }
    assert created.status_code == 201
    assert created.headers["location"] == f"/v1/accounts/{name}"
    assert created.headers["cache-control"] == "no-store"
    assert len(body["secret"]) >= 43
    assert body == {**account, "secret": body["secret"]}
    read = await client.get(f"/v1/accounts/{name}")
    assert (read.status_code, read.json()) == (200, account)
    assert read.headers["etag"] == created.headers["etag"]
    await log_in(anonymous, name, body["secret"])


async def test_a_given_secret_is_not_told(client: httpx.AsyncClient, name: str) -> None:
    created = await put(client, name, secret=SECRET, username=" anna ", is_active=False)
    assert created.status_code == 201
    assert created.json() == {
        "id": created.json()["id"],
        "name": name,
        "username": "anna",
        "is_active": False,
        "grants": [],
    }


async def test_to_replace_keeps_the_secret_and_the_tokens(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, name: str
) -> None:
    await put(client, name, secret=SECRET, grants=["groups:read"], username="anna")
    token = await log_in(anonymous, name)
    for body in ({"grants": ["admin"]}, {"grants": ["admin"], "secret": SECRET}):
        replaced = await put(client, name, **body)
        assert (replaced.status_code, replaced.json()["grants"]) == (200, ["admin"])
        assert replaced.json()["username"] is None
        assert (await anonymous.get("/v1/me", headers=token)).status_code == 200
    await log_in(anonymous, name)


async def test_another_secret_ends_the_tokens(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, name: str
) -> None:
    await put(client, name, secret=SECRET)
    token = await log_in(anonymous, name)
    assert (await put(client, name, secret="another secret")).status_code == 200
    assert (await anonymous.get("/v1/me", headers=token)).json()["code"] == "invalid_token"
    await log_in(anonymous, name, "another secret")


async def test_a_disabled_account_is_dead_at_once_and_for_good(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, name: str, sql: SQL
) -> None:
    await put(client, name, secret=SECRET)
    token = await log_in(anonymous, name)
    assert (await put(client, name, is_active=False)).json()["is_active"] is False
    assert (await anonymous.get("/v1/me", headers=token)).status_code == 401
    assert (await put(client, name)).json()["is_active"] is True
    assert (await anonymous.get("/v1/me", headers=token)).status_code == 401
    token = await log_in(anonymous, name)
    # Whoever disables it behind our back ends its tokens too.
    await sql("UPDATE accounts SET is_active = false WHERE name = :name", name=name)
    assert (await anonymous.get("/v1/me", headers=token)).json()["code"] == "invalid_token"


async def test_a_deleted_account_is_gone_with_its_tokens(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, name: str, sql: SQL
) -> None:
    account = (await put(client, name, secret=SECRET, grants=["admin"])).json()["id"]
    token = await log_in(anonymous, name)
    assert (await client.delete(f"/v1/accounts/{name}")).status_code == 204
    assert (await anonymous.get("/v1/me", headers=token)).status_code == 401
    assert (await client.get(f"/v1/accounts/{name}")).status_code == 404
    assert (await client.delete(f"/v1/accounts/{name}")).status_code == 404
    for table in ("grants", "tokens"):
        assert await sql(f"SELECT 1 FROM {table} WHERE account_id = :id", id=account) == []


async def test_grants_hold_where_they_say_and_change_at_once(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, world: World, name: str
) -> None:
    _, other = await world.add_course()
    token: dict[str, str] = {}

    async def sees(path: str = f"/v1/courses/{world.course_id}") -> int:
        return (await anonymous.get(path, headers=token)).status_code

    await put(client, name, secret=SECRET, grants=[f"groups:read@course:{world.course}"])
    token = await log_in(anonymous, name)
    assert (await sees(), await sees(f"/v1/courses/by-key/{other}")) == (200, 404)
    await put(client, name, grants=[f"groups:read@course:{other}"])
    assert (await sees(), await sees(f"/v1/courses/by-key/{other}")) == (404, 200)
    await put(client, name, grants=[f"groups:read@department:{world.department}"])
    assert (await sees(), await sees(f"/v1/courses/by-key/{other}")) == (200, 200)
    await put(client, name, grants=["groups:write"])
    assert await sees() == 403


async def test_grants_end_with_the_place_they_are_for(
    client: httpx.AsyncClient, world: World, name: str
) -> None:
    grants = ["groups:read", f"groups:read@course:{world.course}"]
    assert (await put(client, name, grants=grants)).status_code == 201
    assert (await client.delete(f"/v1/courses/{world.course_id}")).status_code == 204
    assert (await client.get(f"/v1/accounts/{name}")).json()["grants"] == ["groups:read"]


async def test_accounts_are_listed_by_name(client: httpx.AsyncClient) -> None:
    prefix = f"0{uuid.uuid4().hex[:8]}"
    names = [f"{prefix}-{letter}" for letter in "Zaé"]
    for name in reversed(names):
        assert (await put(client, name)).status_code == 201
    found: list[str] = []
    url = "/v1/accounts?limit=2"
    while url:
        page = await client.get(url)
        assert page.status_code == 200
        found += [account["name"] for account in page.json()["items"]]
        cursor = page.json()["next_cursor"]
        url = f"/v1/accounts?limit=2&cursor={cursor}" if cursor else ""
    assert [name for name in found if name.startswith(prefix)] == names
    assert found == sorted(found)


NO_ADMINISTRATOR = [
    ("admin@department:{0.department}", 403),
    ("admin@course:{0.course}", 403),
    ("groups:read", 403),
    ("roster:write", 403),
    (None, 401),
]


@pytest.mark.parametrize(("grant", "status"), NO_ADMINISTRATOR)
async def test_accounts_are_for_who_administers_everywhere(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    auth: Auth,
    world: World,
    name: str,
    grant: str | None,
    status: int,
) -> None:
    await put(client, name)
    headers = auth(grant.format(world)) if grant else {}
    for known in (name, "nobody"):
        path = f"/v1/accounts/{known}"
        answers = [
            await anonymous.get("/v1/accounts", headers=headers),
            await anonymous.get(path, headers=headers),
            await anonymous.put(path, json={"grants": ["admin"]}, headers=headers),
            await anonymous.delete(path, headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [status] * 4
    assert (await client.get(f"/v1/accounts/{name}")).json()["grants"] == []


BAD_BODIES = [
    ({}, "#/grants", "missing"),
    ({"grants": None}, "#/grants", "list_type"),
    ({"grants": ["groups:read", "fly"]}, "#/grants/1", "invalid_grant"),
    ({"grants": [""]}, "#/grants/0", "invalid_grant"),
    ({"grants": ["admin@"]}, "#/grants/0", "invalid_grant"),
    ({"grants": ["admin@planet:X"]}, "#/grants/0", "invalid_grant"),
    ({"grants": ["admin@course:a\nb"]}, "#/grants/0", "invalid_grant"),
    ({"grants": ["admin@course:" + "x" * 400]}, "#/grants/0", "invalid_grant"),
    ({"grants": ["admin", "groups:read@department:no-such"]}, "#/grants/1", "unknown_place"),
    ({"grants": ["groups:read@course:no-such"]}, "#/grants/0", "unknown_place"),
    ({"grants": [7]}, "#/grants/0", "string_type"),
    ({"grants": ["admin"] * 1001}, "#/grants", "too_long"),
    ({"grants": [], "secret": "********"}, "#/secret", "invalid_secret"),
    ({"grants": [], "secret": "short"}, "#/secret", "invalid_secret"),
    ({"grants": [], "secret": ""}, "#/secret", "invalid_secret"),
    ({"grants": [], "secret": "x" * 201}, "#/secret", "invalid_secret"),
    ({"grants": [], "secret": 12345678}, "#/secret", "string_type"),
    ({"grants": [], "username": " "}, "#/username", "invalid_name"),
    ({"grants": [], "username": "x" * 151}, "#/username", "invalid_name"),
    ({"grants": [], "is_active": 1}, "#/is_active", "bool_type"),
    ({"grants": [], "name": "x"}, "#/name", "extra_forbidden"),
]


@pytest.mark.parametrize(("body", "pointer", "code"), BAD_BODIES)
async def test_a_bad_account_is_refused_whole(
    client: httpx.AsyncClient, name: str, body: Any, pointer: str, code: str
) -> None:
    refused = await client.put(f"/v1/accounts/{name}", json=body)
    assert refused.status_code == 422, refused.text
    entry = refused.json()["errors"][0]
    assert (entry["pointer"], entry["code"]) == (pointer, code)
    assert (await client.get(f"/v1/accounts/{name}")).status_code == 404
    await put(client, name, grants=["groups:read"])
    assert (await client.put(f"/v1/accounts/{name}", json=body)).status_code == 422
    assert (await client.get(f"/v1/accounts/{name}")).json()["grants"] == ["groups:read"]


@pytest.mark.parametrize("bad", ["a:b", "-a", "%20", "a%00b", "a%0Ab", "x" * 151, "a b", "%FF"])
async def test_a_name_that_cannot_be_is_refused_and_not_found(
    client: httpx.AsyncClient, bad: str
) -> None:
    refused = await put(client, bad)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_name")
    assert refused.json()["errors"][0]["pointer"] == "#/name"
    assert (await client.get(f"/v1/accounts/{bad}")).status_code == 404
    assert (await client.delete(f"/v1/accounts/{bad}")).status_code == 404


async def test_a_name_has_one_form(client: httpx.AsyncClient, name: str) -> None:
    assert (await put(client, f"{name}e\u0301")).json()["name"] == f"{name}\u00e9"
    assert (await put(client, f"{name}\u00e9")).status_code == 200


async def test_nobody_overwrites_what_he_has_not_seen(client: httpx.AsyncClient, name: str) -> None:
    first = (await put(client, name)).headers["etag"]
    path = f"/v1/accounts/{name}"
    body = {"grants": ["groups:read"]}
    good = await client.put(path, json=body, headers={"if-match": first})
    assert good.status_code == 200
    stale = await client.put(path, json=body, headers={"if-match": first})
    assert (stale.status_code, stale.json()["etag"]) == (412, good.headers["etag"])
    assert (await client.delete(path, headers={"if-match": first})).status_code == 412
    seen = {"if-none-match": good.headers["etag"]}
    assert (await client.get(path, headers=seen)).status_code == 304
    now = {"if-match": good.headers["etag"]}
    assert (await client.delete(path, headers=now)).status_code == 204
    assert (await client.put(path, json=body, headers={"if-match": "*"})).status_code == 412
