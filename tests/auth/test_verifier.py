import json
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from groupsvc.auth.development import KEY_FILE, DevelopmentKeyError, open_development_key
from groupsvc.auth.jwt import JwtVerifier
from groupsvc.auth.verifier import Verifier, make_verifier
from groupsvc.domain.errors import UnauthenticatedError, UnavailableError
from groupsvc.domain.principal import Grant, Permission, Principal
from groupsvc.settings import Settings

from .forge import (
    ISSUER,
    NOW,
    PUBLISHED,
    RSA,
    RULES,
    STRANGER,
    Clock,
    Published,
    claims,
    forge,
    header,
    jwk,
)
from .hostile import HOSTILE
from .keyserver import KeyServer

OTHER = "https://other.example.org"


@pytest.fixture
def keys() -> Published:
    return Published(*PUBLISHED)


@pytest.fixture
def verifier(keys: Published, clock: Clock) -> Verifier:
    theirs = Published(jwk(STRANGER, "theirs"))
    issuers = {
        ISSUER: JwtVerifier(RULES, keys, clock=clock),
        OTHER: JwtVerifier(replace(RULES, issuer=OTHER), theirs, clock=clock),
    }
    return Verifier(issuers)


async def test_each_issuer_vouches_for_its_own(verifier: Verifier) -> None:
    ours = await verifier.verify(forge())
    theirs = forge(header(kid="theirs"), claims(iss=OTHER, sub="ben"), key=STRANGER)
    assert ours == (Principal("anna"), NOW + 600)
    assert await verifier.verify(theirs) == (Principal("ben"), NOW + 600)


@pytest.mark.parametrize(
    "token",
    [
        forge(body=claims(iss=OTHER)),
        forge(header(kid="theirs"), claims(iss=OTHER)),
        forge(header(kid="theirs"), key=STRANGER),
        forge(header(kid="theirs"), claims(iss="https://nobody.example"), key=STRANGER),
        forge(header(kid="theirs"), claims(iss=[OTHER, ISSUER]), key=STRANGER),
    ],
    ids=["our key", "our key, their name", "their key", "unknown", "both"],
)
async def test_no_issuer_vouches_for_another(verifier: Verifier, token: str) -> None:
    with pytest.raises(UnauthenticatedError) as refusal:
        await verifier.verify(token)
    assert refusal.value.code == "invalid_token"


@pytest.mark.parametrize("token", HOSTILE.values(), ids=HOSTILE)
async def test_no_hostile_token_gets_past_the_door(verifier: Verifier, token: str) -> None:
    for _ in range(2):
        with pytest.raises(UnauthenticatedError):
            await verifier.verify(token)


def settings(**values: Any) -> Settings:
    return Settings(jwt_issuer=ISSUER, jwks_url="https://id.example.org/jwks", **values)


async def test_development_believes_its_own_key(tmp_path: Path) -> None:
    grants = frozenset({Grant(Permission.ADMIN)})
    configured = Settings(jwt_audience="us", jwt_grants_claim="rights", jwt_username_claim="uid")
    verifier = make_verifier(configured, tmp_path)
    token = open_development_key(configured, tmp_path).issue("anna", grants, username="am")
    principal, _ = await verifier.verify(token)
    assert principal == Principal("anna", "am", grants)
    await verifier.aclose()


async def test_production_does_not(tmp_path: Path) -> None:
    token = open_development_key(Settings(), tmp_path).issue("anna")
    for configured in (Settings(env="production"), settings(env="production")):
        verifier = make_verifier(configured, tmp_path)
        with pytest.raises(UnauthenticatedError):
            await verifier.verify(token)
        await verifier.aclose()


def test_production_makes_no_key(tmp_path: Path) -> None:
    make_verifier(Settings(env="production"), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest_asyncio.fixture
async def both(server: KeyServer, tmp_path: Path) -> AsyncGenerator[Verifier]:
    configured = Settings(jwt_issuer=ISSUER, jwks_url=server.url)
    made = make_verifier(configured, tmp_path)
    yield made
    await made.aclose()


async def test_an_identity_provider_and_the_development_key(
    server: KeyServer, both: Verifier, tmp_path: Path
) -> None:
    server.publish(*PUBLISHED)
    key = open_development_key(Settings(), tmp_path)
    own = key.issue("anna")
    assert (await both.verify(own))[0].subject == "anna"
    assert server.hits == 0
    with pytest.raises(UnauthenticatedError) as refusal:
        await both.verify(forge(body=claims(iat=1_500_000_000, exp=1_500_000_600)))
    assert refusal.value.code == "token_expired"
    assert server.hits == 1


async def test_a_provider_that_is_away_is_no_verdict(server: KeyServer, both: Verifier) -> None:
    server.status = 500
    with pytest.raises(UnavailableError):
        await both.verify(forge())


async def test_a_broken_key_file_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text("nonsense")
    with pytest.raises(DevelopmentKeyError):
        make_verifier(Settings(), tmp_path)


@pytest.mark.parametrize(
    ("url", "environments"),
    [
        ("https://id.example.org:8443/jwks?tenant=1", ["production", "development"]),
        ("http://127.0.0.1:8080/jwks", ["production", "development"]),
        ("http://[::1]/jwks", ["production", "development"]),
        ("http://keycloak:8080/jwks", ["development"]),
        ("ftp://keycloak:8080/jwks", []),
    ],
)
async def test_where_an_address_of_a_provider_will_do(
    url: str, environments: list[str], tmp_path: Path
) -> None:
    accepting = []
    for env in ("production", "development"):
        with suppress(ValueError):
            configured = Settings.model_validate(
                {"env": env, "jwt_issuer": ISSUER, "jwks_url": url}
            )
            await make_verifier(configured, tmp_path).aclose()
            accepting.append(env)
    assert accepting == environments


@pytest.mark.parametrize(
    "values",
    [
        {"env": "development", "jwt_issuer": ISSUER, "jwks_url": "ftp://id.example.org/jwks"},
        {"env": "development", "jwt_issuer": ISSUER, "jwks_url": "/jwks"},
        {"jwt_issuer": ISSUER, "jwks_url": "ftp://localhost/jwks"},
        {"jwt_issuer": ISSUER, "jwks_url": "https://id.example.org:port/jwks"},
        {"jwt_issuer": ISSUER, "jwks_url": "https://[id/jwks"},
        {"jwks_url": "https://id.example.org/jwks"},
        {"jwt_issuer": ISSUER},
        {"jwt_issuer": ISSUER, "jwks_url": "http://id.example.org/jwks"},
        {"jwt_issuer": ISSUER, "jwks_url": "file:///etc/passwd"},
        {"jwt_issuer": ISSUER, "jwks_url": "id.example.org/jwks"},
        {"jwt_issuer": ISSUER, "jwks_url": "https:///jwks"},
        {"jwt_issuer": ISSUER, "jwks_url": "https://id.example.org/", "jwt_algorithms": "HS256"},
        {"jwt_issuer": ISSUER, "jwks_url": "https://id.example.org/", "jwt_algorithms": ""},
        {"jwt_issuer": ISSUER, "jwks": "{}"},
        {"jwt_issuer": ISSUER, "jwks": '{"keys": []}'},
        {"jwt_issuer": ISSUER, "jwks": "https://id.example.org/jwks"},
        {"jwt_issuer": ISSUER, "jwks_file": "/nowhere/jwks.json"},
        {"jwks": json.dumps({"keys": PUBLISHED})},
        {"jwt_issuer": ISSUER, "jwks_url": "https://id.example.org/", "jwt_roles": "staff"},
        {
            "jwt_issuer": ISSUER,
            "jwks_url": "https://id.example.org/",
            "jwks": json.dumps({"keys": PUBLISHED}),
        },
    ],
)
def test_settings_that_cannot_be_meant(values: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="GROUPSVC_JW"):
        make_verifier(Settings(**{"env": "production", **values}), tmp_path)


@pytest.mark.parametrize("setting", ["jwks", "jwks_file"])
async def test_keys_that_are_given_rather_than_published(setting: str, tmp_path: Path) -> None:
    text = json.dumps({"keys": [jwk(RSA, "rsa-1", alg="RS512")]})
    file = tmp_path / "jwks.json"
    file.write_text(text)
    value = text if setting == "jwks" else file
    configured = Settings.model_validate({"jwt_issuer": ISSUER, setting: value})
    verifier = make_verifier(configured, tmp_path)
    now = int(time.time())
    body = claims(iat=now, exp=now + 600)
    for head in (header("RS512"), header("RS512", kid=...)):
        principal, _ = await verifier.verify(forge(head, body, alg="RS512", key=RSA))
        assert principal.subject == "anna"
    await verifier.aclose()
