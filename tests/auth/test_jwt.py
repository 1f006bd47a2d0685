from dataclasses import replace
from typing import Any

import pytest

from groupsvc.auth.jwt import MOST_KEYS, JwtVerifier
from groupsvc.domain.errors import UnauthenticatedError
from groupsvc.domain.principal import Grant, Permission, Principal

from .foreign import EXPIRED
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
    unsigned,
)
from .hostile import HOSTILE


@pytest.fixture
def keys() -> Published:
    return Published(*PUBLISHED)


@pytest.fixture
def verifier(keys: Published, clock: Clock) -> JwtVerifier:
    return JwtVerifier(RULES, keys, clock=clock)


@pytest.mark.parametrize("token", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_token_is_refused(verifier: JwtVerifier, token: str) -> None:
    with pytest.raises(UnauthenticatedError) as refusal:
        await verifier.verify(token)
    is_old = token in EXPIRED.values()
    assert refusal.value.code == ("token_expired" if is_old else "invalid_token")
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None
    told = f"{refusal.value!r} {refusal.value.facts}"
    assert not any(part in told for part in [token, *token.split(".")] if len(part) > 3)
    assert not any(value in told for value in ("anna", "groupsvc", ISSUER, "rsa-1"))


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
async def test_a_good_token_names_its_caller(verifier: JwtVerifier, alg: str) -> None:
    assert await verifier.verify(forge(alg=alg)) == (Principal("anna"), NOW + 600)


@pytest.mark.parametrize(
    "head",
    [
        header(typ=...),
        header(typ="JWT"),
        header(typ="jwt"),
        header(typ="AT+JWT"),
        header(typ="application/at+jwt"),
        header(typ="Application/JWT"),
        header(jku="https://evil.example/jwks", x5u="https://evil.example", x5c=["MIIB"]),
        header(jwk=jwk(STRANGER, "rsa-1")),
        header(cty="anything", x={"nested": [1, 2.5, None]}),
    ],
)
async def test_headers_that_do_no_harm(verifier: JwtVerifier, head: dict[str, Any]) -> None:
    principal, _ = await verifier.verify(forge(head))
    assert principal.subject == "anna"


@pytest.mark.parametrize(
    ("changes", "expires"),
    [
        ({"aud": ["groupsvc"]}, NOW + 600),
        ({"aud": ["other", "groupsvc"]}, NOW + 600),
        ({"iat": NOW + 30}, NOW + 600),
        ({"nbf": NOW + 30}, NOW + 600),
        ({"nbf": NOW - 1_000}, NOW + 600),
        ({"iat": NOW - 60.5, "exp": NOW + 0.5}, NOW + 0.5),
        ({"exp": NOW - 29}, NOW - 29),
        ({"iat": NOW, "exp": NOW + 86_400}, NOW + 86_400),
        ({"iat": NOW + 30, "exp": NOW + 86_430}, NOW + 86_430),
        ({"jti": 5, "azp": None, "deep": {"a": {"a": 1}}}, NOW + 600),
    ],
)
async def test_claims_that_are_good_enough(
    verifier: JwtVerifier, changes: dict[str, Any], expires: float
) -> None:
    assert await verifier.verify(forge(body=claims(**changes))) == (Principal("anna"), expires)


@pytest.mark.parametrize("sub", ["s" * 255, "françois", "auth0|507f", "a b", "用户"])
async def test_subjects(verifier: JwtVerifier, sub: str) -> None:
    principal, _ = await verifier.verify(forge(body=claims(sub=sub)))
    assert principal.subject == sub


@pytest.mark.parametrize("age", [30, 31, 600, 80_000])
async def test_an_expired_token_says_so(verifier: JwtVerifier, age: int) -> None:
    token = forge(body=claims(iat=NOW - 86_000, exp=NOW - age))
    with pytest.raises(UnauthenticatedError) as refusal:
        await verifier.verify(token)
    assert refusal.value.code == "token_expired"


async def test_a_token_expires_as_time_goes_by(verifier: JwtVerifier, clock: Clock) -> None:
    token = forge()
    clock.advance(629.5)
    await verifier.verify(token)
    clock.advance(0.5)
    with pytest.raises(UnauthenticatedError) as refusal:
        await verifier.verify(token)
    assert refusal.value.code == "token_expired"


@pytest.mark.parametrize("changes", [{"sub": ...}, {"aud": "other"}, {"iss": "other"}])
async def test_expiry_is_not_told_of_a_token_that_is_wrong_anyway(
    verifier: JwtVerifier, changes: dict[str, Any]
) -> None:
    token = forge(body=claims(iat=NOW - 900, exp=NOW - 600, **changes))
    with pytest.raises(UnauthenticatedError) as refusal:
        await verifier.verify(token)
    assert refusal.value.code == "invalid_token"


async def test_expiry_is_not_told_to_a_forger(verifier: JwtVerifier) -> None:
    token = forge(body=claims(iat=NOW - 900, exp=NOW - 600), key=STRANGER)
    with pytest.raises(UnauthenticatedError) as refusal:
        await verifier.verify(token)
    assert refusal.value.code == "invalid_token"


@pytest.mark.parametrize(
    ("value", "grants"),
    [
        (["groups:read"], {Grant(Permission.GROUPS_READ)}),
        (
            ["groups:write@course:a:b", "admin@department:INFO"],
            {Grant(Permission.GROUPS_WRITE, course="a:b"), Grant(Permission.ADMIN, "INFO")},
        ),
        (["other:thing", 5, None, ["admin"], "admin@", "admin"], {Grant(Permission.ADMIN)}),
        (["admin", "admin"], {Grant(Permission.ADMIN)}),
        ([], set()),
        ("admin", set()),
        ({"admin": True}, set()),
        (None, set()),
        (True, set()),
    ],
)
async def test_grants_of_a_token(verifier: JwtVerifier, value: Any, grants: set[Grant]) -> None:
    principal, _ = await verifier.verify(forge(body=claims(groupsvc_grants=value)))
    assert principal.grants == grants


@pytest.mark.parametrize(
    ("value", "username"),
    [("amartin", "amartin"), ("", None), (5, None), (["a"], None), ("a\nb", None), (..., None)],
)
async def test_username_of_a_token(verifier: JwtVerifier, value: Any, username: str | None) -> None:
    principal, _ = await verifier.verify(forge(body=claims(preferred_username=value)))
    assert principal.username == username


async def test_the_names_of_claims_come_from_the_rules(keys: Published, clock: Clock) -> None:
    rules = replace(RULES, username_claim="uid", grants_claim="rights")
    body = claims(uid="am", preferred_username="x", rights=["admin"], groupsvc_grants=["x"])
    principal, _ = await JwtVerifier(rules, keys, clock=clock).verify(forge(body=body))
    assert principal == Principal("anna", "am", frozenset({Grant(Permission.ADMIN)}))


@pytest.mark.parametrize(
    "token",
    [unsigned("none"), forge(header(typ="x")), "a.b.c"],
    ids=["unsigned", "other type", "malformed"],
)
async def test_no_key_is_looked_for_in_vain(
    verifier: JwtVerifier, keys: Published, token: str
) -> None:
    with pytest.raises(UnauthenticatedError):
        await verifier.verify(token)
    assert keys.asked == 0


async def test_a_key_serves_only_the_algorithm_it_is_made_for(clock: Clock) -> None:
    rules = replace(RULES, algorithms=frozenset({"RS256", "PS256"}))
    token = forge(header("PS256"), alg="PS256", key=RSA)
    verifier = JwtVerifier(rules, Published(jwk(RSA, "rsa-1")), clock=clock)
    assert (await verifier.verify(token))[0].subject == "anna"
    verifier = JwtVerifier(rules, Published(jwk(RSA, "rsa-1", alg="RS256")), clock=clock)
    with pytest.raises(UnauthenticatedError):
        await verifier.verify(token)


@pytest.mark.parametrize("names", [[], ["HS256"], ["RS256", "none"], ["rs256"], ["ES256K"]])
def test_rules_that_trust_a_weak_algorithm_are_refused(keys: Published, names: list[str]) -> None:
    with pytest.raises(ValueError, match="algorithms"):
        JwtVerifier(replace(RULES, algorithms=frozenset(names)), keys)


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
async def test_a_token_that_names_no_key_is_tried_with_every_key(
    verifier: JwtVerifier, alg: str
) -> None:
    token = forge(header(alg, kid=...), alg=alg)
    assert await verifier.verify(token) == (Principal("anna"), NOW + 600)


async def test_a_key_without_a_name_serves_tokens_whose_key_is_not_named(clock: Clock) -> None:
    """A set may leave out the names of its keys though its tokens have them."""
    nameless = {name: value for name, value in jwk(RSA, "x").items() if name != "kid"}
    verifier = JwtVerifier(RULES, Published(*PUBLISHED[1:], nameless), clock=clock)
    assert (await verifier.verify(forge(header(kid="a name"))))[0].subject == "anna"
    with pytest.raises(UnauthenticatedError) as refusal:
        await verifier.verify(forge(header(kid="a name"), key=STRANGER))
    assert refusal.value.message == "the token's key is not known"


async def test_a_token_that_names_no_key_needs_one_that_fits(clock: Clock) -> None:
    keys = Published(jwk(RSA, "signs PS256", alg="PS256"), *PUBLISHED[1:])
    verifier = JwtVerifier(RULES, keys, clock=clock)
    for token in (forge(header(kid=...)), forge(header(kid=...), key=STRANGER)):
        with pytest.raises(UnauthenticatedError) as refusal:
            await verifier.verify(token)
        assert refusal.value.message == "the token's signature is wrong"


@pytest.mark.parametrize(("place", "is_tried"), [(MOST_KEYS, True), (MOST_KEYS + 1, False)])
async def test_the_keys_that_are_tried_are_bounded(
    clock: Clock, place: int, *, is_tried: bool
) -> None:
    others = [jwk(STRANGER, f"other {number}") for number in range(1, place)]
    verifier = JwtVerifier(RULES, Published(*others, jwk(RSA, "last")), clock=clock)
    token = forge(header(kid=...))
    if is_tried:
        assert (await verifier.verify(token))[0].subject == "anna"
        return
    with pytest.raises(UnauthenticatedError):
        await verifier.verify(token)
