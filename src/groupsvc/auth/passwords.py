"""Secrets of local accounts, and the opaque tokens they are exchanged for."""

import asyncio
import secrets
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

TOKEN_PREFIX = "gsv_"  # noqa: S105 (lets scanners recognise a leaked token)

# The least that OWASP recommends: the token routes pay for it on every call.
_HASHER = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))


async def hash_secret(text: str) -> str:
    return await asyncio.to_thread(_HASHER.hash, _bytes(text))


async def verify_secret(text: str, hashed: str | None) -> bool:
    """Whether the secret is right; an account that does not exist has no ``hashed``.

    Such an account takes as long as a wrong secret, so that time does not tell who has one.
    Raises pwdlib's UnknownHashError for a hash that ``hash_secret`` has not made.
    """
    return await asyncio.to_thread(_verify, _bytes(text), hashed)


def new_token() -> str:
    """A token that says nothing and cannot be guessed."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def _verify(text: bytes, hashed: str | None) -> bool:
    # Made before it is known whether it is needed, or its first use would take longer.
    nobody = _hash_of_nobody()
    return _HASHER.verify(text, nobody if hashed is None else hashed)


@cache
def _hash_of_nobody() -> str:
    return _HASHER.hash(secrets.token_bytes(32))


def _bytes(text: str) -> bytes:
    # JSON can carry lone surrogates; they make a wrong secret, not a failure.
    return text.encode(errors="surrogatepass")
