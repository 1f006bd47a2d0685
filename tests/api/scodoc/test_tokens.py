"""Tokens, and what clients rely on when they get, use, renew and end them."""

import asyncio
import base64
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.api.scodoc.conftest import Semester, refused, told
from tests.conftest import SQL, Auth

UNAUTHENTICATED = "Non autorise (logic)"
WRONG = "identifiant ou mot de passe incorrect"
SECRET = "Mot de passe: ça va & +/=%41"
TOKENS = "/ScoDoc/api/tokens"

MakeAccount = Callable[..., Awaitable[str]]


@pytest_asyncio.fixture
async def make_account(client: httpx.AsyncClient) -> MakeAccount:
    """Declare an account natively, with the grants that are given."""

    async def make(*grants: str, **more: Any) -> str:
        name = f"scodoc-{uuid.uuid4().hex[:8]}"
        body = {"secret": SECRET, "grants": list(grants), **more}
        answer = await client.put(f"/v1/accounts/{name}", json=body)
        assert answer.status_code == 201, answer.text
        return name

    return make


def with_token(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def token_for(anonymous: httpx.AsyncClient, name: str) -> str:
    status, body = told(await anonymous.post(TOKENS, auth=(name, SECRET)))
    assert (status, list(body)) == (200, ["token"])
    return body["token"]


async def test_a_token_serves_both_prefixes(
    anonymous: httpx.AsyncClient, make_account: MakeAccount, semester: Semester
) -> None:
    token = await token_for(anonymous, await make_account("ScoView"))
    for prefix in ("/ScoDoc/api", f"/ScoDoc/{semester.world.department}/api"):
        answer = await anonymous.get(f"{prefix}/partition/{semester.td}", headers=with_token(token))
        assert told(answer) == (200, semester.whole_td())


@pytest.mark.parametrize("write", ["ScoEtudChangeGroups", "EtudChangeGroups", "groups:write"])
async def test_a_department_user(
    anonymous: httpx.AsyncClient, make_account: MakeAccount, semester: Semester, write: str
) -> None:
    """Refused under the global prefix, they use that of their department; old names count too."""
    department = semester.world.department
    place = f"@department:{department}"
    token = await token_for(anonymous, await make_account(f"ScoView{place}", write + place))
    for prefix, status in (("/ScoDoc/api", 403), (f"/ScoDoc/{department}/api", 200)):
        read = await anonymous.get(f"{prefix}/partition/{semester.td}", headers=with_token(token))
        path = f"{prefix}/group/{semester.a}/set_etudiant/{semester.students[0]}"
        written = await anonymous.post(path, headers=with_token(token))
        assert (read.status_code, written.status_code) == (status, status)


async def test_another_token_does_not_end_the_first(
    anonymous: httpx.AsyncClient, make_account: MakeAccount, semester: Semester
) -> None:
    name = await make_account("ScoView")
    tokens = [await token_for(anonymous, name) for _ in range(3)]
    for token in tokens:
        path = f"/ScoDoc/api/partition/{semester.td}"
        assert (await anonymous.get(path, headers=with_token(token))).status_code == 200


async def test_an_ended_token_is_dead_at_once(
    anonymous: httpx.AsyncClient, make_account: MakeAccount, semester: Semester
) -> None:
    name = await make_account("ScoView")
    token, other = await token_for(anonymous, name), await token_for(anonymous, name)
    answer = await anonymous.delete(TOKENS, headers=with_token(token))
    assert (answer.status_code, answer.content) == (204, b"")
    path = f"/ScoDoc/api/partition/{semester.td}"
    refused(await anonymous.get(path, headers=with_token(token)), 401, UNAUTHENTICATED)
    refused(await anonymous.delete(TOKENS, headers=with_token(token)), 401, UNAUTHENTICATED)
    assert (await anonymous.get(path, headers=with_token(other))).status_code == 200


async def test_an_expired_token(
    anonymous: httpx.AsyncClient, make_account: MakeAccount, semester: Semester, sql: SQL
) -> None:
    name = await make_account("ScoView")
    token = await token_for(anonymous, name)
    await sql(
        "UPDATE tokens SET expires_at = now() - interval '1 second' FROM accounts a"
        " WHERE a.id = account_id AND a.name = :name",
        name=name,
    )
    answer = await anonymous.get(f"/ScoDoc/api/partition/{semester.td}", headers=with_token(token))
    refused(answer, 401, UNAUTHENTICATED)


async def test_an_account_that_is_disabled(
    anonymous: httpx.AsyncClient,
    client: httpx.AsyncClient,
    make_account: MakeAccount,
    semester: Semester,
) -> None:
    name = await make_account("ScoView")
    token = await token_for(anonymous, name)
    answer = await client.put(f"/v1/accounts/{name}", json={"grants": [], "is_active": False})
    assert answer.status_code == 200
    path = f"/ScoDoc/api/partition/{semester.td}"
    refused(await anonymous.get(path, headers=with_token(token)), 401, UNAUTHENTICATED)
    refused(await anonymous.post(TOKENS, auth=(name, SECRET)), 401, WRONG)


async def test_grants_that_are_withdrawn(
    anonymous: httpx.AsyncClient,
    client: httpx.AsyncClient,
    make_account: MakeAccount,
    semester: Semester,
) -> None:
    name = await make_account("ScoView")
    token = await token_for(anonymous, name)
    assert (await client.put(f"/v1/accounts/{name}", json={"grants": []})).status_code == 200
    answer = await anonymous.get(f"/ScoDoc/api/partition/{semester.td}", headers=with_token(token))
    refused(answer, 403, "Non autorise")


def basic(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YQ",
        basic(b"nocolon"),
        basic(b":"),
        basic(b"nobody:secret"),
        basic(b"a\x00b:secret"),
        basic(b"\xff\xfe:secret"),
        basic(b"x" * 5000 + b":secret"),
        "Bearer abc",
        "Digest abc",
    ],
)
async def test_bad_credentials(anonymous: httpx.AsyncClient, authorization: str | None) -> None:
    headers = {"authorization": authorization} if authorization is not None else {}
    answer = await anonymous.post(TOKENS, headers=headers)
    refused(answer, 401, WRONG)
    assert answer.headers["www-authenticate"].startswith("Basic ")


async def test_a_wrong_secret(anonymous: httpx.AsyncClient, make_account: MakeAccount) -> None:
    name = await make_account("ScoView")
    for secret in ("", "x", SECRET + " ", SECRET.upper()):
        refused(await anonymous.post(TOKENS, auth=(name, secret)), 401, WRONG)


async def test_basic_is_no_way_to_call_other_routes(
    anonymous: httpx.AsyncClient, make_account: MakeAccount, semester: Semester
) -> None:
    name = await make_account("ScoView")
    answer = await anonymous.get(f"/ScoDoc/api/partition/{semester.td}", auth=(name, SECRET))
    refused(answer, 401, UNAUTHENTICATED)


@pytest.mark.parametrize("content", [b"", b"{}", b"rubbish"])
@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
async def test_the_body_is_never_read(
    anonymous: httpx.AsyncClient, make_account: MakeAccount, content: bytes, scheme: str
) -> None:
    name = await make_account()
    authorization = basic(f"{name}:{SECRET}".encode()).replace("Basic", scheme)
    headers = {"authorization": authorization, "idempotency-key": "abc"}
    answer = await anonymous.post(TOKENS, headers=headers, content=content)
    assert answer.status_code == 200


async def test_a_secret_in_the_encoding_of_an_old_client(
    anonymous: httpx.AsyncClient, make_account: MakeAccount
) -> None:
    name = await make_account(secret="déjà vu!")
    for encoding in ("utf-8", "latin-1"):
        authorization = basic(f"{name}:déjà vu!".encode(encoding))
        answer = await anonymous.post(TOKENS, headers={"authorization": authorization})
        assert answer.status_code == 200


async def test_no_answer_is_kept_under_a_key(
    anonymous: httpx.AsyncClient, make_account: MakeAccount
) -> None:
    name = await make_account()
    key = {"idempotency-key": "the-same-key"}
    answers = [await anonymous.post(TOKENS, auth=(name, SECRET), headers=key) for _ in range(2)]
    assert answers[0].json() != answers[1].json()


async def test_a_token_of_an_identity_provider(
    anonymous: httpx.AsyncClient, auth: Auth, semester: Semester
) -> None:
    headers = auth("groups:read")
    answer = await anonymous.get(f"/ScoDoc/api/partition/{semester.td}", headers=headers)
    assert answer.status_code == 200
    answer = await anonymous.delete(TOKENS, headers=headers)
    refused(answer, 400, "ce jeton n'a pas été émis ici")


class ScodocNotes:
    """The PHP client: one token for all requests, renewed when the message tells it to."""

    def __init__(self, http: httpx.AsyncClient, login: str, department: str) -> None:
        self.http, self.login, self.department = http, login, department
        self.token = ""
        self.renewals = 0

    async def renew(self) -> None:
        self.renewals += 1
        answer = await self.http.post(TOKENS, auth=(self.login, SECRET))
        self.token = answer.json()["token"]

    async def ask(self, path: str) -> Any:
        if not self.token:
            await self.renew()
        for _ in range(2):
            answer = await self.http.get(
                f"/ScoDoc/{self.department}/api{path}", headers=with_token(self.token)
            )
            body = answer.json()
            if not (isinstance(body, dict) and body.get("message") == UNAUTHENTICATED):
                return body
            await self.renew()
        raise AssertionError("the client would renew its token for ever")


async def test_the_php_client_renews_its_token(
    anonymous: httpx.AsyncClient, make_account: MakeAccount, semester: Semester
) -> None:
    department = semester.world.department
    name = await make_account(f"ScoView@department:{department}")
    php = ScodocNotes(anonymous, name, department)
    await semester.put(semester.a, semester.students[0])
    path = f"/formsemestre/{semester.id}/etudiants/query?etat=I"
    (first, *_) = await php.ask(path)
    assert [(g["partition_name"], g["group_name"]) for g in first["groups"]] == [("TD", "A")]
    await anonymous.delete(TOKENS, headers=with_token(php.token))
    assert len(await php.ask(path)) == 5
    assert php.renewals == 2


async def test_the_php_client_does_not_renew_in_vain(
    anonymous: httpx.AsyncClient, make_account: MakeAccount, semester: Semester
) -> None:
    """For what is forbidden, unknown or malformed another token would not help."""
    name = await make_account(f"ScoView@department:{semester.world.department}")
    php = ScodocNotes(anonymous, name, semester.world.department)
    for path in ("/partition/0", "/nowhere", f"/group/{semester.a}/etudiants/query?etat=x"):
        assert (await php.ask(path))["status"] in (400, 404)
    php.department = "NOWHERE"
    assert (await php.ask("/partition/1"))["status"] == 404
    assert php.renewals == 1


async def test_many_tokens_at_once(anonymous: httpx.AsyncClient, make_account: MakeAccount) -> None:
    name = await make_account()
    tokens = await asyncio.gather(*(token_for(anonymous, name) for _ in range(8)))
    assert len(set(tokens)) == 8


async def test_an_account_without_grants_ends_its_token(
    anonymous: httpx.AsyncClient, make_account: MakeAccount
) -> None:
    token = await token_for(anonymous, await make_account())
    answer = await anonymous.delete(TOKENS, headers=with_token(token))
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer x"}, {"authorization": "Bearer"}]
)
async def test_nobody_ends_a_token_that_there_is_not(
    anonymous: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await anonymous.delete(TOKENS, headers=headers)
    refused(answer, 401, UNAUTHENTICATED)
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_how_long_a_token_lives(
    anonymous: httpx.AsyncClient, make_account: MakeAccount, sql: SQL
) -> None:
    name = await make_account()
    await token_for(anonymous, name)
    assert await sql(
        "SELECT extract(epoch FROM t.expires_at - t.created_at)::int FROM tokens t"
        " JOIN accounts a ON a.id = t.account_id WHERE a.name = :name",
        name=name,
    ) == [(3600,)]
