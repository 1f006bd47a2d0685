import base64
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.auth.passwords import TOKEN_PREFIX
from groupsvc.core.accounts import authentication
from groupsvc.core.accounts.authentication import token_digest
from groupsvc.http.application import FaceApplication
from groupsvc.http.oauth import offer_login
from groupsvc.settings import Settings
from tests.api.logins import GRANT, SECRET, fresh_name, issue, lives, put
from tests.conftest import SQL, Auth

FORM = {"content-type": "application/x-www-form-urlencoded"}
CHALLENGE = 'Basic realm="groupsvc", charset="UTF-8"'


@pytest_asyncio.fixture
async def name(client: httpx.AsyncClient) -> str:
    """An account with the secret above."""
    name = fresh_name()
    assert (await put(client, name, grants=["groups:read"], secret=SECRET)).status_code == 201
    return name


def basic(text: str | bytes) -> dict[str, str]:
    raw = text if isinstance(text, bytes) else text.encode()
    return {"authorization": f"Basic {base64.b64encode(raw).decode()}"}


@pytest.mark.parametrize("way", ["form", "basic", "encoded", "both"])
async def test_a_name_and_a_secret_give_a_token(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, way: str
) -> None:
    name, secret = f"a+{uuid.uuid4().hex[:8]}@é.fr", "p+é : %41&="
    body = {"grants": ["groups:read"], "secret": secret}
    assert (await client.put(f"/v1/accounts/{quote(name)}", json=body)).status_code == 201
    sent: dict[str, Any] = {
        "form": {"data": {**GRANT, "client_id": name, "client_secret": secret}},
        "basic": {"data": {**GRANT, "scope": ""}, "headers": basic(f"{name}:{secret}")},
        "encoded": {"data": GRANT, "headers": basic(f"{quote(name)}:{quote(secret)}")},
        "both": {"data": {**GRANT, "client_id": name}, "headers": basic(f"{name}:{secret}")},
    }[way]
    answer = await anonymous.post("/v1/token", **sent)
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    assert token.startswith(TOKEN_PREFIX)
    assert answer.json() == {"access_token": token, "token_type": "Bearer", "expires_in": 3600}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert answer.headers["content-type"] == "application/json"
    assert await lives(anonymous, token)


CREDENTIALS = "client_id={name}&client_secret=correct+horse+battery"
GOOD = "grant_type=client_credentials&" + CREDENTIALS
BAD_REQUESTS = [
    ("", {}, "invalid_request"),
    (CREDENTIALS, {}, "invalid_request"),
    ("grant_type=&" + CREDENTIALS, {}, "invalid_request"),
    ("grant_type=password&" + CREDENTIALS, {}, "unsupported_grant_type"),
    ("grant_type=authorization_code&code=x", {}, "unsupported_grant_type"),
    (GOOD + "&scope=admin", {}, "invalid_scope"),
    (GOOD + "&client_id={name}", {}, "invalid_request"),
    (GOOD + "&x=1&x=2", {}, "invalid_request"),
    (GOOD + "&x", {}, "invalid_request"),
    (GOOD + "&x=%FF", {}, "invalid_request"),
    (GOOD + "&x=%ED%A0%80", {}, "invalid_request"),
    (GOOD.encode() + b"&x=\xff", {}, "invalid_request"),
    (GOOD + "&x=" + "y" * 8_192, {}, "invalid_request"),
    (GOOD + "".join(f"&x{n}=1" for n in range(50)), {}, "invalid_request"),
    (GOOD, {"content-type": "application/json"}, "invalid_request"),
    ('{"grant_type": "client_credentials"}', {"content-type": "application/json"}, None),
    (GOOD, {"content-type": "multipart/form-data; boundary=x"}, "invalid_request"),
    (GOOD, {"content-type": ""}, "invalid_request"),
    (GOOD, basic(f"{{name}}:{SECRET}"), "invalid_request"),
    ("grant_type=client_credentials&client_id=other", basic("{name}:x"), "invalid_request"),
    ("grant_type=client_credentials", {}, "invalid_client"),
    ("grant_type=client_credentials&client_id={name}", {}, "invalid_client"),
    ("grant_type=client_credentials&client_secret=x", {}, "invalid_client"),
    (GOOD + "%21", {}, "invalid_client"),
    (GOOD.replace("{name}", "nobody"), {}, "invalid_client"),
    (GOOD.replace("{name}", "%00"), {}, "invalid_client"),
    (GOOD.replace("{name}", "x" * 500), {}, "invalid_client"),
    ("grant_type=client_credentials", basic("{name}:wrong"), "invalid_client"),
    ("grant_type=client_credentials", basic("{name}:"), "invalid_client"),
    ("grant_type=client_credentials", basic(f":{SECRET}"), "invalid_client"),
    ("grant_type=client_credentials", basic("{name}"), "invalid_client"),
    ("grant_type=client_credentials", basic(b"\xff:\xff"), "invalid_client"),
    ("grant_type=client_credentials", {"authorization": "Basic !"}, "invalid_client"),
    ("grant_type=client_credentials", {"authorization": "Basic"}, "invalid_client"),
    ("grant_type=client_credentials", {"authorization": "Bearer gsv_x"}, "invalid_client"),
    ("grant_type=client_credentials", {"authorization": b"Basic \xe9"}, "invalid_client"),
]


@pytest.mark.parametrize(("body", "headers", "error"), BAD_REQUESTS)
async def test_a_bad_token_request_is_refused_as_oauth2_says(
    anonymous: httpx.AsyncClient, name: str, body: Any, headers: Any, error: str | None
) -> None:
    if isinstance(body, str):
        body = body.replace("{name}", name).encode()
    given = str(headers.get("authorization", ""))
    if given.startswith("Basic ") and b"{name}" in _decoded(given):
        headers = basic(_decoded(given).replace(b"{name}", name.encode()))
    answer = await anonymous.post("/v1/token", content=body, headers={**FORM, **headers})
    error = error or "invalid_request"
    description = answer.json()["error_description"]
    assert answer.json() == {"error": error, "error_description": description}
    assert description.isascii()
    assert answer.status_code == (401 if error == "invalid_client" else 400)
    assert answer.headers["cache-control"] == "no-store"
    challenge = CHALLENGE if error == "invalid_client" else None
    assert answer.headers.get("www-authenticate") == challenge


def _decoded(header: str) -> bytes:
    try:
        return base64.b64decode(header.partition(" ")[2])
    except ValueError:
        return b""


async def test_a_body_that_is_much_too_large_is_refused(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.post("/v1/token", content=b"x" * 2_000_000, headers=FORM)
    assert answer.status_code == 413


async def test_a_token_is_asked_for_by_post(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/v1/token")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("who", ["known", "wrong", "disabled", "unknown", "impossible"])
async def test_every_attempt_costs_one_verification(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    who: str,
) -> None:
    if who == "disabled":
        await client.put(f"/v1/accounts/{name}", json={"grants": [], "is_active": False})
    verified: list[bool] = []
    verify = authentication.verify_secret

    async def counted(text: str, hashed: str | None) -> bool:
        verified.append(hashed is not None)
        return await verify(text, hashed)

    monkeypatch.setattr(authentication, "verify_secret", counted)
    form = {
        **GRANT,
        "client_id": {"unknown": "nobody", "impossible": "\0"}.get(who, name),
        "client_secret": "wrong" if who == "wrong" else SECRET,
    }
    answer = await anonymous.post("/v1/token", data=form)
    assert answer.status_code == (200 if who == "known" else 401)
    assert verified == [who in ("known", "wrong")]


async def test_several_tokens_are_valid_at_once(anonymous: httpx.AsyncClient, name: str) -> None:
    first, second = await issue(anonymous, name), await issue(anonymous, name)
    assert first != second
    assert await lives(anonymous, first)
    assert await lives(anonymous, second)


async def test_a_repeated_request_gets_a_token_of_its_own(
    anonymous: httpx.AsyncClient, name: str, sql: SQL
) -> None:
    key = uuid.uuid4().hex
    tokens = [
        (
            await anonymous.post(
                "/v1/token", data=GRANT, auth=(name, SECRET), headers={"idempotency-key": key}
            )
        ).json()["access_token"]
        for _ in range(2)
    ]
    assert tokens[0] != tokens[1]
    stranger = await anonymous.post("/v1/token", data=GRANT, headers={"idempotency-key": key})
    assert stranger.status_code == 401
    assert await sql("SELECT 1 FROM idempotency_keys WHERE key = :key", key=key) == []


async def test_a_token_ends_by_itself(anonymous: httpx.AsyncClient, name: str, sql: SQL) -> None:
    token = await issue(anonymous, name)
    find = "FROM tokens WHERE digest = :digest"
    ((seconds,),) = await sql(
        f"SELECT round(extract(epoch FROM expires_at - created_at)) {find}",
        digest=token_digest(token),
    )
    assert seconds == 3600
    expire = "UPDATE tokens SET expires_at = now() - CAST(:age AS interval) WHERE digest = :digest"
    await sql(expire.replace(":age", "'1 second'"), digest=token_digest(token))
    answer = await anonymous.get("/v1/me", headers={"authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")
    await issue(anonymous, name)
    assert len(await sql(f"SELECT 1 {find}", digest=token_digest(token))) == 1
    await sql(expire.replace(":age", "'2 hours'"), digest=token_digest(token))
    await issue(anonymous, name)
    assert await sql(f"SELECT 1 {find}", digest=token_digest(token)) == []


STRANGE = [
    "gsv_",
    "gsv_x",
    "gsv_" + "A" * 43,
    "gsv_" + "A" * 20_000,
    "gsv_é",
    "gsv_\x01",
    "x",
    "a.b.c",
]


@pytest.mark.parametrize("token", STRANGE)
async def test_a_strange_token_is_nobody(anonymous: httpx.AsyncClient, token: str) -> None:
    header = b"Bearer " + token.encode()
    answer = await anonymous.get("/v1/me", headers={"authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("subject", ["account:root", "account:"])
async def test_a_signed_token_cannot_pass_for_an_account(
    anonymous: httpx.AsyncClient, auth: Auth, subject: str
) -> None:
    answer = await anonymous.get("/v1/me", headers=auth("admin", subject=subject))
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


async def test_the_document_describes_forms_and_offers_a_login(
    settings: Settings, url: URL, home: Path
) -> None:
    app = create_app(settings, url, home)
    assert isinstance(app, FaceApplication)
    app.edits.append(offer_login("/v1/token"))
    document = app.openapi()
    assert document == app.openapi()
    operation = document["paths"]["/v1/token"]["post"]
    form = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    assert list(form["properties"]) == ["grant_type", "client_id", "client_secret"]
    assert form["required"] == ["grant_type"]
    assert "security" not in operation
    assert {"400", "401", "503"} <= set(operation["responses"])
    assert document["paths"]["/v1/me"]["get"]["security"] == [{"token": []}, {"account": []}]
    flows = document["components"]["securitySchemes"]["account"]["flows"]
    assert flows == {"clientCredentials": {"tokenUrl": "/v1/token", "scopes": {}}}
