"""Verified tokens are cached by their digest, for a while."""

import pickle
from typing import Any, cast

import pytest

from groupsvc.auth.jwt import JwtVerifier
from groupsvc.auth.passwords import new_token
from groupsvc.auth.verifier import Verifier
from groupsvc.core.accounts.authentication import MAX_AGE_SECONDS, Authenticator
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.db.pool import ConnectionPool
from groupsvc.domain.errors import UnauthenticatedError
from groupsvc.domain.principal import Principal

from .forge import ISSUER, NOW, PUBLISHED, RULES, Clock, Published, claims, forge


@pytest.fixture
def keys() -> Published:
    return Published(*PUBLISHED)


@pytest.fixture
def authenticator(keys: Published, clock: Clock) -> Authenticator:
    verifier = Verifier({ISSUER: JwtVerifier(RULES, keys, clock=clock)})
    return Authenticator(verifier, clock=clock)


@pytest.fixture
def uow(pool: ConnectionPool) -> UnitOfWork:
    return UnitOfWork(pool)


async def test_a_signed_token_is_verified_again_from_time_to_time(
    authenticator: Authenticator, uow: UnitOfWork, keys: Published, clock: Clock
) -> None:
    token = forge(body=claims(exp=NOW + 86_000))
    for _ in range(3):
        assert await authenticator.principal(uow, token) == Principal("anna")
    assert keys.asked == 1
    keys.keys.clear()
    clock.advance(MAX_AGE_SECONDS - 1)
    await authenticator.principal(uow, token)
    clock.advance(1)
    with pytest.raises(UnauthenticatedError) as refusal:
        await authenticator.principal(uow, token)
    assert refusal.value.code == "invalid_token"


async def test_a_cached_token_expires(
    authenticator: Authenticator, uow: UnitOfWork, keys: Published, clock: Clock
) -> None:
    token = forge(body=claims(exp=NOW + 100))
    await authenticator.principal(uow, token)
    clock.advance(99.9)
    await authenticator.principal(uow, token)
    assert keys.asked == 1
    clock.advance(30.1)
    with pytest.raises(UnauthenticatedError) as refusal:
        await authenticator.principal(uow, token)
    assert refusal.value.code == "token_expired"


async def test_the_least_recently_used_goes_first(
    keys: Published, uow: UnitOfWork, clock: Clock
) -> None:
    verifier = Verifier({ISSUER: JwtVerifier(RULES, keys, clock=clock)})
    authenticator = Authenticator(verifier, tokens=3, clock=clock)
    tokens = [forge(body=claims(sub=name)) for name in "abcd"]
    for number in (0, 1, 2, 0, 3):
        await authenticator.principal(uow, tokens[number])
    keys.keys.clear()
    for number in (0, 2, 3):
        assert (await authenticator.principal(uow, tokens[number])).subject == "abcd"[number]
    with pytest.raises(UnauthenticatedError):
        await authenticator.principal(uow, tokens[1])


async def test_no_token_is_kept(authenticator: Authenticator, uow: UnitOfWork) -> None:
    token = forge()
    await authenticator.principal(uow, token)
    cached = cast("Any", authenticator)._known
    assert len(cached) == 1
    dump = pickle.dumps(cached)
    assert b"anna" in dump
    assert not any(part.encode() in dump for part in token.split("."))


@pytest.mark.parametrize("token", ["", "\ud800", "\0", "é", new_token()[:4] + "\ud800"])
async def test_no_token_is_too_strange(
    authenticator: Authenticator, uow: UnitOfWork, token: str
) -> None:
    with pytest.raises(UnauthenticatedError) as refusal:
        await authenticator.principal(uow, token)
    assert refusal.value.code == "invalid_token"
