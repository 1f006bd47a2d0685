"""Rows of a table by the batch, the next of them read while the database works."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from groupsvc.import_export.columns import Kind
from groupsvc.import_export.parts import AMONG
from groupsvc.import_export.results import read_ahead
from groupsvc.import_export.tables import Row

T = TypeVar("T")
BATCH = 10_000


class Reading:
    """Reads in a thread, so that other requests go on."""

    def __init__(self, rows: Iterable[Row], kind: Kind, *, clears: bool) -> None:
        self._rows = iter(rows)
        self._kind, self._clears = kind, clears
        self._ahead: asyncio.Task[list[Row]] | None = None

    async def next(self) -> list[Row]:
        """The next batch; empty at the end."""
        self.go_on()
        assert self._ahead is not None
        rows = await self._ahead
        self._ahead = None
        return rows

    def go_on(self) -> None:
        """Begin to read the next batch, if that has not begun: at a time when this process would
        only wait, as two threads of it take turns."""
        if self._ahead is None:
            self._ahead = asyncio.create_task(asyncio.to_thread(self._read))
            self._ahead.add_done_callback(_settle)

    def _read(self) -> list[Row]:
        rows = list(islice(self._rows, BATCH))
        # What has yet to get its partition is read then.
        complete = (row for row in rows if AMONG not in row.cells)
        read_ahead(complete, self._kind, clears=self._clears)
        return rows


async def next_batch(rows: Iterator[T]) -> list[T]:
    return await asyncio.to_thread(lambda: list(islice(rows, BATCH)))


def is_full(batch: Sequence[Row]) -> bool:
    """Whether there may be more rows than these."""
    return len(batch) >= BATCH


def _settle(reading: asyncio.Task[list[Row]]) -> None:
    """Whoever has given up does not ask how the batch ahead went."""
    if not reading.cancelled():
        reading.exception()
