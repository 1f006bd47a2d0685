"""Local accounts, what they are granted, and their tokens."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.principal import Grant, Permission

SQL: Final = SqlFile(__file__)


@dataclass(frozen=True, slots=True)
class LockedAccount:
    """An account as its secret is checked against, locked or not as the method says."""

    id: int
    name: str
    secret_hash: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a token stands for in a version of what all tokens stand for.

    ``expires`` is in seconds since 1970.
    """

    name: str
    username: str | None
    expires: float
    is_expired: bool
    grants: frozenset[Grant]
    access_version: UUID


class AccountRepository(Repository):
    async def read(self, name: str) -> JsonResource[dict[str, Any]] | None:
        return await self._document(SQL.read, name=name)

    async def page(self, *, after: str = "", limit: int) -> Page:
        return await self._page(SQL.list, limit=limit, key=("name",), after_name=after)

    async def find(self, name: str | None, login: bytes) -> tuple[LockedAccount | None, int]:
        """An account, and the seconds that its login has to wait after wrong secrets."""
        row: Any = await self._row(SQL.find, name=name, login=login)
        account = None
        if row.id is not None:
            account = LockedAccount(row.id, row.name, row.secret_hash, row.is_active)
        return account, row.seconds

    async def refuse(self, login: bytes, *, tries: int) -> None:
        """Remember a wrong secret; after so many, have the next try wait."""
        await self._rows(SQL.refuse, login=login, tries=tries)

    async def get_for_update(self, name: str) -> LockedAccount | None:
        row = await self._row(SQL.lock, name=name)
        return LockedAccount(**row._asdict()) if row is not None else None

    async def create(
        self, name: str, secret_hash: str, *, username: str | None, is_active: bool
    ) -> int:
        """Raises NameTakenError when another unit of work has just made it."""
        (row,) = await self._rows(
            SQL.create, name=name, secret_hash=secret_hash, username=username, is_active=is_active
        )
        return int(row.id)

    async def update(self, account_id: int, values: Mapping[str, Any]) -> None:
        await self._patch(SQL.update, values, id=account_id)

    async def delete(self, account_id: int) -> None:
        """Its grants and tokens go with it."""
        await self._rows(SQL.delete, id=account_id)

    async def set_grants(self, account_id: int, grants: Sequence[Grant]) -> int | None:
        """Replace the grants; answers which one, from 1, is in a place that there is not.

        Nothing is written then. The account must be held.
        """
        row = await self._row(
            SQL.grant,
            account_id=account_id,
            permissions=[grant.permission.value for grant in grants],
            departments=[grant.department for grant in grants],
            courses=[grant.course for grant in grants],
        )
        return row.line if row is not None else None

    async def issue(self, held: LockedAccount, digest: bytes, lifetime: int, login: bytes) -> bool:
        """Store a token, unless the account has been disabled or given another secret since.

        What was remembered of wrong secrets is forgotten.
        """
        row = await self._row(
            SQL.issue,
            account_id=held.id,
            secret_hash=held.secret_hash,
            digest=digest,
            lifetime=lifetime,
            login=login,
        )
        return row is not None

    async def revoke(self, name: str, digest: bytes) -> None:
        """End a token, if it is one of the account's."""
        await self._rows(SQL.revoke, name=name, digest=digest)

    async def revoke_all(self, account_id: int) -> None:
        await self._rows(SQL.revoke_all, account_id=account_id)

    async def end_all(self, account_id: int) -> None:
        """End the tokens of an account that is disabled, so that they can be told from others."""
        await self._rows(SQL.end_all, account_id=account_id)

    async def disabled(self, digest: bytes) -> str | None:
        """Whose token this is, when it is that of an account that is disabled."""
        row = await self._row(SQL.disabled, digest=digest)
        return row.name if row is not None else None

    async def bearer(self, digest: bytes) -> Bearer | None:
        """Whom a token stands for; None when it was never issued, is revoked or long over."""
        row = await self._row(SQL.bearer, digest=digest)
        return _bearer(row) if row is not None else None

    async def bearers(self, digests: Sequence[bytes]) -> Mapping[bytes, Bearer]:
        """The same for many, for whom PostgreSQL may plan in another way."""
        rows = await self._rows(SQL.bearers, digests=digests)
        return {row.digest: _bearer(row) for row in rows}


def _bearer(row: Any) -> Bearer:
    held = frozenset(
        Grant(Permission(permission), department, course)
        for permission, department, course in json.loads(row.grants)
    )
    return Bearer(row.name, row.username, row.expires, row.is_expired, held, row.access_version)
