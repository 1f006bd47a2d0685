"""Clients that write without a pause, remember what they were told, and never give up a key."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import httpx

from groupsvc.db.connect import parse_url
from groupsvc.db.engine import make_engine
from groupsvc.settings import Settings
from tests.conftest import World, statements
from tests.torture.cluster import Cluster, url_of
from tests.torture.service import Service

PAUSE = 0.02
numbers = itertools.count(1)


@dataclass
class Load:
    """``acknowledged`` names groups that a client was told to be there, with the time of it."""

    service: Service
    partition: int
    acknowledged: dict[str, float] = field(default_factory=dict)
    unknown: int = 0
    refused: int = 0
    odd: list[str] = field(default_factory=list)
    slowest: float = 0.0
    with_keys: bool = True
    _stop: bool = False

    async def write(self) -> None:
        async with self.service.client() as client:
            while not self._stop:
                await self._create(client, f"G{next(numbers)}")

    async def _create(self, client: httpx.AsyncClient, name: str) -> None:
        """Until there is an answer: what is unknown is repeated with its key."""
        key = uuid.uuid4().hex
        while True:
            headers = {"idempotency-key": key} if self.with_keys else {}
            began = monotonic()
            try:
                answer = await client.post(
                    f"/v1/partitions/{self.partition}/groups", json={"name": name}, headers=headers
                )
            except httpx.ConnectError:
                self.refused += 1
            except httpx.TransportError:
                self.unknown += 1
            else:
                self.slowest = max(self.slowest, monotonic() - began)
                if answer.status_code == 201:
                    self.acknowledged[name] = monotonic()
                    return
                if answer.status_code != 503 and answer.json().get("code") != "request_in_progress":
                    self.odd.append(f"{answer.status_code} {answer.text[:200]}")
                    return
                self.unknown += 1
            await asyncio.sleep(PAUSE)

    async def acknowledges(self, more: int = 20) -> None:
        """Wait until so many more writes were acknowledged."""
        wanted = len(self.acknowledged) + more
        async with asyncio.timeout(120):
            while len(self.acknowledged) < wanted:  # noqa: ASYNC110 - clients set no event
                await asyncio.sleep(0.01)

    async def check(self, cluster: Cluster) -> None:
        """Nothing acknowledged is lost, and nothing was done twice."""
        rows = await cluster.ask(f"SELECT name FROM groups WHERE partition_id = {self.partition}")
        lost = set(self.acknowledged) - {name for (name,) in rows}
        assert (lost, self.odd) == (set(), []), self.figures()

    def figures(self) -> str:
        return (
            f"{len(self.acknowledged)} acknowledged, {self.unknown} in doubt, "
            f"{self.refused} refused, slowest answer {self.slowest:.2f} s, odd: {self.odd[:3]}"
        )


async def make_partition(cluster: Cluster) -> int:
    """In a course of its own, with five students."""
    engine = make_engine(parse_url(url_of(cluster)), Settings())
    try:
        return await (await World(statements(engine)).make(5)).add_partition()
    finally:
        await engine.dispose()


@asynccontextmanager
async def writing(
    service: Service, partition: int, clients: int = 8, **more: Any
) -> AsyncIterator[Load]:
    """What was begun when the block ends is brought to its answer."""
    load = Load(service, partition, **more)
    tasks = [asyncio.create_task(load.write()) for _ in range(clients)]
    try:
        yield load
    finally:
        load._stop = True
        _, hanging = await asyncio.wait(tasks, timeout=60)
        for task in hanging:
            task.cancel()
        print(load.figures())
    assert not hanging, "there was no answer in a minute"
