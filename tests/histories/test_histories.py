"""Some histories, and proof that they would find what they are for; `make torture` runs more."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from groupsvc.db import migrate
from groupsvc.db.engine import make_engine
from groupsvc.settings import Settings
from tests.conftest import MakeDatabase
from tests.gathering import CODE, WAYS
from tests.histories.bench import Bench, audit, failures_in_logs, open_bench, search
from tests.histories.controls import CONTROLS
from tests.histories.history import FAULTS, Program, make_program
from tests.waiting import until

OF_EACH_FAULT = 3
MOST = 60
SEALED = "SELECT 1 FROM audit_seals"


@pytest_asyncio.fixture(scope="module", params=WAYS)
async def bench(
    make_database: MakeDatabase, settings: Settings, home: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Bench]:
    """Two services that always gather calls, or never."""
    url = await make_database()
    engine = make_engine(url, settings)
    await migrate.upgrade(engine)
    await engine.dispose()
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with open_bench(home, plain, CODE[request.param]) as bench:
        yield bench


def programs() -> Iterator[Program]:
    for number, fault in enumerate(FAULTS):
        for seed in range(OF_EACH_FAULT):
            yield make_program(100 * number + seed, fault)


async def test_histories_break_no_rule(bench: Bench) -> None:
    found = await search(bench, programs())
    assert not found, found.told()
    assert failures_in_logs(bench) == []
    await until(lambda: bench.database.pool.fetch(SEALED))
    assert await audit(bench) is None
    assert bench.figures.histories == OF_EACH_FAULT * len(FAULTS)
    assert bench.figures.done > bench.figures.operations // 4


@asynccontextmanager
async def broken(bench: Bench, sql: str, mend: str) -> AsyncIterator[None]:
    await bench.database.pool.execute(sql)
    try:
        yield
    finally:
        await bench.database.pool.execute(mend)


async def finds(bench: Bench, name: str) -> bool:
    seeds = (make_program(seed, None) for seed in range(MOST))
    return bool(await search(bench, seeds, finds=CONTROLS[name].finds))


async def test_a_group_over_its_capacity_is_found(bench: Bench) -> None:
    name = "capacity is not counted"
    whole = "SELECT pg_get_functiondef('refuse_overfull'::regproc)"
    definition = await bench.database.pool.fetchval(whole)
    async with broken(bench, CONTROLS[name].sql, definition):
        assert await finds(bench, name)


async def test_a_change_that_is_not_logged_is_found(bench: Bench) -> None:
    name = "moves are not logged"
    mend = CONTROLS[name].sql.replace("DISABLE", "ENABLE")
    async with broken(bench, CONTROLS[name].sql, mend):
        assert await finds(bench, name)
