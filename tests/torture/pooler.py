"""PgBouncer in transaction mode between two service processes and PostgreSQL."""

import asyncio
import os
import random
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.live.processes import wait_until
from tests.torture.cluster import Cluster, free_port
from tests.torture.conftest import MakeCluster, MakeService
from tests.torture.load import make_partition
from tests.torture.service import Service

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
IGNORED = (
    "statement_timeout,lock_timeout,idle_in_transaction_session_timeout,jit,extra_float_digits"
)
ROUNDS, CLIENTS = 60, 8
TRUSTING = "import groupsvc.db.connect as c\nasync def trust(_): pass\nc._refuse_pooler = trust"

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")


class Pooler:
    def __init__(self, place: Path, cluster: Cluster) -> None:
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._place, self._cluster = place, cluster
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> "Pooler":
        users, file = self._place / "users.txt", self._place / "pgbouncer.ini"
        users.write_text('"postgres" ""\n')
        lines = (
            "[databases]",
            f"postgres = host=127.0.0.1 port={self._cluster.port}",
            "[pgbouncer]",
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =",
            f"auth_type = trust\nauth_file = {users}",
            "pool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 200",
            *more,
        )
        file.write_text("\n".join(lines) + "\n")
        user = None if os.geteuid() else "nobody"
        self._process = subprocess.Popen(
            [str(PROGRAM), "-q", str(file)], user=user, stderr=subprocess.DEVNULL
        )
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest_asyncio.fixture
async def cluster(make_cluster: MakeCluster, make_service: MakeService) -> Cluster:
    cluster = make_cluster("primary").create().start()
    make_service(cluster.url).migrate()
    return cluster


@pytest_asyncio.fixture
async def pooler(place: Path, cluster: Cluster) -> AsyncIterator[Pooler]:
    pooler = Pooler(place, cluster)
    yield pooler
    pooler.stop()


async def paths_of(cluster: Cluster) -> dict[str, str]:
    """Paths, and what only a right answer has in it."""
    found = {}
    for _ in range(4):
        partition = await make_partition(cluster)
        ((course,),) = await cluster.ask(f"SELECT course_id FROM partitions WHERE id = {partition}")
        found[f"/v1/partitions/{partition}"] = f'"id":{partition},'
        found[f"/v1/courses/{course}"] = f'"id":{course},'
        found[f"/v1/courses/{course}/board"] = f'"id":{partition},'
    return found


async def wrong_answers(services: list[Service], paths: dict[str, str]) -> tuple[int, int]:
    """How many of all answers are not what was asked for."""
    wrong = total = 0

    async def ask(client: httpx.AsyncClient) -> None:
        nonlocal wrong, total
        for _ in range(ROUNDS):
            path = random.choice(tuple(paths))
            answer = await client.get(path)
            body = answer.text.replace(": ", ":")
            wrong += answer.status_code != 200 or paths[path] not in body
            total += 1

    clients = [service.client() for service in services for _ in range(CLIENTS)]
    await asyncio.gather(*(ask(client) for client in clients))
    for client in clients:
        await client.aclose()
    return wrong, total


async def test_with_the_setting_every_answer_is_right(
    cluster: Cluster, pooler: Pooler, make_service: MakeService
) -> None:
    pooler.start()
    services = [make_service(pooler.url, workers=1, pooler="true").start() for _ in range(2)]
    for service in services:
        await service.ready()
    wrong, total = await wrong_answers(services, await paths_of(cluster))
    print(f"{wrong} of {total} answers wrong")
    assert wrong == 0


@pytest.mark.parametrize("more", [(), (f"ignore_startup_parameters = {IGNORED}",)])
async def test_without_the_setting_nothing_is_served_and_the_log_says_what_to_set(
    cluster: Cluster, pooler: Pooler, make_service: MakeService, more: tuple[str, ...]
) -> None:
    pooler.start(*more)
    service = make_service(pooler.url, workers=1).start()
    await asyncio.to_thread(wait_until, lambda: "Application startup" in service.log.read_text())
    async with service.client() as client:
        refused = await client.get("/v1/courses")
        ready = await client.get("/health/ready")
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert "set GROUPSVC_POOLER=true" in service.log.read_text()
    assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "behind a pooler")


async def test_control_without_the_check_answers_are_mixed_up(
    cluster: Cluster, pooler: Pooler, make_service: MakeService
) -> None:
    pooler.start(f"ignore_startup_parameters = {IGNORED}")
    services = [make_service(pooler.url, workers=1, before=TRUSTING).start() for _ in range(2)]
    paths = await paths_of(cluster)
    for service in services:
        await asyncio.to_thread(
            wait_until, lambda s=service: "Application startup" in s.log.read_text()
        )
    wrong, total = await wrong_answers(services, paths)
    print(f"{wrong} of {total} answers wrong or refused")
    assert wrong > 0
