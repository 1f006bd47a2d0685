"""Two hundred institutions on one PostgreSQL server, behind one worker; ``make tenants`` runs it.

Prints the memory of the worker, its connections, and the CPU of a hot read beside that of a worker
with one institution. ``TORTURE_TENANTS`` says how many institutions; ``TORTURE_READS``, how many
reads a figure is made of.
"""

import asyncio
import itertools
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import httpx
import psutil
import pytest
from sqlalchemy import make_url

from groupsvc.auth.development import open_development_key
from groupsvc.domain.principal import EVERYTHING
from groupsvc.settings import Settings
from groupsvc.tenants.databases import Databases
from groupsvc.tenants.registry import Tenant, open_registry
from tests.torture.cluster import Cluster, url_of
from tests.torture.conftest import MakeCluster, MakeService
from tests.torture.service import Service

TENANTS: Final = int(os.environ.get("TORTURE_TENANTS", "200"))
READS: Final = int(os.environ.get("TORTURE_READS", "1000"))
CEILING: Final = 48
AT_ONCE: Final = 8
ROUNDS: Final = 3
VISITS: Final = 20  # seconds
# Nothing is to survive this server, and it is asked by several services at once.
QUICK: Final = "-c fsync=off -c max_connections=400"
# What it costs is measured, and not how long a busy machine takes.
PATIENT: Final = {
    "connect_timeout": 60,
    "command_timeout": 60,
    "pool_timeout": 60,
    "request_timeout": 120,
}
MOST_GROWN: Final = 10.0  # megabytes, once every institution has been served

CONTENT = """
WITH d AS (INSERT INTO departments (acronym) VALUES ('X') RETURNING id),
     c AS (INSERT INTO courses (department_id, key, title)
           SELECT id, 'course-v1:X+C+2026', 'C' FROM d RETURNING id),
     p AS (INSERT INTO partitions (course_id, kind, name, position)
           SELECT id, 'ordinary', 'TD', 1 FROM c RETURNING id, course_id)
INSERT INTO groups (course_id, partition_id, name, position)
SELECT course_id, id, 'G' || n, n FROM p, generate_series(1, 12) n RETURNING partition_id
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """In memory where there is such a folder: two hundred databases have many files."""
    memory = Path("/dev/shm")
    folder = memory if memory.is_dir() else None
    path = Path(tempfile.mkdtemp(prefix="gs-", dir=folder))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@dataclass
class Caller:
    """Asks one service in the name of one institution."""

    url: str
    headers: dict[str, str]


async def test_many_institutions_on_one_server(
    place: Path, make_cluster: MakeCluster, make_service: MakeService
) -> None:
    cluster = make_cluster("many").create().start(QUICK)
    partition = await populate(cluster)
    names = [f"t{number}" for number in range(TENANTS)]
    control = await found(cluster, names)
    many = {**PATIENT, "control_url": control, "workers": 1}
    few = make_service(None, max_connections=CEILING, **many).start()
    calm = {**many, "tenant_visits": 0.001}
    tight = make_service(None, max_connections=CEILING, **calm).start()
    wide = make_service(None, max_connections=300, **calm).start()
    alone = make_service(url_of(cluster, database="template"), workers=1, **PATIENT).start()
    for service in (few, tight, wide, alone):
        await service.ready()
    path = f"/v1/partitions/{partition}"
    async with httpx.AsyncClient(timeout=200) as client:
        sight = Sight(cluster, few)
        await sight.look("before the first request")
        callers = [caller(place, few, name, path) for name in names]
        for number in range(1, 4):
            await ask(client, callers)
            await sight.look(f"after {number} requests to each of {TENANTS}")
        steady = sight.memory[-1]
        for _ in range(5):
            await ask(client, random.sample(callers, len(callers)))
        await sight.look(f"after 8 requests to each of {TENANTS}")

        before = seconds_of(few)
        await asyncio.sleep(VISITS)
        spent = (seconds_of(few) - before) / VISITS * 1e3
        print(f"{'a visit, one in a second':45} {spent:7.1f} ms CPU")
        await sight.look(f"after {VISITS} visits")

        squeezed = [caller(place, tight, name, path) for name in names]
        await compare(
            client,
            {
                "one institution, without a list": (alone, [single(place, alone, path)]),
                f"one of {TENANTS}": (tight, squeezed[:1]),
                f"40 of {TENANTS} in turn, 48 connections": (tight, squeezed[:40]),
                f"{TENANTS} in turn, 48 connections": (tight, squeezed),
                f"{TENANTS} in turn, 300 connections": (
                    wide,
                    [caller(place, wide, name, path) for name in names],
                ),
            },
        )
    # One more for the list, which is no institution.
    assert max(sight.connections) <= CEILING + 2
    assert sight.memory[-1] - steady < MOST_GROWN


async def populate(cluster: Cluster) -> int:
    """The database of which all others are copies; returns the id of its partition."""
    await cluster.ask("CREATE DATABASE template")
    url = make_url(url_of(cluster, database="template")).set(drivername="postgresql+asyncpg")
    await Databases(Settings()).migrate(url)
    ((partition, *_), *_) = await cluster.ask(CONTENT, "template")
    return int(partition)


async def found(cluster: Cluster, names: list[str]) -> str:
    """Make the institutions; returns the URL of the list."""
    await cluster.ask("CREATE DATABASE control")
    control = url_of(cluster, database="control")
    async with open_registry(Settings.model_validate({"control_url": control})) as registry:
        await registry.prepare()
        for name in names:
            await cluster.ask(f"CREATE DATABASE {name} TEMPLATE template")
            url = url_of(cluster, database=name)
            connection = await asyncpg.connect(url)
            await connection.execute(f"INSERT INTO institution (name) VALUES ('{name}')")
            await connection.close()
            tenant = Tenant(name, (f"{name}.example",), url)
            await registry.run(lambda list_, tenant=tenant: list_.save(tenant))
    return control


def caller(home: Path, service: Service, name: str, path: str) -> Caller:
    own = home / "tenants" / name
    key = open_development_key(Settings(home=own), own)
    return Caller(f"{service.address}{path}", headers(key.issue("drill", EVERYTHING), name))


def single(home: Path, service: Service, path: str) -> Caller:
    key = open_development_key(Settings(home=home), home)
    return Caller(f"{service.address}{path}", headers(key.issue("drill", EVERYTHING), "one"))


def headers(token: str, name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "host": f"{name}.example"}


async def ask(client: httpx.AsyncClient, callers: list[Caller], reads: int | None = None) -> None:
    """So many reads, of one caller after another; each of them once without a number."""
    turns = itertools.islice(itertools.cycle(callers), reads or len(callers))

    async def work() -> None:
        for each in turns:
            answer = await client.get(each.url, headers=each.headers)
            assert answer.status_code == 200, answer.text

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


async def compare(
    client: httpx.AsyncClient, contenders: dict[str, tuple[Service, list[Caller]]]
) -> None:
    """CPU of the worker for a read, of all in turn so that what else the machine does is shared."""
    spent: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, (service, callers) in contenders.items():
            await ask(client, callers)
            before = seconds_of(service)
            await ask(client, callers, READS)
            spent[name].append((seconds_of(service) - before) / READS * 1e6)
    least = min(next(iter(spent.values())))
    for name, found_ in spent.items():
        print(f"{name:45} {min(found_):7.0f} us CPU a read, {min(found_) / least:5.2f} times")


def seconds_of(service: Service) -> float:
    times = psutil.Process(service.process.pid).cpu_times()
    return times.user + times.system


class Sight:
    """What a worker holds, looked at again and again."""

    def __init__(self, cluster: Cluster, service: Service) -> None:
        self._cluster, self._service = cluster, service
        self.memory: list[float] = []
        self.connections: list[int] = []

    async def look(self, when: str) -> None:
        worker = psutil.Process(self._service.process.pid)
        self.memory.append(worker.memory_info().rss / 2**20)
        ours = {
            each.laddr.port for each in worker.net_connections() if each.status == "ESTABLISHED"
        }
        rows = await self._cluster.ask(
            "SELECT client_port FROM pg_stat_activity WHERE application_name = 'groupsvc'"
        )
        self.connections.append(len(ours & {port for (port,) in rows}))
        print(f"{when:45} {self.memory[-1]:7.1f} MB, {self.connections[-1]:3} connections")
