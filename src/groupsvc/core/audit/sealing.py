"""Sealing the change log, behind the writers: they do not wait, and are not made slower.

Numbers of lines do not commit in order. So the end of the log is marked, and what is below the mark
is sealed when everything is over that was running then.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from groupsvc.core.audit.repository import AuditRepository, Mark, first_after
from groupsvc.core.audit.seals import Seal, seal
from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork

MOST_LINES: Final = 10_000  # of one seal

_log = logging.getLogger(__name__)


class Sealer:
    """Seals, one call after another, what had been written before the call before."""

    def __init__(self, units: TransactionRunner, key: Ed25519PrivateKey | None) -> None:
        self._units, self._key = units, key
        self._mark: Mark | None = None

    @property
    def is_marked(self) -> bool:
        return self._mark is not None

    async def mark(self) -> None:
        async def mark(uow: UnitOfWork) -> Mark | None:
            return await uow.repository(AuditRepository).mark()

        self._mark = await self._units.run("audit", mark, bulk=True)

    async def is_over(self) -> bool:
        """Whether nothing is running any more that ran at the mark."""

        async def is_over(uow: UnitOfWork) -> bool:
            mark = self._mark
            return mark is None or await uow.repository(AuditRepository).is_over(mark)

        return await self._units.run("audit", is_over, reading=True, bulk=True)

    async def seal(self) -> AsyncGenerator[Seal]:
        """Up to the mark, some lines at a time. To be called when that is over."""
        if (mark := self._mark) is None:
            return

        async def seal_some(uow: UnitOfWork) -> Seal | None:
            return await seal_up_to(uow, mark, self._key)

        while (sealed := await self._units.run("audit", seal_some, bulk=True)) is not None:
            # Whoever rewrites the database does not reach what collects these logs.
            _log.info(
                "the change log is sealed up to line %d: seal %d has the digest %s",
                sealed.last_seq,
                sealed.id,
                sealed.digest.hex(),
            )
            yield sealed


async def seal_up_to(uow: UnitOfWork, mark: Mark, key: Ed25519PrivateKey | None) -> Seal | None:
    """The next seal; None when all is sealed, or somebody else is at it."""
    await uow.begin()
    audit = uow.repository(AuditRepository)
    if not await audit.take_turn():
        return None
    last = await audit.last_seal()
    after = first_after(last)
    last_seq = await audit.last_of(after, mark.seq, MOST_LINES)
    if last_seq is None:
        return None
    await audit.remember_actors(after, last_seq)
    lines = await audit.lines(after, last_seq)
    sealed = await asyncio.to_thread(seal, lines, last, key)
    await audit.add_seal(sealed)
    return sealed
