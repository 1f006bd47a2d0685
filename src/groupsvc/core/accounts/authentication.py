"""Who is calling: from a token, or from the name and secret of a local account."""

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from cachetools import TLRUCache

from groupsvc.auth.passwords import TOKEN_PREFIX, verify_secret
from groupsvc.auth.verifier import Verifier
from groupsvc.core.accounts.repository import Bearer, LockedAccount
from groupsvc.core.roles.repository import BearerRoles
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import (
    GroupsvcError,
    InvalidError,
    ThrottledError,
    UnauthenticatedError,
)
from groupsvc.domain.names import normalise
from groupsvc.domain.principal import Principal
from groupsvc.domain.roles import HeldRole, grants_of

ACCOUNT = "account:"
CACHED_TOKENS = 10_000
MAX_AGE_SECONDS = 300.0
NO_ROLES = BearerRoles((), None)


class _Known(NamedTuple):
    """Whom a token stood for; what the database says of them must be confirmed before it counts."""

    principal: Principal
    access_version: UUID | None
    expires: float


class Standing(NamedTuple):
    """Whom a token stands for ``until`` then, in seconds since 1970, and while the version of what
    tokens stand for is this one. Without a version, the database does not say.
    """

    principal: Principal
    version: UUID | None
    until: float


def token_digest(token: str) -> bytes:
    """What is stored of a token. A token of ours is random, so a fast digest is enough."""
    # JSON can carry lone surrogates; they make a wrong token, not a failure.
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _until(_: bytes, known: _Known, now: float) -> float:
    return min(known.expires, now + MAX_AGE_SECONDS)


def _until_then(_: bytes, standing: Standing, __: float) -> float:
    return standing.until


def _principal_of(bearer: Bearer) -> Principal:
    return Principal(ACCOUNT + bearer.name, bearer.username, bearer.grants)


def _with_roles(principal: Principal, roles: Iterable[HeldRole]) -> Principal:
    return replace(principal, grants=principal.grants.union(grants_of(roles)))


class Authenticator:
    """Turns tokens into principals, and caches them by the digest of the token.

    A signed token counts until it expires, and is verified again after ``MAX_AGE_SECONDS``: a key
    that its issuer withdraws must not go on working here until the last token expires. A person
    whom it names has the grants of their roles, too. Roles and the tokens of local accounts are
    looked up with every request, or the first statement of the unit of work confirms what is
    cached: what is revoked, disabled or withdrawn is so at once.
    """

    def __init__(
        self,
        verifier: Verifier,
        *,
        tokens: int = CACHED_TOKENS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._verifier = verifier
        self._clock = clock
        self._known = TLRUCache[bytes, _Known](tokens, _until, timer=clock)
        self._verified = TLRUCache[bytes, Standing](tokens, _until_then, timer=clock)

    async def principal(self, uow: UnitOfWork, token: str) -> Principal:
        """The caller who holds a token.

        Raises UnauthenticatedError with code ``invalid_token`` or ``token_expired``, and
        UnavailableError when a token issued elsewhere cannot be verified just now.
        """
        digest = token_digest(token)
        known = self._known.get(digest)
        if known is None or (known.access_version is not None and not uow.context.use_cached_token):
            local = token.startswith(TOKEN_PREFIX)
            known = await (self._local(uow, digest) if local else self._signed(uow, token))
            self._known[digest] = known
        else:
            uow.context.access_version = known.access_version
        uow.context.actor = known.principal.subject
        return known.principal

    async def disabled(self, uow: UnitOfWork, token: str) -> str | None:
        """The name, in the roster or its own, of the disabled account that a token was for.

        For dialects that say so; ``principal`` does not.
        """
        if not token.startswith(TOKEN_PREFIX):
            return None
        return await uow.accounts.disabled(token_digest(token))

    async def _signed(self, uow: UnitOfWork, token: str) -> _Known:
        principal, expires = await self._verify(token)
        if principal.username is None:
            return _Known(principal, None, expires)
        roles, version = await uow.roles.of_bearer(principal.username)
        return _Known(_with_roles(principal, roles), version, expires)

    async def _verify(self, token: str) -> tuple[Principal, float]:
        principal, expires = await self._verifier.verify(token)
        if principal.subject.startswith(ACCOUNT):
            raise UnauthenticatedError(
                "the token takes the name of a local account", code="invalid_token"
            )
        return principal, expires

    async def _local(self, uow: UnitOfWork, digest: bytes) -> _Known:
        bearer = await uow.accounts.bearer(digest)
        if bearer is None:
            raise UnauthenticatedError("the token is not known", code="invalid_token")
        if bearer.is_expired:
            raise UnauthenticatedError("the token has expired", code="token_expired")
        return _Known(_principal_of(bearer), bearer.access_version, bearer.expires)

    def is_due(self, standing: Standing, version: UUID) -> bool:
        """Whether it must be asked for again, now that the version is that one."""
        return standing.until <= self._clock() or standing.version not in (None, version)

    async def standings(self, uow: UnitOfWork, tokens: Collection[str]) -> Mapping[str, Standing]:
        """Whom tokens stand for now, those that do, with two statements for all of them."""
        local = {token_digest(each): each for each in tokens if each.startswith(TOKEN_PREFIX)}
        found: dict[str, Standing] = {}
        bearers: Mapping[bytes, Bearer] = {}
        if local:
            bearers = await uow.accounts.bearers(list(local))
        for digest, bearer in bearers.items():
            if not bearer.is_expired:
                standing = Standing(_principal_of(bearer), bearer.access_version, bearer.expires)
                found[local[digest]] = standing
        others = [each for each in tokens if not each.startswith(TOKEN_PREFIX)]
        signed = {each: await self._standing(each) for each in others}
        named = {
            each.principal.username
            for each in signed.values()
            if each is not None and each.principal.username is not None
        }
        roles: Mapping[str, BearerRoles] = {}
        if named:
            roles = await uow.roles.of_bearers(named)
        for token, own in signed.items():
            if own is None:
                continue
            held, version = roles.get(own.principal.username or "", NO_ROLES)
            principal = _with_roles(own.principal, held) if held else own.principal
            found[token] = Standing(principal, version, own.until)
        return found

    async def _standing(self, token: str) -> Standing | None:
        """That of a signed token, without roles."""
        digest = token_digest(token)
        known = self._verified.get(digest)
        if known is None:
            try:
                principal, expires = await self._verify(token)
            except GroupsvcError:
                return None
            known = Standing(principal, None, min(expires, self._clock() + MAX_AGE_SECONDS))
            self._verified[digest] = known
        return known

    async def account(
        self, uow: UnitOfWork, name: str, secret: str, *, counts: bool = True
    ) -> Principal:
        """The account itself, without anything it is granted. Raises as ``check_secret`` does."""
        held = await check_secret(uow, name, secret, counts=counts)
        return Principal(ACCOUNT + held.name)


def login_digest(uow: UnitOfWork, name: str) -> bytes:
    """Of an account, by name, and the address that its secret comes from: neither is stored."""
    login = f"{_stored_name(name) or name}\n{uow.context.client}"
    return hashlib.sha256(login.encode(errors="surrogatepass")).digest()


def _stored_name(name: str) -> str | None:
    """As an account of that name would have it; None for what is no name."""
    try:
        return normalise(name)
    except InvalidError:
        return None


async def check_secret(
    uow: UnitOfWork, name: str, secret: str, *, counts: bool = True
) -> LockedAccount:
    """The active account of that name, if the secret is its own.

    Raises UnauthenticatedError with code ``invalid_client``. Why is not said, neither in words
    nor by the time it takes. After many wrong secrets from the address of the client it raises
    ThrottledError, whether there is an account or not; other addresses are not concerned. A wrong
    one ``counts`` unless it is only one reading of what was sent.
    """
    login = login_digest(uow, name)
    # One after the other: else a burst of guesses would be over before the first of them counts.
    async with uow.connection.turn(login):
        return await _check_secret(uow, name, secret, login, counts=counts)


async def _check_secret(
    uow: UnitOfWork, name: str, secret: str, login: bytes, *, counts: bool
) -> LockedAccount:
    held, seconds = await uow.accounts.find(_stored_name(name), login)
    if seconds:
        raise ThrottledError(
            "there were too many wrong secrets", code="too_many_tries", retry_after=seconds
        )
    usable = held if held is not None and held.is_active else None
    right = await verify_secret(secret, usable.secret_hash if usable is not None else None)
    if usable is None or not right:
        if counts:
            await uow.accounts.refuse(login, tries=uow.context.login_tries)
        raise UnauthenticatedError("the name or the secret is wrong", code="invalid_client")
    return usable
