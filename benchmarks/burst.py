"""``python -m benchmarks.burst``: what one client with large bodies does to a worker.

While twenty bodies of 30 MB arrive at once, a process of its own asks for liveness. Shown are the
answers, the longest that liveness took, and the memory at its peak and after a while.
"""

import asyncio
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing.synchronize import Event
from typing import Annotated, Any, NamedTuple

import httpx
import typer

from benchmarks import data, servers
from benchmarks.builds import OURS, check_out
from benchmarks.entrants import DATABASE, load
from benchmarks.postgres import Postgres
from benchmarks.processes import forget_peak, memory

SIZE = 30_000_000
AT_ONCE = 20
SECONDS_AFTER = 5
MEGABYTE = 1_000_000
PATIENCE = 600.0


class Burst(NamedTuple):
    name: str
    path: str
    media_type: str
    body: bytes


def _filled(start: bytes, row: bytes, end: bytes = b"", size: int = SIZE) -> bytes:
    return start + row * ((size - len(start) - len(end)) // len(row)) + end


def bursts(partition_id: int) -> Iterator[Burst]:
    assignments = f"/v1/partitions/{partition_id}/assignments"
    json_type, csv_type = "application/json", "text/csv"
    yield Burst("numbers", assignments, json_type, _filled(b"[", b"1,", b"1]"))
    yield Burst("numbers, 16 MB", assignments, json_type, _filled(b"[", b"1,", b"1]", 16_000_000))
    rows = [{"user_id": number, "group_id": 1} for number in range(1, 100_001)]
    yield Burst("rows", assignments, json_type, json.dumps({"rows": rows}).encode())
    wrong = _filled(b'{"rows":[', b"{},", b"{}]}", 300_000)
    yield Burst("wrong rows, 0.3 MB", assignments, json_type, wrong)
    table = _filled(b"course_key,user,partition,group\n", b"course-v1:A+B+C,nobody,TD,TD1\n")
    yield Burst("table", "/v1/import/assignments?dry_run=true", csv_type, table)


def _ask(port: int, begun: Event, stop: Event, worst: Any) -> None:
    """As an orchestrator does, over and over."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
        while not stop.is_set():
            began = time.perf_counter()
            client.get("/health/live").raise_for_status()
            worst.value = max(worst.value, time.perf_counter() - began)
            begun.set()
            time.sleep(0.01)


async def _send(port: int, token: str, burst: Burst) -> Counter[int]:
    headers = {"authorization": f"Bearer {token}", "content-type": burst.media_type}
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, limits=limits, headers=headers
    ) as client:

        async def post() -> int:
            try:
                return (await client.post(burst.path, content=burst.body)).status_code
            except httpx.TransportError:
                return 0  # refused and closed while the body was on its way

        return Counter(await asyncio.gather(*(post() for _ in range(AT_ONCE))))


def _measure(server: servers.Server, token: str, burst: Burst) -> str:
    context = multiprocessing.get_context("spawn")
    begun, stop, worst = context.Event(), context.Event(), context.Value("d", 0.0)
    asking = context.Process(target=_ask, args=(server.port, begun, stop, worst))
    before = memory(server.pid)
    forget_peak(server.pid)
    asking.start()
    begun.wait()
    began = time.perf_counter()
    answers = asyncio.run(_send(server.port, token, burst))
    seconds = time.perf_counter() - began
    stop.set()
    asking.join()
    time.sleep(SECONDS_AFTER)
    peak, after = memory(server.pid, peak=True) - before, memory(server.pid) - before
    return (
        f"{burst.name:20} {dict(answers)!s:24} {seconds:6.1f} s, liveness {worst.value * 1e3:6.0f} "
        f"ms, memory +{peak / MEGABYTE:.0f} MB, after +{after / MEGABYTE:.0f} MB"
    )


def main(
    against: Annotated[str, typer.Option(help="A commit whose service is measured too.")] = "",
    only: Annotated[str, typer.Option(help="Only bursts whose name begins so.")] = "",
) -> None:
    """Measure the service, and that of another commit after it."""
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres())
        builds = [("now", OURS)]
        if against:
            builds.append((against, check_out(against, postgres.home / "before")))
        for number, (name, build) in enumerate(builds):
            load(postgres, build, f"{DATABASE}{number}", data.QUICK)
            url = postgres.url(f"{DATABASE}{number}")
            server = servers.start("groupsvc", url, postgres.home, build)
            stack.callback(server.stop)
            servers.declare_account(build, url, postgres.home)
            own, _ = servers.headers(build, server, url, postgres.home)
            token = own.rpartition("Bearer ")[2].strip()
            for burst in bursts(2):
                if burst.name.startswith(only):
                    print(f"{name:8} {_measure(server, token, burst)}", flush=True)


if __name__ == "__main__":
    typer.run(main)
