"""``python -m benchmarks``: load, start, compare, measure, report."""

import asyncio
import signal
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from benchmarks import data, parity, servers
from benchmarks.driver import Driver
from benchmarks.items import EVERYBODY, Item, Request, items
from benchmarks.measure import Bench, Pace, Place, RefusedError, Sample
from benchmarks.postgres import Postgres
from benchmarks.processes import forget_peak, memory
from benchmarks.relay import Relay
from benchmarks.report import Report

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(stderr=True, highlight=False)

DATABASE = "bench"
TRIPS_OVER = 10
# Those whose cost must not depend on how much there is.
SCALED = (
    *("partition", "partitions", "members", "members_giant", "members_first", "members_deep"),
    *("user_groups", "scodoc_partitions", "openedx_cohorts", "assign", "scodoc_assign"),
)


@app.command()
def main(
    quick: Annotated[bool, typer.Option(help="A tenth of the data, and shorter rounds.")] = False,
    scale: Annotated[
        bool, typer.Option(help="The service alone, at 100 thousand and 10 million memberships.")
    ] = False,
    only: Annotated[str, typer.Option(help="Only these items, separated by commas.")] = "",
    contenders: Annotated[str, typer.Option(help="Only these contenders.")] = "",
) -> None:
    """Measure the service and its contenders on one PostgreSQL, in interleaved rounds."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    pace = Pace(3, 0.25) if quick else Pace(7, 0.6)
    names = contenders.split(",") if contenders else EVERYBODY
    chosen = only.split(",") if only else SCALED if scale else ()
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres())
        driver = Driver()
        stack.callback(driver.stop)
        if scale:
            report = _scale(stack, postgres, driver, chosen, pace)
        else:
            size = data.QUICK if quick else data.FULL
            report = _compare(postgres, driver, size, names, chosen, pace)
    report.write()
    print(report.text())


def _compare(
    postgres: Postgres,
    driver: Driver,
    size: data.Size,
    names: Sequence[str],
    only: Sequence[str],
    pace: Pace,
) -> Report:
    made = _load(postgres, DATABASE, size)
    wanted = [item for item in items(made) if not only or item.name in only]
    report = Report({"size": size, "pace": asdict(pace)}, "bare")
    with _running(postgres, driver, names, postgres.url(DATABASE)) as bench:
        for name, place in bench.places.items():
            report.memory[name] = memory(place.server.pid)
        wanted = [item for item in wanted if _alike(bench, item, report)]
        _rounds(bench, wanted, pace, report)
    with (
        Relay(postgres.home / "relay", postgres.socket) as relay,
        _running(postgres, driver, names, postgres.url(DATABASE, relay.socket)) as bench,
    ):
        for item in wanted:
            with console.status(f"counting round trips: {item.title}"):
                _trips(bench, relay, item, report)
    return report


def _alike(bench: Bench, item: Item, report: Report) -> bool:
    """Whether everybody answers the same; an item that somebody refuses is left out, loudly."""
    with console.status(f"comparing answers: {item.title}"):
        try:
            report.alike[item.name] = parity.compare(bench, item)
        except RefusedError as refusal:
            report.refused[item.title] = str(refusal)
            console.print(f"left out: {item.title}: {refusal}", style="red", markup=False)
    return item.name in report.alike


def _scale(
    stack: ExitStack, postgres: Postgres, driver: Driver, only: Sequence[str], pace: Pace
) -> Report:
    sizes = {"100 thousand": data.SMALL, "10 million": data.LARGE}
    report = Report({"size": data.LARGE, "pace": asdict(pace)}, "100 thousand")
    places: dict[str, Place] = {}
    headers: dict[str, tuple[str, str]] = {}
    asked: dict[str, dict[str, Sequence[Request]]] = defaultdict(dict)
    wanted: list[Item] = []
    for number, (name, size) in enumerate(sizes.items()):
        database = f"bench{number}"
        made = _load(postgres, database, size)
        url = postgres.url(database)
        servers.declare_account(url, postgres.home)
        server = servers.start("groupsvc", url, postgres.home)
        stack.callback(server.stop)
        places[name] = Place(database, server)
        headers[database] = servers.headers(server, url, postgres.home)
        wanted = [item for item in items(made, many=1000) if item.name in only]
        for item in wanted:
            asked[item.name][name] = item.requests["groupsvc"]
    bench = Bench(driver, postgres, places, headers)
    _rounds(bench, [replace(item, requests=asked[item.name]) for item in wanted], pace, report)
    return report


def _load(postgres: Postgres, database: str, size: data.Size) -> data.Institution:
    async def work() -> None:
        await postgres.create(database)
        connection = await postgres.connect(database)
        await data.load(connection, made)
        await connection.close()

    made = data.institution(size)
    with console.status(f"loading {size.memberships:,} memberships"):
        asyncio.run(work())
    return made


@contextmanager
def _running(postgres: Postgres, driver: Driver, names: Sequence[str], url: str) -> Iterator[Bench]:
    with ExitStack() as stack:
        places: dict[str, Place] = {}
        with console.status("starting the contenders"):
            servers.declare_account(url, postgres.home)
            for name in names:
                server = servers.start(name, url, postgres.home)
                stack.callback(server.stop)
                places[name] = Place(DATABASE, server)
            headers = servers.headers(places["groupsvc"].server, url, postgres.home)
        yield Bench(driver, postgres, places, {DATABASE: headers})


def _rounds(bench: Bench, wanted: Sequence[Item], pace: Pace, report: Report) -> None:
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("", total=sum(len(bench.contenders(i)) for i in wanted))
        for item in wanted:
            progress.update(task, description=item.title)
            for place in bench.places.values():
                forget_peak(place.server.pid)
            samples: dict[str, list[Sample]] = defaultdict(list)
            for name, sample in bench.measure(item, pace):
                samples[name].append(sample)
                progress.advance(task, 1 / pace.rounds)
            report.add(item, samples)
            if item.goal in ("bulk", "import"):
                pid = bench.places["groupsvc"].server.pid
                report.peaks[item.title] = memory(pid, peak=True)


def _trips(bench: Bench, relay: Relay, item: Item, report: Report) -> None:
    """Round trips per request, once connections and prepared statements are there."""
    for name in bench.contenders(item):
        if name in item.once or item.rows > 10_000:
            continue
        bench.reset(item, name)
        requests = bench.raw(item, name)[: 3 * TRIPS_OVER]
        warm, counted = requests[:-TRIPS_OVER] or requests, requests[-TRIPS_OVER:]
        bench.ask(name, warm)
        bench.ask(name, warm)
        before = relay.trips
        bench.ask(name, counted)
        report.trips[item.name, name] = (relay.trips - before) / len(counted)


if __name__ == "__main__":
    app()
