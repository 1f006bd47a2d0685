"""``python -m benchmarks``: load, start, compare, measure, report."""

import signal
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from benchmarks import data, parity, servers
from benchmarks.builds import OURS, check_out, short_name
from benchmarks.driver import Driver
from benchmarks.entrants import DATABASE, Entrant, builds, entrants, load, running
from benchmarks.items import BEFORE, EVERYBODY, Item, Request, items
from benchmarks.measure import Bench, Pace, Place, RefusedError, Sample
from benchmarks.postgres import Postgres
from benchmarks.processes import forget_peak, memory
from benchmarks.relay import Relay
from benchmarks.report import Report

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(stderr=True, highlight=False)

ROUNDS_AGAINST = 12  # a difference of 5% takes more rounds; even, as every other goes backwards
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
    against: Annotated[
        str, typer.Option(help="A commit: its service runs too, and what now costs more is shown.")
    ] = "",
    rounds: Annotated[int, typer.Option(help="Rounds of each item, instead of the usual.")] = 0,
) -> None:
    """Measure the service and its contenders on one PostgreSQL, in interleaved rounds."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if against and scale:
        raise typer.BadParameter("--against is not for --scale")
    try:
        commit = short_name(against) if against else ""
    except LookupError as error:
        raise typer.BadParameter(str(error), param_hint="--against") from error
    pace = Pace(3, 0.25) if quick else Pace(7, 0.6)
    if rounds or commit:
        pace = replace(pace, rounds=rounds or ROUNDS_AGAINST)
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
            build = None
            if commit:
                with console.status(f"checking out {commit}"):
                    build = check_out(commit, postgres.home / BEFORE)
            report = _compare(postgres, driver, size, entrants(names, build), chosen, pace)
            report.against = commit
    report.write()
    print(report.text())


def _compare(
    postgres: Postgres,
    driver: Driver,
    size: data.Size,
    taking_part: Sequence[Entrant],
    only: Sequence[str],
    pace: Pace,
) -> Report:
    for database, build in builds(taking_part).items():
        with console.status(f"loading {size.memberships:,} memberships"):
            load(postgres, build, database, size)
    wanted = [_with_before(each) for each in items(data.institution(size))]
    wanted = [item for item in wanted if not only or item.name in only]
    report = Report({"size": size, "pace": asdict(pace)}, "bare")
    with ExitStack() as stack:
        with console.status("starting the contenders"):
            bench = stack.enter_context(running(postgres, driver, taking_part))
        for name, place in bench.places.items():
            report.memory[name] = memory(place.server.pid)
        compared = (_alike(bench, item, report) for item in wanted)
        wanted = [item for item in compared if item]
        _rounds(bench, wanted, pace, report)
    with (
        Relay(postgres.home / "relay", postgres.socket) as relay,
        running(postgres, driver, taking_part, relay.socket) as bench,
    ):
        for item in wanted:
            with console.status(f"counting round trips: {item.title}"):
                _trips(bench, relay, item, report)
    return report


def _with_before(item: Item) -> Item:
    return replace(item, requests={**item.requests, BEFORE: item.requests["groupsvc"]})


def _alike(bench: Bench, item: Item, report: Report) -> Item | None:
    """The item if everybody answers the same. One that somebody refuses is left out, loudly.

    The commit before may answer something else, or refuse what it does not know yet.
    """
    names = bench.contenders(item)
    others = [name for name in names if name != BEFORE]
    with console.status(f"comparing answers: {item.title}"):
        try:
            report.alike[item.name] = parity.compare(bench, item, others)
        except RefusedError as refusal:
            _leave_out(report, item.title, refusal)
            return None
        try:
            if BEFORE in names:
                parity.compare(bench, item, ("groupsvc", BEFORE))
        except AssertionError:
            report.changed.append(item.title)
        except RefusedError as refusal:
            _leave_out(report, f"{item.title}, before", refusal)
            return replace(item, requests={name: item.requests[name] for name in others})
    return item


def _leave_out(report: Report, what: str, refusal: RefusedError) -> None:
    report.refused[what] = str(refusal)
    console.print(f"left out: {what}: {refusal}", style="red", markup=False)


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
        database = f"{DATABASE}{number}"
        with console.status(f"loading {size.memberships:,} memberships"):
            load(postgres, OURS, database, size)
        url = postgres.url(database)
        servers.declare_account(OURS, url, postgres.home)
        server = servers.start("groupsvc", url, postgres.home)
        stack.callback(server.stop)
        places[name] = Place(database, server)
        headers[database] = servers.headers(OURS, server, url, postgres.home)
        made = data.institution(size)
        wanted = [item for item in items(made, many=1000) if item.name in only]
        for item in wanted:
            asked[item.name][name] = item.requests["groupsvc"]
    bench = Bench(driver, postgres, places, headers)
    _rounds(bench, [replace(item, requests=asked[item.name]) for item in wanted], pace, report)
    return report


def _rounds(bench: Bench, wanted: Sequence[Item], pace: Pace, report: Report) -> None:
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("", total=sum(len(bench.contenders(i)) for i in wanted))
        for item in wanted:
            progress.update(task, description=item.title)
            for place in bench.places.values():
                forget_peak(place.server.pid)
            samples: dict[str, list[Sample]] = {name: [] for name in bench.contenders(item)}
            for name, sample in bench.measure(item, pace):
                samples.setdefault(name, []).append(sample)
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
