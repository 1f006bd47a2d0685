"""Reads of standbys that stop, die and are promoted. `make torture` runs this."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.torture.cluster import Cluster, url_of
from tests.torture.conftest import MakeCluster, MakeService
from tests.torture.load import make_partition
from tests.torture.service import Service
from tests.waiting import until

POSITION = "groupsvc-position"
CLIENTS, ROUNDS = 4, 60


@asynccontextmanager
async def stopping_and_going(standby: Cluster) -> AsyncIterator[None]:
    """Its replay stands still half of the time."""

    async def disturb() -> None:
        while True:
            for what in ("pause", "resume"):
                await standby.ask(f"SELECT pg_wal_replay_{what}()")
                await asyncio.sleep(0.4)

    task = asyncio.create_task(disturb())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await standby.ask("SELECT pg_wal_replay_resume()")


async def older_reads(
    writer: httpx.AsyncClient, reader: httpx.AsyncClient, group: int, *, tells: bool
) -> int:
    """How often somebody reads, elsewhere, what is older than what they have just written."""
    older = 0
    for number in range(ROUNDS):
        name = f"{group} {number}"
        written = await writer.patch(f"/v1/groups/{group}", json={"name": name})
        assert written.status_code == 200, written.text
        headers = {POSITION: written.headers[POSITION]} if tells else {}
        read = await reader.get(f"/v1/groups/{group}", headers=headers)
        assert read.status_code == 200, read.text
        older += read.json()["name"] != name
    return older


async def make_groups(service: Service, partition: int) -> list[int]:
    async with service.client() as client:
        path = f"/v1/partitions/{partition}/groups"
        made = [await client.post(path, json={"name": f"G{n}"}) for n in range(CLIENTS)]
    return [answer.json()["id"] for answer in made]


@pytest.mark.parametrize("tells", [True, False], ids=["drill", "control"])
async def test_nobody_reads_what_is_older_than_their_own_write_from_any_replica(
    make_cluster: MakeCluster, make_service: MakeService, tells: bool
) -> None:
    primary = make_cluster("primary").create().start()
    make_service(primary.url).migrate()
    standby = make_cluster("standby").follow(primary).start()
    here, there = (
        make_service(primary.url, workers=1, read_hosts=standby.address) for _ in range(2)
    )
    for service in (here, there):
        await service.start().ready()
    groups = await make_groups(here, await make_partition(primary))
    async with here.client() as writer, there.client() as reader, stopping_and_going(standby):
        found = await asyncio.gather(
            *(older_reads(writer, reader, group, tells=tells) for group in groups)
        )
    print(f"{sum(found)} of {CLIENTS * ROUNDS} reads were older than the write before")
    assert (sum(found) == 0) is tells


async def test_a_standby_is_read_again_when_it_follows_the_one_that_took_over(
    make_cluster: MakeCluster, make_service: MakeService
) -> None:
    primary = make_cluster("primary").create().start()
    make_service(primary.url).migrate()
    second, third = (make_cluster(name).follow(primary).start() for name in ("second", "third"))
    service = make_service(url_of(primary, second), workers=1, read_hosts=third.address, read_lag=1)
    await service.start().ready()

    async def told(text: str) -> bool:
        log = await asyncio.to_thread(service.log.read_text)
        return text in log.rpartition("took over")[2]

    await until(lambda: told("standby1 answers reads"))
    partition = await make_partition(primary)
    async with service.client() as client:
        await asyncio.to_thread(primary.kill)
        await asyncio.to_thread(second.promote)
        await until(lambda: told("standby1 is away or too far behind"))
        with service.log.open("a") as log:
            log.write("took over\n")
        source = f"host=127.0.0.1 port={second.port} user=postgres"
        await third.ask(f"ALTER SYSTEM SET primary_conninfo = '{source}'")
        await third.ask("SELECT pg_reload_conf()")
        await until(lambda: told("standby1 answers reads"))
        answer = await client.post(f"/v1/partitions/{partition}/groups", json={"name": "After"})
        headers = {POSITION: answer.headers[POSITION]}
        path = f"/v1/groups/{answer.json()['id']}"
        assert (await client.get(path, headers=headers)).json()["name"] == "After"
