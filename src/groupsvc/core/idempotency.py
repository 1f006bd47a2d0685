"""Outcomes of requests, kept with the key that the caller chose."""

import json
from dataclasses import dataclass
from typing import Any, Final

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile

SQL: Final = SqlFile(__file__)


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
            SQL.claim, subject=subject, key=key, fingerprint=fingerprint, hours=hours
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
            SQL.store,
            subject=subject,
            key=key,
            status=status,
            headers=json.dumps(headers),
            body=body,
            decisions=json.dumps(decisions),
        )

    async def forget(self, hours: int) -> int:
        """Drop some of the keys that have expired; returns how many."""
        return len(await self._rows(SQL.forget, hours=hours))
