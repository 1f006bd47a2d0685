"""Imports of whole tables: the steps in their order, for the API and for the terminal."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain, groupby
from typing import Protocol, TypeVar

from groupsvc.core.service import Service
from groupsvc.import_export.columns import Kind
from groupsvc.import_export.imports import ImportService
from groupsvc.import_export.kinds import ASSIGNMENTS
from groupsvc.import_export.lists import Lists, losing
from groupsvc.import_export.options import Options
from groupsvc.import_export.pending import Pending
from groupsvc.import_export.reading import Reading
from groupsvc.import_export.results import MissingAnswer, RowAnswer
from groupsvc.import_export.survey import KeyedInFile, with_keys
from groupsvc.import_export.tables import Row
from groupsvc.import_export.waiting import Waiting

T = TypeVar("T")


class Source(Protocol):
    """A table that can be read several times; in a ``uniform`` one all rows have all columns."""

    @property
    def kind(self) -> Kind: ...

    @property
    def uniform(self) -> bool: ...

    def read(self) -> Iterator[Row]: ...


S = TypeVar("S", bound=Source)
S_contra = TypeVar("S_contra", bound=Source, contravariant=True)


class Report(Protocol[S_contra]):
    """Takes answers as they come. ``has_refused`` tells whether anything was refused so far."""

    @property
    def has_refused(self) -> bool: ...

    def add_rows(self, source: S_contra, answers: Sequence[RowAnswer], /) -> None: ...

    def add_missing(self, kind: Kind, answers: Sequence[MissingAnswer], /) -> None: ...


class Do(Protocol):
    """Runs a step of an import, in a transaction of its own or in a greater one."""

    async def __call__(self, step: Callable[[ImportService], Awaitable[T]], /) -> T: ...


class _WithheldError(Exception):
    """Something was refused, so nothing is written."""


class TableImportService(Service):
    async def run(self, sources: Sequence[S], report: Report[S], options: Options) -> None:
        """Import tables in this unit of work; a dry run does everything and then undoes it."""

        async def do(step: Callable[[ImportService], Awaitable[T]]) -> T:
            return await step(ImportService(self._uow, self._principal))

        with suppress(_WithheldError):
            async with self._uow.savepoint(rollback=options.dry_run):
                await import_in_steps(do, sources, report, options)
                if report.has_refused and options.mode == "all_or_nothing":
                    raise _WithheldError


async def import_in_steps(
    do: Do, sources: Sequence[S], report: Report[S], options: Options
) -> None:
    """Import tables in their order; those of one kind count as one table.

    Before anything of it is written, rows that would take away too much are found out.
    """
    pending = Pending()
    for kind, group in groupby(sources, key=lambda source: source.kind):
        tables = list(group)
        weigh = partial(_weigh, kind=kind, tables=tables, options=options)
        survey = partial(_survey, kind=kind, tables=tables)
        pending = replace(pending, lists=await do(weigh), keyed=await do(survey))
        waits_for_lists = options.only and kind is ASSIGNMENTS
        waiting = Waiting[S](len(tables) == 1, waits_for_lists)
        repeat = partial(_repeat, do, kind, waiting, options=options, report=report)
        for table in tables:
            reading = Reading(table.read(), kind, clears=options.clears)
            while rows := await reading.next():
                take = partial(
                    ImportService.import_batch,
                    kind=kind,
                    rows=rows,
                    pending=pending,
                    options=options,
                    meanwhile=reading.go_on,
                )
                answers, pending = await do(take)
                report.add_rows(table, waiting.keep(table, rows, answers))
                pending = replace(pending, follow=bool(waiting.followers))
        if not waits_for_lists:
            pending = await repeat(pending)
        end = partial(ImportService.end_lists, kind=kind, pending=pending, options=options)
        missing, pending = await do(end)
        report.add_missing(kind, missing)
        if waits_for_lists:
            pending = await repeat(pending)
        if pending.closing or pending.orders:
            pending = await do(partial(ImportService.close, pending=pending))
    if pending.locks:
        await do(partial(ImportService.lock, pending=pending))


async def _repeat(
    do: Do,
    kind: Kind,
    waiting: Waiting[S],
    pending: Pending,
    options: Options,
    report: Report[S],
) -> Pending:
    """Judge rows together that were not."""
    told = waiting.given_up()
    if waiting.rows:
        # They may be of several tables, so that lines do not tell them apart.
        rows = [replace(each.row, line=at) for at, each in enumerate(waiting.rows, start=1)]
        take = partial(
            ImportService.import_batch, kind=kind, rows=rows, pending=pending, options=options
        )
        answers, pending = await do(take)
        told += [
            replace(each, answer=each.repeated(answer))
            for each, answer in zip(waiting.rows, answers, strict=True)
        ]
    for _, of_table in groupby(told, key=lambda each: id(each.table)):
        found = list(of_table)
        report.add_rows(found[0].table, [each.answer for each in found])
    return replace(pending, follow=False)


async def _weigh(
    service: ImportService, *, kind: Kind, tables: Sequence[Source], options: Options
) -> Lists:
    rows = (losing(kind, options, each.read(), uniform=each.uniform) for each in tables)
    return await service.weigh(kind, chain.from_iterable(rows), options)


async def _survey(service: ImportService, *, kind: Kind, tables: Sequence[Source]) -> KeyedInFile:
    rows = (with_keys(kind, each.read(), uniform=each.uniform) for each in tables)
    return await service.survey(kind, chain.from_iterable(rows), is_whole=len(tables) == 1)
