import hashlib
import string
import threading
from typing import Any

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from groupsvc.auth.passwords import (
    TOKEN_PREFIX,
    hash_secret,
    new_token,
    verify_secret,
)
from groupsvc.core.accounts.authentication import token_digest


@pytest.mark.parametrize(
    "secret", ["", "correct horse", "mot de passe é", "\0", "\ud800", "x" * 5_000]
)
async def test_a_secret_is_recognised(secret: str) -> None:
    hashed = await hash_secret(secret)
    assert hashed.startswith("$argon2id$")
    assert secret == "" or secret not in hashed
    assert await verify_secret(secret, hashed)
    assert not await verify_secret(secret + "!", hashed)


async def test_one_secret_has_many_hashes() -> None:
    assert await hash_secret("secret") != await hash_secret("secret")


@pytest.mark.parametrize("known", [True, False])
async def test_an_unknown_account_costs_what_a_known_one_does(
    known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = await hash_secret("secret") if known else None
    await verify_secret("secret", None)
    work: list[Any] = []
    for name in ("hash", "verify"):
        monkeypatch.setattr(Argon2Hasher, name, counted(name, getattr(Argon2Hasher, name), work))
    assert await verify_secret("secret", hashed) is known
    ((name, parameters, thread),) = work
    assert name == "verify"
    assert parameters == "m=19456,t=2,p=1"
    assert thread is not threading.current_thread()


def counted(name: str, method: Any, work: list[Any]) -> Any:
    def call(self: Argon2Hasher, *args: Any, **kwargs: Any) -> Any:
        work.append((name, args[-1].split("$")[3], threading.current_thread()))
        return method(self, *args, **kwargs)

    return call


def test_a_token_is_long_random_and_recognisable() -> None:
    tokens = {new_token() for _ in range(1_000)}
    assert len(tokens) == 1_000
    for token in tokens:
        assert token.startswith(TOKEN_PREFIX)
        assert len(token) >= len(TOKEN_PREFIX) + 43
        assert set(token) <= set(string.ascii_letters + string.digits + "-_")


def test_a_digest_is_sha256() -> None:
    assert token_digest("gsv_x") == hashlib.sha256(b"gsv_x").digest()
    assert token_digest("\ud800") != token_digest("?")
