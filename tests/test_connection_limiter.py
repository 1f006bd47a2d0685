"""Who waits for a connection, and for how long: in a time of our own, which passes at once."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from groupsvc.db.pool import TICKS, ConnectionLimiter

TIMEOUT = 2.0


class _NoWaiting(selectors.DefaultSelector):
    """Waits for nothing: the clock is put forward by the time that would have passed."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.clock = _NoWaiting()
        super().__init__(self.clock)

    def time(self) -> float:
        return self.clock.now


Story = Callable[[ConnectionLimiter], Coroutine[Any, Any, None]]


def play(story: Story) -> None:
    """In a thread: a loop of our own in this one would replace pytest's."""

    def run() -> None:
        with asyncio.Runner(loop_factory=_Loop) as runner:
            runner.run(story(ConnectionLimiter(1, TIMEOUT)))

    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result()


def now() -> float:
    return asyncio.get_running_loop().time()


def assert_refused_in_time(seconds: float) -> None:
    """Whoever comes between two ticks waits for the next."""
    assert seconds == pytest.approx(TIMEOUT * (1 + 1 / TICKS), abs=TIMEOUT / TICKS)


async def use(limiter: ConnectionLimiter, seconds: float) -> float:
    """Have a connection for a while; returns when that was over."""
    await limiter.enter()
    await asyncio.sleep(seconds)
    limiter.leave()
    return now()


def test_a_queue_that_moves_serves_everybody_however_long_it_is() -> None:
    async def story(limiter: ConnectionLimiter) -> None:
        served = await asyncio.gather(*(use(limiter, 1.9) for _ in range(100)))
        assert served == pytest.approx([1.9 * n for n in range(1, 101)])

    play(story)


def test_a_queue_that_stands_still_refuses_everybody() -> None:
    async def story(limiter: ConnectionLimiter) -> None:
        await limiter.enter()
        waiting = [asyncio.create_task(limiter.enter()) for _ in range(3)]
        done, _ = await asyncio.wait(waiting)
        assert [type(task.exception()) for task in done] == [TimeoutError] * 3
        assert_refused_in_time(now())

    play(story)


def test_a_queue_that_stops_moving_refuses_from_then_on() -> None:
    async def story(limiter: ConnectionLimiter) -> None:
        for _ in range(2):
            moving = [asyncio.create_task(use(limiter, 1.5)) for _ in range(4)]
            stuck = asyncio.create_task(use(limiter, 60))
            late = asyncio.create_task(limiter.enter())
            await asyncio.gather(*moving)
            began = now()
            with pytest.raises(TimeoutError):
                await late
            assert_refused_in_time(now() - began)
            await stuck

    play(story)


def test_whoever_comes_to_a_queue_that_stands_still_waits_as_long_as_others() -> None:
    async def story(limiter: ConnectionLimiter) -> None:
        await limiter.enter()
        first = asyncio.create_task(limiter.enter())
        await asyncio.sleep(1.5)
        second = asyncio.create_task(limiter.enter())
        with pytest.raises(TimeoutError):
            await first
        assert not second.done()
        limiter.leave()
        await second

    play(story)


def test_a_connection_that_comes_back_too_late_is_for_the_next() -> None:
    async def story(limiter: ConnectionLimiter) -> None:
        await limiter.enter()
        with pytest.raises(TimeoutError):
            await limiter.enter()
        limiter.leave()
        began = now()
        await limiter.enter()
        assert now() == began

    play(story)


@pytest.mark.parametrize("given", [False, True], ids=["waiting", "given a connection"])
def test_whoever_is_cancelled_leaves_their_turn_to_the_next(given: bool) -> None:
    async def story(limiter: ConnectionLimiter) -> None:
        await limiter.enter()
        first = asyncio.create_task(limiter.enter())
        second = asyncio.create_task(limiter.enter())
        await asyncio.sleep(0)
        if given:
            limiter.leave()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        if not given:
            limiter.leave()
        await second

    play(story)


def test_a_busy_event_loop_does_not_take_its_own_delay_for_the_queue_s() -> None:
    async def story(limiter: ConnectionLimiter) -> None:
        await limiter.enter()
        waiting = asyncio.create_task(limiter.enter())
        loop = asyncio.get_running_loop()
        assert isinstance(loop, _Loop)
        await asyncio.sleep(0)
        loop.clock.now += 10 * TIMEOUT  # in one step, as if something had held up the loop
        await asyncio.sleep(0.01)
        limiter.leave()
        await waiting

    play(story)
