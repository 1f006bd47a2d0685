"""Histories of concurrent requests through all faces of two services, with faults injected.

TORTURE_HISTORIES is their number, HISTORY_SEED the one to begin with.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.gathering import CODE, WAYS
from tests.histories.bench import Bench, audit, failures_in_logs, made_smaller, open_bench, search
from tests.histories.controls import CONTROLS, Control
from tests.histories.history import make_program
from tests.torture.cluster import Cluster
from tests.torture.conftest import MakeCluster, MakeService
from tests.waiting import until

HISTORIES = int(os.environ.get("TORTURE_HISTORIES", "10000"))
FIRST = int(os.environ.get("HISTORY_SEED", "0"))
MOST_OF_A_CONTROL = 200
AT_ONCE = 500  # until the change log is verified
ALL_SEALED = (
    "SELECT 1 WHERE (SELECT max(last_seq) FROM audit_seals) > (SELECT max(seq) / 2 FROM changes)"
)


@asynccontextmanager
async def bench_of(
    place: Path, make_cluster: MakeCluster, make_service: MakeService, control: Control
) -> AsyncIterator[Bench]:
    cluster: Cluster = make_cluster("primary").create().start("-c fsync=off")
    make_service(cluster.url).migrate()
    async with open_bench(place, cluster.url, control.before) as bench:
        if control.sql:
            await bench.database.pool.execute(control.sql)
        yield bench


@pytest.mark.parametrize("way", [*WAYS, "as shipped"])
async def test_histories_break_no_rule(
    place: Path, make_cluster: MakeCluster, make_service: MakeService, way: str
) -> None:
    way = Control("", before=CODE.get(way, ""))
    async with bench_of(place, make_cluster, make_service, way) as bench:
        for first in range(FIRST, FIRST + HISTORIES, AT_ONCE):
            seeds = range(first, min(first + AT_ONCE, FIRST + HISTORIES))
            found = await search(bench, map(make_program, seeds))
            print(f"from {first}: {bench.figures}")
            if found:
                print(found.told())
                found = await made_smaller(bench, found)
            assert not found, found.told()
            assert await audit(bench) is None
            assert failures_in_logs(bench) == []


@pytest.mark.parametrize("name", CONTROLS)
async def test_control(
    place: Path, make_cluster: MakeCluster, make_service: MakeService, name: str
) -> None:
    control = CONTROLS[name]
    async with bench_of(place, make_cluster, make_service, control) as bench:
        programs = (
            make_program(seed, control.fault) for seed in range(FIRST, FIRST + MOST_OF_A_CONTROL)
        )
        found = await search(bench, programs, finds=control.finds)
        assert found, f"{MOST_OF_A_CONTROL} histories have not found it"
        print(f"{name}: found by history {found.seed - FIRST + 1}")


async def test_a_history_that_fails_is_made_smaller(
    place: Path, make_cluster: MakeCluster, make_service: MakeService
) -> None:
    control = CONTROLS["moves are not logged"]
    async with bench_of(place, make_cluster, make_service, control) as bench:
        found = await search(bench, map(make_program, range(FIRST, FIRST + MOST_OF_A_CONTROL)))
        assert found
        smaller = await made_smaller(bench, found)
        print(smaller.told())
        assert 2 <= smaller.program.size < found.program.size / 2


async def test_control_of_the_audit(
    place: Path, make_cluster: MakeCluster, make_service: MakeService
) -> None:
    async with bench_of(place, make_cluster, make_service, Control("")) as bench:
        assert not await search(bench, map(make_program, range(FIRST, FIRST + 5)))
        await until(lambda: bench.database.pool.fetch(ALL_SEALED))
        assert await audit(bench) is None
        await bench.database.pool.execute(
            "ALTER TABLE changes DISABLE TRIGGER ALL; UPDATE changes SET actor = 'nobody'"
            " WHERE seq = (SELECT max(seq) / 2 FROM changes);"
            " ALTER TABLE changes ENABLE TRIGGER ALL"
        )
        assert "was altered" in (await audit(bench) or "")
