"""Serves the metrics of all workers of a process group, from the process that has started them.

It answers while workers are busy, stand still or die, and it is no part of the API: whoever can
reach the port may read it, and a gateway does not lead there.
"""

import asyncio
import os
import platform
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry, multiprocess, start_http_server
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import URL

import groupsvc
from groupsvc.settings import Settings
from groupsvc.telemetry.database import Sight, look
from groupsvc.telemetry.metrics import PREFIX

SECONDS_KEPT: Final = 5.0
_files: Final[Any] = multiprocess  # has no types


class Workers(Collector):
    """The sum of what the workers have written; gauges are those of the living."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._files = _files.MultiProcessCollector(None, directory)

    def collect(self) -> Iterator[Metric]:
        for path in Path(self._directory).glob("gauge_live*_*.db"):
            pid = int(path.stem.rpartition("_")[2])
            if not _lives(pid):
                _files.mark_process_dead(pid, self._directory)
        yield from self._files.collect()


class Build(Collector):
    def collect(self) -> Iterator[Metric]:
        about = {"version": groupsvc.__version__, "python": platform.python_version()}
        yield InfoMetricFamily(f"{PREFIX}_build", "What is running", about)


class Database(Collector):
    """Asks at most once in some seconds, however often it is asked."""

    def __init__(self, ask: Callable[[], Sight]) -> None:
        self._ask = ask
        self._asking = threading.Lock()
        self._asked = -SECONDS_KEPT
        self._sight = Sight()

    def collect(self) -> Iterator[Metric]:
        with self._asking:
            if time.monotonic() - self._asked > SECONDS_KEPT:
                self._sight = self._ask()
                self._asked = time.monotonic()
            sight = self._sight
        yield _gauge("database_up", "Whether the database can be read", float(sight.up))
        if not sight.up:
            return
        jobs = GaugeMetricFamily(f"{PREFIX}_jobs", "Jobs; failed ones of a day", labels=["state"])
        ages = GaugeMetricFamily(
            f"{PREFIX}_oldest_job_age_seconds", "Time since it was left", labels=["state"]
        )
        for state, (count, age) in sight.jobs.items():
            jobs.add_metric([state], count)
            ages.add_metric([state], age)
        yield jobs
        yield ages
        yield _gauge("lock_waiters", "Statements that wait for a lock", sight.lock_waiters)
        yield _gauge(
            "longest_lock_wait_seconds", "Time the longest has waited", sight.longest_lock_wait
        )


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}_{name}", help_text, value=value)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def listening(settings: Settings, url: URL | None, directory: str) -> Generator[None]:
    """With what the database at a URL tells. Raises ValueError when the address cannot be had."""
    registry = CollectorRegistry()
    registry.register(Build())
    registry.register(Workers(directory))
    if url is not None:
        registry.register(Database(lambda: asyncio.run(look(url, settings))))
    host, _, port = settings.metrics_address.rpartition(":")
    # Its threads inherit the mask: signals are for the thread that waits for them.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        server, thread = start_http_server(int(port), host.strip("[]"), registry)
    except (OSError, OverflowError) as error:
        raise ValueError(f"GROUPSVC_METRICS_ADDRESS: {error}") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
