"""Who is calling: from a token, or from the name and secret of a local account."""

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from cachetools import TLRUCache

from groupsvc.auth.passwords import TOKEN_PREFIX, verify_secret
from groupsvc.auth.verifier import Verifier
from groupsvc.core.accounts.repository import LockedAccount
from groupsvc.core.repository import CachedToken
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import InvalidError, UnauthenticatedError
from groupsvc.domain.names import normalise
from groupsvc.domain.principal import Principal
from groupsvc.domain.roles import grants_of

ACCOUNT = "account:"
CACHED_TOKENS = 10_000
MAX_AGE_SECONDS = 300.0
NOBODY_SECONDS = 2.0  # until who is not in the roster is looked for again


class _Known(NamedTuple):
    """Whom a token stood for; what the database says of them must be confirmed before it counts."""

    principal: Principal
    unconfirmed: CachedToken | None
    expires: float


def token_digest(token: str) -> bytes:
    """What is stored of a token. A token of ours is random, so a fast digest is enough."""
    # JSON can carry lone surrogates; they make a wrong token, not a failure.
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _until(_: bytes, known: _Known, now: float) -> float:
    return min(known.expires, now + MAX_AGE_SECONDS)


class Authenticator:
    """Turns tokens into principals, and caches them by the digest of the token.

    A signed token counts until it expires, and is verified again after ``MAX_AGE_SECONDS``: a key
    that its issuer withdraws must not go on working here until the last token expires. A person
    whom it names has the grants of their roles, too. Roles and the tokens of local accounts are
    looked up with every request, or the first statement of the unit of work confirms what is
    cached: what is revoked, disabled or withdrawn is so at once.
    """

    def __init__(self, verifier: Verifier, *, clock: Callable[[], float] = time.time) -> None:
        self._verifier = verifier
        self._clock = clock
        self._known = TLRUCache[bytes, _Known](CACHED_TOKENS, _until, timer=clock)

    async def principal(self, uow: UnitOfWork, token: str) -> Principal:
        """The caller who holds a token.

        Raises UnauthenticatedError with code ``invalid_token`` or ``token_expired``, and
        UnavailableError when a token issued elsewhere cannot be verified just now.
        """
        digest = token_digest(token)
        known = self._known.get(digest)
        if known is None or (known.unconfirmed is not None and not uow.context.use_cached_token):
            local = token.startswith(TOKEN_PREFIX)
            known = await (self._local(uow, digest) if local else self._signed(uow, token))
            self._known[digest] = known
        else:
            uow.context.cached_token = known.unconfirmed
        return known.principal

    async def disabled(self, uow: UnitOfWork, token: str) -> str | None:
        """The name, in the roster or its own, of the disabled account that a token was for.

        For dialects that tell so; ``principal`` does not.
        """
        if not token.startswith(TOKEN_PREFIX):
            return None
        return await uow.accounts.disabled(token_digest(token))

    async def _signed(self, uow: UnitOfWork, token: str) -> _Known:
        principal, expires = await self._verifier.verify(token)
        if principal.subject.startswith(ACCOUNT):
            raise UnauthenticatedError(
                "the token takes the name of a local account", code="invalid_token"
            )
        if principal.username is None:
            return _Known(principal, None, expires)
        person = await uow.roles.find_person(principal.username)
        if person is None:
            return _Known(principal, None, min(expires, self._clock() + NOBODY_SECONDS))
        grants = principal.grants.union(grants_of(person.roles))
        return _Known(replace(principal, grants=grants), person.cached_token, expires)

    async def _local(self, uow: UnitOfWork, digest: bytes) -> _Known:
        bearer = await uow.accounts.bearer(digest)
        if bearer is None:
            raise UnauthenticatedError("the token is not known", code="invalid_token")
        if bearer.is_expired:
            raise UnauthenticatedError("the token has expired", code="token_expired")
        principal = Principal(ACCOUNT + bearer.name, bearer.username, bearer.grants)
        return _Known(principal, bearer.cached_token, math.inf)

    async def account(self, uow: UnitOfWork, name: str, secret: str) -> Principal:
        """The account itself, without anything it is granted. Raises as ``check_secret`` does."""
        held = await check_secret(uow, name, secret)
        return Principal(ACCOUNT + held.name)


async def check_secret(uow: UnitOfWork, name: str, secret: str) -> LockedAccount:
    """The active account of that name, if the secret is its own.

    Raises UnauthenticatedError with code ``invalid_client``. Why is not told, neither in words
    nor by the time it takes.
    """
    try:
        held = await uow.accounts.find(normalise(name))
    except InvalidError:
        held = None
    usable = held if held is not None and held.is_active else None
    right = await verify_secret(secret, usable.secret_hash if usable is not None else None)
    if usable is None or not right:
        raise UnauthenticatedError("the name or the secret is wrong", code="invalid_client")
    return usable
