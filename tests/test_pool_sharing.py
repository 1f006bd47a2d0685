"""Statements that stand alone and transactions share what connections there are."""

import asyncio
import gc
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import URL, text

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.db.failures import Failure, classify
from groupsvc.db.statements import Statement
from groupsvc.domain.errors import InvalidError, UnavailableError
from groupsvc.domain.principal import GrantScope
from groupsvc.settings import Settings
from tests.conftest import SQL
from tests.pools import PID, MakeOwnPool, OwnPool, own_pools, who

EVERYWHERE = GrantScope(everywhere=True, departments=(), courses=())


@pytest_asyncio.fixture
async def make(url: URL, settings: Settings, sql: SQL) -> AsyncIterator[MakeOwnPool]:
    async with own_pools(url, settings, sql) as make:
        yield make


@pytest.fixture
def own(make: MakeOwnPool) -> OwnPool:
    return make()


async def test_whoever_is_cancelled_leaves_nothing_behind(make: MakeOwnPool) -> None:
    own = make(pool_size=1)
    task, pid = await own.asleep()
    waiting = asyncio.create_task(own.fetch())
    await asyncio.sleep(0)
    waiting.cancel()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await own.fetch() != pid
    assert waiting.cancelled()


# The driver warns of what it was still opening.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("fresh", [True, False], ids=["connecting", "connected"])
@pytest.mark.parametrize("begins", [True, False], ids=["transaction", "alone"])
async def test_wherever_it_is_when_it_is_cancelled(
    make: MakeOwnPool, begins: bool, fresh: bool
) -> None:
    own = make(pool_size=1, pool_timeout=5)

    async def work(uow: UnitOfWork) -> int:
        if begins:
            await uow.begin()
        return await who(uow)

    for steps in itertools.count(1):
        if fresh:
            await own.engine.dispose()
        task = asyncio.create_task(own.unit(work, reading=True))
        for _ in range(steps):
            await asyncio.sleep(0)
        if task.done() or steps > 60:
            await task
            break
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await own.unit(who, reading=True)
    assert len(await own.together(4)) == 1
    gc.collect()


async def test_first_come_first_served(make: MakeOwnPool) -> None:
    own = make(pool_size=1)
    served: list[int] = []

    async def come(number: int) -> None:
        await own.fetch()
        served.append(number)

    await own.pool.limiter.enter()
    tasks = [asyncio.create_task(come(number)) for number in range(5)]
    await asyncio.sleep(0)
    own.pool.limiter.leave()
    await asyncio.gather(*tasks, come(5))
    assert served == [0, 1, 2, 3, 4, 5]


async def test_who_waits_too_long_is_told_so(make: MakeOwnPool) -> None:
    own = make(pool_size=1, pool_timeout=0.01)
    await own.pool.limiter.enter()
    waited = await asyncio.gather(*(own.fetch() for _ in range(3)), return_exceptions=True)
    assert [classify(each) for each in waited if isinstance(each, Exception)] == [Failure.BUSY] * 3
    for begins in (True, False):

        async def work(uow: UnitOfWork, begins: bool = begins) -> int:
            if begins:
                await uow.begin()
            return await who(uow)

        with pytest.raises(UnavailableError):
            await own.unit(work, reading=True)
    own.pool.limiter.leave()
    assert len(await own.together(1)) == 1


@pytest.mark.parametrize("size", [1, 2])
async def test_statements_transactions_and_the_engine_share_the_connections(
    make: MakeOwnPool, size: int
) -> None:
    own = make(pool_size=size)

    def work(number: int) -> Any:
        async def alone(uow: UnitOfWork) -> set[int]:
            return {await who(uow), await who(uow)}

        async def together(uow: UnitOfWork) -> set[int]:
            await uow.begin()
            return await alone(uow)

        async def mixed(uow: UnitOfWork) -> set[int]:
            return await alone(uow) | await together(uow)

        return (alone, together, mixed)[number % 3]

    async def directly() -> set[int]:
        async with own.engine.connect() as one:
            return set((await one.execute(text(PID))).scalars())

    for _ in range(3):
        units = [own.unit(work(number)) for number in range(30)]
        found = await asyncio.gather(*units, *(directly() for _ in range(5)))
        assert len(set().union(*found)) <= size
    assert await own.together(2 * size) <= set().union(*found)


@pytest.mark.parametrize("begins", [True, False], ids=["transaction", "alone"])
async def test_json_goes_in_as_text_and_comes_out_as_values(own: OwnPool, begins: bool) -> None:
    statement = Statement("result", "read", "SELECT :result::jsonb AS result")

    async def read(uow: UnitOfWork) -> Any:
        if begins:
            await uow.begin()
        ((found,),) = await uow.connection.execute(statement, {"result": '{"a": [1]}'})
        return found

    assert await own.unit(read) == {"a": [1]}


@pytest.mark.parametrize("begins", [True, False], ids=["transaction", "alone"])
@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
async def test_what_is_out_of_range_is_invalid(own: OwnPool, begins: bool, number: int) -> None:
    async def work(uow: UnitOfWork) -> Any:
        if begins:
            await uow.begin()
        return await uow.users.read(number, EVERYWHERE)

    with pytest.raises(InvalidError):
        await own.unit(work)
