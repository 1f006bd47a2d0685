import asyncio
import io
import logging
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from groupsvc.core.accounts.service import AccountService
from groupsvc.core.repository import Context
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.db.pool import ConnectionPool
from groupsvc.domain.errors import ForbiddenError
from groupsvc.domain.principal import Grant, Permission, Principal
from groupsvc.logs import JsonFormatter
from tests.api.logins import SECRET, fresh_name, log_in, put
from tests.conftest import SQL, World

CLI = Principal("cli", grants=frozenset({Grant(Permission.ADMIN)}))


@pytest.fixture
def name() -> str:
    return fresh_name()


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
        # An account may hold its hash, and nothing else may. Bytes are shown in hexadecimal.
        but = hashed if table == "accounts" else ""
        row = "replace(CAST(to_jsonb(t) AS text), :but, '')"
        found = (
            f"SELECT count(*) FROM {table} t WHERE strpos({row}, :text) + strpos({row}, :hex) > 0"
        )
        return (await sql(found, text=text, hex=text.encode().hex(), but=but))[0][0] > 0

    assert await kept(name, "changes")
    for hidden in (made, SECRET, *tokens, hashed):
        assert hidden not in logged.getvalue()
        for table in ("accounts", "tokens", "changes", "idempotency_keys"):
            assert not await kept(hidden, table)
    assert f'"principal": "account:{name}"' in logged.getvalue()


async def test_the_command_line_makes_the_first_administrator(
    pool: ConnectionPool, anonymous: httpx.AsyncClient, name: str
) -> None:
    async with UnitOfWork(pool, Context(actor="cli")) as uow:
        declared = await AccountService(uow, CLI).declare(name, grants=["admin"])
    assert declared.secret is not None
    token = await log_in(anonymous, name, declared.secret)
    assert (await anonymous.get("/v1/accounts", headers=token)).status_code == 200
    async with UnitOfWork(pool, Context(actor="cli")) as uow:
        document = await AccountService(uow, CLI).set_grants(name, ["groups:read"])
    assert document.data["grants"] == ["groups:read"]
    assert (await anonymous.get("/v1/accounts", headers=token)).status_code == 403
    async with UnitOfWork(pool, Context(actor="cli")) as uow:
        assert (await AccountService(uow, CLI).disable(name)).data["is_active"] is False
    assert (await anonymous.get("/v1/me", headers=token)).status_code == 401


@pytest.mark.parametrize("work", ["disable", "delete", "read", "set_grants", "declare", "page"])
async def test_the_service_itself_refuses_others(pool: ConnectionPool, work: str) -> None:
    teacher = Principal("t", grants=frozenset({Grant(Permission.ADMIN, department="RT")}))
    arguments: dict[str, Any] = {
        "set_grants": {"name": "x", "grants": ["admin"]},
        "declare": {"name": "x", "grants": ["admin"]},
        "page": {"limit": 1},
    }
    async with UnitOfWork(pool) as uow:
        with pytest.raises(ForbiddenError):
            await getattr(AccountService(uow, teacher), work)(**arguments.get(work, {"name": "x"}))
