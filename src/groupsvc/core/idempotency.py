"""Outcomes of requests, kept with the key that the caller chose."""

from dataclasses import dataclass
from typing import Any

from groupsvc.core.repository import Repository
from groupsvc.db.statements import sql

# Meeting the key again writes too: under synchronous replication the answer then waits until the
# first outcome is as safe as it claims to be. An expired key starts over.
CLAIM = sql("""
    INSERT INTO idempotency_keys AS k (subject, key, fingerprint)
    VALUES (:subject, :key, :fingerprint)
    ON CONFLICT (subject, key) DO UPDATE SET
        replays = CASE WHEN k.created_at < now() - make_interval(hours => :hours)
                       THEN 0 ELSE k.replays + 1 END,
        status = CASE WHEN k.created_at < now() - make_interval(hours => :hours)
                      THEN NULL ELSE k.status END,
        fingerprint = CASE WHEN k.created_at < now() - make_interval(hours => :hours)
                           THEN excluded.fingerprint ELSE k.fingerprint END,
        created_at = CASE WHEN k.created_at < now() - make_interval(hours => :hours)
                          THEN now() ELSE k.created_at END
    RETURNING fingerprint, status, headers, body, decisions
""")

STORE = sql("""
    UPDATE idempotency_keys
    SET status = :status, headers = :headers, body = :body, decisions = :decisions
    WHERE subject = :subject AND key = :key
""")

FORGET = sql("""
    DELETE FROM idempotency_keys WHERE (subject, key) IN (
        SELECT subject, key FROM idempotency_keys
        WHERE created_at < now() - make_interval(hours => :hours)
        ORDER BY created_at LIMIT 100 FOR UPDATE SKIP LOCKED)
""")


@dataclass(frozen=True, slots=True)
class Remembered:
    """``status`` None: nobody has finished under this key."""

    fingerprint: bytes
    status: int | None
    headers: dict[str, str] | None
    body: bytes | None
    decisions: list[tuple[str, str | None, str | None]] | None


class IdempotencyRepository(Repository):
    async def claim(self, subject: str, key: str, fingerprint: bytes, hours: int) -> Remembered:
        """Take the key, or wait for whoever holds it and learn what came of it."""
        row: Any = await self._row(
            CLAIM, subject=subject, key=key, fingerprint=fingerprint, hours=hours
        )
        return Remembered(**row._asdict())

    async def store(
        self,
        subject: str,
        key: str,
        *,
        status: int,
        headers: dict[str, str],
        body: bytes,
        decisions: list[tuple[str, str | None, str | None]],
    ) -> None:
        await self._rows(
            STORE,
            subject=subject,
            key=key,
            status=status,
            headers=headers,
            body=body,
            decisions=decisions,
        )

    async def forget(self, hours: int) -> None:
        """Drop some of the keys that have expired."""
        await self._rows(FORGET, hours=hours)
