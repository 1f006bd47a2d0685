"""Who is calling: from a token, or from the name and secret of a local account."""

import math

from groupsvc.auth.cache import TokenCache
from groupsvc.auth.passwords import TOKEN_PREFIX, token_digest, verify_secret
from groupsvc.auth.verifier import Verifier
from groupsvc.core.accounts.repository import LockedAccount
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.db.connection import CachedToken
from groupsvc.domain.errors import InvalidError, UnauthenticatedError
from groupsvc.domain.names import normalise
from groupsvc.domain.principal import Principal

ACCOUNT = "account:"


class Authenticator:
    """Turns tokens into principals. Those of local accounts are looked up every time.

    So a token that is revoked, an account that is disabled and a grant that is withdrawn are all
    without effect from then on. Whom a token stood for the last time is remembered, and left to
    the first statement of the unit of work to confirm.
    """

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self._known: TokenCache[tuple[Principal, CachedToken]] = TokenCache()

    async def principal(self, uow: UnitOfWork, token: str) -> Principal:
        """The caller who holds a token.

        Raises UnauthenticatedError with code ``invalid_token`` or ``token_expired``, and
        UnavailableError when a token issued elsewhere cannot be verified just now.
        """
        if token.startswith(TOKEN_PREFIX):
            return await self._local(uow, token)
        principal, _ = await self._verifier.verify(token)
        if principal.subject.startswith(ACCOUNT):
            raise UnauthenticatedError(
                "the token takes the name of a local account", code="invalid_token"
            )
        return principal

    async def disabled(self, uow: UnitOfWork, token: str) -> str | None:
        """The name, in the roster or its own, of the disabled account that a token was for.

        For dialects that tell so; ``principal`` does not.
        """
        if not token.startswith(TOKEN_PREFIX):
            return None
        return await uow.accounts.disabled(token_digest(token))

    async def _local(self, uow: UnitOfWork, token: str) -> Principal:
        known = self._known.get(token) if uow.context.use_cached_token else None
        if known is not None:
            (principal, uow.context.cached_token), _ = known
            return principal
        bearer = await uow.accounts.bearer(token_digest(token))
        if bearer is None:
            raise UnauthenticatedError("the token is not known", code="invalid_token")
        if bearer.is_expired:
            raise UnauthenticatedError("the token has expired", code="token_expired")
        principal = Principal(ACCOUNT + bearer.name, bearer.username, bearer.grants)
        self._known.put(token, (principal, bearer.cached_token), math.inf)
        return principal

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
