import asyncio
import io
import logging
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from groupsvc.auth.principal import Grant, Permission, Principal
from groupsvc.db.engine import Sessions
from groupsvc.errors import ForbiddenError
from groupsvc.logs import JsonFormatter
from groupsvc.repositories.repository import Context
from groupsvc.repositories.unit_of_work import UnitOfWork
from groupsvc.services.accounts import AccountService
from tests.conftest import SQL, Auth, World

SECRET = "correct horse battery"
CLI = Principal("cli", grants=frozenset({Grant(Permission.ADMIN)}))


@pytest.fixture
def name() -> str:
    return f"sync-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged, at any level, as it would be written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(level)
    root.removeHandler(handler)


async def put(client: httpx.AsyncClient, name: str, **body: Any) -> httpx.Response:
    return await client.put(f"/v1/accounts/{name}", json={"grants": [], **body})


async def log_in(client: httpx.AsyncClient, name: str, secret: str = SECRET) -> dict[str, str]:
    """Headers of a caller who is that account."""
    form = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
    answer = await client.post("/v1/token", data=form)
    assert answer.status_code == 200, answer.text
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


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


async def test_of_many_who_create_an_account_one_is_told_its_secret(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, name: str
) -> None:
    answers = await asyncio.gather(*(put(client, name, grants=["admin"]) for _ in range(12)))
    created = [answer for answer in answers if answer.status_code == 201]
    assert len(created) == 1
    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    await log_in(anonymous, name, created[0].json()["secret"])


async def test_every_change_has_its_line(
    client: httpx.AsyncClient, world: World, name: str, sql: SQL
) -> None:
    grants = ["groups:read", f"groups:write@course:{world.course}"]
    account = (await put(client, name, grants=grants, secret=SECRET)).json()["id"]
    await put(client, name, grants=["groups:read"], secret=SECRET)
    await put(client, name, grants=["groups:read"], secret="another secret")
    await put(client, name, grants=["groups:read"], is_active=False)
    await client.delete(f"/v1/accounts/{name}")
    lines = await sql(
        "SELECT kind, actor, before, after FROM changes WHERE course_id = 0 AND :id IN"
        " (CAST(coalesce(after, before) ->> 'id' AS bigint),"
        "  CAST(coalesce(after, before) ->> 'account_id' AS bigint))"
        " AND (kind LIKE 'account.%' OR kind LIKE 'grant.%') ORDER BY seq",
        id=account,
    )
    on = {"id": account, "name": name, "is_active": True}
    off = {**on, "is_active": False}
    nowhere = {"department_id": None, "course_id": None}
    read = {**nowhere, "account_id": account, "permission": "groups:read"}
    write = {**read, "permission": "groups:write", "course_id": world.course_id}
    assert lines[0] == ("account.created", "root", None, on)
    assert sorted(lines[1:3], key=lambda line: line[3]["permission"]) == [
        ("grant.created", "root", None, read),
        ("grant.created", "root", None, write),
    ]
    assert lines[3:] == [
        ("grant.deleted", "root", write, None),
        ("account.updated", "root", on, on),
        ("account.updated", "root", on, off),
        ("account.deleted", "root", off, None),
        ("grant.deleted", "root", read, None),
    ]


async def test_secrets_and_tokens_are_written_down_nowhere(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    name: str,
    sql: SQL,
    logged: io.StringIO,
) -> None:
    made = (await put(client, name)).json()["secret"]
    await put(client, name, secret=SECRET)
    tokens = [(await log_in(anonymous, name))["authorization"].partition(" ")[2] for _ in "ab"]
    form = {"grant_type": "client_credentials", "client_id": name, "client_secret": SECRET + "!"}
    headers = {"idempotency-key": uuid.uuid4().hex}
    await anonymous.post("/v1/token", data=form, headers=headers)
    await anonymous.post("/v1/token", data={**form, "client_secret": SECRET}, headers=headers)
    await anonymous.get("/v1/me", headers={"authorization": f"Bearer {tokens[0]}x"})
    await anonymous.post(
        "/v1/token/revoke", data={"token": tokens[0]}, auth=(name, SECRET), headers=headers
    )
    ((hashed,),) = await sql("SELECT secret_hash FROM accounts WHERE name = :name", name=name)

    async def kept(text: str, table: str) -> bool:
        # An account may hold its hash, and nothing else may.
        but = hashed if table == "accounts" else ""
        row = "replace(CAST(to_jsonb(t) AS text), :but, '')"
        found = f"SELECT count(*) FROM {table} t WHERE strpos({row}, :text) > 0"
        return (await sql(found, text=text, but=but))[0][0] > 0

    assert await kept(name, "changes")
    for hidden in (made, SECRET, *tokens, hashed):
        assert hidden not in logged.getvalue()
        for table in ("accounts", "tokens", "changes", "idempotency_keys"):
            assert not await kept(hidden, table)
    assert f'"principal": "account:{name}"' in logged.getvalue()


async def test_the_command_line_makes_the_first_administrator(
    sessions: Sessions, anonymous: httpx.AsyncClient, name: str
) -> None:
    async with UnitOfWork(sessions, Context(actor="cli")) as uow:
        declared = await AccountService(uow, CLI).declare(name, grants=["admin"])
    assert declared.secret is not None
    token = await log_in(anonymous, name, declared.secret)
    assert (await anonymous.get("/v1/accounts", headers=token)).status_code == 200
    async with UnitOfWork(sessions, Context(actor="cli")) as uow:
        document = await AccountService(uow, CLI).set_grants(name, ["groups:read"])
    assert document.data["grants"] == ["groups:read"]
    assert (await anonymous.get("/v1/accounts", headers=token)).status_code == 403
    async with UnitOfWork(sessions, Context(actor="cli")) as uow:
        assert (await AccountService(uow, CLI).disable(name)).data["is_active"] is False
    assert (await anonymous.get("/v1/me", headers=token)).status_code == 401


@pytest.mark.parametrize("work", ["disable", "delete", "read", "set_grants", "declare", "page"])
async def test_the_service_itself_refuses_others(sessions: Sessions, work: str) -> None:
    teacher = Principal("t", grants=frozenset({Grant(Permission.ADMIN, department="RT")}))
    arguments: dict[str, Any] = {
        "set_grants": {"name": "x", "grants": ["admin"]},
        "declare": {"name": "x", "grants": ["admin"]},
        "page": {"limit": 1},
    }
    async with UnitOfWork(sessions) as uow:
        with pytest.raises(ForbiddenError):
            await getattr(AccountService(uow, teacher), work)(**arguments.get(work, {"name": "x"}))


async def test_me(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    auth: Auth,
    world: World,
    name: str,
    sql: SQL,
) -> None:
    ((username,),) = await sql("SELECT username FROM users WHERE id = :id", id=world.users[0])
    grants = ["groups:read", f"groups:write@department:{world.department}"]
    await put(client, name, secret=SECRET, username=username, grants=grants)
    answer = await anonymous.get("/v1/me", headers=await log_in(anonymous, name))
    assert answer.status_code == 200
    assert answer.json() == {
        "subject": f"account:{name}",
        "username": username,
        "grants": grants,
        "user": {
            "id": world.users[0],
            "username": username,
            "email": f"{username}@example.org",
            "family_name": "Family1",
            "given_name": "Given",
            "usual_name": None,
            "civility": "X",
            "student_number": None,
            "national_number": None,
            "department": world.department,
            "is_active": True,
        },
    }
    again = {**auth(subject="anna"), "if-none-match": answer.headers["etag"]}
    other = await anonymous.get("/v1/me", headers=again)
    assert other.json() == {"subject": "anna", "username": None, "grants": [], "user": None}
    assert (await anonymous.get("/v1/me")).status_code == 401


async def test_my_groups(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, auth: Auth, world: World, sql: SQL
) -> None:
    partition = await world.add_partition("TD")
    group = await world.add_group(partition, "A")
    assert (await client.put(f"/v1/groups/{group}/members/{world.users[0]}")).status_code == 200
    ((username,),) = await sql("SELECT username FROM users WHERE id = :id", id=world.users[0])
    mine = await anonymous.get("/v1/me/groups", headers=auth(username=username))
    assert mine.status_code == 200
    assert mine.json() == [
        {
            "course_key": world.course,
            "course_title": "Course",
            "partition_name": "TD",
            "id": group,
            "course_id": world.course_id,
            "partition_id": partition,
            "name": "A",
            "position": 1,
            "capacity": None,
            "edt_id": None,
            "assignment_type": "manual",
            "content_link": None,
        }
    ]
    assert (await anonymous.get("/v1/me/groups", headers=auth())).json() == []
    assert (await anonymous.get("/v1/me/groups")).status_code == 401
