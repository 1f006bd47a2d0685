"""A standby that is promoted with synchronous replication, a frozen primary, a full disk."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic

import asyncpg
import httpx
import pytest

from groupsvc.app import create_app
from groupsvc.auth.development import open_development_key
from groupsvc.db.connect import Connection, parse_url
from groupsvc.domain.principal import EVERYTHING
from groupsvc.settings import Settings
from tests.conftest import serving
from tests.torture.cluster import Cluster, url_of
from tests.torture.conftest import MakeCluster, MakeService
from tests.torture.load import make_partition, writing
from tests.waiting import until

SYNCHRONOUS = "-c synchronous_standby_names='*'"
ALONE = "-c synchronous_standby_names=''"
REPLICATES = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"


async def pair(make_cluster: MakeCluster, make_service: MakeService) -> tuple[Cluster, Cluster]:
    primary = make_cluster("primary").create().start()
    make_service(primary.url).migrate()
    standby = make_cluster("standby").follow(primary).start(ALONE)
    await primary.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
    await primary.ask("SELECT pg_reload_conf()")
    await until(lambda: primary.ask(REPLICATES))
    return primary, standby


@pytest.mark.parametrize("fault", ["kill", "freeze"])
async def test_a_standby_takes_over_and_nothing_acknowledged_is_lost(
    make_cluster: MakeCluster, make_service: MakeService, fault: str
) -> None:
    primary, standby = await pair(make_cluster, make_service)
    partition = await make_partition(primary)
    # The standby first: it is passed over as long as it is one.
    service = await make_service(url_of(standby, primary)).start().ready()
    async with writing(service, partition) as load:
        await load.acknowledges(50)
        await asyncio.to_thread(getattr(primary, fault))
        await asyncio.to_thread(standby.promote)
        promoted = monotonic()
        await load.acknowledges(50)
    after = min(at for at in load.acknowledged.values() if at > promoted) - promoted
    print(f"{fault}: first write {after:.2f} s after the promotion")
    primary.kill()
    await load.check(standby)


async def test_a_frozen_database_is_answered_in_time_and_used_when_it_is_back(
    make_cluster: MakeCluster, make_service: MakeService
) -> None:
    cluster = make_cluster("primary").create().start()
    make_service(cluster.url).migrate()
    partition = await make_partition(cluster)
    service = await make_service(cluster.url, workers=1).start().ready()
    took: list[float] = []

    async def ask(client: httpx.AsyncClient) -> int:
        began = monotonic()
        answer = await client.get(f"/v1/partitions/{partition}")
        took.append(monotonic() - began)
        return answer.status_code

    async with service.client(limits=httpx.Limits(max_connections=20)) as client:
        assert set(await asyncio.gather(*(ask(client) for _ in range(20)))) == {200}
        cluster.freeze()
        for _ in range(3):
            took.clear()
            assert set(await asyncio.gather(*(ask(client) for _ in range(20)))) == {503}
            print(f"slowest answer while it was frozen {max(took):.2f} s")
        assert not service.is_ready()
        cluster.thaw()
        back = monotonic()
        assert await ask(client) == 200
        print(f"answered again {monotonic() - back:.2f} s after it was back")


def asks_to_cancel(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the driver does it by itself."""
    original = asyncpg.Connection._cancel_current_command
    monkeypatch.setattr(Connection, "_cancel_current_command", original)


@pytest.mark.parametrize("cancels", [False, True], ids=["drill", "control"])
async def test_what_waits_for_its_standby_is_neither_seen_nor_acknowledged(
    make_cluster: MakeCluster,
    make_service: MakeService,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    cancels: bool,
) -> None:
    """Where the driver cancels, a commit that nobody has replicated is seen."""
    if cancels:
        asks_to_cancel(monkeypatch)
    primary, standby = await pair(make_cluster, make_service)
    partition = await make_partition(primary)
    ((course,),) = await primary.ask(f"SELECT course_id FROM partitions WHERE id = {partition}")
    ((user,),) = await primary.ask(
        f"SELECT min(user_id) FROM enrollments WHERE course_id = {course}"
    )
    settings = Settings(home=place, command_timeout=1, lock_timeout=0.5, statement_timeout=0.8)
    key = open_development_key(settings, place)
    token = key.issue("drill", EVERYTHING, lifetime=3600)
    app = create_app(settings, parse_url(primary.url), place)
    async with serving(app) as client:
        ready = (await client.get("/health/ready")).json()
        assert ready["checks"]["commits"] == "durable, on a standby too"
        client.headers["authorization"] = f"Bearer {token}"
        made = await client.post(f"/v1/partitions/{partition}/groups", json={"name": "A"})
        member = f"/v1/groups/{made.json()['id']}/members/{user}"
        posted = {"json": {"name": "B"}, "headers": {"idempotency-key": "drill"}}
        await asyncio.to_thread(standby.kill)
        first = [
            (await client.put(member)).status_code,
            (await client.post(f"/v1/partitions/{partition}/groups", **posted)).status_code,
        ]
        again = [
            (await client.put(member)).status_code,
            (await client.post(f"/v1/partitions/{partition}/groups", **posted)).status_code,
        ]
        assert first == [503, 503]
        assert again[1] in (409, 503)
        assert again[0] == 503
        seen = await client.get(f"/v1/partitions/{partition}")
        assert ("B" in [group["name"] for group in seen.json()["groups"]]) is cancels
        await asyncio.to_thread(standby.start, ALONE)
        await until(lambda: primary.ask(REPLICATES))
        assert (await client.put(member)).status_code == 200
        last = await client.post(f"/v1/partitions/{partition}/groups", **posted)
        assert last.status_code == 201, last.text


@pytest.fixture
def small_disk() -> Iterator[Path]:
    path = Path(f"/tmp/gs-small-{os.getpid()}")
    path.mkdir()
    command = ("mount", "-t", "tmpfs", "-o", "size=160m,mode=755", "tmpfs", str(path))
    if subprocess.run(command, capture_output=True, check=False).returncode:
        path.rmdir()
        pytest.skip("a small file system cannot be mounted here")
    yield path
    subprocess.run(("umount", "-l", str(path)), check=True)
    path.rmdir()


async def test_a_full_disk_is_told_and_nothing_acknowledged_is_lost(
    small_disk: Path, make_service: MakeService
) -> None:
    cluster = Cluster(small_disk, "primary").create()
    try:
        cluster.start("-c max_wal_size=48MB -c min_wal_size=32MB")
        service = make_service(cluster.url, workers=1)
        service.migrate()
        await service.start().ready()
        partition = await make_partition(cluster)
        filler = small_disk / "filler"
        async with writing(service, partition, clients=4) as load:
            await load.acknowledges(20)
            _fill(filler)
            async with asyncio.timeout(300):
                while not load.unknown:  # noqa: ASYNC110 - until the last page is full
                    await asyncio.sleep(0.05)
            await until(
                lambda: asyncio.to_thread(lambda: "cannot be used" in service.log.read_text())
            )
            filler.unlink()
            await asyncio.to_thread(_bring_back, cluster)
            await load.acknowledges(20)
        await load.check(cluster)
    finally:
        cluster.remove()


def _fill(file: Path) -> None:
    with suppress(OSError), file.open("wb") as filler:
        while True:
            filler.write(b"\0" * 65_536)
            filler.flush()


def _bring_back(cluster: Cluster) -> None:
    """PostgreSQL goes down when its log of changes finds no room."""
    if not cluster._processes():
        (cluster.data / "postmaster.pid").unlink(missing_ok=True)
        cluster.start()
