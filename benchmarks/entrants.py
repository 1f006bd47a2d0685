"""Who takes part in a run: which program, on which database, from which tree."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import data, servers
from benchmarks.builds import OURS, Build
from benchmarks.driver import Driver
from benchmarks.items import BEFORE
from benchmarks.measure import Bench, Place
from benchmarks.postgres import Postgres
from benchmarks.processes import Server

DATABASE, NOW = "bench", "now"


@dataclass(frozen=True, slots=True)
class Entrant:
    """``build`` is the tree it is started from, if it is the service."""

    name: str
    database: str
    build: Build = OURS


def entrants(names: Sequence[str], before: Build | None) -> list[Entrant]:
    """Everybody on one database; but what is compared with before on databases alike.

    Whoever writes to a database makes it dearer for all who write to it: with another commit
    to compare with, the service has one for itself too, and is measured right beside it.
    """
    if before is None:
        return [Entrant(name, DATABASE) for name in names]
    others = [Entrant(name, DATABASE) for name in names if name != "groupsvc"]
    return [Entrant("groupsvc", NOW), Entrant(BEFORE, BEFORE, before), *others]


def builds(taking_part: Sequence[Entrant]) -> Mapping[str, Build]:
    """The databases, each with the tree that its tables come from."""
    return {each.database: each.build for each in taking_part}


def load(postgres: Postgres, build: Build, database: str, size: data.Size) -> None:
    """Create a database with the tables of a build, and fill it with the institution."""
    url = postgres.url(database)
    create = f"CREATE DATABASE {database} TEMPLATE template0"
    asyncio.run(postgres.execute("postgres", create))
    build.groupsvc("migrate", **servers.environment(url, postgres.home))
    build.load(url, size.courses, size.giant, size.courses_per_user)


@contextmanager
def running(
    postgres: Postgres, driver: Driver, taking_part: Sequence[Entrant], socket: Path | None = None
) -> Iterator[Bench]:
    """All of them started, with tokens for each database; ``socket`` is that of a relay."""
    places: dict[str, Place] = {}
    headers: dict[str, tuple[str, str]] = {}
    with ExitStack() as stack:
        for database, build in builds(taking_part).items():
            url = postgres.url(database, socket)
            servers.declare_account(build, url, postgres.home)
            with _started("groupsvc", url, postgres.home, build) as issuer:
                headers[database] = servers.headers(build, issuer, url, postgres.home)
        for each in taking_part:
            url = postgres.url(each.database, socket)
            server = stack.enter_context(_started(each.name, url, postgres.home, each.build))
            places[each.name] = Place(each.database, server)
        yield Bench(driver, postgres, places, headers)


@contextmanager
def _started(name: str, url: str, home: Path, build: Build) -> Iterator[Server]:
    server = servers.start(name, url, home, build)
    try:
        yield server
    finally:
        server.stop()
