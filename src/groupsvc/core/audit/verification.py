"""Whether the change log says what was sealed."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from groupsvc.core.audit.archives import ArchiveReader
from groupsvc.core.audit.repository import AuditRepository, first_after
from groupsvc.core.audit.seals import (
    PublicKeys,
    Seal,
    fault_of_lines,
    fault_of_seal,
)

SEALS_AT_ONCE: Final = 20


@dataclass(slots=True)
class Verification:
    """``fault`` is the first thing that is wrong; ``unread`` lines are in archives that were not
    given, ``unsealed`` ones came after the last seal. ``unsigned`` seals are counted where there
    are keys: of a chain that began without one, whoever owns the tables could make all anew.
    """

    seals: int = 0
    lines: int = 0
    unread: int = 0
    unsealed: int = 0
    unsigned: int = 0
    fault: str | None = None


class Verifier:
    """Checks all seals in their order, with the lines that they are about.

    ``known`` are digests of seals that were kept elsewhere, by their ids.
    """

    def __init__(
        self,
        audit: AuditRepository,
        *,
        directory: Path | None = None,
        keys: PublicKeys,
        known: Mapping[int, str],
    ) -> None:
        self._audit, self._directory = audit, directory
        self._keys, self._known = keys, known
        self._result = Verification()

    async def verify(self) -> Verification:
        result = self._result
        archives = await self._audit.archives()
        self._archived = archives[-1].last_seq if archives else first_after(None)
        last: Seal | None = None
        try:
            self._reader = ArchiveReader(self._directory, archives) if self._directory else None
            while seals := await self._audit.seals(after=result.seals, limit=SEALS_AT_ONCE):
                for seal in seals:
                    result.fault = await self._fault(seal, last)
                    if result.fault is not None:
                        return result
                    last = seal
                    result.unsigned += bool(self._keys) and seal.signature is None
                    result.seals += 1
        except ValueError as error:
            result.fault = str(error)
            return result
        result.fault = self._fault_of_end(last)
        if await self._audit.silenced():
            result.fault = "an actor was made anonymous, and the log does not tell of it"
        result.unsealed = await self._audit.unsealed()
        return result

    async def _fault(self, seal: Seal, before: Seal | None) -> str | None:
        fault = fault_of_seal(seal, before, self._keys)
        if fault is not None:
            return fault
        if self._known.get(seal.id, seal.digest.hex()) != seal.digest.hex():
            return f"seal {seal.id} is another one than was kept elsewhere"
        lines = kept = await self._audit.lines(first_after(before), seal.last_seq)
        if seal.last_seq <= self._archived:
            if self._reader is None:
                self._result.unread += seal.lines
                return None
            lines = self._reader.up_to(seal.last_seq)
        fault = await asyncio.to_thread(fault_of_lines, seal, lines)
        if fault is None:
            self._result.lines += len(lines)
            # Of what is archived some lines are still in the database.
            texts = {line.text for line in lines}
            odd = [line for line in kept if line.text not in texts]
            fault = f"changeset {odd[0].changeset_id} is not as it was archived" if odd else None
        return fault

    def _fault_of_end(self, last: Seal | None) -> str | None:
        """What is missing at the end leaves no gap: only what was kept elsewhere shows it."""
        missing = max(self._known, default=0)
        if missing > (last.id if last else 0):
            return f"seal {missing}, which was kept elsewhere, is missing"
        if self._keys and last is not None and last.signature is None:
            return f"seal {last.id} is not signed"
        return None
