"""Imports: tables, row by row, a batch at a time."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice

from groupsvc.core.service import Service
from groupsvc.domain.errors import ConflictError, InvalidError, NotFoundError
from groupsvc.import_export.assignments import AssignmentImport
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.columns import Kind
from groupsvc.import_export.content_groups import ContentImport
from groupsvc.import_export.courses import CourseImport
from groupsvc.import_export.dangers import FEW
from groupsvc.import_export.found_partitions import FoundPartitions
from groupsvc.import_export.kinds import (
    ASSIGNMENTS,
    CONTENT_GROUPS,
    COURSES,
    PREASSIGNMENTS,
    ROLES,
    ROSTER,
    STRUCTURE,
)
from groupsvc.import_export.list_orders import both
from groupsvc.import_export.lists import Lists, wants_lists
from groupsvc.import_export.missing import MissingPeople
from groupsvc.import_export.options import Options
from groupsvc.import_export.pending import Pending
from groupsvc.import_export.preassignments import PreassignmentImport
from groupsvc.import_export.reading import Reading, is_full, next_batch
from groupsvc.import_export.results import MissingAnswer, RowAnswer, refused
from groupsvc.import_export.roles import RoleImport
from groupsvc.import_export.roster import RosterImport
from groupsvc.import_export.structure import StructureImport
from groupsvc.import_export.survey import KeyedInFile, SurveyService
from groupsvc.import_export.tables import Row
from groupsvc.import_export.waiting import WaitingRow, to_repeat

CAUSE = "import"


def _nothing() -> None:
    pass


class ImportService(Service):
    async def weigh(self, kind: Kind, rows: Iterable[Row], options: Options) -> Lists:
        """Find the places where too many are taken out, withdrawn or erased by the ``rows``.

        Does all of it and then undoes it. Returns what the import of the whole table needs.
        """
        losing = iter(rows)
        first = await asyncio.to_thread(lambda: list(islice(losing, FEW + 1)))
        lists = Lists(wanted=wants_lists(kind, options))
        if len(first) <= FEW:
            return lists
        weighed = Pending(lists=Lists(wanted=True))
        async with self._uow.savepoint(rollback=True):
            reading = Reading(chain(first, losing), kind, clears=options.clears)
            while batch := await reading.next():
                await self.import_batch(kind, batch, weighed, options, reading.go_on)
        lists.braked = weighed.lists.too_large()
        return lists

    async def survey(self, kind: Kind, rows: Iterator[Row], *, is_whole: bool) -> KeyedInFile:
        """What ``rows`` are about by their keys, unless one batch has all of the table."""
        first = await next_batch(rows)
        if is_whole and not is_full(first):
            return KeyedInFile()
        return await SurveyService(self._uow, self._principal).look_ahead(kind, rows, first)

    async def import_batch(
        self,
        kind: Kind,
        rows: Sequence[Row],
        pending: Pending,
        options: Options,
        meanwhile: Callable[[], None] = _nothing,
    ) -> tuple[list[RowAnswer], Pending]:
        """Import a batch; returns what became of every row, and what is to be done in the end.

        ``meanwhile`` is called when the database is about to have most of the work.

        A batch that loses a race is decided anew. What the database still refuses is narrowed down
        to the rows concerned; what was judged in parts then is judged once more as a whole.
        """
        try:
            return await self._attempt(kind, rows, pending, options, meanwhile)
        except (ConflictError, NotFoundError, InvalidError):
            pass
        try:
            return await self._attempt(kind, rows, pending, options, meanwhile)
        except (ConflictError, NotFoundError, InvalidError) as error:
            if len(rows) == 1:
                return [refused(rows[0].line, error)], pending
        follow, answers = pending.follow, list[RowAnswer]()
        pending = replace(pending, follow=True)
        for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
            more, pending = await self.import_batch(kind, half, pending, options, meanwhile)
            answers += more
        again = to_repeat(answers)
        if 0 < len(again) < len(rows):
            taken = [rows[at] for at in again]
            more, pending = await self.import_batch(kind, taken, pending, options, meanwhile)
            for at, answer in zip(again, more, strict=True):
                answers[at] = WaitingRow(kind, rows[at], answers[at]).repeated(answer)
        return answers, replace(pending, follow=follow)

    async def end_lists(
        self, kind: Kind, pending: Pending, options: Options
    ) -> tuple[list[MissingAnswer], Pending]:
        """Take out or withdraw who is not in the tables of a kind, where that is asked for."""
        answers: list[MissingAnswer] = []
        if wants_lists(kind, options):
            await self._begin()
            missing = MissingPeople(self._uow, self._principal)
            end = missing.withdraw if kind is ROSTER else missing.take_out
            answers = await end(pending.lists, options)
        return answers, replace(pending, lists=Lists())

    async def close(self, pending: Pending) -> Pending:
        """Put lists in order, and close partitions whose rows say so."""
        batch = self._uow.repository(BatchRepository)
        if pending.orders or pending.closing:
            await self._begin()
        if pending.orders:
            names = await batch.orders(pending.orders)
            arranged = {of: pending.orders[of].arrange(known) for of, known in names.items()}
            await batch.set_orders({of: ids for of, ids in arranged.items() if ids != [*names[of]]})
        if pending.closing:
            await batch.close_partitions(sorted(pending.closing))
        return replace(pending, closing=frozenset(), orders={})

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
        self,
        kind: Kind,
        rows: Sequence[Row],
        pending: Pending,
        options: Options,
        meanwhile: Callable[[], None],
    ) -> tuple[list[RowAnswer], Pending]:
        async with self._uow.savepoint():
            await self._begin()
            bound, clears = (self._uow, self._principal), options.clears
            if kind is not ASSIGNMENTS:
                meanwhile()
            if kind is COURSES:
                return await CourseImport(*bound).import_batch(rows, pending, options)
            if kind is STRUCTURE:
                return await StructureImport(*bound).import_batch(rows, pending, options)
            if kind is ROLES:
                return await RoleImport(*bound).import_batch(rows, clears=clears), pending
            if kind is PREASSIGNMENTS:
                return await PreassignmentImport(*bound).import_batch(rows), pending
            if kind is CONTENT_GROUPS:
                return await ContentImport(*bound).import_batch(rows, clears=clears), pending
            if kind is ROSTER:
                return await RosterImport(*bound).import_batch(rows, pending, options), pending
            rows = await FoundPartitions(*bound).fill(rows)
            answers, orders = await AssignmentImport(*bound).import_batch(
                rows, pending, options, meanwhile
            )
            return answers, replace(pending, orders=both(pending.orders, orders))
