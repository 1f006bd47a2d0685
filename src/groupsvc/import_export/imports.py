"""Imports: tables, row by row, a batch at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import islice

from groupsvc.core.service import Service
from groupsvc.domain.errors import ConflictError, InvalidError, NotFoundError
from groupsvc.import_export.assignments import AssignmentImport
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.columns import Kind
from groupsvc.import_export.courses import CourseImport
from groupsvc.import_export.results import RowAnswer, refused
from groupsvc.import_export.roles import RoleImport
from groupsvc.import_export.roster import RosterImport
from groupsvc.import_export.structure import StructureImport
from groupsvc.import_export.tables import Row

BATCH = 2_000
CAUSE = "import"


@dataclass(frozen=True, slots=True)
class Pending:
    """What an import does when all rows are in: it would stand in the way of the rows before.

    ``locks`` are courses to be locked, ``closing`` partitions (with their course) whose groups
    are not to be edited any more.
    """

    locks: Set[int] = frozenset()
    closing: Set[tuple[int, int]] = frozenset()


class ImportService(Service):
    async def run(
        self,
        kind: Kind,
        rows: Iterable[Row],
        report: Callable[[Sequence[RowAnswer]], None],
        *,
        create: bool = False,
        dry_run: bool = False,
    ) -> None:
        """Import a whole table in this unit of work, and report the answers batch by batch.

        A ``dry_run`` does everything and then undoes it.
        """
        async with self._uow.savepoint(rollback=dry_run):
            pending = Pending()
            async for batch in batches(rows):
                answers, pending = await self.import_batch(kind, batch, pending, create=create)
                report(answers)
            await self.lock(await self.close(pending))

    async def import_batch(
        self, kind: Kind, rows: Sequence[Row], pending: Pending, *, create: bool = False
    ) -> tuple[list[RowAnswer], Pending]:
        """Import a batch; returns what became of every row, and what is to be done in the end.

        A batch that loses a race is decided anew. What the database still refuses is narrowed down
        to the rows concerned.
        """
        try:
            return await self._attempt(kind, rows, pending, create=create)
        except (ConflictError, NotFoundError, InvalidError):
            pass
        try:
            return await self._attempt(kind, rows, pending, create=create)
        except (ConflictError, NotFoundError, InvalidError) as error:
            if len(rows) == 1:
                return [refused(rows[0].line, error)], pending
        answers: list[RowAnswer] = []
        for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
            more, pending = await self.import_batch(kind, half, pending, create=create)
            answers += more
        return answers, pending

    async def close(self, pending: Pending) -> Pending:
        """Let the groups be edited no more of partitions whose rows say so."""
        if pending.closing:
            await self._begin()
            await self._uow.repository(BatchRepository).close_partitions(sorted(pending.closing))
        return replace(pending, closing=frozenset())

    async def lock(self, pending: Pending) -> Pending:
        """Lock the courses whose rows say so."""
        if pending.locks:
            await self._begin()
            await self._uow.repository(BatchRepository).set_locks(pending.locks, locked=True)
        return replace(pending, locks=frozenset())

    async def _begin(self) -> None:
        await self._uow.begin()
        await self._uow.set_cause(CAUSE)

    async def _attempt(
        self, kind: Kind, rows: Sequence[Row], pending: Pending, *, create: bool
    ) -> tuple[list[RowAnswer], Pending]:
        async with self._uow.savepoint():
            await self._begin()
            bound = (self._uow, self._principal)
            if kind.name == "courses":
                answers, locks = await CourseImport(*bound).import_batch(rows, pending.locks)
                return answers, replace(pending, locks=locks)
            if kind.name == "structure":
                answers, closing = await StructureImport(*bound).import_batch(rows, pending.closing)
                return answers, replace(pending, closing=closing)
            if kind.name == "roster":
                return await RosterImport(*bound).import_batch(rows), pending
            if kind.name == "roles":
                return await RoleImport(*bound).import_batch(rows), pending
            return await AssignmentImport(*bound).import_batch(rows, create=create), pending


async def batches(rows: Iterable[Row]) -> AsyncIterator[list[Row]]:
    """Read in a thread, as rows are decided in one: other requests do not wait for it."""
    remaining = iter(rows)
    while batch := await asyncio.to_thread(lambda: list(islice(remaining, BATCH))):
        yield batch
