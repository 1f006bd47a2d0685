"""Who takes part in a run: which program, on which database, from which tree."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import data, servers
from benchmarks.builds import OURS, Build
from benchmarks.driver import Driver
from benchmarks.items import BEFORE
from benchmarks.measure import Bench, Place
from benchmarks.postgres import Postgres


@dataclass(frozen=True, slots=True)
class Entrant:
    """``build`` is the tree it is started from, if it is the service."""

    name: str
    database: str
    build: Build = OURS

    @property
    def is_service(self) -> bool:
        return self.name in ("groupsvc", BEFORE)


def load(postgres: Postgres, build: Build, database: str, size: data.Size) -> None:
    """Create a database with the tables of a build, and fill it with the institution."""
    url = postgres.url(database)
    create = f"CREATE DATABASE {database} TEMPLATE template0"
    asyncio.run(postgres.execute("postgres", create))
    build.groupsvc("migrate", **servers.environment(url, postgres.home))
    build.load(url, size.courses, size.giant, size.courses_per_user)


@contextmanager
def running(
    postgres: Postgres, driver: Driver, entrants: Sequence[Entrant], socket: Path | None = None
) -> Iterator[Bench]:
    """All of them started, with tokens for each database; ``socket`` is that of a relay."""
    with ExitStack() as stack:
        places: dict[str, Place] = {}
        headers: dict[str, tuple[str, str]] = {}
        for each in entrants:
            url = postgres.url(each.database, socket)
            server = servers.start(each.name, url, postgres.home, each.build)
            stack.callback(server.stop)
            places[each.name] = Place(each.database, server)
            if each.is_service:
                servers.declare_account(each.build, url, postgres.home)
                headers[each.database] = servers.headers(each.build, server, url, postgres.home)
        yield Bench(driver, postgres, places, headers)
