"""A progress bar for commands that take longer than a second."""

import time
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

DELAY = 1.0  # seconds

console = Console(stderr=True, highlight=False)


class RateColumn(ProgressColumn):
    """Rows a second, over the whole time."""

    def render(self, task: Task) -> Text:
        rate = task.completed / task.elapsed if task.elapsed else 0
        return Text(f"{rate:,.0f}/s", style="progress.data.speed")


class Meter:
    """Counts; after a second it shows the count, the rate and, with a total, the time left."""

    def __init__(self, total: int | None, what: str = "rows") -> None:
        count = (BarColumn(), MofNCompleteColumn(), TextColumn(what), RateColumn())
        left = () if total is None else (TextColumn("left:"), TimeRemainingColumn())
        columns = (*count, TimeElapsedColumn(), *left)
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
