"""``python -m benchmarks.live``: thousands who follow changes in one worker.

Readers are spread over the courses, and so are the changes. A process of its own reads; shown are
what a reader takes of the worker's memory, and the time from a change to a reader. The clock of
that starts when the line is written, a moment before its commit.
"""

import asyncio
import multiprocessing
import os
import re
import resource
import time
from contextlib import ExitStack
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Annotated, Final

import asyncpg
import typer

from benchmarks import servers
from benchmarks.builds import OURS
from benchmarks.entrants import DATABASE
from benchmarks.postgres import Postgres
from benchmarks.processes import cpu_seconds, memory

AT: Final = re.compile(rb'"at":"([^"]+)"')
AT_ONCE: Final = 50  # connections that are being opened
KILOBYTE: Final = 1000
WRITERS: Final = 8
UNLIMITED: Final = {
    "GROUPSVC_EVENT_STREAMS": "100000",
    "GROUPSVC_EVENT_STREAMS_PER_CALLER": "100000",
    "GROUPSVC_DRAIN_TIME": "0",
}


class Reader(asyncio.Protocol):
    """Notes how late each change is; ``ready`` when the stream has begun."""

    def __init__(self, request: bytes, late: list[float]) -> None:
        self._request, self._late = request, late
        self.ready = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.time()
        if not self.ready.done() and b"event: ready" in data:
            self.ready.set_result(None)
        for at in AT.findall(data):
            self._late.append(now - datetime.fromisoformat(at.decode()).timestamp())

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionResetError("there was no stream"))


async def _read(port: int, token: str, courses: list[int], readers: int, pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    late: list[float] = []
    turns = asyncio.Semaphore(AT_ONCE)

    async def follow(course: int) -> None:
        request = (
            f"GET /v1/courses/{course}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {token}\r\n\r\n"
        ).encode()
        async with turns:
            _, reader = await loop.create_connection(
                lambda: Reader(request, late), "127.0.0.1", port
            )
            await reader.ready

    await asyncio.gather(*(follow(courses[n % len(courses)]) for n in range(readers)))
    pipe.send(None)
    while not pipe.poll():  # noqa: ASYNC110 - a pipe sets no event
        await asyncio.sleep(0.1)
    pipe.send(late)


def _reading(port: int, token: str, courses: list[int], readers: int, pipe: Connection) -> None:
    asyncio.run(_read(port, token, courses, readers, pipe))


async def _fill(url: str, courses: int) -> dict[int, int]:
    """So many courses, each with a group."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute("INSERT INTO departments (acronym) VALUES ('LIVE')")
    await connection.execute(
        "INSERT INTO courses (department_id, key, title)"
        " SELECT d.id, 'live ' || n, 'Live' FROM departments d, generate_series(1, $1::integer) n",
        courses,
    )
    await connection.execute(
        "INSERT INTO partitions (course_id, kind, name, position)"
        " SELECT id, 'ordinary', 'TD', 1 FROM courses"
    )
    rows = await connection.fetch(
        "INSERT INTO groups (course_id, partition_id, name, position)"
        " SELECT course_id, id, 'A', 1 FROM partitions WHERE kind = 'ordinary'"
        " RETURNING course_id, id"
    )
    await connection.close()
    return {row["course_id"]: row["id"] for row in rows}


async def _write(url: str, groups: list[int], rate: int, seconds: int) -> int:
    """Over several connections, since each commit waits for the disk."""
    began = time.perf_counter()

    async def write(first: int) -> None:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        for number in range(first, rate * seconds, WRITERS):
            wait = began + number / rate - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            name, group = f"live {number}", groups[number % len(groups)]
            await connection.execute("UPDATE groups SET name = $1 WHERE id = $2", name, group)
        await connection.close()

    await asyncio.gather(*map(write, range(WRITERS)))
    return rate * seconds


def main(
    readers: Annotated[int, typer.Option(help="Who follow changes.")] = 5_000,
    courses: Annotated[int, typer.Option(help="Over which they are spread.")] = 250,
    rate: Annotated[int, typer.Option(help="Changes in a second.")] = 200,
    seconds: Annotated[int, typer.Option(help="How long.")] = 20,
) -> None:
    """Measure the streams of one worker."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    os.environ.update(UNLIMITED)
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres())
        asyncio.run(postgres.execute("postgres", f"CREATE DATABASE {DATABASE} TEMPLATE template0"))
        url = postgres.url(DATABASE)
        OURS.groupsvc("migrate", **servers.environment(url, postgres.home))
        groups = asyncio.run(_fill(url, courses))
        server = servers.start("groupsvc", url, postgres.home)
        stack.callback(server.stop)
        servers.declare_account(OURS, url, postgres.home)
        own, _ = servers.headers(OURS, server, url, postgres.home)
        token = own.rpartition("Bearer ")[2].strip()
        context = multiprocessing.get_context("spawn")
        pipe, theirs = context.Pipe()
        before = memory(server.pid)
        arguments = (server.port, token, list(groups), readers, theirs)
        reading = context.Process(target=_reading, args=arguments, daemon=True)
        reading.start()
        pipe.recv()
        each = (memory(server.pid) - before) / readers
        print(f"{readers} readers of {len(groups)} courses, {each / KILOBYTE:.1f} kB each")
        used, began = cpu_seconds(server.pid), time.perf_counter()
        changes = asyncio.run(_write(url, list(groups.values()), rate, seconds))
        took = time.perf_counter() - began
        used = cpu_seconds(server.pid) - used
        time.sleep(2)
        pipe.send(None)
        late = sorted(pipe.recv())
        reading.join()
        p50, p99 = (late[int(len(late) * part)] * 1e3 for part in (0.5, 0.99))
        after = (memory(server.pid) - before) / readers
        print(
            f"{changes / took:.0f} changes a second, {len(late) / took:.0f} deliveries a second:"
            f" {p50:.0f} ms in the middle, {p99:.0f} ms at p99, {late[-1] * 1e3:.0f} ms at most;"
            f" {used / took:.0%} of a core, {after / KILOBYTE:.1f} kB each at the end"
        )


if __name__ == "__main__":
    typer.run(main)
