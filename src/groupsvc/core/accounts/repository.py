"""Local accounts, what they are granted, and their tokens."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, update

from groupsvc.core.json_columns import ACCOUNT, as_json
from groupsvc.core.repository import Repository
from groupsvc.db.connection import HOLDER, Remembered
from groupsvc.db.statements import sql
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.principal import Grant, Permission
from groupsvc.models import Account, Token

SOURCE = f"accounts a {as_json(ACCOUNT)}"

READ = sql(f"""
    SELECT '' AS department, NULL AS course, row_to_json(shape)::text AS body
    FROM {SOURCE} WHERE a.name = :name
""")

LIST = sql(f"""
    SELECT a.name, row_to_json(shape)::text AS body FROM {SOURCE}
    WHERE a.name > :after_name ORDER BY a.name LIMIT :limit
""")

LOCATE = "SELECT id, name, secret_hash, is_active FROM accounts WHERE name = :name"
FIND = sql(LOCATE)
HOLD = sql(f"{LOCATE} FOR NO KEY UPDATE")

CREATE = sql("""
    INSERT INTO accounts (name, secret_hash, username, is_active)
    VALUES (:name, :secret_hash, :username, :is_active)
    RETURNING id
""")

# Writes nothing when a place is not known: without its place, a grant would hold everywhere.
GRANT = sql("""
    WITH wanted AS MATERIALIZED (
        SELECT w.line, w.permission, d.id AS department_id, c.id AS course_id,
               (w.department IS NOT NULL AND d.id IS NULL)
               OR (w.course IS NOT NULL AND c.id IS NULL) AS is_lost
        FROM unnest(:permissions, :departments, :courses)
            WITH ORDINALITY AS w (permission, department, course, line)
        LEFT JOIN departments d ON d.acronym = w.department
        LEFT JOIN courses c ON c.key = w.course
    ),
    gone AS (
        DELETE FROM grants g
        WHERE g.account_id = :account_id
          AND NOT EXISTS (SELECT FROM wanted WHERE is_lost)
          AND NOT EXISTS (
              SELECT FROM wanted w
              WHERE w.permission = g.permission
                AND w.department_id IS NOT DISTINCT FROM g.department_id
                AND w.course_id IS NOT DISTINCT FROM g.course_id)
    ),
    added AS (
        INSERT INTO grants (account_id, permission, department_id, course_id)
        SELECT DISTINCT :account_id, w.permission, w.department_id, w.course_id
        FROM wanted w
        WHERE NOT EXISTS (SELECT FROM wanted WHERE is_lost)
        ON CONFLICT ON CONSTRAINT uq_grants DO NOTHING
    )
    SELECT min(line) AS line FROM wanted WHERE is_lost
""")

# Held, so that whoever disables the account or changes its secret meanwhile ends this token too.
# Tokens that have expired are remembered for a while, to be told from those that never were.
ISSUE = sql("""
    WITH forgotten AS (
        DELETE FROM tokens WHERE digest IN (
            SELECT digest FROM tokens WHERE expires_at < now() - interval '1 hour'
            ORDER BY expires_at LIMIT 20 FOR UPDATE SKIP LOCKED)
    )
    INSERT INTO tokens (digest, account_id, expires_at)
    SELECT :digest, a.id, now() + make_interval(secs => :lifetime)
    FROM accounts a
    WHERE a.id = :account_id AND a.is_active AND a.secret_hash = :secret_hash
    FOR SHARE
    RETURNING digest
""")

REVOKE = sql("""
    DELETE FROM tokens t USING accounts a
    WHERE t.digest = :digest AND a.id = t.account_id AND a.name = :name
""")

# Over for good, and known for a while as what it was.
END_ALL = sql("UPDATE tokens SET expires_at = '-infinity' WHERE account_id = :account_id")

DISABLED = sql("""
    SELECT coalesce(a.username, a.name) AS name
    FROM tokens t JOIN accounts a ON a.id = t.account_id AND NOT a.is_active
    WHERE t.digest = :digest
""")


@dataclass(frozen=True, slots=True)
class LockedAccount:
    """An account as its secret is checked against, locked or not as the method says."""

    id: int
    name: str
    secret_hash: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a token stands for, which may be over."""

    name: str
    username: str | None
    is_expired: bool
    grants: frozenset[Grant]
    remembered: Remembered


class AccountRepository(Repository):
    async def read(self, name: str) -> JsonResource[dict[str, Any]] | None:
        return await self._document(READ, name=name)

    async def page(self, *, after: str = "", limit: int) -> Page:
        return await self._page(LIST, limit=limit, key=("name",), after_name=after)

    async def find(self, name: str) -> LockedAccount | None:
        row = await self._row(FIND, name=name)
        return LockedAccount(**row._asdict()) if row is not None else None

    async def get_for_update(self, name: str) -> LockedAccount | None:
        row = await self._row(HOLD, name=name)
        return LockedAccount(**row._asdict()) if row is not None else None

    async def create(
        self, name: str, secret_hash: str, *, username: str | None, is_active: bool
    ) -> int:
        """Raises NameTakenError when another unit of work has just made it."""
        row = await self._row(
            CREATE, name=name, secret_hash=secret_hash, username=username, is_active=is_active
        )
        return int(row.id)  # type: ignore[union-attr]

    async def update(self, account_id: int, values: Mapping[str, Any]) -> None:
        await self._execute(update(Account).where(Account.id == account_id).values(**values))

    async def delete(self, account_id: int) -> None:
        """Its grants and tokens go with it."""
        await self._execute(delete(Account).where(Account.id == account_id))

    async def set_grants(self, account_id: int, grants: Sequence[Grant]) -> int | None:
        """Replace the grants; answers which one, from 1, is in a place that there is not.

        Nothing is written then. The account must be held.
        """
        row = await self._row(
            GRANT,
            account_id=account_id,
            permissions=[grant.permission.value for grant in grants],
            departments=[grant.department for grant in grants],
            courses=[grant.course for grant in grants],
        )
        return row.line if row is not None else None

    async def issue(self, held: LockedAccount, digest: bytes, lifetime: int) -> bool:
        """Store a token, unless the account has been disabled or given another secret since."""
        row = await self._row(
            ISSUE,
            account_id=held.id,
            secret_hash=held.secret_hash,
            digest=digest,
            lifetime=lifetime,
        )
        return row is not None

    async def revoke(self, name: str, digest: bytes) -> None:
        """End a token, if it is one of the account's."""
        await self._rows(REVOKE, name=name, digest=digest)

    async def revoke_all(self, account_id: int) -> None:
        await self._execute(delete(Token).where(Token.account_id == account_id))

    async def end_all(self, account_id: int) -> None:
        """End the tokens of an account that is disabled, so that they can be told from others."""
        await self._rows(END_ALL, account_id=account_id)

    async def disabled(self, digest: bytes) -> str | None:
        """Whose token this is, when it is that of an account that is disabled."""
        row = await self._row(DISABLED, digest=digest)
        return row.name if row is not None else None

    async def bearer(self, digest: bytes) -> Bearer | None:
        """Whom a token stands for; None when it was never issued, is revoked or long over."""
        row = await self._row(HOLDER, bearer_digest=digest)
        if row is None:
            return None
        name, username, grants = json.loads(row.bearer)
        held = frozenset(
            Grant(Permission(permission), department, course)
            for permission, department, course in grants
        )
        return Bearer(name, username, row.is_expired, held, Remembered(digest, row.bearer))
