"""A progress bar for commands that take longer than a second."""

import time
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from groupsvc.cli.runtime import console

DELAY = 1.0  # seconds


class Meter:
    """Counts rows, and shows the count after a second."""

    def __init__(self, total: int | None) -> None:
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("rows"), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task("", total=total)
        self._started = time.monotonic()
        self._shown = False

    def advance(self, rows: int) -> None:
        self._progress.advance(self._task, rows)
        if not self._shown and time.monotonic() - self._started > DELAY:
            self._shown = True
            self._progress.start()

    def reset(self) -> None:
        self._progress.reset(self._task)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._progress.stop()
