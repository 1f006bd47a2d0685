"""The metrics of a worker process.

Each worker writes its values to files of its own, which ``telemetry.listener`` adds up. Labels are
words of this program and codes of HTTP and PostgreSQL: never what somebody has sent or stored.
"""

import asyncio
from bisect import bisect_left
from collections import Counter as Tally
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from mmap import PAGESIZE
from pathlib import Path
from typing import Any, Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from groupsvc.db.failures import AWAY, REMEDIES, SERIALIZATION, TOO_SLOW, Failure
from groupsvc.recorder import Queue, Recorder

PREFIX: Final = "groupsvc"
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
LAGS: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
NONE: Final = "none"
TICK: Final = 0.25  # seconds
MOST_ANSWERED: Final = 50_000  # within a tick
MEMORY: Final = Path("/proc/self/statm")

# What becomes of one gauge in several processes.
_OfWorkers = Literal["livesum", "livemax"]
# Path, method, route, status, seconds and round trips.
Answered = tuple[str, str, str | None, int | None, float, int]

# What is known beforehand is there from the start: a counter that appears has not yet risen.
FAILURES: Final[Mapping[Failure, frozenset[str]]] = {
    Failure.RETRY: frozenset(SERIALIZATION),
    Failure.STALE: frozenset((NONE,)),
    Failure.LOST: frozenset((*AWAY, NONE)),
    Failure.BUSY: frozenset((*TOO_SLOW, NONE)),
    Failure.UNFIT: frozenset(REMEDIES),
}


class ManyAtOnce(Histogram):
    def observe_all(self, amounts: Collection[float]) -> None:
        """As if each were observed by itself, which writes to the file twice for each of them."""
        own: Any = vars(self)  # the values of metrics have no types
        own["_sum"].inc(sum(amounts))
        within = Tally(bisect_left(self._upper_bounds, amount) for amount in amounts)
        for place, count in within.items():
            own["_buckets"][place].inc(count)


class PrometheusRecorder(Recorder):
    def __init__(self, registry: CollectorRegistry, *, tenants: bool = False) -> None:
        def counter(name: str, help_text: str, *labels: str) -> Counter:
            return Counter(f"{PREFIX}_{name}", help_text, labels, registry=registry)

        def gauge(
            name: str, help_text: str, *labels: str, of_workers: _OfWorkers = "livesum"
        ) -> Gauge:
            name = f"{PREFIX}_{name}"
            return Gauge(name, help_text, labels, registry=registry, multiprocess_mode=of_workers)

        def seconds(
            name: str, help_text: str, *labels: str, buckets: tuple[float, ...] = SECONDS
        ) -> ManyAtOnce:
            name = f"{PREFIX}_{name}_seconds"
            return ManyAtOnce(name, help_text, labels, registry=registry, buckets=buckets)

        of_route = ("face", "method", "route")
        self._requests = counter("requests", "Requests answered", *of_route, "status")
        self._duration = seconds("request_duration", "Time until the answer was sent", *of_route)
        self._trips = counter("round_trips", "Round trips to the database of requests", *of_route)
        self._in_flight = gauge("requests_in_flight", "Requests being answered")
        self._streams = gauge("event_streams", "Streams of events that are open")
        self._size = gauge("pool_size", "Connections that a pool may have", "pool")
        self._in_use = gauge("pool_in_use", "Connections at work", "pool")
        self._waiting = gauge("pool_waiting", "Requests that wait for a connection", "pool")
        self._wait = seconds("pool_wait", "Waits for a connection, of those who waited", "pool")
        self._standby_lag = gauge(
            "standby_lag_seconds",
            "Since when a standby is behind, by the worker that knows least",
            *("standby",),
            of_workers="livemax",
        )
        text = "Workers for which a standby answers reads"
        self._standby_readers = gauge("standby_readers", text, "standby")
        self._failures = counter(
            "database_failures",
            "Units of work that the database did not do, and whether they were tried again",
            *("failure", "sqlstate", "retried"),
        )
        self._lag = seconds("event_loop_lag", "How late the event loop is", buckets=LAGS)
        self._workers = gauge("workers", "Worker processes")
        self._starts = counter("worker_starts", "Worker processes that have started")
        self._memory = gauge("resident_memory_bytes", "Memory of the worker processes")
        self._of_tenants: Counter | None = None
        if tenants:
            text = "Requests answered, by institution"
            self._of_tenants = counter("tenant_requests", text, "tenant", "status")
        self._answered: deque[Answered] = deque(maxlen=MOST_ANSWERED)
        self._face: Callable[[str], str] = str
        for failure, states in FAILURES.items():
            for state in states:
                for retried in ("true", "false"):
                    self._failures.labels(failure.value, state, retried)

    def answered(
        self,
        path: str,
        method: str,
        route: str | None,
        status: int | None,
        seconds: float,
        trips: int,
    ) -> None:
        # Written down here and added up later, many at a time: that costs a third.
        self._answered.append((path, method, route, status, seconds, trips))

    def _add_up(self) -> None:
        answered, self._answered = self._answered, deque(maxlen=MOST_ANSWERED)
        of_route: defaultdict[tuple[str, str, str], list[tuple[float, int]]] = defaultdict(list)
        statuses: defaultdict[tuple[str, str, str, str], int] = defaultdict(int)
        for path, method, route, status, seconds, trips in answered:
            labels = self._face(path), method, route or NONE
            of_route[labels].append((seconds, trips))
            statuses[*labels, NONE if status is None else str(status)] += 1
        for labels, times in of_route.items():
            self._duration.labels(*labels).observe_all([seconds for seconds, _ in times])
            self._trips.labels(*labels).inc(sum(trips for _, trips in times))
        for labels_of_status, count in statuses.items():
            self._requests.labels(*labels_of_status).inc(count)

    def served(self, tenant: str, status: int) -> None:
        # By the class of the status: each label is one line for each institution.
        if self._of_tenants is not None:
            self._of_tenants.labels(tenant, f"{status // 100}xx").inc()

    def waited(self, pool: str, seconds: float) -> None:
        self._wait.labels(pool).observe(seconds)

    def failed(self, failure: str, sqlstate: str | None, *, retried: bool) -> None:
        self._failures.labels(failure, sqlstate or NONE, "true" if retried else "false").inc()

    def standby(self, name: str, lag: float, *, answers: bool) -> None:
        self._standby_lag.labels(name).set(lag)
        self._standby_readers.labels(name).set(int(answers))

    @asynccontextmanager
    async def watching(
        self, queues: Mapping[str, Queue], face: Callable[[str], str]
    ) -> AsyncGenerator[None]:
        self._face = face
        self._starts.inc()
        self._workers.set(1)
        for pool, queue in queues.items():
            self._size.labels(pool).set(queue.slots)
            self._wait.labels(pool)
        watch = asyncio.create_task(self._watch(queues), name="groupsvc metrics")
        try:
            yield
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
            self._add_up()

    async def _watch(self, queues: Mapping[str, Queue]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._add_up()
            self._look(queues)
            began = loop.time()
            await asyncio.sleep(TICK)
            self._lag.observe(max(0.0, loop.time() - began - TICK))

    def _look(self, queues: Mapping[str, Queue]) -> None:
        self._in_flight.set(self.in_flight)
        self._streams.set(self.streams)
        for pool, queue in queues.items():
            self._in_use.labels(pool).set(queue.in_use)
            self._waiting.labels(pool).set(queue.waiting)
        with suppress(OSError):  # other systems have no such file
            self._memory.set(int(MEMORY.read_text().split()[1]) * PAGESIZE)
