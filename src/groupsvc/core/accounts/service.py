"""Local accounts of machines: declare, grant, disable, and exchange secrets for tokens."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from groupsvc.auth.passwords import hash_secret, new_token, verify_secret
from groupsvc.core.accounts.authentication import ACCOUNT, check_secret, login_digest, token_digest
from groupsvc.core.accounts.repository import LockedAccount
from groupsvc.core.accounts.rules import (
    account_name,
    check_new_secret,
    parse_grants,
    possible_name,
    roster_name,
)
from groupsvc.core.service import OUTSIDE, IfMatch, Service
from groupsvc.domain.errors import InvalidError, NotFoundError, UnauthenticatedError
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.principal import Grant, Permission

LIFETIME = 3_600  # seconds


@dataclass(frozen=True, slots=True)
class Declared:
    """``secret`` is returned once: when it was made up for an account that is new."""

    document: JsonResource[dict[str, Any]]
    created: bool
    secret: str | None = None


class AccountService(Service):
    """Whoever may administer everywhere manages accounts; tokens need no permission."""

    async def page(self, *, after: str = "", limit: int) -> Page:
        """Accounts by name, without their secrets."""
        self._require(Permission.ADMIN)
        return await self._uow.accounts.page(after=after, limit=limit)

    async def read(self, name: str) -> JsonResource[dict[str, Any]]:
        self._require(Permission.ADMIN)
        return await self._read(name)

    async def declare(
        self,
        name: object,
        *,
        grants: Sequence[str],
        secret: str | None = None,
        username: object = None,
        is_active: bool = True,
        expected: IfMatch | None = None,
    ) -> Declared:
        """Create or replace an account by name.

        Without a secret an account keeps its own, and one is made up for a new account. Another
        secret, or not to be active, ends its tokens. Raises InvalidError, which points at the
        first grant that is malformed or in a place that there is not.
        """
        self._require(Permission.ADMIN)
        tidy, wanted = account_name(name), self._parse_grants(grants)
        check_new_secret(secret)
        values: dict[str, Any] = {"username": roster_name(username), "is_active": is_active}
        held = await self._hold(tidy, expected)
        made = secrets.token_urlsafe(32) if held is None and secret is None else None
        account_id = await self._write(tidy, held, secret or made, values)
        await self._grant(account_id, wanted)
        return Declared(await self._read(tidy), held is None, made)

    def _parse_grants(self, texts: Sequence[str]) -> list[Grant]:
        return parse_grants(texts, self._uow.vocabulary.permissions)

    async def set_grants(
        self, name: str, grants: Sequence[str], *, expected: IfMatch | None = None
    ) -> JsonResource[dict[str, Any]]:
        """Replace what an account may do; its tokens may do just that from now on."""
        self._require(Permission.ADMIN)
        wanted = self._parse_grants(grants)
        held = await self._get_for_update(name, expected)
        await self._grant(held.id, wanted)
        return await self._read(held.name)

    async def disable(
        self, name: str, *, expected: IfMatch | None = None
    ) -> JsonResource[dict[str, Any]]:
        """End the tokens of an account; it gets no others until it is declared active again."""
        self._require(Permission.ADMIN)
        held = await self._get_for_update(name, expected)
        await self._write(held.name, held, None, {"is_active": False})
        return await self._read(held.name)

    async def delete(self, name: str, *, expected: IfMatch | None = None) -> None:
        """Delete an account with its grants and tokens."""
        self._require(Permission.ADMIN)
        held = await self._get_for_update(name, expected)
        await self._uow.accounts.delete(held.id)

    async def issue(
        self, name: str, secret: str, *, lifetime: int = LIFETIME, counts: bool = True
    ) -> tuple[str, int]:
        """A new token and the seconds it lives; those issued before stay valid.

        Raises as ``check_secret`` does.
        """
        held = await check_secret(self._uow, name, secret, counts=counts)
        token = new_token()
        login = login_digest(self._uow, name)
        if not await self._uow.accounts.issue(held, token_digest(token), lifetime, login):
            raise UnauthenticatedError("the account has just changed", code="invalid_client")
        return token, lifetime

    async def revoke(self, token: str) -> None:
        """End a token of the caller's own account; with any other nothing is done or said."""
        if self._principal.subject.startswith(ACCOUNT):
            name = self._principal.subject.removeprefix(ACCOUNT)
            await self._uow.accounts.revoke(name, token_digest(token))

    async def _write(
        self, name: str, held: LockedAccount | None, secret: str | None, values: dict[str, Any]
    ) -> int:
        if held is None:
            hashed = await hash_secret(secret or "")
            return await self._uow.accounts.create(name, hashed, **values)
        # Hashed again, the secret it has would pass for another one.
        renewed = secret is not None and not await verify_secret(secret, held.secret_hash)
        if secret is not None and renewed:
            values["secret_hash"] = await hash_secret(secret)
        await self._uow.accounts.update(held.id, values)
        if renewed:
            await self._uow.accounts.revoke_all(held.id)
        elif not values["is_active"]:
            await self._uow.accounts.end_all(held.id)
        return held.id

    async def _grant(self, account_id: int, grants: Sequence[Grant]) -> None:
        lost = await self._uow.accounts.set_grants(account_id, grants)
        if lost is not None:
            raise InvalidError(
                "there is no such department or course",
                code="unknown_place",
                pointer=f"#/grants/{lost - 1}",
            )

    async def _hold(self, name: str, expected: IfMatch | None) -> LockedAccount | None:
        await self._uow.begin()
        held = await self._uow.accounts.get_for_update(name)
        if expected is not None:
            document = await self._uow.accounts.read(name)
            await self._check_if_match(expected, document, "account", "grant", course_id=OUTSIDE)
        return held

    async def _get_for_update(self, name: str, expected: IfMatch | None) -> LockedAccount:
        held = await self._hold(possible_name(name), expected)
        if held is None:
            raise NotFoundError("no such account")
        return held

    async def _read(self, name: str) -> JsonResource[dict[str, Any]]:
        document = await self._uow.accounts.read(possible_name(name))
        if document is None:
            raise NotFoundError("no such account")
        return document
