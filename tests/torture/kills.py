"""kill -9 of workers and of PostgreSQL while clients write. `make torture` runs this."""

import asyncio
import os
import random

import pytest

from tests.live.processes import wait_until
from tests.torture.conftest import MakeCluster, MakeService
from tests.torture.load import make_partition, writing

KILLS = int(os.environ.get("TORTURE_KILLS", "8"))


async def test_killed_workers_lose_nothing_and_do_nothing_twice(
    make_cluster: MakeCluster, make_service: MakeService
) -> None:
    cluster = make_cluster("primary").create().start()
    service = make_service(cluster.url)
    service.migrate()
    await service.start().ready()
    partition = await make_partition(cluster)
    async with writing(service, partition) as load:
        for _ in range(KILLS):
            await load.acknowledges()
            random.choice(service.workers()).kill()
    await load.check(cluster)
    assert "another takes its place" in service.log.read_text()
    await asyncio.to_thread(wait_until, lambda: len(service.workers()) == 2)


async def test_a_killed_database_loses_nothing_and_the_service_goes_on(
    make_cluster: MakeCluster, make_service: MakeService
) -> None:
    cluster = make_cluster("primary").create().start()
    service = make_service(cluster.url)
    service.migrate()
    await service.start().ready()
    partition = await make_partition(cluster)
    async with writing(service, partition) as load:
        for _ in range(KILLS):
            await load.acknowledges()
            await asyncio.to_thread(cluster.kill)
            await asyncio.to_thread(cluster.start)
    await load.check(cluster)


async def test_control_where_commits_do_not_wait_for_the_disk_some_are_lost(
    make_cluster: MakeCluster, make_service: MakeService
) -> None:
    """The drill above would see a write that was acknowledged and is gone."""
    late = "-c synchronous_commit=off -c wal_writer_delay=10s"
    cluster = make_cluster("primary").create().start(late)
    service = make_service(cluster.url)
    service.migrate()
    await service.start().ready()
    partition = await make_partition(cluster)
    async with writing(service, partition) as load:
        for _ in range(KILLS):
            await load.acknowledges()
            await asyncio.to_thread(cluster.kill)
            await asyncio.to_thread(cluster.start, late)
    with pytest.raises(AssertionError, match="acknowledged, "):
        await load.check(cluster)


async def test_control_without_keys_a_repeated_write_is_refused(
    make_cluster: MakeCluster, make_service: MakeService
) -> None:
    """The drills above would see a write that is done twice."""
    cluster = make_cluster("primary").create().start()
    service = make_service(cluster.url)
    service.migrate()
    await service.start().ready()
    partition = await make_partition(cluster)
    async with writing(service, partition, with_keys=False) as load:
        for _ in range(200):
            if load.odd:
                break
            await load.acknowledges()
            for worker in service.workers():
                worker.kill()
    with pytest.raises(AssertionError, match="name_taken"):
        await load.check(cluster)
