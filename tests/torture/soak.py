"""A mixed load through all faces for minutes: memory, files and connections stay as they were.

TORTURE_SOAK is how many seconds it takes.
"""

import asyncio
import itertools
import os
import random
from dataclasses import dataclass
from time import monotonic
from typing import Any

import httpx
import psutil
import pytest

from groupsvc.db.connect import parse_url
from groupsvc.db.engine import make_engine
from groupsvc.settings import Settings
from tests.conftest import World, statements
from tests.torture.cluster import Cluster
from tests.torture.conftest import MakeCluster, MakeService
from tests.torture.service import Service

SECONDS = float(os.environ.get("TORTURE_SOAK", "600"))
CLIENTS = 8
STUDENTS, GROUPS = 300, 40
MOST_GROWTH = 5 * 2**20
WARM = 0.3  # of the time
BUSY = 503  # on a machine that has more to do
# Keeps what it has told.
LEAK = """
from groupsvc.core.repository import Repository
kept, read = [], Repository._document
async def leak(self, *given, **named):
    found = await read(self, *given, **named)
    kept.append(found and bytes(bytearray(found.body)))
    return found
Repository._document = leak
"""
numbers = itertools.count(1)


@dataclass(frozen=True)
class Size:
    memory: int
    files: int
    backends: int


@dataclass(frozen=True)
class Course:
    id: int
    key: str
    partition: int
    cohorts: int
    groups: list[int]
    users: list[int]
    usernames: list[str]


async def make_course(cluster: Cluster) -> Course:
    engine = make_engine(parse_url(cluster.url), Settings())
    try:
        world = await World(statements(engine)).make(STUDENTS)
        partition = await world.add_partition("TD")
        cohorts = await world.add_partition("Cohorts", "cohorts", position=2)
        places = [(partition, f"G{n}") for n in range(GROUPS)] + [(cohorts, n) for n in "XY"]
        groups = [await world.add_group(place, name) for place, name in places]
    finally:
        await engine.dispose()
    names = await cluster.ask(f"SELECT username FROM users WHERE id = ANY (ARRAY{world.users})")
    return Course(
        world.course_id,
        world.course,
        partition,
        cohorts,
        groups,
        world.users,
        [name for (name,) in names],
    )


async def visit(client: httpx.AsyncClient, course: Course, chance: random.Random) -> None:
    """One of the things that clients do; what makes something unmakes it."""
    group, user = chance.choice(course.groups[:GROUPS]), chance.choice(course.users)
    cohort, name = chance.choice(course.groups[GROUPS:]), chance.choice(course.usernames)
    cohorts = f"/api/cohorts/v1/courses/{course.key}/cohorts/"
    told: dict[str, Any] = {}
    match chance.randrange(10):
        case 0:
            made = await client.post(
                f"/v1/partitions/{course.partition}/groups",
                json={"name": f"N{next(numbers)}"},
                headers={"idempotency-key": f"soak-{next(numbers)}"},
            )
            await client.get(f"/ScoDoc/api/formsemestre/{course.id}/partitions")
            told = made.json()
            answer = await client.delete(f"/v1/groups/{told['id']}") if "id" in told else made
        case 1:
            answer = await client.get(f"/v1/courses/{course.id}/board")
        case 2:
            answer = await client.put(f"/v1/groups/{group}/members/{user}")
        case 3:
            answer = await client.post(f"/ScoDoc/api/group/{group}/set_etudiant/{user}")
        case 4:
            answer = await client.get(f"/ScoDoc/api/group/{group}/etudiants")
        case 5:
            answer = await client.post(f"{cohorts}{cohort}/users/{name}")
        case 6:
            answer = await client.get(cohorts)
        case 7:
            answer = await client.get(f"/ScoDoc/api/formsemestre/{course.id}/partitions")
        case 8:
            rows = [{"user_id": each, "group_id": group} for each in course.users[:50]]
            told = {"rows": rows, "mode": "row_by_row"}
            answer = await client.post(f"/v1/partitions/{course.partition}/assignments", json=told)
        case _:
            answer = await client.get(f"/v1/groups/{next(numbers)}")
            assert answer.status_code in (404, BUSY)
            return
    assert answer.is_success or answer.status_code == BUSY, answer.text


async def size_of(service: Service, cluster: Cluster) -> Size:
    (worker,) = (psutil.Process(service.process.pid),)
    ((backends,),) = await cluster.ask(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'groupsvc'"
    )
    return Size(worker.memory_full_info().uss, worker.num_fds(), backends)


@pytest.mark.parametrize("leaks", [False, True], ids=["drill", "control"])
async def test_a_mixed_load_leaves_the_service_as_large_as_it_was(
    make_cluster: MakeCluster, make_service: MakeService, leaks: bool
) -> None:
    cluster = make_cluster("primary").create().start("-c fsync=off")
    make_service(cluster.url).migrate()
    service = make_service(cluster.url, workers=1, before=LEAK if leaks else "")
    await service.start().ready()
    course = await make_course(cluster)
    seconds = SECONDS / 5 if leaks else SECONDS
    end, visits = monotonic() + seconds, 0

    async def go(seed: int) -> None:
        nonlocal visits
        chance = random.Random(seed)
        async with service.client() as client:
            while monotonic() < end:
                await visit(client, course, chance)
                visits += 1

    sizes: list[Size] = []

    async def look() -> None:
        await asyncio.sleep(seconds * WARM)
        while monotonic() < end:
            sizes.append(await size_of(service, cluster))
            await asyncio.sleep(seconds / 50)

    await asyncio.gather(look(), *(go(seed) for seed in range(CLIENTS)))
    growth = _middle(sizes[-5:]) - _middle(sizes[:5])
    print(f"{visits} visits in {seconds:.0f} s, {growth / 2**20:+.1f} MiB, {sizes[0]}, {sizes[-1]}")
    assert (growth <= MOST_GROWTH) is not leaks
    assert max(size.backends for size in sizes) == sizes[0].backends
    assert sizes[-1].files <= sizes[0].files + CLIENTS


def _middle(sizes: list[Size]) -> int:
    return sorted(size.memory for size in sizes)[len(sizes) // 2]
