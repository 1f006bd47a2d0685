"""Workers that start on a busy core, stop and are replaced while clients ask."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio

from groupsvc.db.connect import parse_url
from groupsvc.db.engine import make_engine
from groupsvc.settings import Settings
from tests.conftest import World, statements
from tests.live.processes import wait_until
from tests.torture.cluster import Cluster
from tests.torture.conftest import MakeCluster, MakeService
from tests.torture.load import make_partition, writing
from tests.torture.service import Service
from tests.waiting import until

CLIENTS = 12
BLUNT = """
import uvicorn, groupsvc.http.serving as s
s.Server.shutdown = uvicorn.Server.shutdown
s.Server.handle_exit = uvicorn.Server.handle_exit
"""


@dataclass
class Asked:
    answered: int = 0
    refused: int = 0
    unanswered: list[str] = field(default_factory=list)
    not_ready: int = 0
    served_when_not_ready: int = 0
    stop: bool = False


@asynccontextmanager
async def asking(service: Service, path: str, *, keep: bool) -> AsyncIterator[Asked]:
    """Clients that ask without a pause; a connection that is refused is tried again."""
    asked = Asked()

    async def ask() -> None:
        async with service.client() as client:
            headers = {} if keep else {"connection": "close"}
            while not asked.stop:
                try:
                    answer = await client.get(path, headers=headers)
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    asked.refused += 1
                    await asyncio.sleep(0.01)
                except httpx.TransportError as error:
                    asked.unanswered.append(repr(error))
                else:
                    assert answer.status_code == 200, answer.text
                    asked.answered += 1
                    asked.served_when_not_ready += bool(asked.not_ready)

    async def watch() -> None:
        async with service.client() as client:
            while not asked.stop:
                with contextlib.suppress(httpx.TransportError):
                    answer = await client.get("/health/ready", headers={"connection": "close"})
                    asked.not_ready += answer.status_code == 503
                await asyncio.sleep(0.02)

    tasks = [asyncio.create_task(each) for each in (watch(), *(ask() for _ in range(CLIENTS)))]
    try:
        yield asked
    finally:
        asked.stop = True
        await asyncio.gather(*tasks)
        print(f"{asked.answered} answered, {asked.refused} refused, {len(asked.unanswered)} lost")


@pytest_asyncio.fixture
async def cluster(make_cluster: MakeCluster, make_service: MakeService) -> Cluster:
    cluster = make_cluster("primary").create().start()
    make_service(cluster.url).migrate()
    return cluster


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "new"])
@pytest.mark.parametrize("workers", [1, 2])
async def test_a_stop_leaves_no_request_unanswered(
    cluster: Cluster, make_service: MakeService, workers: int, keep: bool
) -> None:
    partition = await make_partition(cluster)
    service = await make_service(cluster.url, workers=workers, drain_time=2).start().ready()
    async with asking(service, f"/v1/partitions/{partition}", keep=keep) as asked:
        await asyncio.to_thread(wait_until, lambda: asked.answered > 100)
        service.send(signal.SIGTERM)
        assert await service.ended() == 0
        await asyncio.sleep(1.5)  # whoever is on the way is refused by now
    assert asked.unanswered == []
    assert asked.not_ready > 0
    assert asked.served_when_not_ready > 0
    assert asked.refused > 0


async def test_control_a_blunt_stop_loses_requests(
    cluster: Cluster, make_service: MakeService
) -> None:
    partition = await make_partition(cluster)
    for _ in range(20):
        service = await make_service(cluster.url, workers=2, before=BLUNT).start().ready()
        async with asking(service, f"/v1/partitions/{partition}", keep=True) as asked:
            await asyncio.to_thread(wait_until, lambda seen=asked: seen.answered > 100)
            service.send(signal.SIGTERM)
            await service.ended()
        if asked.unanswered:
            return
    pytest.fail("no request was lost")


STUDENTS, ROUNDS = 2_000, 10
JOB = "SELECT state, attempted, succeeded, total FROM jobs WHERE id = {}"


async def upload(service: Service, cluster: Cluster) -> tuple[int, int]:
    """A job in which everybody changes their cohort again and again; its id and its course."""
    engine = make_engine(parse_url(cluster.url), Settings())
    try:
        world = await World(statements(engine)).make(STUDENTS)
        cohorts = await world.add_partition("Cohorts", "cohorts")
        for name in "AB":
            await world.add_group(cohorts, name)
    finally:
        await engine.dispose()
    names = await cluster.ask(
        "SELECT username FROM users JOIN enrollments ON user_id = id"
        f" WHERE course_id = {world.course_id} ORDER BY id"
    )
    lines = [f"{name},{'AB'[turn % 2]}" for turn in range(ROUNDS) for (name,) in names]
    async with service.client() as client:
        accepted = await client.post(
            f"/v1/courses/{world.course_id}/cohort-uploads",
            content="\n".join(["username,cohort", *lines]),
            headers={"content-type": "text/csv"},
        )
    assert accepted.status_code == 202, accepted.text
    return accepted.json()["id"], world.course_id


async def test_a_job_under_way_is_left_to_others_and_every_row_is_done_once(
    cluster: Cluster, make_service: MakeService
) -> None:
    service = await make_service(cluster.url, workers=1, drain_time=0).start().ready()
    job, course = await upload(service, cluster)

    async def done() -> tuple[Any, ...]:
        return (await cluster.ask(JOB.format(job)))[0]

    async def has_begun() -> bool:
        return (await done())[1] > 0

    await until(has_begun)
    service.send(signal.SIGTERM)
    assert await service.ended() == 0
    state, attempted, succeeded, total = await done()
    assert (state, attempted) == ("queued", succeeded)
    assert 0 < attempted < total
    print(f"left after {attempted} of {total} rows")
    other = await make_service(cluster.url, workers=1, job_poll=0.2).start().ready()

    async def is_over() -> bool:
        return (await done())[0] not in ("queued", "running")

    await until(is_over)
    assert await done() == ("done", total, total, total)
    ((changes,),) = await cluster.ask(
        f"SELECT count(*) FROM changes WHERE course_id = {course} AND kind LIKE 'membership.%'"
    )
    assert changes == total == STUDENTS * ROUNDS
    other.kill()


async def test_workers_are_replaced_without_losing_a_request(
    cluster: Cluster, make_service: MakeService
) -> None:
    partition = await make_partition(cluster)
    service = await make_service(cluster.url).start().ready()
    async with (
        asking(service, f"/v1/partitions/{partition}", keep=True) as asked,
        writing(service, partition, clients=2) as load,
    ):
        for _ in range(3):
            before = {worker.pid for worker in service.workers()}
            await load.acknowledges(10)
            service.send(signal.SIGHUP)

            def replaced(old: set[int] = before) -> bool:
                now = {worker.pid for worker in service.workers()}
                return len(now) == 2 and not now & old

            await asyncio.to_thread(wait_until, replaced)
    await load.check(cluster)
    assert (asked.unanswered, asked.refused, load.refused, load.unknown) == ([], 0, 0, 0)


@contextlib.contextmanager
def busy_core(core: int) -> Iterator[None]:
    loop = ("taskset", "-c", str(core), "timeout", "600", "sh", "-c", "while :; do :; done")
    loops = [subprocess.Popen(loop) for _ in range(2)]
    try:
        yield
    finally:
        for each in loops:
            each.terminate()
            each.wait()


async def test_no_worker_is_lost_while_it_starts_on_a_busy_core(
    cluster: Cluster, make_service: MakeService
) -> None:
    core = max(os.sched_getaffinity(0))
    service = make_service(cluster.url, workers=2)
    with busy_core(core):
        await service.start(wrapper=("taskset", "-c", str(core))).ready()
    log = service.log.read_text()
    assert (log.count("Started server process"), log.count("takes its place")) == (2, 0)
