"""What every process does now and then: seal the change log, delete what has expired."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from groupsvc.core.audit.sealing import Sealer
from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork
from groupsvc.core.upkeep.repository import UpkeepRepository

TASK: Final = "groupsvc upkeep"
CAUSE: Final = "retention"

Forget = Callable[[UnitOfWork], Awaitable[int]]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """``pause`` is in seconds; how long things are kept has its unit in the name, None is ever."""

    pause: float
    idempotency_hours: int
    job_days: int
    former_name_days: int | None
    preassignment_days: int | None

    def expired(self) -> Iterator[Forget]:
        """What deletes some of what has expired, by kind."""
        yield lambda uow: uow.idempotency.forget(self.idempotency_hours)
        yield lambda uow: uow.jobs.forget(self.job_days)
        yield lambda uow: uow.repository(UpkeepRepository).forget_failed_logins()
        yield lambda uow: uow.repository(UpkeepRepository).forget_removed_preassignments()
        if (names := self.former_name_days) is not None:
            yield lambda uow: uow.repository(UpkeepRepository).forget_former_names(names)
        if (addresses := self.preassignment_days) is not None:
            yield lambda uow: uow.repository(UpkeepRepository).forget_preassignments(addresses)


class Upkeep:
    """Harmless in many processes at once: one seals, and what one deletes the others pass over.

    ``warns`` is for production: there whoever serves should not be able to rewrite the change log.
    """

    def __init__(
        self, units: TransactionRunner, sealer: Sealer, terms: Terms, *, warns: bool
    ) -> None:
        self._units, self._sealer, self._terms, self._warns = units, sealer, terms, warns
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=TASK)

    async def stop(self) -> None:
        """What is interrupted is rolled back."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            # Processes that started together do not all come at the same moment.
            await asyncio.sleep(self._terms.pause * random.uniform(0.5, 1))  # noqa: S311 - no secret
            try:
                await self.once()
            except Exception as error:
                # The database is away, or not migrated yet: there is always another time.
                _log.warning("the database cannot be tidied just now", exc_info=error)

    async def visit(self) -> None:
        """For whoever comes seldom: what nobody is writing any more is sealed at once."""
        if not self._sealer.is_marked:
            await self._sealer.mark()
        await self.once()

    async def once(self) -> None:
        if self._warns:
            await self._warn()
        if await self._sealer.is_over():
            async for _ in self._sealer.seal():
                pass
            await self._sealer.mark()
        for forget in self._terms.expired():
            while await self._units.run("upkeep", _because_of_age(forget), bulk=True):
                pass

    async def _warn(self) -> None:
        async def may_rewrite(uow: UnitOfWork) -> bool:
            return await uow.repository(UpkeepRepository).may_rewrite()

        if await self._units.run("upkeep", may_rewrite, reading=True, bulk=True):
            _log.warning(
                "the role that serves could rewrite the change log: use one of its own, see "
                "`groupsvc migrate --grant-to`"
            )
        self._warns = False


def _because_of_age(forget: Forget) -> Forget:
    async def work(uow: UnitOfWork) -> int:
        uow.context.actor = CAUSE
        await uow.begin()
        await uow.set_cause(CAUSE)
        return await forget(uow)

    return work
