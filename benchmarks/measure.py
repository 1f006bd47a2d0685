"""Interleaved rounds: every contender in turn, and all of them again."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import copying
from benchmarks.driver import Driver, Order, Result
from benchmarks.items import Item
from benchmarks.postgres import Postgres
from benchmarks.processes import Server, cpu_seconds

WARM = 0.3  # of the time of a round, before the first
MOST_OF_BULK = 5
COPIED = "bare"  # on whose database rows are copied
CLEAN = "VACUUM memberships, changes"


class RefusedError(RuntimeError):
    """A contender did not do what it was asked for."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One round. CPU is in microseconds per request, of the server's tree and of PostgreSQL's."""

    rate: float
    p50: float
    p99: float
    server: float
    database: float


@dataclass(frozen=True, slots=True)
class Pace:
    rounds: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Place:
    """A contender that runs: what it is called here, on which database, where."""

    database: str
    server: Server


class Bench:
    """What rounds need: a driver, a PostgreSQL, the contenders that run, and what to send along."""

    def __init__(
        self,
        driver: Driver,
        postgres: Postgres,
        places: Mapping[str, Place],
        headers: Mapping[str, tuple[str, str]],
    ) -> None:
        self.places = places
        self._driver, self._postgres, self._headers = driver, postgres, headers

    def contenders(self, item: Item) -> list[str]:
        return [name for name in self.places if name in item.requests]

    def raw(self, item: Item, name: str) -> list[bytes]:
        headers = self._headers[self.places[name].database][item.signed]
        return [request.raw(headers) for request in item.requests[name]]

    def ask(self, name: str, requests: Sequence[bytes]) -> bytes:
        """Send some requests one after the other; the body of the last answer."""
        order = Order(self.places[name].server.port, requests, 0, 600, len(requests), 1)
        return self._run(name, order).last.partition(b"\r\n\r\n")[2]

    def measure(self, item: Item, pace: Pace) -> Iterator[tuple[str, Sample]]:
        """Samples as they come, some rounds of all contenders; what warms them up is left out.

        Every other round goes backwards, so that nobody is always the first after a VACUUM.
        Each database has its own turn of the requests: one that writes always changes something.
        """
        raw = {name: self.raw(item, name) for name in self.contenders(item)}
        starts: Counter[str] = Counter()
        rounds = min(pace.rounds, MOST_OF_BULK) if item.rows >= 10_000 else pace.rounds
        for number in range(rounds + 1):
            for name, requests in list(raw.items())[:: -1 if number % 2 else 1]:
                if name in item.once and number != 1:
                    continue
                self.reset(item, name)
                warm = number == 0 or name in item.once
                most = self._most(item, requests, alone=name in item.once)
                seconds = pace.seconds * (WARM if warm else 1)
                place = self.places[name]
                start = starts[place.database]
                order = Order(place.server.port, requests, start, seconds, most, item.connections)
                before = self._cpu(name)
                result = self._run(name, order)
                after = self._cpu(name)
                starts[place.database] += result.count
                if number:
                    yield name, _sample(before, after, result)
            if item.copied and number and COPIED in self.places:
                yield from self._copies(item)
            if item.writes:
                self._vacuum()

    def reset(self, item: Item, name: str) -> None:
        if item.reset:
            asyncio.run(self._postgres.execute(self.places[name].database, item.reset))

    def _most(self, item: Item, requests: Sequence[bytes], *, alone: bool) -> int:
        if alone or item.rows >= 100_000 or (item.reset and item.rows > 1):
            return 1
        return len(requests) if item.reset else 1_000_000

    def _run(self, name: str, order: Order) -> Result:
        result = self._driver.run(order)
        if result.failures:
            log = self.places[name].server.log()
            raise RefusedError(f"{name}: {result.last[:1000]!r}\n{log}")
        return result

    def _copies(self, item: Item) -> Iterator[tuple[str, Sample]]:
        """What COPY needs for the rows of the item."""
        database = self.places[COPIED].database
        for name, table in copying.TABLES.items():
            self.reset(item, COPIED)
            work = copying.copy(self._postgres, database, table, item.copied)
            elapsed, used = asyncio.run(work)
            yield name, Sample(1 / elapsed, elapsed * 1e3, elapsed * 1e3, 0.0, used * 1e6)

    def _vacuum(self) -> None:
        for database in {place.database for place in self.places.values()}:
            asyncio.run(self._postgres.execute(database, CLEAN))

    def _cpu(self, name: str) -> tuple[float, float]:
        return cpu_seconds(self.places[name].server.pid), cpu_seconds(self._postgres.pid)


def _sample(before: tuple[float, float], after: tuple[float, float], result: Result) -> Sample:
    server, database = (
        (late - early) * 1e6 / result.count for early, late in zip(before, after, strict=True)
    )
    return Sample(result.count / result.seconds, result.p50, result.p99, server, database)
